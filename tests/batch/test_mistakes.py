"""What is found wrong before anything is sent: all of it, each with its place."""

from typing import Any

import pytest

from world import Ran, World

TOO_LONG = "x" * 4_001


def unsent(world: World, ran: Ran, code: int, *, files: list[str] | None = None) -> Ran:
    """The run, which did nothing but say so."""
    assert (ran.code, world.posts, world.files("out")) == (code, 0, files or []), ran.err
    return ran


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "p.jsonl",
            '{"prompt": "a", "sed": 1}\nnonsense\n\n{"prompt": ""}\n"fine"\n{"seed": "x"}\n',
            [
                "p.jsonl:1: unknown key `sed`; did you mean `seed`?",
                "p.jsonl:2: invalid JSON: expected a value at column 1",
                "p.jsonl:4: the prompt is empty",
                "p.jsonl:6: `seed` should be a whole number, not the string `x`",
            ],
        ),
        (
            "p.csv",
            'prompt,num_images,aspect_ratio\n"a\nb",9,1:1\nc,1,5:4\n,1,1:1\nd,x,1:1\ne,1,1:1\n',
            [
                "p.csv:2: for aimlapi, `--num-images` should be 1 to 4, not 9",
                "p.csv:4: `--aspect-ratio 5:4` should be ",
                "p.csv:5: the prompt is missing",
                "p.csv:6: `num_images` should be a whole number, not the string `x`",
            ],
        ),
        (
            "p.jsonl",
            '{"id": "a", "prompt": "a"}\n{"id": "b", "prompt": "b"}\n{"id": "a", "prompt": "c"}\n',
            ["p.jsonl:3: row a: the id `a` is already used in line 1"],
        ),
        (
            "p.jsonl",
            '{"prompt": "a", "provider": "chainhub", "seed": 1}\n'
            '{"prompt": "b", "provider": "nobody"}\n'
            '{"prompt": "c", "model": "kontext-mini"}\n'
            '{"prompt": "d", "seed": 0}\n'
            '{"prompt": "e", "provider": "fal", "seed": 0}\n'
            '{"prompt": "f", "sync_mode": true}\n'
            '{"prompt": "g", "guidance_scale": 21}\n'
            '{"prompt": "h", "safety_tolerance": 7}\n'
            '{"prompt": "i", "images": ["a.png"]}\n'
            f'{{"prompt": "{TOO_LONG}"}}\n',
            [
                "p.jsonl:1: chainhub does not support `--seed`",
                "p.jsonl:2: there is no provider `nobody`",
                "p.jsonl:3: aimlapi does not generate with the model `kontext-mini`",
                "p.jsonl:4: for aimlapi, `--seed` should be ",
                "p.jsonl:6: aimlapi does not support `--sync-mode`",
                "p.jsonl:7: for aimlapi, `--guidance-scale` should be ",
                "p.jsonl:8: for aimlapi, `--safety-tolerance` should be ",
                "p.jsonl:9: `generate` takes no images",
                "p.jsonl:10: the prompt has 4,001 characters; aimlapi takes ",
            ],
        ),
        (
            "p.jsonl",
            '{"prompt": "a", "output": "../x.jpg"}\n{"prompt": "b", "output": "/tmp/x.jpg"}\n'
            '{"prompt": "c", "output": "a/../../x.jpg"}\n{"prompt": "d", "output": "x.webp"}\n'
            '{"prompt": "e", "output": "x/"}\n{"prompt": "f", "output": "fine.jpg"}\n',
            [
                "p.jsonl:1: the output `../x.jpg` is outside the output directory",
                "p.jsonl:2: the output `/tmp/x.jpg` is outside the output directory",
                "p.jsonl:3: the output `a/../../x.jpg` is outside the output directory",
                "p.jsonl:4: `x.webp` asks for `.webp`, but images are JPEG or PNG",
                "p.jsonl:5: `x/` is a folder",
            ],
        ),
        (
            "p.jsonl",
            '{"prompt": "a"}\n{"prompt": "b", "output": "Ä.jpg"}\n'
            '{"prompt": "c", "output": "a\\u0308.JPG"}\n{"prompt": "d", "output": "x.png"}\n'
            '{"prompt": "e", "output": "X.png"}\n{"prompt": "f", "output": "sub/x.png"}\n'
            '{"prompt": "g", "output": "straße.jpg"}\n{"prompt": "h", "output": "STRASSE.jpg"}\n',
            [
                "p.jsonl:3: it has the same file name as line 2: `a\u0308.JPG`",
                "p.jsonl:5: it has the same file name as line 4: `X.png`",
                "p.jsonl:8: it has the same file name as line 7: `STRASSE.jpg`",
            ],
        ),
        ("p.txt", b"a fox\nb\xff\n", ["p.txt:2: it is not UTF-8 (byte 0xff), save it as UTF-8"]),
        ("p.txt", b"\xff\xfea\0", ["p.txt:1: it is UTF-16, save it as UTF-8"]),
    ],
)
def test_all_of_a_file_are_told_at_once_with_their_lines(
    name: str, content: str | bytes, told: list[str], world: World
) -> None:
    world.write(name, content)
    ran = unsent(world, world.batch(name), 2)
    error = ran.errors[0]
    assert error["code"] == "usage"
    details = error["details"]
    assert [line[: len(start)] for line, start in zip(details, told, strict=True)] == told
    assert all(f"  {line}\n" in ran.err for line in details)
    many = "1 error" if len(told) == 1 else f"{len(told)} errors"
    assert error["message"] == f"`{name}`: {many}; nothing was sent"


@pytest.mark.parametrize(
    ("good", "bad"), [(1, 1), (2, 2), (0, 1)], ids=["half", "half of four", "one row"]
)
def test_a_mistake_that_stands_in_the_file_is_told_with_its_line(
    good: int, bad: int, world: World
) -> None:
    rows = ['{"prompt": ""}\n'] * bad + [f'"fox {n}"\n' for n in range(good)]
    world.write("p.jsonl", "".join(rows))
    ran = unsent(world, world.batch("p.jsonl"), 2)
    told = [f"p.jsonl:{n}: the prompt is empty" for n in range(1, bad + 1)]
    assert ran.errors[0]["details"] == told


def test_the_mistake_of_a_single_row_is_told_with_its_line(world: World) -> None:
    world.write("p.jsonl", '{"prompt": "a", "aspect_ratio": "5:4"}\n')
    ran = unsent(world, world.batch("p.jsonl"), 2)
    assert "p.jsonl:1: `--aspect-ratio 5:4` should be " in ran.err


def test_a_mistake_of_the_command_line_is_told_once(world: World) -> None:
    prompts = world.prompts("a fox", "a hen", "a cat")
    ran = unsent(world, world.batch(prompts, "--sync-mode"), 2)
    assert ran.errors[0]["code"] == "unsupported_option"
    assert ran.err.startswith("error: aimlapi does not support `--sync-mode`\n")
    assert ran.err.count("--sync-mode") == 1
    unsent(world, world.run("edit", "-f", prompts, "-p", "aimlapi", "-d", "out"), 2)


def test_rows_that_are_not_part_of_a_run_are_checked_as_well(world: World) -> None:
    world.write("p.jsonl", '"a"\n{"prompt": "b", "seed": 0}\n{"prompt": "c", "seed": "x"}\n')
    for part in (("--limit", "1"), ("--only", "1"), ("--only", "2,3"), ("--shard", "1/1")):
        ran = unsent(world, world.batch("p.jsonl", *part), 2)
        assert "p.jsonl:2: for aimlapi, `--seed` should be " in ran.err
        assert "p.jsonl:3: `seed` should be a whole number" in ran.err


def test_two_rows_of_which_one_is_made_cannot_have_one_name(world: World) -> None:
    rows = [{"prompt": "a", "output": "x.jpg"}, {"prompt": "b", "output": "x.jpg"}]
    world.write("p.jsonl", rows)
    for only in ("1", "2"):
        ran = unsent(world, world.batch("p.jsonl", "--only", only), 2)
        assert "it has the same file name as line 1: `x.jpg`" in ran.err


def test_a_template_that_gives_two_rows_one_name_is_refused(world: World) -> None:
    prompts = world.prompts("A fox!", "a hen", "a fox")
    ran = unsent(world, world.batch(prompts, "--name", "{slug}"), 2)
    assert ran.errors[0]["details"] == [
        "prompts.txt:3: it has the same file name as line 1: `a-fox.jpg`"
    ]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{nope}", "unknown field `{nope}`"),
        ("../{slug}", "leaves the output folder"),
        ("{id}", "uses `{id}`, which has no value here"),
        ("{stem}", "uses `{stem}`, which has no value here"),
        ("/{slug}", "starts with `/`"),
    ],
)
def test_a_template_that_cannot_name_the_files_is_refused(
    template: str, says: str, world: World
) -> None:
    prompts = world.prompts("a fox", "a hen")
    ran = unsent(world, world.batch(prompts, "--name", template), 2)
    assert ran.err.count(says) == 1


class TestNamesThatAreTaken:
    def test_are_told_together_and_nothing_is_sent(self, world: World) -> None:
        world.write("out/1-a-fox.jpg", b"mine")
        world.write("out/3-a-cat.jpg", b"mine")
        prompts = world.prompts("a fox", "a hen", "a cat")
        there = ["1-a-fox.jpg", "3-a-cat.jpg"]
        ran = unsent(world, world.batch(prompts), 8, files=there)
        error = ran.errors[0]
        assert (error["code"], error["message"]) == (
            "name_taken",
            "`prompts.txt`: 2 errors; nothing was sent",
        )
        assert [line.split(": ")[0] for line in error["details"]] == [
            "prompts.txt:1",
            "prompts.txt:3",
        ]
        assert "--exists number" in error["hint"]

    def test_go_with_other_mistakes(self, world: World) -> None:
        world.write("out/1-a-fox.jpg", b"mine")
        world.write("p.jsonl", '"a fox"\n{"prompt": "b", "seed": 0}\n')
        ran = unsent(world, world.batch("p.jsonl"), 2, files=["1-a-fox.jpg"])
        assert len(ran.errors[0]["details"]) == 2

    @pytest.mark.parametrize(
        ("exists", "names", "reasons"),
        [
            ("number", ["1-a-fox-2.jpg", "2-a-hen.jpg"], ["new", "new"]),
            ("overwrite", ["1-a-fox.jpg", "2-a-hen.jpg"], ["new", "new"]),
            ("skip", ["1-a-fox.jpg", "2-a-hen.jpg"], ["there already", "new"]),
        ],
    )
    def test_are_dealt_with_as_the_user_says(
        self, exists: str, names: list[str], reasons: list[str], world: World
    ) -> None:
        world.images("out/1-a-fox.jpg")
        ran = world.batch(world.prompts("a fox", "a hen"), "--exists", exists)
        assert (ran.code, ran.paths(world.out), ran.reasons) == (0, names, reasons)
        assert world.accepted["a fox"] == (exists != "skip")

    def test_and_are_no_images_are_told_with_their_line(self, world: World) -> None:
        world.write("out/2-a-hen.jpg", b"mine")
        prompts = world.prompts("a fox", "a hen")
        ran = world.batch(prompts, "--exists", "skip")
        assert (world.posts, ran.errors[0]["details"][0][:15]) == (0, "prompts.txt:2: ")


@pytest.mark.parametrize(
    ("images", "code", "told"),
    [
        ("none.png", 8, "cannot read `{}none.png`: "),
        ("text.png", 8, "`{}text.png` is text: `hello`"),
        ("cut.png", 8, "`{}cut.png` is "),
        (["a.png"] * 5, 2, "with kontext-pro, aimlapi takes 1 to 4 images, not 5"),
        (["a.png"] * 11, 2, "`edit` takes 1 to 10 images, not 11"),
        (["ftp://x/y.png"], 2, "`ftp://x/y.png` is a `ftp:` URL"),
        ("-", 2, "`-` cannot be an image of a row"),
    ],
)
def test_images_that_cannot_be_sent_are_told_with_their_line(
    images: Any, code: int, told: str, world: World
) -> None:
    world.images("a.png")
    world.write("text.png", "hello")
    world.write("cut.png", (world.folder / "a.png").read_bytes()[:60])
    world.write("p.jsonl", [{"prompt": "x", "images": "a.png"}, {"prompt": "y", "images": images}])
    ran = world.run("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
    unsent(world, ran, code)
    [line] = ran.errors[0]["details"]
    assert line.startswith("p.jsonl:2: " + told.format(f"{world.folder}/"))


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ("generate x -f p.txt", "a prompt and --prompts-file cannot be used together"),
        ("edit x -i a.png -f p.txt", "a prompt and --prompts-file cannot be used together"),
        ("edit x -i a.png --each -f p.txt", "--each and --prompts-file cannot be used together"),
        ("edit -i a.png --each", "the prompt is missing"),
        ("edit x --each", "--each needs images"),
        ("generate -f p.txt -o x.jpg", "--output names a single file"),
        ("generate -f p.txt -o -", "--output names a single file"),
        ("edit x -i a.png --each -o x.jpg", "--output names a single file"),
        ("edit -f - -i -", "only one argument can be standard input (`-`)"),
        ("edit - -i - --each", "only one argument can be standard input (`-`)"),
        ("generate x --limit 3", "--limit can be used only in batches"),
        ("generate x --limit 0", "--limit can be used only in batches"),
        ("generate x --only 1 --shard 1/2", "--only, --shard can be used only in batches"),
        ("edit x -i a.png -j 3 --force", "--jobs, --force can be used only in batches"),
        (
            "generate x --fail-fast --retry-failed",
            "--fail-fast, --retry-failed can be used only in batches",
        ),
        ("generate x --max-failures 1", "--max-failures can be used only in batches"),
        ("generate x --on-unknown resubmit", "--on-unknown can be used only in batches"),
        ("generate x --batch b", "--batch can be used only in batches"),
        ("generate -f p.txt --fail-fast --max-failures 2", "--fail-fast means --max-failures 1"),
        ("generate -f p.txt --shard 3/2", "--shard should be I/N"),
        ("generate -f p.txt --shard x", "--shard should be I/N"),
        ("generate -f p.txt --only 9", "--only: there is no row `9`"),
        ("generate -f p.txt -j 0", "--jobs"),
        ("generate -f p.txt --limit -1", "--limit"),
        ("generate -f p.txt --max-cost nan", "--max-cost should be US dollars"),
        ("generate -f p.txt --timeout 0", "--timeout should be"),
        ("generate -f p.txt --sync-mode --no-wait -p fal", "--no-wait does not wait"),
        ("generate -f q.jsonl --no-wait -p fal", "--no-wait does not wait"),
        ("generate -f p.txt --no-wait -p aimlapi", "aimlapi answers in one call"),
        ("generate -f p.txt --name {nope}", "unknown field `{nope}`"),
        ("generate -f p.txt -p fal --name {slug} -o x", "--output"),
        ("generate -f empty.txt", "there is no prompt in `empty.txt`"),
        ("generate --each x", "--each"),
    ],
)
def test_what_cannot_go_together_is_refused(argv: str, says: str, world: World) -> None:
    world.prompts("a fox", name="p.txt")
    world.write("q.jsonl", '{"prompt": "a fox", "sync_mode": true}\n')
    world.write("empty.txt", "# nothing\n\n")
    world.images("a.png")
    default = () if "-p " in argv else ("-p", "aimlapi")
    ran = unsent(world, world.run(*argv.split(), *default), 2)
    assert says in ran.err
    assert ran.out == b""


@pytest.mark.parametrize("name", ["none.txt", "folder"])
def test_a_file_that_cannot_be_read_is_told(name: str, world: World) -> None:
    (world.folder / "folder").mkdir()
    ran = unsent(world, world.batch(name), 8)
    assert ran.errors[0]["message"].startswith(f"cannot read `{name}`: ")
