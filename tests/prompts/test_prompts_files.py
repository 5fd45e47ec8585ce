"""Prompts files from their bytes to what a provider was asked for."""

import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from samples import image_file
from world import World

BOM = b"\xef\xbb\xbf"
HEN = 'a "hen", red'


@pytest.mark.parametrize(
    ("name", "content", "prompts"),
    [
        ("p.txt", b"a fox\n\n  # no\n  a hen  \na cat", ["a fox", "a hen", "a cat"]),
        ("p.TXT", BOM + b"a fox\r\n\r\na hen\r\n", ["a fox", "a hen"]),
        ("p.txt", "ein Füchslein 🦊\n".encode(), ["ein Füchslein 🦊"]),
        ("p.jsonl", b'"a fox"\r\n\n{"prompt": "a hen"}', ["a fox", "a hen"]),
        ("p.jsonl", BOM + b'{"prompt": "a\\nfox"}\n', ["a\nfox"]),
        ("p.csv", BOM + b'prompt,seed\r\na fox,7\r\n"a ""hen"", red",\r\n\r\n', ["a fox", HEN]),
        ("p.tsv", b'id\tprompt\n1\ta fox\n2\t"a ""hen"", red"', ["a fox", HEN]),
        ("-", b"a fox\na hen\n", ["a fox", "a hen"]),
        ("-", b'{"prompt": "a fox"}\n"a hen"\n', ["a fox", "a hen"]),
        ("p.list", b"# no\na fox\n", ["a fox"]),
        ("p.list", b'{"prompt": "a fox"}\n', ["a fox"]),
    ],
)
def test_every_kind_makes_an_image_of_each_row(
    name: str, content: bytes, prompts: list[str], world: World
) -> None:
    if name != "-":
        world.write(name, content)
    ran = world.batch(name, "--name", "{index}", stdin=content)
    assert (ran.code, ran.counts) == (0, {"saved": len(prompts)})
    assert [job["request"]["prompt"] for job in ran.jobs] == prompts
    assert (
        ran.paths(world.out) == world.files("out") == [f"{n + 1}.jpg" for n in range(len(prompts))]
    )
    assert sorted(world.accepted) == sorted(prompts)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where pipes have paths")
def test_a_file_without_a_suffix_is_read_like_standard_input(world: World) -> None:
    import os

    read, write = os.pipe()
    os.write(write, b'"a fox"\n')
    os.close(write)
    assert world.batch(f"/dev/fd/{read}").counts == {"saved": 1}
    os.close(read)


def test_flags_are_defaults_for_keys_that_a_row_lacks(world: World) -> None:
    world.write(
        "p.jsonl",
        [
            {"prompt": "a fox"},
            {
                "prompt": "a hen",
                "aspect_ratio": "1:1",
                "num_images": 1,
                "seed": 9,
                "guidance_scale": 2.5,
                "safety_tolerance": 6,
                "output_format": "png",
            },
            {"prompt": "a cat", "seed": None},
        ],
    )
    flags = ["-a", "16:9", "-n", "2", "--seed", "5", "-g", "4", "--safety-tolerance", "1"]
    ran = world.batch("p.jsonl", *flags)
    given = {
        "aspect_ratio": "16:9",
        "num_images": 2,
        "seed": 5,
        "guidance_scale": 4.0,
        "safety_tolerance": 1,
        "output_format": "jpeg",
    }
    own = {
        "aspect_ratio": "1:1",
        "num_images": 1,
        "seed": 9,
        "guidance_scale": 2.5,
        "safety_tolerance": 6,
        "output_format": "png",
    }
    assert [job["request"] for job in ran.jobs] == [
        {"prompt": "a fox"} | given,
        {"prompt": "a hen"} | own,
        {"prompt": "a cat"} | given,
    ]
    assert world.files("out") == [
        "1-a-fox-1.jpg",
        "1-a-fox-2.jpg",
        "2-a-hen.png",
        "3-a-cat-1.jpg",
        "3-a-cat-2.jpg",
    ]


def test_a_row_may_turn_a_switch_off(world: World) -> None:
    world.write(
        "p.jsonl",
        [
            {"prompt": "a fox"},
            {"prompt": "a hen", "enhance_prompt": False},
            {"prompt": "a cat [fault:flagged]", "keep_flagged": False},
            {"prompt": "a dog [fault:flagged]"},
        ],
    )
    ran = world.batch("p.jsonl", "-p", "fal", "--enhance-prompt", "--keep-flagged")
    asked = {entry.prompt: "enhance_prompt" in entry.payload for entry in world.ledger.entries}
    assert (asked["a fox"], asked["a hen"]) == (True, False)
    assert ran.states == ["saved", "saved", "moderated", "saved"]


def test_each_row_goes_to_its_own_provider_and_model(world: World) -> None:
    world.write(
        "p.csv",
        "prompt,provider,model\na,aimlapi,\nb,fal,kontext-max\nc,chainhub,kontext-pro\n"
        "d,aimlapi,flux/kontext-max/text-to-image\ne,,\n",
    )
    ran = world.batch("p.csv", "-p", "aimlapi", "-m", "kontext-max")
    assert ran.code == 0
    sent = {entry.prompt: (entry.dialect, entry.endpoint) for entry in world.ledger.entries}
    assert sent == {
        "a": ("aimlapi", "flux/kontext-max/text-to-image"),
        "b": ("fal", "fal-ai/flux-pro/kontext/max/text-to-image"),
        "c": ("chainhub", "fal-ai/flux-pro/kontext/text-to-image"),
        "d": ("aimlapi", "flux/kontext-max/text-to-image"),
        "e": ("aimlapi", "flux/kontext-max/text-to-image"),
    }
    assert [job["provider"] for job in ran.jobs] == [
        "aimlapi",
        "fal",
        "chainhub",
        "aimlapi",
        "aimlapi",
    ]


def test_rows_that_all_name_their_provider_need_no_other(world: World) -> None:
    world.without_keys("fal", "chainhub")
    world.write("p.jsonl", [{"prompt": "a fox", "provider": "aimlapi"}])
    assert world.run("generate", "-f", "p.jsonl", "--json").code == 0
    world.without_keys("aimlapi")
    world.write("q.jsonl", [{"prompt": "a hen", "provider": "sandbox"}])
    assert world.run("generate", "-f", "q.jsonl", "--json").code == 0


def test_a_provider_without_a_key_is_told_before_anything_is_sent(world: World) -> None:
    world.without_keys("chainhub")
    world.write("p.jsonl", [{"prompt": "a fox"}, {"prompt": "a hen", "provider": "chainhub"}])
    ran = world.batch("p.jsonl")
    assert (ran.code, ran.errors[0]["code"], world.posts) == (3, "missing_key", 0)
    assert "CHAINHUB_API_KEY" in ran.err


def test_names_come_from_ids_slugs_and_padded_numbers(world: World) -> None:
    prompts = [f"fox {n}" for n in range(1, 11)]
    ran = world.batch(world.prompts(*prompts))
    assert ran.paths(world.out) == [f"{n:02}-fox-{n}.jpg" for n in range(1, 11)]
    world.write("p.jsonl", [{"id": "ü/1", "prompt": "a"}, {"id": 2, "prompt": "b"}])
    ran = world.batch("p.jsonl", "--name", "sub/{id}-{index:03}")
    assert ran.paths(world.out) == ["sub/ü-1-001.jpg", "sub/2-002.jpg"]


def test_a_job_in_a_name_is_the_job_that_made_it(world: World) -> None:
    ran = world.batch(world.prompts("a fox"), "--name", "{job}")
    assert ran.paths(world.out) == [f"{ran.jobs[0]['id']}.jpg"]


def test_a_chosen_seed_in_a_name_is_the_one_that_was_sent(world: World) -> None:
    ran = world.batch(world.prompts("a fox"), "--name", "{seed}")
    assert ran.paths(world.out) == [f"{world.ledger.entries[0].seed}.jpg"]


def test_outputs_belong_in_the_output_folder_and_choose_their_format(world: World) -> None:
    world.write(
        "lists/p.jsonl",
        [
            {"prompt": "a", "output": "sub/x.png"},
            {"prompt": "b", "output": "y.jpeg"},
            {"prompt": "c", "output": "z"},
            {"prompt": "d", "output": "w.png", "output_format": "jpeg"},
            {"prompt": "e", "output": "v.png", "num_images": 2},
        ],
    )
    ran = world.batch("lists/p.jsonl")
    assert ran.paths(world.out) == ["sub/x.png", "y.jpeg", "z.jpg", "w.jpg", "v-1.png", "v-2.png"]
    assert "`w.png` gets the suffix `.jpg`" in ran.err


def test_paths_are_printed_from_where_one_stands_if_the_folder_was_typed_so(world: World) -> None:
    world.prompts("a fox")
    short = world.run("generate", "-f", "prompts.txt", "-d", "out", "-p", "aimlapi")
    assert [Path(line).as_posix() for line in short.lines] == ["out/1-a-fox.jpg"]
    again = world.run("generate", "-f", "prompts.txt", "-d", str(world.out), "-p", "aimlapi", "-q")
    assert (again.lines, again.err) == ([str(world.out / "1-a-fox.jpg")], "")


class TestImages:
    def sent(self, world: World) -> dict[str, Any]:
        """The input images that each prompt was sent with."""
        return {
            entry.prompt: entry.payload.get("image_url", entry.payload.get("image_urls"))
            for entry in world.ledger.entries
        }

    def data(self, world: World, name: str) -> str:
        content = b64encode((world.folder / name).read_bytes()).decode()
        return f"data:image/png;base64,{content}"

    def test_of_rows_are_relative_to_their_file(self, world: World) -> None:
        world.images("lists/a.png", "lists/b b.png", "a.png", "c.png")
        url = "https://example.com/x.png"
        world.write(
            "lists/p.jsonl",
            [
                {"prompt": "one", "images": "a.png"},
                {"prompt": "two", "images": ["a.png", "b b.png"]},
                {"prompt": "up", "images": ["../c.png"]},
                {"prompt": "absolute", "images": [str(world.folder / "c.png")]},
                {"prompt": "url", "images": [url]},
            ],
        )
        ran = world.run("edit", "-f", "lists/p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
        assert (ran.code, ran.counts) == (0, {"saved": 5})
        a, b, c = (self.data(world, name) for name in ("lists/a.png", "lists/b b.png", "c.png"))
        assert self.sent(world) == {
            "one": a,
            "two": [a, b],
            "up": c,
            "absolute": c,
            "url": url,
        }

    def test_several_in_a_cell_are_parted_by_semicolons(self, world: World) -> None:
        world.images("a.png", "b.png")
        world.write("p.csv", 'prompt,images\none,a.png\ntwo,"a.png; b.png"\n')
        assert world.run("edit", "-f", "p.csv", "-d", "out", "-p", "aimlapi", "--json").code == 0
        a, b = self.data(world, "a.png"), self.data(world, "b.png")
        assert self.sent(world) == {"one": a, "two": [a, b]}

    def test_of_the_command_line_are_for_all_rows_that_name_none(self, world: World) -> None:
        world.images("a.png", "lists/b.png")
        world.write("lists/p.jsonl", [{"prompt": "one"}, {"prompt": "two", "images": ["b.png"]}])
        argv = ("edit", "-f", "lists/p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
        assert world.run(*argv, "-i", "a.png").code == 0
        assert self.sent(world) == {
            "one": self.data(world, "a.png"),
            "two": self.data(world, "lists/b.png"),
        }

    def test_on_standard_input_are_for_all_rows(self, world: World) -> None:
        world.prompts("one", "two")
        argv = ("edit", "-f", "prompts.txt", "-i", "-", "-d", "out", "-p", "aimlapi", "--json")
        content = image_file("png")
        assert world.run(*argv, stdin=content).code == 0
        data = f"data:image/png;base64,{b64encode(content).decode()}"
        assert self.sent(world) == {"one": data, "two": data}
        assert world.run(*argv, stdin=content).counts == {"skipped": 2}
