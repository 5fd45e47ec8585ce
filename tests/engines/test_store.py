"""Images in an object store: moto answers as S3 does, over HTTP."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, ClassVar

import pytest

pytest.importorskip("obstore")

from commands.replays import forget_all
from engines.buckets import BUCKET, Bucket, s3_client
from kontext_cli.files.part import PartFile
from kontext_cli.files.place import ObjectPath
from kontext_cli.files.store import Store
from kontext_cli.job import Source
from manual import follow, read
from samples import image_file
from world import PATIENCE, World

MANY = 60
FOX, HEN, WINTER = "a fox", "a hen", "make it winter"
NO_CREDENTIALS = {"AWS_ENDPOINT_URL": None, "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1"}
SECRET = "AKIAIOSFODNN7EXAMPLE"

NO_KEY = "<Error><Code>NoSuchKey</Code></Error>"
REFUSED = f"<Error><Code>InvalidAccessKeyId</Code><Message>{SECRET}</Message></Error>"
EMPTY = "<ListBucketResult><Name>x</Name><IsTruncated>false</IsTruncated></ListBucketResult>"


def generate(world: World, *argv: str, folder: str = f"{BUCKET}/one") -> Any:
    return world.run("generate", "-p", "aimlapi", "-d", folder, "--seed", "7", *argv)


def batch(world: World, *rows: dict[str, Any], argv: tuple[str, ...] = ()) -> Any:
    world.write("p.jsonl", rows)
    usual = ("generate", "-f", "p.jsonl", "-d", f"{BUCKET}/rows", "-p", "aimlapi", "--json")
    return world.run(*usual, *argv)


class TestOneJob:
    def test_prints_the_url_of_its_image_and_leaves_nothing_here(
        self, world: World, bucket: Bucket
    ) -> None:
        done = generate(world, FOX)
        assert (done.code, done.lines) == (0, [f"{BUCKET}/one/a-fox-7.jpg"])
        assert bucket.keys == ["one/a-fox-7.jpg"]
        assert bucket.type_of("one/a-fox-7.jpg") == "image/jpeg"
        assert bucket.read("one/a-fox-7.jpg").startswith(b"\xff\xd8")
        assert world.files() == []
        assert not [path for path in world.state.iterdir() if path.suffix == ".part"]

    @pytest.mark.parametrize(
        ("exists", "code", "keys"),
        [
            ("error", 8, ["one/a-fox-7.png"]),
            ("skip", 4, ["one/a-fox-7.png"]),
            ("number", 0, ["one/a-fox-7-2.jpg", "one/a-fox-7.png"]),
            ("overwrite", 0, ["one/a-fox-7.jpg", "one/a-fox-7.png"]),
        ],
    )
    def test_takes_no_name_that_another_object_has_with_any_suffix(
        self, exists: str, code: int, keys: list[str], world: World, bucket: Bucket
    ) -> None:
        bucket.write("one/a-fox-7.png", b"no image")
        assert generate(world, FOX, "--exists", exists).code == code
        assert bucket.keys == keys
        assert bucket.read("one/a-fox-7.png") == b"no image"
        assert world.posts == (code == 0)

    def test_overwrites_and_skips_where_asked_to(self, world: World, bucket: Bucket) -> None:
        bucket.write("one/a-fox-7.jpg", b"no image")
        assert generate(world, FOX, "--exists", "overwrite").code == 0
        assert bucket.read("one/a-fox-7.jpg").startswith(b"\xff\xd8")
        skipped = generate(world, FOX, "--exists", "skip")
        assert (skipped.code, skipped.lines) == (0, [f"{BUCKET}/one/a-fox-7.jpg"])
        assert world.posts == 1

    def test_can_be_named_by_its_url(self, world: World, bucket: Bucket) -> None:
        done = world.run("generate", FOX, "-p", "aimlapi", "-o", f"{BUCKET}/deep/er/fox.png")
        assert done.lines == [f"{BUCKET}/deep/er/fox.png"]
        assert bucket.keys == ["deep/er/fox.png"]

    def test_has_its_sidecar_beside_it(self, world: World, bucket: Bucket) -> None:
        generate(world, FOX, "--sidecar")
        assert bucket.keys == ["one/a-fox-7.jpg", "one/a-fox-7.jpg.json"]
        assert FOX.encode() in bucket.read("one/a-fox-7.jpg.json")
        assert bucket.type_of("one/a-fox-7.jpg.json") == "application/json"

    @pytest.mark.parametrize("name", ["ü 100% {x}", "日本", "a'b~c"])
    def test_can_have_any_name(self, name: str, world: World, bucket: Bucket) -> None:
        done = generate(world, FOX, "--name", name.replace("{x}", "x"))
        assert done.lines == [f"{BUCKET}/one/{name.replace('{x}', 'x')}.jpg"]
        assert bucket.keys == [f"one/{name.replace('{x}', 'x')}.jpg"]

    def test_sends_nothing_in_a_dry_run(self, world: World, bucket: Bucket) -> None:
        planned = generate(world, FOX, "--dry-run")
        assert f"{BUCKET}/one/a-fox-7.jpg" in planned.out.decode()
        assert (bucket.keys, world.posts) == ([], 0)

    def test_is_fetched_into_the_store_from_another_folder(
        self, world: World, bucket: Bucket
    ) -> None:
        submitted = world.run("generate", FOX, "-p", "fal", "--no-wait", "-d", f"{BUCKET}/later")
        world.cwd = world.top
        fetched = world.run("fetch", submitted.lines[0], "--json")
        path = fetched.records[0]["files"][0]["path"]
        assert path.startswith(f"{BUCKET}/later/a-fox-")
        assert bucket.keys == [path.removeprefix(f"{BUCKET}/")]

    def test_is_fetched_again_where_its_object_was_removed(
        self, world: World, bucket: Bucket
    ) -> None:
        generate(world, FOX, "-p", "fal")
        job = world.jobs()[0]["id"]
        bucket.remove("one/a-fox-7.jpg")
        assert world.run("fetch", job).lines == [f"{BUCKET}/one/a-fox-7.jpg"]
        assert bucket.keys == ["one/a-fox-7.jpg"]


class TestABatch:
    def test_skips_what_is_saved_and_makes_what_was_removed(
        self, world: World, bucket: Bucket
    ) -> None:
        world.may_be_accepted(2, HEN)
        rows = [{"id": "a", "prompt": FOX}, {"id": "b", "prompt": HEN}]
        assert batch(world, *rows).code == 0
        assert bucket.keys == ["rows/a.jpg", "rows/b.jpg"]
        assert batch(world, *rows).reasons == ["saved", "saved"]
        bucket.remove("rows/b.jpg")
        again = batch(world, *rows)
        assert sorted(again.reasons) == ["file missing", "saved"]
        assert bucket.keys == ["rows/a.jpg", "rows/b.jpg"]

    @pytest.mark.parametrize("change", [{"prompt": HEN}, {"output_format": "png"}])
    def test_replaces_the_image_of_a_row_that_changed(
        self, change: dict[str, Any], world: World, bucket: Bucket
    ) -> None:
        world.may_be_accepted(2, FOX)
        batch(world, {"id": "a", "prompt": FOX, "sidecar": True})
        before = bucket.read("rows/a.jpg")
        batch(world, {"id": "a", "prompt": FOX, "sidecar": True} | change)
        suffix = "png" if "output_format" in change else "jpg"
        assert bucket.keys == [f"rows/a.{suffix}", f"rows/a.{suffix}.json"]
        assert bucket.read(f"rows/a.{suffix}") != before

    def test_leaves_an_image_alone_that_was_changed_since(
        self, world: World, bucket: Bucket
    ) -> None:
        batch(world, {"id": "a", "prompt": FOX})
        bucket.write("rows/a.jpg", b"edited")
        batch(world, {"id": "a", "prompt": HEN})
        assert bucket.keys == ["rows/a-2.jpg", "rows/a.jpg"]
        assert bucket.read("rows/a.jpg") == b"edited"

    def test_knows_an_image_again_that_was_copied_back(self, world: World, bucket: Bucket) -> None:
        batch(world, {"id": "a", "prompt": FOX})
        content = bucket.read("rows/a.jpg")
        bucket.remove("rows/a.jpg")
        bucket.write("rows/a.jpg", content)
        assert batch(world, {"id": "a", "prompt": FOX}).reasons == ["saved"]

    def test_killed_after_an_upload_saves_nothing_twice(self, world: World, bucket: Bucket) -> None:
        world.write("p.jsonl", [{"id": name, "prompt": name} for name in "abc"])
        argv = ("generate", "-f", "p.jsonl", "-d", f"{BUCKET}/rows", "-p", "fal")
        killed = world.start(*argv, environ={"KONTEXT_TEST_KILL_AT": "renamed*2"})
        killed.communicate()
        assert killed.returncode < 0
        assert world.run(*argv).code == 0
        assert bucket.keys == ["rows/a.jpg", "rows/b.jpg", "rows/c.jpg"]

    def test_keeps_no_lock(self, world: World, bucket: Bucket) -> None:
        assert batch(world, {"id": "a", "prompt": FOX}, argv=("--lock",)).code == 2
        assert (bucket.keys, world.posts) == ([], 0)


class TestInputs:
    """Input images that are objects."""

    URL = f"{BUCKET}/in/house.png"

    @pytest.fixture(autouse=True)
    def house(self, bucket: Bucket) -> bytes:
        content = image_file("png")
        bucket.write("in/house.png", content)
        return content

    def edit(self, world: World, *argv: str, prompt: str = WINTER) -> Any:
        return world.run("edit", prompt, "-p", "aimlapi", "--json", *argv)

    def test_is_sent_by_its_content_like_a_file(self, world: World, house: bytes) -> None:
        world.write("house.png", house)
        world.may_be_accepted(2, WINTER)
        for source in (self.URL, "house.png"):
            assert self.edit(world, "-i", source, "--exists", "number", "--seed", "7").code == 0
        first, second = world.ledger.entries
        assert first.payload == second.payload
        of_file, of_object = world.kept()
        assert of_object.sources == (Source(self.URL, hashlib.sha256(house).hexdigest()),)
        assert of_object.digest == of_file.digest
        assert world.files() == ["house-edit-2.jpg", "house-edit.jpg", "house.png"]

    def test_may_be_in_the_rows_of_a_prompts_file(self, world: World, bucket: Bucket) -> None:
        world.write("house.png", image_file("jpeg"))
        rows: list[dict[str, Any]] = [
            {"prompt": WINTER, "images": [self.URL, "house.png"]},
            {"prompt": FOX},
        ]
        world.write("p.jsonl", rows)
        argv = ("edit", "-f", "p.jsonl", "-i", self.URL, "-d", "out", "-p", "fal", "--json")
        assert world.run(*argv).counts == {"saved": 2}
        assert world.run(*argv).counts == {"skipped": 2}
        bucket.write("in/house.png", image_file("png", (30, 20)))
        assert world.run(*argv).counts == {"saved": 2}

    @pytest.mark.parametrize("folder", [f"{BUCKET}/in", f"{BUCKET}/in/", BUCKET])
    def test_of_a_prefix_are_a_job_each(
        self, folder: str, world: World, bucket: Bucket, house: bytes
    ) -> None:
        where = "" if folder == BUCKET else "in/"
        world.may_be_accepted(2, WINTER)
        bucket.remove("in/house.png")
        for name in ("b10.jpg", "b9.JPG", ".hidden.png", "notes.txt", "deeper/c.png"):
            bucket.write(f"{where}{name}", house)
        done = self.edit(world, "-i", folder, "--each", "-d", f"{BUCKET}/out")
        assert [job["files"][0]["path"] for job in done.jobs] == [
            f"{BUCKET}/out/b9-edit.jpg",
            f"{BUCKET}/out/b10-edit.jpg",
        ]

    def test_of_a_prefix_that_is_also_the_output_are_not_edited_again(
        self, world: World, bucket: Bucket
    ) -> None:
        argv = ("-i", f"{BUCKET}/in/", "--each", "-d", f"{BUCKET}/in")
        assert self.edit(world, *argv).counts == {"saved": 1}
        assert self.edit(world, *argv).counts == {"skipped": 1}
        assert bucket.keys == ["in/house-edit.jpg", "in/house.png"]

    @pytest.mark.usefixtures("bucket")
    def test_of_a_prefix_with_a_name_that_cannot_be_read(self, world: World) -> None:
        client = s3_client(str(world.environ["AWS_ENDPOINT_URL"]))
        client.create_bucket(Bucket="odd")
        client.put_object(Bucket="odd", Key="in//odd.png", Body=b"")
        done = self.edit(world, "-i", "s3://odd/in", "--each", "-d", "out")
        assert (done.code, world.posts) == (8, 0)
        assert "one of its objects has a name that cannot be read, as with `//`" in done.err

    def test_is_read_again_where_a_job_is_sent_again(self, world: World, bucket: Bucket) -> None:
        world.serve(fault="503")
        self.edit(world, "-i", self.URL)
        (job,) = world.kept()
        world.serve()
        bucket.write("in/house.png", image_file("png", (30, 20)))
        refused = world.run("fetch", job.id, "--resubmit")
        assert (refused.code, world.posts) == (8, 0)
        assert "changed" in refused.err

    def test_is_read_again_for_a_replay(self, world: World, bucket: Bucket) -> None:
        world.may_be_accepted(4, WINTER)
        argv = ("--seed", "7", "--metadata", "full")
        self.edit(world, "-i", self.URL, *argv, "-o", "here.png")
        self.edit(world, "-i", self.URL, *argv, "-o", f"{BUCKET}/out/there.png")
        forget_all(world)
        for image in ("here.png", f"{BUCKET}/out/there.png"):
            again = world.run("replay", image, "-o", "again.png", "--exists", "overwrite")
            assert again.code == 0, again.err
        payloads = [entry.payload for entry in world.ledger.entries]
        assert payloads == payloads[:1] * 4
        bucket.write("in/house.png", image_file("png", (30, 20)))
        refused = world.run("replay", "here.png", "-o", "again.png")
        assert refused.code == 8
        assert f"the input `{self.URL}` is not the image that was sent" in refused.err

    def test_that_is_a_file_is_found_for_a_replay_of_an_object(
        self, world: World, house: bytes
    ) -> None:
        world.may_be_accepted(3, WINTER)
        world.write("in/house.png", house)
        target = ("-o", f"{BUCKET}/out/a.png", "--metadata", "full")
        self.edit(world, "-i", "in/house.png", *target)
        again = ("replay", f"{BUCKET}/out/a.png", "-o", "again.png", "--exists", "overwrite")
        assert world.run(*again, cwd=world.top).code == 0  # the journal knows where it is
        forget_all(world)
        assert world.run(*again).code == 0  # the object knows the way from the working folder
        assert world.run(*again, cwd=world.top).code == 8

    def test_is_in_a_lock_with_its_hash(self, world: World, bucket: Bucket, house: bytes) -> None:
        world.write("p.jsonl", [{"id": "a", "prompt": WINTER, "images": [self.URL]}])
        argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
        assert world.run(*argv).code == 0
        digest = hashlib.sha256(house).hexdigest()
        line = json.loads((world.folder / "p.lock").read_text().splitlines()[1])
        assert line["inputs"] == [{"path": self.URL, "sha256": digest}]
        assert world.run("check", "p.jsonl").code == 0
        assert world.run(*argv).code == 0
        bucket.write("in/house.png", image_file("png", (30, 20)))
        changed = world.run("check", "p.jsonl")
        assert (changed.code, "input changed" in changed.out.decode()) == (12, True)
        bucket.remove("in/house.png")
        gone = world.run("check", "p.jsonl")
        assert (gone.code, "there is no such object" in gone.err) == (8, True)

    def test_of_edit_each_are_in_a_lock(self, world: World, bucket: Bucket) -> None:
        argv = ("-i", f"{BUCKET}/in", "--each", "-d", "out", "--lock")
        assert self.edit(world, *argv).counts == {"saved": 1}
        assert world.run("check", "out/kontext.lock").code == 0
        assert self.edit(world, *argv).counts == {"skipped": 1}
        bucket.write("in/house.png", image_file("png", (30, 20)))
        assert world.run("check", "out/kontext.lock").code == 12

    @pytest.mark.parametrize(
        ("url", "code", "reason"),
        [
            (f"{BUCKET}/in/none.png", 8, "cannot read `{}`: there is no such object"),
            ("s3://nowhere/a.png", 8, "cannot read `{}`: there is no such bucket"),
            (f"{BUCKET}/in/text.png", 8, "`{}` is text"),
            (f"{BUCKET}/in/large.png", 8, "`{}` is larger than 50 MiB"),
            (f"{BUCKET}/in/", 2, "`{}` names no object"),
            (f"{BUCKET}/in//house.png", 2, "`{}` has `//` in its name"),
            (f"{BUCKET}/in/../house.png", 2, "`{}` has `.` or `..` in its name"),
        ],
    )
    def test_what_cannot_be_one_is_named_before_anything_is_sent(
        self, url: str, code: int, reason: str, world: World, bucket: Bucket
    ) -> None:
        bucket.write("in/text.png", b"text")
        if "large" in url:
            bucket.write("in/large.png", bytes(50 * 2**20 + 1))
        for argv in (("-i", url), ("-i", url, "--each", "-d", "out")):
            if argv[-1] == "out" and url.endswith("/"):
                continue
            done = self.edit(world, *argv)
            assert (done.code, world.posts) == (code, 0), done.err
            assert reason.format(url) in done.err

    def many(self, world: World, endpoint: str) -> Any:
        """A batch of edits, planned with the objects of another server."""
        images = [f"{BUCKET}/{number}.png" for number in range(MANY)]
        world.write("p.jsonl", [{"prompt": WINTER, "images": [each]} for each in images])
        key: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        argv = ("edit", "-f", "p.jsonl", "-p", "aimlapi", "--dry-run", "--json", "-d", "out")
        return world.process(*argv, environ={"AWS_ENDPOINT_URL": endpoint, **key})

    def test_of_many_rows_are_read_at_the_same_time(self, world: World) -> None:
        with serving(_Crowded) as crowded:
            done = self.many(world, crowded)
        assert (done.code, len(done.jobs)) == (0, MANY), done.err

    def test_of_a_store_that_fails_are_not_all_asked_for(self, world: World) -> None:
        _Counting.asked = 0
        with serving(_Counting) as counting:
            done = self.many(world, counting)
        assert (done.code, world.posts) == (8, 0)
        assert _Counting.asked < MANY
        assert f"{BUCKET}/{MANY - 1}.png` was not read, since the store failed" in done.err

    def test_of_a_store_that_fails_is_not_sent(self, world: World) -> None:
        key = {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET}
        with serving(_Refusal) as refusing:
            cases: list[tuple[str, dict[str, str | None]]] = [
                ("were refused (InvalidAccessKeyId)", {"AWS_ENDPOINT_URL": refusing, **key}),
                ("could not be reached", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
                ("no credentials", NO_CREDENTIALS),
                ("not encrypted", {"AWS_ENDPOINT_URL": "http://store.example"}),
            ]
            for reason, environ in cases:
                argv = ("edit", WINTER, "-i", self.URL, "-p", "aimlapi")
                done = world.process(*argv, environ=environ)
                assert (done.code, done.err.count("error:")) == (8, 1), done.err
                assert reason in done.err
                assert SECRET not in done.err
        assert world.posts == 0


class TestWhatReadsImages:
    @pytest.fixture
    def url(self, world: World, bucket: Bucket) -> str:
        done = generate(world, FOX, "--metadata", "full")
        return str(done.lines[0])

    def test_info_reads_an_object_and_its_sidecar(self, url: str, world: World) -> None:
        forget_all(world)
        (record,) = world.run("info", url, "--json").records
        assert FOX in json.dumps(record)
        for missing in (f"{BUCKET}/none.jpg", "s3://nowhere/none.jpg", BUCKET):
            assert world.run("info", missing, url).code in (2, 8)

    def test_show_draws_an_object(self, url: str, world: World) -> None:
        shown = world.run("show", url, "--preview", "blocks")
        assert (shown.code, "a-fox-7.jpg" in shown.out.decode()) == (0, True)
        assert world.run("show", f"{BUCKET}/none.jpg", "--preview", "blocks").code == 8

    def test_replay_makes_an_object_again(self, url: str, world: World) -> None:
        world.may_be_accepted(2, FOX)
        assert world.run("replay", url, "-o", "again.jpg").code == 0
        first, second = world.ledger.entries
        assert first.payload == second.payload

    def test_a_gallery_shows_the_objects_of_a_batch(self, world: World, bucket: Bucket) -> None:
        batch(world, {"id": "a", "prompt": FOX}, {"id": "b", "prompt": HEN})
        bucket.remove("rows/b.jpg")
        for output in ("page.html", "sheet.png"):
            done = world.run("gallery", "-o", output, "--json")
            assert done.records[0]["images"] == 1
            assert done.records[0]["missing"] == 1
        page = (world.folder / "page.html").read_text()
        assert "s3://" not in page
        assert len(world.files("page-files")) == 1
        assert world.run("gallery", BUCKET, "-o", "other.html").code == 2


class TestPublishing:
    @pytest.fixture
    def store(self, endpoint: str, bucket: Bucket) -> Store:
        return Store(BUCKET, {"AWS_ENDPOINT_URL": endpoint})

    def publish(self, store: Store, folder: Path, content: bytes, **given: Any) -> str:
        with PartFile.create(folder) as part:
            part.write(content)
            path, stamp = store.publish(part, ObjectPath(f"{BUCKET}/x.jpg"), **given)
        assert stamp == store.stamp(path)
        return path.name

    def test_takes_the_next_free_name(self, store: Store, tmp_path: Path, bucket: Bucket) -> None:
        names = [self.publish(store, tmp_path, each, overwrite=False) for each in (b"a", b"b")]
        assert names == ["x.jpg", "x-2.jpg"]
        assert (bucket.read("x.jpg"), bucket.read("x-2.jpg")) == (b"a", b"b")

    def test_again_after_a_lost_answer_finds_its_own(self, store: Store, tmp_path: Path) -> None:
        names = [self.publish(store, tmp_path, b"a", overwrite=False) for _ in range(2)]
        assert names == ["x.jpg", "x.jpg"]

    def test_replaces_only_what_has_the_stamp(
        self, store: Store, tmp_path: Path, bucket: Bucket
    ) -> None:
        self.publish(store, tmp_path, b"ours", overwrite=False)
        ours = store.stamp(f"{BUCKET}/x.jpg")
        assert self.publish(store, tmp_path, b"new", overwrite=False, replaces=ours) == "x.jpg"
        assert self.publish(store, tmp_path, b"late", overwrite=False, replaces=ours) == "x-2.jpg"
        assert bucket.read("x.jpg") == b"new"


class _Refusal(BaseHTTPRequestHandler):
    """Refuses everything, and quotes a secret."""

    reads = False
    """Whether it lets one read."""

    def do_GET(self) -> None:
        if self.reads:
            self._answer(200, EMPTY)
        else:
            self._answer(403, REFUSED)

    def do_HEAD(self) -> None:
        self._answer(404 if self.reads else 403, "")

    def do_PUT(self) -> None:
        self._answer(403, REFUSED)

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


class _Counting(_Refusal):
    """Counts what it refuses."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        super().do_GET()


class _Crowded(_Refusal):
    """Answers with an image, the first ones only once several ask at the same time."""

    first: ClassVar[list[int]] = [1, 2, 3, 4]
    crowd = Barrier(len(first))

    def do_GET(self) -> None:
        if self.first:
            self.first.pop()
            self.crowd.wait(PATIENCE)
        content = image_file("png")
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", "Sun, 29 Nov 2026 12:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(content)


class _ReadOnly(_Refusal):
    reads = True


class _Full(_ReadOnly):
    """Seems to take images, but takes none."""

    def do_PUT(self) -> None:
        unused = self.path.endswith("unused")
        self._answer(404 if unused else 403, NO_KEY if unused else REFUSED)


class _Careless(_ReadOnly):
    """Takes everything that is written, whatever the conditions are."""

    written: ClassVar[list[str]] = []

    def do_PUT(self) -> None:
        self.written.append(self.path)
        self._answer(200, "")

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = [part.partition("</Key>")[0] for part in asked.split("<Key>")[1:]]
        for key in keys:
            self.written.remove(f"/pictures/{key}")
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>")


@contextmanager
def serving(kind: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of a server that answers so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class TestAStoreThatIsNotThere:
    @pytest.mark.parametrize("many", [False, True])
    def test_is_told_before_anything_is_sent(
        self, many: bool, world: World, bucket: Bucket
    ) -> None:
        world.write("p.txt", f"{FOX}\n{HEN}\n")
        rows = ("-f", "p.txt") if many else (FOX,)
        with serving(_Refusal) as refusing, serving(_ReadOnly) as read_only:
            key = {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET}
            cases: list[tuple[str, dict[str, str | None], str]] = [
                ("no such bucket", {}, "s3://nowhere"),
                ("could not be reached", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, BUCKET),
                ("were refused", {"AWS_ENDPOINT_URL": refusing, **key}, BUCKET),
                ("were refused", {"AWS_ENDPOINT_URL": read_only, **key}, BUCKET),
                ("no credentials", NO_CREDENTIALS, BUCKET),
                ("no credentials", {"AWS_ACCESS_KEY_ID": SECRET}, BUCKET),
            ]
            for reason, environ, folder in cases:
                argv = ("generate", "-p", "aimlapi", "-d", f"{folder}/x", *rows)
                done = world.process(*argv, environ=environ)
                assert done.code == 8, (reason, done.err)
                assert reason in done.err
                assert done.err.count("error:") == 1
                assert SECRET not in done.err
        assert world.posts == 0

    def test_prints_how_to_use_a_profile(self, world: World, bucket: Bucket) -> None:
        argv = ("generate", FOX, "-d", BUCKET, "-p", "aimlapi")
        done = world.process(*argv, environ=NO_CREDENTIALS)
        assert 'eval "$(aws configure export-credentials --format env)"' in done.err

    def test_keeps_no_image_from_being_fetched_later(self, world: World, bucket: Bucket) -> None:
        argv = ("generate", FOX, "-d", BUCKET, "-p", "fal", "--seed", "7")
        with serving(_Full) as full:
            lost = world.process(*argv, environ={"AWS_ENDPOINT_URL": full})
        (job,) = world.kept()
        assert (lost.code, job.state) == (8, "ready")
        assert f"kontext fetch {job.id}" in lost.err
        assert SECRET not in lost.err
        assert world.run("fetch", job.id).lines == [f"{BUCKET}/a-fox-7.jpg"]

    def test_is_not_trusted_where_it_ignores_conditions(self, world: World, bucket: Bucket) -> None:
        with serving(_Careless) as careless:
            argv = ("generate", FOX, "-d", BUCKET, "-p", "aimlapi")
            done = world.process(*argv, environ={"AWS_ENDPOINT_URL": careless})
        assert (done.code, world.posts, _Careless.written) == (8, 0, [])
        assert "conditional writes" in done.err

    def test_is_never_asked_without_encryption(self, world: World, bucket: Bucket) -> None:
        environ = {"AWS_ENDPOINT_URL": "http://store.example"}
        done = world.process("generate", FOX, "-d", BUCKET, "-p", "aimlapi", environ=environ)
        assert (done.code, "AWS_ALLOW_HTTP" in done.err) == (2, True)

    @pytest.mark.parametrize("url", ["gs://pictures/x", "az://pictures/x"])
    def test_of_other_clouds_needs_credentials(self, url: str, world: World) -> None:
        world.unset("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
        done = world.process("generate", FOX, "-d", url, "-p", "aimlapi")
        assert (done.code, world.posts) == (8, 0)


def test_the_commands_of_the_page_run(world: World, endpoint: str, bucket: Bucket) -> None:
    mine = Bucket.new(endpoint, "my-bucket")
    world.prompts("a red fox", "a grey wolf", name="animals.txt")
    follow(read("docs/how-to/stores.md"), world)
    assert len(mine.keys) == 7
