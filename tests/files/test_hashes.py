"""Hashes of files, remembered while the files stay as they are."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from kontext_cli.files import hashes
from kontext_cli.files.hashes import Hashes

HOUR = 3600 * 10**9


def later() -> int:
    """An hour from now: files of the test are old by then."""
    return time.time_ns() + HOUR


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cache"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that are read."""
    names: list[str] = []
    really_open = os.open

    def open_and_note(path: str, flags: int, *mode: int) -> int:
        names.append(os.path.basename(path))  # noqa: PTH119
        return really_open(path, flags, *mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_and_note)
        yield names


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def ask(folder: Path | None, path: Path, clock: Callable[[], int] = later) -> str:
    with Hashes(folder, "cards", clock=clock) as known:
        return known.sha256(path)


def test_a_file_is_read_once(tmp_path: Path, folder: Path, opened: list[str]) -> None:
    path = tmp_path / "a.jpg"
    expected = write(path, b"one")
    assert [ask(folder, path) for _ in range(3)] == [expected] * 3
    assert opened.count("a.jpg") == 1


@pytest.mark.parametrize("size", [0, 1, 100_000, 2**20, 2**20 + 1, 3 * 2**20])
def test_files_of_any_size(tmp_path: Path, folder: Path, size: int) -> None:
    path = tmp_path / "a.jpg"
    expected = write(path, os.urandom(size))
    assert ask(folder, path) == expected


def rewrite(path: Path) -> None:
    path.write_bytes(b"two")


def rewrite_in_secret(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"two")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [rewrite, rewrite_in_secret, replace])
def test_a_file_that_was_changed_is_read_again(
    tmp_path: Path, folder: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.jpg"
    write(path, b"one")
    ask(folder, path)
    change(path)
    assert ask(folder, path) == hashlib.sha256(b"two").hexdigest()


def test_a_file_modified_just_now_is_read_again(
    tmp_path: Path, folder: Path, opened: list[str]
) -> None:
    path = tmp_path / "a.jpg"
    write(path, b"one")
    for clock in (time.time_ns, time.time_ns, later, time.time_ns):
        ask(folder, path, clock)
    assert opened.count("a.jpg") == 3, "it was remembered when its time could not come again"


def test_a_file_that_is_modified_again_and_again_is_not_remembered(
    tmp_path: Path, folder: Path, opened: list[str]
) -> None:
    path = tmp_path / "a.jpg"
    for content, clock in ((b"one", later), (b"two", time.time_ns), (b"two", time.time_ns)):
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        opened.clear()
        assert ask(folder, path, clock) == hashlib.sha256(content).hexdigest()
        assert "a.jpg" in opened


def test_many_are_read_at_once(tmp_path: Path, folder: Path, opened: list[str]) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(200)]
    expected = [write(path, str(path).encode()) for path in paths]
    for _ in range(2):
        with Hashes(folder, "cards", clock=later) as known:
            known.read((str(path), None) for path in [*paths, tmp_path / "missing"])
            assert [known.sha256(path) for path in paths] == expected
    assert sorted(opened) == sorted(set(opened)), "each once, the cache included"


def test_a_file_of_another_size_is_not_read(tmp_path: Path, opened: list[str]) -> None:
    path = tmp_path / "a.jpg"
    sha256 = write(path, b"one")
    known = Hashes(None, "cards")
    known.read([(str(path), 4)])
    assert known.condition(str(path), size=4, sha256=sha256) == "edited"
    assert opened == []
    assert known.condition(str(path), size=3, sha256=sha256) == "untouched"


def test_conditions(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    sha256 = write(path, b"one")
    known = Hashes(None, "cards")
    (tmp_path / "folder").mkdir()
    for name, expected in {
        "a.jpg": "untouched",
        "b.jpg": "missing",
        "a.jpg/b.jpg": "missing",
        "folder": "edited",
    }.items():
        assert known.condition(str(tmp_path / name), size=3, sha256=sha256) == expected
    assert known.condition(str(path), size=3, sha256="0" * 64) == "edited"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    known = Hashes(None, "cards")
    assert known.condition(str(tmp_path / "pipe"), size=0, sha256="0" * 64) == "edited"
    with pytest.raises(OSError, match="no regular file"):
        known.sha256(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_cannot_be_read_is_not_remembered(tmp_path: Path, folder: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "a.jpg"
    expected = write(path, b"one")
    with Hashes(folder, "cards", clock=later) as known:
        assert known.sha256(path) == expected
        with pytest.raises(OSError, match="no regular file"):
            known.sha256(tmp_path / "pipe")
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda cache: cache.write_bytes(b""),
        lambda cache: cache.write_bytes(b"kontext hashes 2 0\n{}"),
        lambda cache: cache.write_bytes(cache.read_bytes()[:-1]),
        lambda cache: cache.write_bytes(cache.read_bytes().replace(b'"', b"'")),
        lambda cache: cache.write_bytes(os.urandom(1000)),
        lambda cache: (cache.unlink(), cache.mkdir()),
    ],
)
def test_a_damaged_cache_is_as_good_as_none(
    tmp_path: Path, folder: Path, damage: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.jpg"
    expected = write(path, b"one")
    ask(folder, path)
    (cache,) = folder.iterdir()
    damage(cache)
    assert ask(folder, path) == expected


def test_works_where_nothing_can_be_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    expected = write(path, b"one")
    (tmp_path / "file").touch()
    assert ask(None, path) == expected
    assert ask(tmp_path / "file" / "cache", path) == expected


def test_others_may_write_meanwhile(tmp_path: Path, folder: Path, opened: list[str]) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        write(path, b"one")
    with Hashes(folder, "cards", clock=later) as mine:
        mine.sha256(paths[0])
        ask(folder, paths[1])
        others = [Thread(target=ask, args=(folder, paths[2])) for _ in range(8)]
        for each in others:
            each.start()
        for each in others:
            each.join()
    opened.clear()
    assert len({ask(folder, path) for path in paths}) == 1
    assert not {path.name for path in paths} & {*opened}
    assert [each.suffix for each in folder.iterdir()] == [".json"]


def test_what_was_asked_for_last_is_kept(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    monkeypatch.setattr(hashes, "MOST_FILES", 2)
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        write(path, b"one")
        ask(folder, path)
    opened.clear()
    for path in (paths[2], paths[1], paths[0]):
        ask(folder, path)
    assert "0.jpg" in opened
    assert not {"1.jpg", "2.jpg"} & {*opened}


def test_the_caches_used_last_are_kept(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    path = tmp_path / "a.jpg"
    write(path, b"one")
    for number, name in enumerate("abc"):
        with Hashes(folder, name, clock=later) as known:
            known.sha256(path)
        os.utime(max(folder.iterdir(), key=lambda each: each.stat().st_mtime), (number, number))
    with Hashes(folder, "a", clock=later) as known:
        known.sha256(path)  # used again
    (folder / ".kontext-0123.part").touch()
    monkeypatch.setattr(hashes, "MOST_BYTES", 1.5 * next(folder.glob("*.json")).stat().st_size)
    with Hashes(folder, "d", clock=later) as known:
        known.sha256(path)
    assert len(list(folder.iterdir())) == 2, "that of d, and one other"
    for name, is_kept in {"a": True, "b": False, "c": False}.items():
        opened.clear()
        Hashes(folder, name, clock=later).sha256(path)
        assert ("a.jpg" not in opened) is is_kept
