"""`kontext info`: what is known of an image, and from where."""

import zlib
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.metadata.layout import chunk, segment
from metadata.served import serve_images
from processes import HEAVY, imported
from samples import image_file
from world import World

PNG = image_file("png")
FULL = ("-p", "fal", "--seed", "7", "--metadata", "full")


def told(world: World, *files: str) -> list[dict[str, Any]]:
    done = world.run("info", *files, "--json")
    assert (done.code, done.err) == (0, "")
    return done.records


def with_text(kind: bytes, content: bytes) -> bytes:
    return PNG[:33] + chunk(kind, content) + PNG[33:]


def findings(record: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["text"] for each in record["found"]}


class TestRecords:
    def test_of_all_three_origins(self, world: World) -> None:
        argv = (*FULL, "-o", "fox.png", "--sidecar", "-g", "3")
        assert world.run("generate", "a fox ❄", *argv).code == 0
        [info] = told(world, "fox.png")
        origins = [each["origin"] for each in info["records"]]
        assert origins[:2] == ["sidecar fox.png.json", "PNG of the file"]
        assert origins[2].startswith("journal (job ")
        beside, inside, journal = [each["record"] for each in info["records"]]
        assert beside == inside
        assert {**journal, "version": inside["version"]} == inside
        assert inside["prompt"] == "a fox ❄"
        assert inside["options"]["guidance_scale"] == 3
        assert findings(info)["parameters"].startswith("a fox ❄\nSeed: 7, Size: 64x64")

    def test_the_journal_knows_a_file_wherever_it_is(self, world: World) -> None:
        argv = ("-p", "fal", "-o", "fox.jpg", "--metadata", "off")
        assert world.run("generate", "a fox", *argv).code == 0
        (world.folder / "fox.jpg").rename(world.folder / "moved.jpg")
        [info] = told(world, "moved.jpg")
        [journal] = info["records"]
        assert journal["record"]["prompt"] == "a fox"
        assert info["found"] == []

    def test_a_file_needs_no_journal(self, world: World) -> None:
        assert world.run("generate", "a fox", *FULL, "-o", "fox.jpg").code == 0
        world.set(KONTEXT_STATE_DIR=str(world.top / "other"))
        [info] = told(world, "fox.jpg")
        assert [each["origin"] for each in info["records"]] == ["XMP of the file"]
        assert not (world.top / "other").exists()

    def test_exif_of_the_provider_is_kept_and_read_as_well(self, world: World) -> None:
        software = b"maker 1.0\0"
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x31\0\x02" + len(software).to_bytes(4, "big")
        exif += b"\0\0\0\x1a\0\0\0\0" + software
        data = image_file()
        serve_images(world, data[:2] + segment(0xE1, exif) + data[2:])
        assert world.run("generate", "a fox", *FULL, "-o", "fox.jpg").code == 0
        world.set(KONTEXT_STATE_DIR=str(world.top / "other"))
        assert exif in (world.folder / "fox.jpg").read_bytes()
        [info] = told(world, "fox.jpg")
        assert findings(info)["Software"] == "maker 1.0"
        assert findings(info)["AIPromptInformation"] == "a fox"
        assert [each["record"]["prompt"] for each in info["records"]] == ["a fox"]

    def test_the_longest_prompt_is_read_back(self, world: World) -> None:
        prompt = "Ж❄𝕏 & a<b>" * 2900
        for name in ("a.jpg", "b.png"):
            world.may_be_accepted(2, prompt)
            argv = (*FULL, "-o", name)
            assert world.run("generate", "-", *argv, stdin=prompt.encode()).code == 0
            [info] = told(world, name)
            assert info["records"][0]["record"]["prompt"] == prompt

    def test_what_is_no_record_of_ours_is_none(self, world: World) -> None:
        world.write("a.png", PNG)
        for text in (
            "[]",
            "{",
            '{"schema": 1}',
            "[" * 100_000,
            '{"schema":1,"type":"image","a":NaN}',
            '{"schema":1,"type":"image","a":1e999}',
        ):
            world.write("a.png.json", text)
            assert told(world, "a.png")[0]["records"] == []
        world.write("a.png.json", '{"schema":1,"type":"image","a":' + "[" * 30 + "]" * 30 + "}")
        assert told(world, "a.png")[0]["records"] == []
        world.write("a.png.json", '{"schema":1,"type":"image","seed":{"a":[1e99,"\\ud800"]}}')
        assert len(told(world, "a.png")[0]["records"]) == 1


class TestOthers:
    @pytest.mark.parametrize("name", ["parameters", "prompt", "workflow", "invokeai_metadata"])
    @pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
    def test_texts_of_other_programs(self, world: World, name: str, kind: bytes) -> None:
        text = b'{"3": {"class_type": "KSampler"}}'
        packed = {
            b"tEXt": b"\0" + text,
            b"zTXt": b"\0\0" + zlib.compress(text),
            b"iTXt": b"\0\1\0en\0translated\0" + zlib.compress(text),
        }
        world.write("a.png", with_text(kind, name.encode() + packed[kind]))
        assert told(world, "a.png")[0]["found"] == [
            {"origin": "PNG", "name": name, "text": text.decode()}
        ]

    @pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
    def test_a_comment_in_either_order(self, world: World, order: str) -> None:
        comment = b"UNICODE\0" + "a fox\nSteps: 4".encode(order)
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0"
        exif += b"\x01\0\x86\x92\x07\0" + len(comment).to_bytes(4, "little") + b"\x2c\0\0\0\0\0\0\0"
        data = image_file()
        world.write("a.jpg", data[:2] + segment(0xE1, exif + comment) + data[2:])
        assert findings(told(world, "a.jpg")[0])["UserComment"] == "a fox\nSteps: 4"

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.png", PNG[:33] + chunk(b"caBX", b"jumb") + PNG[33:]),
            ("a.jpg", image_file()[:2] + segment(0xEB, b"JP\0\1jumb") + image_file()[2:]),
        ],
    )
    def test_c2pa_is_present_and_not_verified(self, world: World, name: str, data: bytes) -> None:
        world.write(name, data)
        assert findings(told(world, name)[0]) == {"signature": "present, not verified"}

    def test_nothing_is_inflated_without_end(self, world: World) -> None:
        bomb = zlib.compress(bytes(2**26), 9)
        world.write("a.png", with_text(b"zTXt", b"prompt\0\0" + bomb))
        assert findings(told(world, "a.png")[0]) == {"prompt": "(too long to be read)"}

    def test_no_entity_is_expanded(self, world: World) -> None:
        packet = (
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
            b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>&b;</xmp:CreatorTool>'
            b"</x:xmpmeta>"
        )
        world.write("a.png", with_text(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet))
        assert told(world, "a.png")[0]["found"] == []


class TestPrinting:
    def test_a_line_each_in_a_pipe(self, world: World) -> None:
        world.write("a.png", with_text(b"tEXt", b"prompt\0one\ntwo\tthree \x1b[31m"))
        world.write("b.png", PNG)
        done = world.run("info", "a.png", "b.png")
        assert done.lines == [
            r"a.png	PNG	prompt	one\ntwo\tthree \x1b[31m",
            "b.png			nothing is known of it",
        ]

    def test_what_cannot_be_read_stops_no_other(self, world: World) -> None:
        world.write("a.txt", "text")
        world.write("b.png", PNG)
        done = world.run("info", "a.txt", "missing.png", ".", "b.png")
        assert done.code == 8
        assert len(done.lines) == 1
        assert "`a.txt` is not a JPEG, PNG or WebP" in done.err
        assert "cannot read `missing.png`: No such file" in done.err
        assert "cannot read `.`: it is a folder" in done.err


def test_it_imports_what_it_reads_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    assert imported("info", str(tmp_path / "a.png")) & HEAVY <= {"sqlite3"}
