"""`--metadata` and `--sidecar`, from the command line to the file."""

import hashlib
import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kontext_cli.metadata.layout import chunk, segment
from metadata.encoded import pixels, without_ours
from metadata.served import serve_images
from processes import imported
from samples import image_file
from world import Ran, World

AT_FAL = ("-p", "fal", "--seed", "7")


def record_in(path: Path) -> dict[str, Any]:
    with Image.open(path) as image:
        record: dict[str, Any] = json.loads(image.text["kontext"])  # type: ignore[attr-defined]
    return record


def saved(world: World, *argv: str) -> bytes:
    assert world.run("generate", "a fox", *AT_FAL, *argv).code == 0
    return world.folder.joinpath("fox.jpg").read_bytes()


C2PA = chunk(b"caBX", b"\0\0\0\x10jumb")
PNG = image_file("png")


class TestImages:
    def test_mark_is_the_default_and_off_leaves_the_bytes(self, world: World) -> None:
        world.may_be_accepted(2, "a fox")
        plain = saved(world, "-o", "fox.jpg", "--metadata", "off")
        marked = saved(world, "-o", "fox.jpg", "--exists", "overwrite")
        assert b"trainedAlgorithmicMedia" in marked
        assert b"kontext-pro (fal)" in marked
        assert b"a fox" not in marked
        assert without_ours(marked) == plain
        assert pixels(marked) == pixels(plain)

    def test_standard_output_is_marked_too(self, world: World) -> None:
        world.may_be_accepted(2, "a fox")
        marked = world.run("generate", "a fox", *AT_FAL, "-o", "-").out
        plain = world.run("generate", "a fox", *AT_FAL, "-o", "-", "--metadata", "off").out
        assert without_ours(marked) == plain != marked

    def test_what_is_reported_is_the_final_file(self, world: World) -> None:
        [job] = world.run("generate", "a fox", *AT_FAL, "--json", "--metadata", "full").records
        [file] = job["files"]
        data = Path(file["path"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()

    def test_variable_config_and_flag(self, world: World) -> None:
        world.may_be_accepted(3, "a fox")
        world.configure('metadata = "off"\n')
        assert b"xpacket" not in saved(world, "-o", "fox.jpg")
        world.set(KONTEXT_METADATA="full")
        argv = ("-o", "fox.jpg", "--exists", "overwrite")
        assert b"AIPromptInformation" in saved(world, *argv)
        assert b"AIPromptInformation" not in saved(world, *argv, "--metadata", "mark")
        world.set(KONTEXT_METADATA="all")
        done = world.run("generate", "a fox", *AT_FAL)
        assert done.code == 2
        assert "KONTEXT_METADATA should be one of off, mark, full, not `all`" in done.err

    def test_a_record_has_what_repeats_the_request(self, world: World) -> None:
        world.images("in/house.png")
        url = f"{world.url}/files/x/0.png?X-Amz-Signature=secret"
        argv = ("-o", "out/winter.png", "-g", "3", "--metadata", "full", "-m", "kontext-max")
        done = world.run("edit", "make it winter", "-i", "in/house.png", *AT_FAL, *argv)
        assert done.code == 0, (done.err, url)
        record = record_in(world.folder / "out/winter.png")
        assert record.pop("time").endswith("Z")
        assert record.pop("version")
        source = world.folder.joinpath("in/house.png").read_bytes()
        assert record == {
            "schema": 1,
            "type": "image",
            "operation": "edit",
            "provider": "fal",
            "model": "kontext-max",
            "endpoint": "fal-ai/flux-pro/kontext/max",
            "prompt": "make it winter",
            "options": {"seed": 7, "guidance_scale": 3.0, "output_format": "png"},
            "seed": 7,
            "inputs": [{"path": "../in/house.png", "sha256": hashlib.sha256(source).hexdigest()}],
        }
        assert (
            b"compositeWithTrainedAlgorithmicMedia"
            in (world.folder / "out/winter.png").read_bytes()
        )

    def test_the_signature_of_an_input_url_is_left_out(self, world: World) -> None:
        url = "https://images.example/house.png?X-Amz-Signature=secret"
        argv = ("-o", "winter.png", "--metadata", "full", "--sidecar")
        done = world.run("edit", "make it winter", "-i", url, *AT_FAL, *argv)
        assert done.code == 0, done.err
        record = record_in(world.folder / "winter.png")
        assert record["inputs"] == [
            {"url": "https://images.example/house.png", "sha256": None, "shortened": True}
        ]
        for name in ("winter.png", "winter.png.json"):
            assert b"secret" not in (world.folder / name).read_bytes()

    def test_it_changes_no_digest(self, world: World) -> None:
        world.prompts("a fox", "a wolf")
        assert world.batch("prompts.txt", "--metadata", "off").counts == {"saved": 2}
        before = {path: path.read_bytes() for path in world.out.iterdir()}
        for argv in (("--metadata", "full", "--sidecar"), ()):
            assert world.batch("prompts.txt", *argv).counts == {"skipped": 2}
        assert {path: path.read_bytes() for path in world.out.iterdir()} == before

    def test_a_marked_batch_is_skipped_and_its_damage_seen(self, world: World) -> None:
        world.prompts("a fox", "a wolf")
        assert world.batch("prompts.txt", "--metadata", "full").counts == {"saved": 2}
        assert world.batch("prompts.txt").reasons == ["saved", "saved"]

    def test_rows_have_their_own(self, world: World) -> None:
        rows: list[dict[str, Any]] = [
            {"prompt": "a", "id": "off", "metadata": "off"},
            {"prompt": "b", "id": "full", "metadata": "full", "sidecar": True},
            {"prompt": "c", "id": "mark"},
        ]
        world.write("rows.jsonl", rows)
        assert world.batch("rows.jsonl").counts == {"saved": 3}
        kept = {path.name: path.read_bytes() for path in world.out.iterdir()}
        assert sorted(kept) == ["full.jpg", "full.jpg.json", "mark.jpg", "off.jpg"]
        assert b"xpacket" not in kept["off.jpg"]
        assert b"AIPromptInformation" in kept["full.jpg"]
        assert b"AIPromptInformation" not in kept["mark.jpg"]

    def test_a_wrong_value_of_a_row_is_found_before_anything_is_sent(self, world: World) -> None:
        world.write("rows.jsonl", [{"prompt": "a", "metadata": "all"}])
        done = world.run("generate", "-f", "rows.jsonl", "-d", "out", *AT_FAL)
        assert done.code == 2
        assert "`metadata` should be one of off, mark, full" in done.err
        assert not world.ledger.entries

    def test_a_job_keeps_what_was_asked_for_until_it_is_fetched(self, world: World) -> None:
        job = world.submit("a fox", "-o", "fox.png", "--metadata", "full", "--sidecar")
        assert world.run("fetch", job, "-o", "other.png").code == 0
        assert record_in(world.folder / "other.png")["prompt"] == "a fox"
        assert (world.folder / "other.png.json").is_file()


class TestKept:
    @pytest.mark.parametrize("metadata", ["mark", "full"])
    def test_signed_files_keep_their_bytes_with_one_notice(
        self, world: World, metadata: str
    ) -> None:
        data = serve_images(world, PNG[:33] + C2PA + PNG[33:])
        world.prompts("a fox", "a wolf", "a bear")
        done = world.run(
            *("generate", "-f", "prompts.txt", "-d", "out", "-p", "fal", "--metadata", metadata),
            *("--output-format", "png"),
        )
        assert done.code == 0, done.err
        images = sorted(world.out.glob("*.png"))
        assert [path.read_bytes() for path in images] == [data] * 3
        assert done.err.count("C2PA") == 1
        assert len(list(world.out.glob("*.png.json"))) == (3 if metadata == "full" else 0)

    def test_webp_gets_a_sidecar(self, world: World) -> None:
        webp = image_file("webp")
        serve_images(world, webp)
        done = world.run("generate", "a fox", *AT_FAL, "-o", "fox.jpg", "--metadata", "full")
        assert done.code == 0, done.err
        assert (world.folder / "fox.webp").read_bytes() == webp
        assert json.loads((world.folder / "fox.webp.json").read_text())["prompt"] == "a fox"
        assert "images that are WebP keep their bytes" in done.err

    def test_to_standard_output_it_says_where_the_record_is(self, world: World) -> None:
        data = serve_images(world, PNG[:33] + C2PA + PNG[33:])
        done = world.run("generate", "a fox", *AT_FAL, "-o", "-", "--metadata", "full")
        assert done.out == data
        assert "in the journal alone" in done.err

    def test_odd_files_are_saved_as_they_are(self, world: World) -> None:
        odd = image_file()[:2] + b"\xff" + segment(0xE4, b"x") + b"\x01\x02" + image_file()[2:]
        with Image.open(BytesIO(odd)):  # decoders are lenient
            pass
        serve_images(world, odd)
        done = world.run("generate", "a fox", *AT_FAL, "-o", "fox.jpg")
        assert done.code == 0, done.err
        assert (world.folder / "fox.jpg").read_bytes() == odd
        assert "unusual" in done.err


class TestSidecars:
    def test_a_taken_name_is_found_before_anything_is_sent(self, world: World) -> None:
        world.may_be_accepted(2, "a fox")
        world.write("fox.jpg.json", "{}")
        argv = ("generate", "a fox", *AT_FAL, "-o", "fox.jpg", "--sidecar")
        done = world.run(*argv)
        assert done.code == 8
        assert "`fox.jpg.json` is there already, where the sidecar of `fox.jpg` goes" in done.err
        assert world.run(*argv, "--exists", "skip").code == 8
        assert not world.ledger.entries
        assert world.run(*argv, "--exists", "number").lines == ["fox-2.jpg"]
        assert (world.folder / "fox-2.jpg.json").is_file()
        assert (world.folder / "fox.jpg.json").read_text() == "{}"
        assert world.run(*argv, "--exists", "overwrite").lines == ["fox.jpg"]
        assert json.loads((world.folder / "fox.jpg.json").read_text())["prompt"] == "a fox"

    def test_in_a_batch_as_well(self, world: World) -> None:
        world.prompts("a fox")
        world.write("out/1-a-fox.jpg.json", "{}")
        done = world.batch("prompts.txt", "--sidecar")
        assert done.code == 8
        assert not world.ledger.entries

    def test_a_folder_of_that_name_is_never_replaced(self, world: World) -> None:
        world.folder.joinpath("fox.jpg.json").mkdir()
        argv = ("-o", "fox.jpg", "--sidecar", "--exists", "overwrite")
        done = world.run("generate", "a fox", *AT_FAL, *argv)
        assert done.code == 8
        assert not world.ledger.entries

    def test_that_of_a_changed_row_is_replaced_unless_it_was_edited(self, world: World) -> None:
        rows = [{"prompt": "a fox", "id": "one"}, {"prompt": "a cat", "id": "two"}]
        world.write("rows.jsonl", rows)
        assert world.batch("rows.jsonl", "--sidecar").counts == {"saved": 2}
        world.write("out/two.jpg.json", "my notes")
        rows = [{"prompt": "a red fox", "id": "one"}, {"prompt": "a red cat", "id": "two"}]
        world.write("rows.jsonl", rows)
        done = world.batch("rows.jsonl", "--sidecar")
        assert done.counts == {"saved": 2}, done.out
        one, two = world.out / "one.jpg.json", world.out / "two.jpg.json"
        assert json.loads(one.read_text())["prompt"] == "a red fox"
        assert two.read_text() == "my notes"
        assert json.loads((world.out / "two.jpg-2.json").read_text())["prompt"] == "a red cat"

    def test_a_dry_run_names_it(self, world: World) -> None:
        done = world.run("generate", "a fox", *AT_FAL, "-o", "fox.png", "--sidecar", "--dry-run")
        assert "file: fox.png\nfile: fox.png.json\n" in done.out.decode()

    def test_a_dry_run_of_a_batch_names_those_of_its_rows(self, world: World) -> None:
        rows: list[dict[str, Any]] = [{"prompt": "a", "id": "a", "sidecar": True}]
        world.write("rows.jsonl", [*rows, {"prompt": "b", "id": "b"}])
        done = world.run("generate", "-f", "rows.jsonl", "-d", "out", *AT_FAL, "--dry-run")
        files = [line.rpartition("\t")[2] for line in done.lines[:2]]
        assert files == [f"{world.out}/a.jpg, {world.out}/a.jpg.json", f"{world.out}/b.jpg"]

    def test_standard_output_can_have_none(self, world: World) -> None:
        done = world.run("generate", "a fox", *AT_FAL, "-o", "-", "--sidecar")
        assert done.code == 2
        assert "--sidecar" in done.err

    def test_that_of_a_row_with_another_name_goes_with_its_image(self, world: World) -> None:
        world.write("rows.jsonl", [{"prompt": "a fox", "id": "one"}])
        argv = ("--name", "{id}-{slug}", "--sidecar")
        assert world.batch("rows.jsonl", *argv).counts == {"saved": 1}
        world.write("rows.jsonl", [{"prompt": "a cat", "id": "one"}])
        assert world.batch("rows.jsonl", *argv).counts == {"saved": 1}
        names = sorted(path.name for path in world.out.iterdir())
        assert names == ["one-a-cat.jpg", "one-a-cat.jpg.json"]

    @pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
    def test_a_run_killed_before_its_sidecar_writes_it_later(self, world: World) -> None:
        argv = ("-p", "fal", "-o", "fox.jpg", "--metadata", "full", "--sidecar")
        killed = world.start(
            "generate", "a fox", *argv, environ={"KONTEXT_TEST_KILL_AT": "renamed"}
        )
        assert Ran.of(killed).code == -9
        assert not (world.folder / "fox.jpg.json").exists()
        before = (world.folder / "fox.jpg").read_bytes()
        assert world.run("fetch").code == 0
        assert sorted(path.name for path in world.folder.glob("fox*")) == [
            "fox.jpg",
            "fox.jpg.json",
        ]
        assert (world.folder / "fox.jpg").read_bytes() == before


def test_what_writes_metadata_is_imported_where_it_is_used(tmp_path: Path) -> None:
    argv = ("generate", "a fox", "-p", "sandbox", "-q", "-o", str(tmp_path / "fox.jpg"))
    assert "kontext_cli.metadata.embed" in imported(*argv)
    off = (*argv, "--metadata", "off", "--exists", "overwrite")
    rooms = {name.rpartition(".")[0] for name in imported(*off)}
    assert "kontext_cli.metadata" not in rooms
