"""From the first byte of a download to its final name, and everything that gets in between."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from kontext_cli.errors import BadMedia, OutputFault, WrongFormat
from kontext_cli.files import disk, renaming
from kontext_cli.files import part as outputs
from kontext_cli.files.part import PartFile, prepare_folder
from kontext_cli.files.saved import VerifiedImage, existing_file
from kontext_cli.job import File
from processes import environment
from samples import image_file

KINDS = ("jpeg", "png", "webp")
POSIX = sys.platform != "win32"
OPEN_FILES = Path("/proc/self/fd")
posix_only = pytest.mark.skipif(not POSIX, reason="POSIX only")

WRITER = """
import sys
from pathlib import Path
from kontext_cli.files.part import PartFile
with PartFile.create(Path(sys.argv[1])) as part:
    part.write(b"half an image")
    print("writing", flush=True)
    sys.stdin.read()
"""


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".kontext-*.part"))


def save(
    target: Path, data: bytes | None = None, *, overwrite: bool = False, before: Any = None
) -> File:
    """Write, verify and publish; ``before`` is called between planning and publishing."""
    with PartFile.create(target.parent) as part:
        part.write(image_file() if data is None else data)
        verified = part.verify()
        if before:
            before()
        return part.publish(verified, target, overwrite=overwrite)


def raising(number: int) -> Any:
    def call(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds a part file in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"writing"
    yield process
    process.kill()
    process.communicate()


class TestPrepareFolder:
    def test_makes_the_folder_and_leaves_it_empty(self, tmp_path: Path) -> None:
        prepare_folder(tmp_path / "a" / "b")
        assert list((tmp_path / "a" / "b").iterdir()) == []

    @pytest.mark.parametrize("below", ["", "sub", "sub/sub"])
    def test_a_file_in_the_way_is_told(self, tmp_path: Path, below: str) -> None:
        (tmp_path / "file").touch()
        folder = tmp_path / "file" / below
        with pytest.raises(OutputFault) as caught:
            prepare_folder(folder)
        assert f"`{folder}`" in caught.value.message
        assert "not a" in caught.value.message.lower()
        assert caught.value.exit_code == 8

    def test_what_cannot_be_written_is_told_with_its_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "open", raising(errno.EROFS))
        with pytest.raises(OutputFault, match="Read-only file system") as caught:
            prepare_folder(tmp_path)
        assert caught.value.hint == "choose another folder with `-d`"

    def test_a_full_disk_is_found_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "write", raising(errno.ENOSPC))
        with pytest.raises(OutputFault, match="No space left"):
            prepare_folder(tmp_path)

    def test_sweeps_what_a_killed_writer_left(
        self, tmp_path: Path, writer: subprocess.Popen[bytes]
    ) -> None:
        writer.kill()
        writer.wait()
        assert list(tmp_path.iterdir()) == parts(tmp_path) != []
        prepare_folder(tmp_path)
        assert parts(tmp_path) == []

    @pytest.mark.usefixtures("writer")
    def test_leaves_a_living_writer_alone(self, tmp_path: Path) -> None:
        prepare_folder(tmp_path)
        assert len(parts(tmp_path)) == 1

    def test_leaves_our_own_downloads_alone(self, tmp_path: Path) -> None:
        with PartFile.create(tmp_path) as part:
            prepare_folder(tmp_path)
            part.write(image_file())
            assert part.publish(part.verify(), tmp_path / "a.jpg", overwrite=False)

    def test_removes_nothing_but_part_files(self, tmp_path: Path) -> None:
        precious = tmp_path / "precious"
        precious.write_text("mine")
        kept = [".kontext-1.txt", "kontext-1.part", ".other-1.part"]
        for name in kept:
            (tmp_path / name).touch()
        link = tmp_path / ".kontext-1.part"
        link.symlink_to(precious)
        folder = tmp_path / ".kontext-2.part"
        folder.mkdir()
        (tmp_path / ".kontext-3.part").touch()
        prepare_folder(tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"precious", *kept, link.name, folder.name}
        assert precious.read_text() == "mine"

    @posix_only
    def test_a_pipe_named_like_a_part_file_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".kontext-1.part")
        prepare_folder(tmp_path)
        assert len(parts(tmp_path)) == 1


class TestPartFile:
    def test_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with PartFile.create(tmp_path) as part:
            part.write(b"x")
            assert len(parts(tmp_path)) == 1
        with pytest.raises(RuntimeError), PartFile.create(tmp_path):
            raise RuntimeError
        assert list(tmp_path.iterdir()) == []

    @posix_only
    def test_is_private_until_published_with_the_usual_permissions(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            with PartFile.create(tmp_path) as part:
                (path,) = parts(tmp_path)
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
                part.write(image_file())
                file = part.publish(part.verify(), tmp_path / "a.jpg", overwrite=False)
        finally:
            os.umask(before)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o640

    @pytest.mark.parametrize("gone", [True, False])
    def test_a_part_file_swept_while_it_was_made_is_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
    ) -> None:
        hold = disk.hold
        swept: list[Path] = []

        def sweep_first(descriptor: int, path: Path) -> bool:
            if not swept:
                swept.append(path)
                if not gone:
                    return False
                path.unlink()
            return hold(descriptor, path)

        monkeypatch.setattr(disk, "hold", sweep_first)
        file = save(tmp_path / "a.jpg")
        assert file.path.read_bytes() == image_file()
        assert list(tmp_path.iterdir()) == [file.path]

    def test_a_sweeper_that_was_quicker_to_lock_is_given_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(disk, "hold", lambda *_: False)
        with pytest.raises(OutputFault, match="remove the files"):
            PartFile.create(tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="no list of open files here")
    def test_no_file_stays_open(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".kontext-1.part").touch()
        prepare_folder(tmp_path)
        save(tmp_path / "a.jpg")
        monkeypatch.setattr(Path, "hardlink_to", raising(errno.EPERM))
        save(tmp_path / "b.jpg")
        monkeypatch.setattr(disk, "hold", lambda *_: False)
        with pytest.raises(OutputFault):
            PartFile.create(tmp_path)
        open_files = [path.resolve() for path in OPEN_FILES.iterdir()]
        assert [path for path in open_files if path.is_relative_to(tmp_path)] == []

    def test_restart_forgets_the_first_try(self, tmp_path: Path) -> None:
        with PartFile.create(tmp_path) as part:
            part.write(b"x" * 10_000)
            part.restart()
            assert part.size == 0
            part.write(image_file())
            assert part.verify(len(image_file())).bytes == len(image_file())

    def test_writing_goes_on_after_reading(self, tmp_path: Path) -> None:
        with PartFile.create(tmp_path) as part:
            part.write(b"one" * 100_000)
            with part.reading() as stream:
                assert stream.read(2) == b"on"
            part.write(b"two")
            with part.reading() as stream:
                assert stream.read() == b"one" * 100_000 + b"two"

    def test_more_than_the_most_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outputs, "MOST_BYTES", 10)
        with PartFile.create(tmp_path) as part:
            part.write(b"1234567890")
            with pytest.raises(BadMedia, match="larger than"):
                part.write(b"1")
            assert part.size == 10

    @posix_only
    def test_a_full_disk_is_told(self, tmp_path: Path) -> None:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with PartFile.create(tmp_path) as part:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
            try:
                with pytest.raises(OutputFault, match="File too large"):
                    part.write(b"x" * 3000)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(tmp_path.iterdir()) == []

    def test_no_space_is_told_with_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with PartFile.create(tmp_path) as part:
            monkeypatch.setattr(os, "write", raising(errno.ENOSPC))
            with pytest.raises(OutputFault) as caught:
                part.write(b"x")
        assert caught.value.message == f"cannot write to `{tmp_path}`: No space left on device"
        assert caught.value.hint == "make room on the disk"


class TestVerify:
    def verify(self, folder: Path, data: bytes, expected: int | None = None) -> VerifiedImage:
        with PartFile.create(folder) as part:
            part.write(data)
            return part.verify(expected)

    @pytest.mark.parametrize("kind", KINDS)
    def test_describes_the_image(self, tmp_path: Path, kind: str) -> None:
        data = image_file(kind)
        found = self.verify(tmp_path, data, len(data))
        assert (found.format, found.width, found.height) == (kind, 64, 48)
        assert found.bytes == len(data)
        assert found.sha256 == hashlib.sha256(data).hexdigest()

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (b"", "is empty"),
            *((image_file(kind)[:cut], "is cut short") for kind in KINDS for cut in (1, 2)),
            (image_file("png")[:7], "is cut short"),
            (image_file("webp")[:11], "is cut short"),
            (image_file("jpeg")[:-300], "is a JPEG that is cut short"),
            (image_file("png")[:-12], "is a PNG that is cut short"),
        ],
    )
    def test_tells_what_another_download_may_mend(
        self, tmp_path: Path, data: bytes, told: str
    ) -> None:
        with pytest.raises(BadMedia) as caught:
            self.verify(tmp_path, data)
        assert caught.value.message == f"the provider's file {told}"
        assert caught.value.billed == "yes"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (b"<html><body>404", "an HTML page: `<html><body>404`"),
            (b'{"detail": "gone"}', 'JSON: `{"detail": "gone"}`'),
            (image_file("gif"), "a GIF"),
            (image_file("bmp"), "a BMP image"),
            (image_file("tiff"), "a TIFF image"),
            (b"\0\0\0\x1cftypavif\0", "an AVIF image"),
            (b"\0\0\0\x1cftypisom\0", "an MP4 video"),
            (b"RIFF\0\0\0\0WAVE", "a WAV sound"),
            (bytes(2), r"no image of a known format: `\x00\x00`"),
        ],
    )
    def test_tells_a_file_of_another_kind(self, tmp_path: Path, data: bytes, told: str) -> None:
        with pytest.raises(WrongFormat) as caught:
            self.verify(tmp_path, data, len(data))
        assert caught.value.message == f"the provider's file is not a JPEG, PNG or WebP, but {told}"
        assert (caught.value.billed, caught.value.state) == ("yes", "failed")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(("expected", "told"), [(99_999, "cut short"), (5, "longer")])
    def test_another_size_than_announced_is_refused(
        self, tmp_path: Path, expected: int, told: str
    ) -> None:
        with pytest.raises(BadMedia, match=f"{told}.*: {len(image_file())} bytes came, {expected}"):
            self.verify(tmp_path, image_file(), expected)

    def test_a_bomb_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kontext_cli.files.saved.MOST_PIXELS", 64 * 48 - 1)
        with pytest.raises(BadMedia, match="64×48 pixels"):
            self.verify(tmp_path, image_file())


class TestPublish:
    def test_keeps_the_bytes_as_they_came(self, tmp_path: Path) -> None:
        plain = image_file()
        provenance = b"\xff\xeb\x00\x0cJP\x00\x01c2pa"
        data = plain[:2] + provenance + plain[2:] + b"\0"
        file = save(tmp_path / "a.jpg", data)
        assert file == File(
            tmp_path / "a.jpg",
            hashlib.sha256(data).hexdigest(),
            len(data),
            64,
            48,
            "jpeg",
            modified=file.path.stat().st_mtime_ns,
        )
        assert file.path.read_bytes() == data
        assert list(tmp_path.iterdir()) == [file.path]

    @pytest.mark.parametrize(
        ("name", "kind", "final"),
        [
            ("a.jpg", "png", "a.png"),
            ("a.png", "jpeg", "a.jpg"),
            ("a.jpeg", "jpeg", "a.jpeg"),
            ("a.PNG", "png", "a.PNG"),
            ("a.v1", "png", "a.v1.png"),
            ("a.jpg", "webp", "a.webp"),
        ],
    )
    def test_the_suffix_follows_the_bytes(
        self, tmp_path: Path, name: str, kind: str, final: str
    ) -> None:
        file = save(tmp_path / name, image_file(kind))
        assert [path.name for path in tmp_path.iterdir()] == [file.path.name] == [final]

    def test_a_name_taken_meanwhile_is_numbered(self, tmp_path: Path) -> None:
        target = tmp_path / "a.jpg"

        def take() -> None:
            target.write_text("mine")
            (tmp_path / "a-2.jpg").mkdir()

        file = save(target, before=take)
        assert file.path == tmp_path / "a-3.jpg"
        assert file.path.read_bytes() == image_file()
        assert target.read_text() == "mine"

    def test_many_at_once_each_get_a_name_of_their_own(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            files = list(pool.map(save, [tmp_path / "a.jpg"] * 16))
        numbers = {"a.jpg", *(f"a-{n}.jpg" for n in range(2, 17))}
        assert {file.path.name for file in files} == numbers
        assert {path.name for path in tmp_path.iterdir()} == numbers

    @pytest.mark.parametrize("dangling", [True, False])
    def test_a_link_planted_at_the_target_is_not_followed(
        self, tmp_path: Path, dangling: bool
    ) -> None:
        precious = tmp_path / "precious"
        if not dangling:
            precious.write_text("mine")
        target = tmp_path / "a.jpg"
        file = save(target, before=lambda: target.symlink_to(precious))
        assert file.path == tmp_path / "a-2.jpg"
        assert target.is_symlink()
        assert precious.exists() != dangling
        assert dangling or precious.read_text() == "mine"

    def test_overwrite_replaces_the_target(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").write_text("old")
        file = save(tmp_path / "a.jpg", overwrite=True)
        assert file.path.read_bytes() == image_file()
        assert list(tmp_path.iterdir()) == [tmp_path / "a.jpg"]

    def test_overwrite_replaces_a_link_not_what_it_points_to(self, tmp_path: Path) -> None:
        (tmp_path / "precious").write_text("mine")
        (tmp_path / "a.jpg").symlink_to(tmp_path / "precious")
        save(tmp_path / "a.jpg", overwrite=True)
        assert not (tmp_path / "a.jpg").is_symlink()
        assert (tmp_path / "precious").read_text() == "mine"

    def test_overwrite_is_for_the_name_given_not_for_a_corrected_one(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("mine")
        file = save(tmp_path / "a.jpg", image_file("png"), overwrite=True)
        assert file.path == tmp_path / "a-2.png"
        assert (tmp_path / "a.png").read_text() == "mine"

    def test_overwrite_takes_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").mkdir()
        with pytest.raises(OutputFault, match=r"cannot write `.*a\.jpg`"):
            save(tmp_path / "a.jpg", overwrite=True)
        assert list(tmp_path.iterdir()) == [tmp_path / "a.jpg"]

    @posix_only
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_where_there_are_no_links_nothing_is_replaced_either(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exclusive: bool
    ) -> None:
        monkeypatch.setattr(Path, "hardlink_to", raising(errno.EPERM))
        if not exclusive:
            monkeypatch.setattr(renaming, "rename_to_free", lambda *_: False)
        (tmp_path / "a.jpg").write_text("mine")
        file = save(tmp_path / "a.jpg")
        assert file.path == tmp_path / "a-2.jpg"
        assert file.path.read_bytes() == image_file()
        assert (tmp_path / "a.jpg").read_text() == "mine"
        assert len(list(tmp_path.iterdir())) == 2

    @posix_only
    def test_without_links_a_failed_rename_leaves_no_empty_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "hardlink_to", raising(errno.EPERM))
        monkeypatch.setattr(renaming, "rename_to_free", lambda *_: False)
        monkeypatch.setattr(Path, "replace", raising(errno.EIO))
        with pytest.raises(OutputFault):
            save(tmp_path / "a.jpg")
        assert list(tmp_path.iterdir()) == []

    @posix_only
    def test_an_empty_file_that_nobody_holds_is_a_name_that_a_killed_run_took(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import fcntl

        monkeypatch.setattr(Path, "hardlink_to", raising(errno.EPERM))
        monkeypatch.setattr(renaming, "rename_to_free", lambda *_: False)
        for name in ("left.jpg", "held.jpg"):
            (tmp_path / name).touch()
        with (tmp_path / "held.jpg").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert save(tmp_path / "held.jpg").path == tmp_path / "held-2.jpg"
        (tmp_path / "link.jpg").symlink_to(tmp_path / "held.jpg")
        assert save(tmp_path / "link.jpg").path == tmp_path / "link-2.jpg"
        assert save(tmp_path / "left.jpg").path == tmp_path / "left.jpg"
        assert (tmp_path / "held.jpg").read_bytes() == b""
        assert (tmp_path / "left.jpg").read_bytes() == image_file()

    @posix_only
    def test_the_bytes_are_synced_before_the_name_and_the_name_after(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target, events, sync = tmp_path / "a.jpg", [], os.fsync

        def record(descriptor: int) -> None:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            events.append(("folder" if is_folder else "file", target.exists()))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", record)
        save(target)
        assert events == [("file", False), ("folder", True)]

    def test_a_failed_sync_gives_no_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "fsync", raising(errno.EIO))
        with pytest.raises(OutputFault):
            save(tmp_path / "a.jpg")
        assert list(tmp_path.iterdir()) == []

    @posix_only
    def test_a_folder_that_cannot_be_synced_is_no_fault(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sync = os.fsync

        def files_only(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raising(errno.EINVAL)()
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", files_only)
        assert save(tmp_path / "a.jpg").path.exists()

    def test_nothing_is_published_once_the_context_was_left(self, tmp_path: Path) -> None:
        with PartFile.create(tmp_path) as part:
            part.write(image_file())
            verified = part.verify()
        with pytest.raises(ValueError, match="closed"):
            part.publish(verified, tmp_path / "a.jpg", overwrite=False)
        assert list(tmp_path.iterdir()) == []


class TestExistingFile:
    def test_describes_it_by_its_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(image_file("png"))
        file = existing_file(path)
        assert (file.path, file.format, file.bytes) == (path, "png", len(image_file("png")))

    def test_no_image_is_bad_media(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").write_text("hello")
        with pytest.raises(BadMedia, match="is there already, but is text: `hello`"):
            existing_file(tmp_path / "a.jpg")

    def test_what_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(OutputFault, match="folder"):
            existing_file(tmp_path)
        with pytest.raises(OutputFault, match="No such file"):
            existing_file(tmp_path / "a.jpg")
