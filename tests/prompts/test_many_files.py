"""Several prompts files at once, JSON documents, and files that hold no prompts."""

import json

import pytest

from world import World

FOX, HEN, CAT = "a fox", "a hen", "a cat"


class TestSeveralFiles:
    def test_are_one_batch_in_the_order_in_which_they_were_typed(self, world: World) -> None:
        world.prompts(FOX, HEN, name="b.txt")
        world.write("a.jsonl", [{"id": "cat", "prompt": CAT}])
        ran = world.batch("b.txt", "-f", "a.jsonl")
        assert (ran.code, ran.counts) == (0, {"saved": 3})
        assert [job["request"]["prompt"] for job in ran.jobs] == [FOX, HEN, CAT]
        assert ran.paths(world.out) == ["1-a-fox.jpg", "2-a-hen.jpg", "cat.jpg"]
        other_way_round = world.batch("a.jsonl", "-f", "b.txt")
        assert (other_way_round.counts, world.posts) == ({"skipped": 3}, 3)

    def test_one_of_them_alone_is_a_batch_of_its_own(self, world: World) -> None:
        names = world.prompts(FOX, name="a.txt"), world.prompts(HEN, name="b.txt")
        batches = {
            world.batch(names[0], *more, "--dry-run").summary["batch"]
            for more in ((), ("-f", names[1]))
        }
        assert len(batches) == 2

    def test_images_are_relative_to_the_file_of_their_row(self, world: World) -> None:
        world.images("x/a.png", "y/a.png")
        for folder in ("x", "y"):
            world.write(f"{folder}/p.jsonl", [{"prompt": folder, "images": ["a.png"]}])
        argv = ("edit", "-f", "x/p.jsonl", "-f", "y/p.jsonl", "-d", "out", "-p", "aimlapi")
        assert world.run(*argv).code == 0
        assert len({entry.payload["image_url"] for entry in world.ledger.entries}) == 2

    def test_mistakes_are_told_with_their_file_line_and_id(self, world: World) -> None:
        world.write("a.jsonl", [{"id": "x", "prompt": FOX}, {"id": "y", "prompt": ""}])
        world.write("b.csv", "id,prompt,seed,output\nx,a,1,\nz,b,0,\nw,c,1,q.jpg\nv,d,1,q.jpg\n")
        ran = world.batch("a.jsonl", "-f", "b.csv")
        assert (ran.code, world.posts) == (2, 0)
        assert ran.errors[0]["message"] == "`a.jsonl`, `b.csv`: 4 errors; nothing was sent"
        told = [line[:53] for line in ran.errors[0]["details"]]
        assert told == [
            "a.jsonl:2: row y: the prompt is empty",
            "b.csv:2: row x: the id `x` is already used in a.jsonl",
            "b.csv:3: row z: for aimlapi, `--seed` should be at le",
            "b.csv:5: row v: it has the same file name as line 4: ",
        ]

    def test_a_name_that_a_row_of_another_file_makes_is_told_with_that_file(
        self, world: World
    ) -> None:
        for name in ("a.jsonl", "b.jsonl"):
            world.write(name, [{"prompt": name, "output": "x.jpg"}])
        ran = world.batch("a.jsonl", "-f", "b.jsonl")
        assert ran.errors[0]["details"] == [
            "b.jsonl:1: it has the same file name as a.jsonl:1: `x.jpg`"
        ]
        assert world.posts == 0

    def test_a_failure_is_told_and_annotated_at_its_own_file(self, world: World) -> None:
        world.set(GITHUB_ACTIONS="true")
        world.prompts(FOX, name="a.txt")
        world.write("b.jsonl", [{"id": "bad", "prompt": "a hen [fault:empty]"}])
        ran = world.run("generate", "-f", "a.txt", "-f", "b.jsonl", "-d", "out", "-p", "aimlapi")
        assert ran.code == 9
        assert "error: b.jsonl:1: row bad: " in ran.err
        assert "::error file=b.jsonl,line=1,title=kontext::row bad: " in ran.err

    def test_standard_input_is_one_of_them_at_most(self, world: World) -> None:
        ran = world.batch("-", "-f", world.prompts(FOX), stdin=b"a hen\n")
        assert ran.counts == {"saved": 2}
        assert "only one argument can be standard input" in world.batch("-", "-f", "-").err


class TestJson:
    CONTENT = '[\n  "a fox",\n  {"id": "hen", "prompt": "a hen"}\n]\n'

    @pytest.mark.parametrize("name", ["p.json", "-", "p.list"])
    def test_an_array_is_read(self, name: str, world: World) -> None:
        world.write("p.json", self.CONTENT)
        world.write("p.list", self.CONTENT)
        ran = world.batch(name, stdin=self.CONTENT.encode())
        assert (ran.code, ran.paths(world.out)) == (0, ["1-a-fox.jpg", "hen.jpg"])

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("p.txt", CONTENT, "p.txt:1: it is a JSON array: name it `.json`"),
            ("p.txt", '["a", "b"]', "p.txt:1: it is a JSON array: name it `.json`"),
            ("p.txt", '{"prompt": "a"}', "p.txt:1: it is a JSON object: name it `.jsonl`"),
            ("p.txt", '[\n"a fox"\n"a hen"\n', "p.txt:1: it is a JSON array: name it `.json`"),
            ("p.jsonl", CONTENT, "p.jsonl:1: it is a JSON array: name it `.json`"),
            ("p.csv", CONTENT, "p.csv:1: it is a JSON array: name it `.json`"),
            ("-", '{\n "prompt": "a"\n}\n', "-:1: it is one object; put it into an array"),
            ("p.json", '{"prompt": "a"}', "p.json:1: it is one object; put it into an array"),
            (
                "p.json",
                '{}\n{"prompt": "a"}',
                "p.json:1: it has one object per line: name it `.jso",
            ),
            ("p.json", "a fox\n", "p.json:1: it should be an array of strings and objects"),
        ],
    )
    def test_a_document_is_never_taken_for_prompts(
        self, name: str, content: str, told: str, world: World
    ) -> None:
        if name != "-":
            world.write(name, content)
        ran = world.batch(name, stdin=content.encode())
        assert (ran.code, world.posts) == (2, 0)
        [detail] = ran.errors[0]["details"]
        assert detail.startswith(told)

    def test_mistakes_of_all_elements_are_told_with_the_lines_they_begin_in(
        self, world: World
    ) -> None:
        rows = '[\n{"prompt": "a",\n "sed": 1},\n\n7, {"id": "x",\r\n"seed": 0},\n"b"]'
        world.write("p.json", rows)
        ran = world.batch("p.json")
        assert ran.errors[0]["details"] == [
            "p.json:2: unknown key `sed`; did you mean `seed`?",
            "p.json:5: an element should be a string or an object, not `7`",
            "p.json:5: row x: the prompt is missing",
        ]


@pytest.mark.parametrize(
    "name",
    ["p.yaml", "p.yml", "p.md", "p.toml", "p.xml", "p.HTML", "p.xlsx", "p.pdf", "p.jsonl.gz"],
)
def test_a_file_of_another_format_is_refused_with_what_is_read(name: str, world: World) -> None:
    world.write(name, "a fox\n")
    ran = world.batch(world.prompts(HEN), "-f", name)
    assert (ran.code, world.posts) == (2, 0)
    assert ran.errors[0]["message"].startswith(f"`{name}` is not a prompts file")
    assert ".txt, .jsonl, .json, .csv, .tsv" in ran.errors[0]["hint"]


def test_an_id_names_its_row_in_progress_and_its_file(world: World) -> None:
    world.write("p.jsonl", [{"id": "Fox 1", "prompt": FOX}, {"prompt": HEN}])
    ran = world.run("generate", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi")
    assert world.files("out") == ["2-a-hen.jpg", "Fox 1.jpg"]
    assert "] row Fox 1: saved (" in ran.err
    assert "] row 2: saved (" in ran.err


class TestDryRun:
    def test_shows_each_row_in_one_line(self, world: World) -> None:
        world.write("p.jsonl", [{"prompt": "a\tfox\nand more"}, {"prompt": "夜" * 30 + "\x1b"}])
        ran = world.run("generate", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--dry-run")
        shown = [line.split("\t")[6] for line in ran.lines[:-1]]
        assert shown == ["a\\tfox\\nand more", "夜" * 30 + "\\x1b"]

    def test_lists_the_files_as_json(self, world: World) -> None:
        ran = world.batch(world.prompts(FOX, HEN), "-n", "2", "--dry-run")
        assert ran.paths(world.out) == [
            *("1-a-fox-1.jpg", "1-a-fox-2.jpg"),
            *("2-a-hen-1.jpg", "2-a-hen-2.jpg"),
        ]
        argv = ("generate", FOX, "-p", "aimlapi", "-d", "out", "--seed", "7")
        one = json.loads(world.run(*argv, "--dry-run", "--json").out)
        assert one["files"] == [{"path": str(world.out / "a-fox-7.jpg")}]

    def test_says_once_that_the_cost_is_unknown(self, world: World) -> None:
        ran = world.run("generate", FOX, "-p", "chainhub", "--dry-run")
        assert ran.lines[-1] == "cost: unknown"


def test_a_folder_as_an_image_is_told_the_flag_that_takes_it(world: World) -> None:
    world.images("photos/a.png")
    ran = world.run("edit", "x", "-i", "photos", "-p", "aimlapi", "--json")
    assert (ran.code, world.posts) == (8, 0)
    assert "--each" in ran.errors[0]["hint"]


class TestPartsOfAFile:
    ROWS = tuple(f"fox {n}" for n in range(1, 7))

    @pytest.mark.parametrize("part", [("--limit", "1"), ("--only", "1"), ("--shard", "1/3")])
    def test_look_at_no_image_of_the_other_rows(self, part: tuple[str, ...], world: World) -> None:
        world.images("a.png")
        rows = [{"id": n, "prompt": f"fox {n}", "images": "none.png"} for n in range(2, 12)]
        world.write("p.jsonl", [{"id": 0, "prompt": "a fox", "images": "a.png"}, *rows])
        argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
        ran = world.run(*argv, *part)
        if part[0] == "--shard":
            assert all("none.png" in each for each in ran.errors[0]["details"])
            assert 0 < len(ran.errors[0]["details"]) < 10
        else:
            assert (ran.code, ran.counts) == (0, {"saved": 1})

    def test_know_what_was_done_of_them(self, world: World) -> None:
        prompts = world.prompts(*self.ROWS, self.ROWS[0])
        world.may_be_accepted(2, self.ROWS[0])
        assert world.batch(prompts, "--only", "2,7").counts == {"saved": 2}
        assert world.batch(prompts, "--limit", "2").counts == {"saved": 1, "skipped": 1}
        assert world.batch(prompts).counts == {"saved": 4, "skipped": 3}

    def test_names_that_two_parts_would_make_are_refused_in_each(self, world: World) -> None:
        prompts = world.prompts("A fox!", "a hen", "a fox")
        ran = world.batch(prompts, "--name", "{slug}", "--limit", "1")
        assert ran.errors[0]["details"] == [
            "prompts.txt:3: it has the same file name as line 1: `a-fox.jpg`"
        ]
        assert world.posts == 0
