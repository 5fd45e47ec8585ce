"""What becomes of the files that a provider sends, and of the names that they are to have.

The oracles are the sandbox's ledger (what would be billed), the requests that came, and the bytes.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response, StreamingResponse

from hostile.between import Asked, Between
from samples import image_file
from world import Build, World

posix_only = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="devices and pipes are POSIX")


class Desk(World):
    """A world in which something may answer in the place of fal."""

    def serve(self, **options: Any) -> None:
        super().serve(**options)
        self.between = Between(self.app)
        self.answer(self.between)
        self.may_be_accepted(9, "x", "winter")  # tests count with `accepted` what each run costs

    def __call__(self, *argv: str, code: int = 0) -> tuple[bytes, str]:
        """What one run wrote to standard output and standard error."""
        done = self.run(*argv)
        assert done.code == code, done.err
        return done.out, done.err

    def generate(self, *argv: str, code: int = 0) -> tuple[bytes, str]:
        return self("generate", "x", "-p", "fal", *argv, code=code)

    def record(self, *argv: str, code: int = 0) -> dict[str, Any]:
        """The first line that a run wrote, as JSON."""
        out, _ = self(*argv, "--json", code=code)
        record: dict[str, Any] = json.loads(out.splitlines()[0])
        return record

    def send(self, *files: bytes) -> None:
        """Have the file server send these, in turn, and the last one from then on."""
        rest = list(files)

        def answer(_asked: Asked) -> Response:
            return Response(rest.pop(0) if len(rest) > 1 else rest[0])

        self.between.instead["media"] = answer

    def say(self, **image: Any) -> None:
        """Have each image of a result told with these keys."""

        def change(_asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
            return {**body, "images": [{**each, **image} for each in body["images"]]}

        self.between.rewrite["result"] = change

    def downloads(self) -> int:
        return self.between.kinds().count("media")


@pytest.fixture
def desk(build: Build) -> Desk:
    return build(Desk)


class TestWebP:
    def test_is_saved_as_it_came_with_a_notice(self, desk: Desk) -> None:
        desk.send(image_file("webp"))
        out, err = desk.generate("-o", "z.jpg", "--json")
        record = json.loads(out)
        (file,) = record["files"]
        assert (record["state"], file["format"], file["width"]) == ("saved", "webp", 64)
        assert file["path"] == str(desk.folder / "z.webp")
        assert (desk.folder / "z.webp").read_bytes() == image_file("webp")
        assert "notice: `z.jpg` is saved as `z.webp`: fal sent WEBP" in err
        assert desk.record("status")["files"] == record["files"]
        assert (desk.accepted.total(), desk.downloads()) == (1, 1)

    def test_goes_to_standard_output_as_it_came(self, desk: Desk) -> None:
        desk.send(image_file("webp"))
        out, err = desk.generate("-o", "-")
        assert out == image_file("webp")
        assert "notice: fal sent WebP" in err

    def test_of_a_batch_is_not_made_again(self, desk: Desk) -> None:
        desk.send(image_file("webp"))
        (desk.folder / "p.txt").write_text("a fox\nan owl\n")
        batch = ("generate", "-f", "p.txt", "-p", "fal", "-d", "out")
        first, err = desk(*batch)
        assert err.count("fal sent WEBP") == 2
        again, _ = desk(*batch)
        assert sorted(first.split()) == [b"out/1-a-fox.webp", b"out/2-an-owl.webp"]
        assert again.split() == sorted(first.split())
        assert (desk.accepted.total(), desk.downloads()) == (2, 2)

    def test_cut_short_is_fetched_again(self, desk: Desk) -> None:
        desk.send(image_file("webp")[:-9], image_file("webp"))
        desk.generate("-o", "z.jpg")
        assert desk.files() == ["z.webp"]


class TestAnotherKind:
    @pytest.mark.parametrize("kind", ["gif", "bmp", "tiff", "html"])
    def test_is_fetched_once_and_ends_the_job(self, desk: Desk, kind: str) -> None:
        desk.send(b"<html>sorry</html>" if kind == "html" else image_file(kind))
        failed = desk.record("generate", "x", "-p", "fal", code=4)
        error = failed["error"]
        assert (failed["state"], error["code"], error["billed"]) == (
            "failed",
            "wrong_format",
            "yes",
        )
        (told,) = desk.record("status")["error"].pop("urls")
        assert told.startswith("http://127.0.0.1:")
        assert f"({told})" in error["message"]
        _, err = desk("fetch", failed["id"], code=4)
        assert told in err
        desk("fetch")
        assert (desk.accepted.total(), desk.downloads(), desk.files()) == (1, 1, [])

    def test_a_signed_url_is_whole_where_it_is_asked_for_alone(self, desk: Desk) -> None:
        desk.send(b"<html>the file ?X-Sig=0123456789abcdef cannot be read</html>")

        def sign(_asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
            (image,) = body["images"]
            return {**body, "images": [{**image, "url": f"{image['url']}?X-Sig=0123456789abcdef"}]}

        desk.between.rewrite["result"] = sign
        out, err = desk.generate("--json", code=4)
        job = json.loads(out)["id"]
        assert b"0123456789abcdef" not in out
        assert "0123456789abcdef" not in err
        assert f"hint: it is paid: `kontext status {job} --json` has the URL" in err
        (url,) = desk.record("status", job, code=4)["error"]["urls"]
        assert url.endswith("?X-Sig=0123456789abcdef")

    def test_stops_no_other_image_of_the_job(self, desk: Desk) -> None:
        broken = image_file()[:-9]
        kinds = {0: image_file("gif"), 1: broken, 2: image_file()}
        found: list[str] = []

        def answer(asked: Asked) -> Response:
            if asked.path not in found:
                found.append(asked.path)
            return Response(kinds[found.index(asked.path)])

        desk.between.instead["media"] = answer
        record = desk.record("generate", "x", "-n", "3", "-p", "fal", "-o", "z.jpg", code=4)
        assert (record["state"], len(record["files"])) == ("ready", 1)
        kinds[1] = image_file()
        before = desk.downloads()
        fetched = desk.record("fetch", code=4)
        assert desk.downloads() == before + 1
        assert (fetched["state"], fetched["error"]["code"]) == ("failed", "wrong_format")
        assert len(desk.files()) == len(fetched["files"]) == 2
        assert desk.accepted.total() == 1

    def test_row_is_held_when_the_batch_is_run_again(self, desk: Desk) -> None:
        (desk.folder / "p.txt").write_text("a fox\n")
        desk.send(image_file("gif"))
        for _ in range(2):
            desk("generate", "-f", "p.txt", "-p", "fal", code=4)
        assert (desk.accepted.total(), desk.downloads()) == (1, 1)


@pytest.mark.parametrize("size", [-1, 17, 10**400], ids=["-1", "17", "10**400"])
def test_a_provider_s_word_for_the_size_of_a_file_is_not_taken(desk: Desk, size: Any) -> None:
    desk.say(file_size=size)
    # In chunks, without a length of HTTP's own.
    desk.between.instead["media"] = lambda _asked: StreamingResponse(iter([image_file()]))
    desk.generate("-o", "z.jpg")
    assert (desk.files(), desk.downloads()) == (["z.jpg"], 1)


class TestNames:
    def test_one_file_is_not_paid_twice_for_its_suffix(self, desk: Desk) -> None:
        desk.send(image_file("png"))
        out, err = desk.generate("-o", "z.jpg")
        assert out == b"z.png\n"
        assert "notice: `z.jpg` is saved as `z.png`: fal sent PNG" in err
        _, err = desk.generate("-o", "z.jpg", code=8)
        assert (
            "z.png` is there already, which blocks `z.jpg`: the same name with another extension"
            in err
        )
        skipped, _ = desk.generate("-o", "z.jpg", "--exists", "skip")
        assert skipped == b"z.png\n"
        assert desk.accepted.total() == 1
        assert desk.generate("-o", "z.jpg", "--exists", "number")[0] == b"z-2.png\n"

    def test_a_row_that_made_the_other_suffix_is_saved_and_one_that_changed_goes_on(
        self, desk: Desk
    ) -> None:
        desk.send(image_file("png"), image_file("png", colour="red"), image_file())
        batch = ("generate", "-f", "p.jsonl", "-p", "fal", "-d", "out")
        row = {"id": "a", "prompt": "x", "output": "z.jpg"}
        outs = []
        for number in (1, 1, 2, 3, 4):
            (desk.folder / "p.jsonl").write_text(json.dumps({**row, "seed": number}))
            outs.append(desk(*batch)[0])
        assert outs == [b"out/z.png\n"] * 3 + [b"out/z.jpg\n"] * 2
        assert desk.accepted.total() == 4

    def test_rows_may_share_a_name_but_for_the_suffix(self, desk: Desk) -> None:
        rows = [{"prompt": name, "output": name} for name in ("z.jpg", "z.png")]
        (desk.folder / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
        batch = ("generate", "-f", "p.jsonl", "-p", "fal", "-d", "out")
        desk(*batch, "--limit", "1")
        desk(*batch)
        assert desk.files() == ["out/z.jpg", "out/z.png", "p.jsonl"]

    def test_a_batch_of_unknown_origin_is_not_paid_again(self, desk: Desk) -> None:
        desk.send(image_file("png"))
        (desk.folder / "p.txt").write_text("a fox\n")
        batch = ("generate", "-f", "p.txt", "-p", "fal", "-d", "out")
        desk(*batch)
        desk.set(KONTEXT_STATE_DIR=str(desk.home / "another journal"))
        desk(*batch, code=8)
        assert desk(*batch, "--exists", "skip")[0] == b"out/1-a-fox.png\n"
        assert desk.accepted.total() == 1

    def test_a_name_that_was_made_up_is_numbered_and_a_given_one_is_not(self, desk: Desk) -> None:
        (desk.folder / "house.jpg").write_bytes(image_file())
        edit = ("edit", "winter", "-i", "house.jpg", "-p", "fal")
        assert desk(*edit)[0] == b"house-edit.jpg\n"
        assert desk(*edit)[0] == b"house-edit-2.jpg\n"
        assert desk(*edit, "-d", ".")[0] == b"house-edit-3.jpg\n"
        assert desk.generate("--seed", "7")[0] == b"x-7.jpg\n"
        assert desk.generate("--seed", "7")[0] == b"x-7-2.jpg\n"
        paid = desk.accepted.total()
        for given in (("-o", "house-edit.jpg"), ("--name", "{stem}-edit"), ("--exists", "error")):
            desk(*edit, *given, code=8)
        desk(*edit, "--each", code=8)
        assert desk.accepted.total() == paid


@posix_only
class TestSpecialFiles:
    def test_the_null_device_takes_everything(self, desk: Desk) -> None:
        before, names = Path("/dev/null").stat(), set(Path("/dev").glob("*null*"))
        out, _ = desk.generate("-o", "/dev/null")
        assert out == b"/dev/null\n"
        for exists in ("error", "skip", "number", "overwrite"):
            desk.generate("-o", "/dev/null", "--exists", exists)
        assert os.path.samestat(before, Path("/dev/null").stat())
        assert desk.files() == []
        assert set(Path("/dev").glob("*null*")) == names
        assert not set(Path("/dev").glob(".kontext*"))
        record = desk.record("status")
        assert (record["state"], record["files"][0]["path"]) == ("saved", "/dev/null")
        _, err = desk("fetch", record["id"])
        assert "already exists, nothing sent" in err
        assert desk.accepted.total() == 5

    def test_several_images_are_refused_before_anything_is_sent(self, desk: Desk) -> None:
        desk.generate("-o", "/dev/null", "-n", "2", code=2)
        os.mkfifo(desk.folder / "pipe")
        (desk.folder / "p.jsonl").write_text('{"prompt": "x", "output": "pipe"}')
        desk("generate", "-f", "p.jsonl", "-p", "fal", code=2)
        assert desk.accepted.total() == 0

    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
    def test_a_pipe_gets_the_bytes(self, desk: Desk, kind: str) -> None:
        desk.send(image_file(kind))
        pipe = desk.folder / "pipe"
        os.mkfifo(pipe)
        (desk.folder / "link.jpg").symlink_to(pipe)
        for name in ("pipe", "link.jpg"):
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            out, _ = desk.generate("-o", name, "--metadata", "off")
            assert out == f"{name}\n".encode()
            assert os.read(reader, 2**16) == image_file(kind)
            os.close(reader)
        assert sorted(path.name for path in desk.folder.iterdir()) == ["link.jpg", "pipe"]

    def test_a_pipe_that_nobody_reads_is_told_before_anything_is_sent(self, desk: Desk) -> None:
        os.mkfifo(desk.folder / "pipe")
        _, err = desk.generate("-o", "pipe", code=8)
        assert "`pipe`: nobody reads from it\nhint: start its reader first" in err.replace(
            f"{desk.folder}/", ""
        )
        assert desk.accepted.total() == 0

    def test_a_pipe_whose_reader_has_gone_leaves_the_job_to_be_fetched(self, desk: Desk) -> None:
        pipe = desk.folder / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

        def leave(_asked: Asked) -> None:
            os.close(reader)

        desk.between.instead["media"] = leave
        record = desk.record("generate", "x", "-p", "fal", "-o", "pipe", code=8)
        assert (record["state"], record["error"]["billed"]) == ("ready", "yes")
        desk.between.instead.clear()
        read: list[bytes] = []
        thread = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
        thread.start()
        while True:  # until the reader is there
            done = desk.run("fetch", record["id"])
            if "nobody reads" not in done.err:
                break
        assert done.code == 0
        thread.join()
        assert read[0].startswith(b"\xff\xd8")
        assert desk.accepted.total() == 1

    def test_a_descriptor_of_a_pipe_gets_the_bytes(self, desk: Desk) -> None:
        reader, writer = os.pipe()
        out, _ = desk.generate("-o", f"/dev/fd/{writer}")
        assert out == f"/dev/fd/{writer}\n".encode()
        assert os.read(reader, 2**16).startswith(b"\xff\xd8")
        os.close(reader)
        os.close(writer)

    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
    def test_standard_output_by_name_gets_the_bytes_alone(self, desk: Desk, name: str) -> None:
        desk.send(image_file())
        assert desk.generate("-o", name, "--metadata", "off")[0] == image_file()


class TestHome:
    @pytest.fixture(autouse=True)
    def _image(self, desk: Desk) -> None:
        (desk.home / "in.png").write_bytes(image_file("png"))

    def test_is_meant_by_a_tilde_on_the_command_line(self, desk: Desk) -> None:
        out, _ = desk("edit", "x", "-p", "fal", "-i", "~/in.png", "-o", "~/new/z.jpg")
        assert out.decode().strip() == str(desk.home / "new" / "z.jpg")
        desk.generate("-d", "~", "--name", "a")
        desk.generate("-d", "~", "-o", "b")
        job = desk.generate("--no-wait")[0].decode().strip()
        desk("fetch", job, "-o", "~/c.jpg")
        job = desk.generate("--no-wait")[0].decode().strip()
        desk("fetch", job, "-d", "~/d", "--name", "e")
        made = {path.relative_to(desk.home).as_posix() for path in desk.home.rglob("*.jpg")}
        assert made == {"new/z.jpg", "a.jpg", "b.jpg", "c.jpg", "d/e.jpg"}
        assert desk.files() == []

    def test_is_meant_by_a_tilde_in_settings(self, desk: Desk) -> None:
        desk.configure('output_dir = "~/one"\n')
        desk.generate("--name", "a")
        desk.set(KONTEXT_OUTPUT_DIR="~/two")
        desk.generate("--name", "a")
        made = {path.relative_to(desk.home).as_posix() for path in desk.home.rglob("*.jpg")}
        assert made == {"one/a.jpg", "two/a.jpg"}

    def test_is_meant_by_a_tilde_in_rows(self, desk: Desk) -> None:
        row = {"prompt": "x", "images": ["~/in.png"], "output": "z.jpg"}
        (desk.folder / "p.jsonl").write_text(json.dumps(row))
        desk("edit", "-f", "p.jsonl", "-p", "fal", "-d", "~/out")
        assert (desk.home / "out" / "z.jpg").is_file()
        (desk.folder / "p.jsonl").write_text(json.dumps({**row, "output": "~/z.jpg"}))
        _, err = desk("edit", "-f", "p.jsonl", "-p", "fal", code=2)
        assert "the output `~/z.jpg` is outside the output directory" in err

    def test_a_file_of_that_name_is_named_by_its_folder(self, desk: Desk) -> None:
        (desk.folder / "~").mkdir()
        (desk.folder / "~/in.png").write_bytes(image_file("png"))
        desk("edit", "x", "-p", "fal", "-i", "./~/in.png", "-o", "./~/z.jpg")
        desk.generate("-o", "~nobody-of-that-name.jpg")
        assert desk.files() == ["~/in.png", "~/z.jpg", "~nobody-of-that-name.jpg"]
