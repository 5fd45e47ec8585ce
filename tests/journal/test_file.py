"""The journal's file: made private and whole, refused, upgraded, and moved aside where damaged."""

import errno
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from journals import facts, full_job, holder, job
from kontext_cli.errors import JournalFault
from kontext_cli.files import disk
from kontext_cli.job import Job, State
from kontext_cli.journal import Journal, database
from kontext_cli.journal import file as journal_file
from kontext_cli.journal import schema as journal_schema
from kontext_cli.journal.owners import ROOM
from kontext_cli.journal.sqlite import FileStore
from kontext_cli.settings.paths import journal_location, state_dir
from world import World

POSIX = sys.platform != "win32"
posix_only = pytest.mark.skipif(not POSIX, reason="POSIX only")
FILE = "journal.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def kept(folder: Path) -> list[Job]:
    """Jobs in a journal that nobody has open."""
    jobs = [job(State.SAVED), full_job(), job(State.QUEUED)]
    with Journal.open(folder) as journal:
        for each in jobs:
            journal.record(each)
    return sorted(jobs, key=lambda each: each.id, reverse=True)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def sql(folder: Path, *statements: str) -> None:
    raw = sqlite3.connect(folder / FILE, isolation_level=None)
    for statement in statements:
        raw.execute(statement)
    raw.close()


def raw(journal: Journal) -> sqlite3.Connection:
    """The connection of an open journal."""
    assert isinstance(journal._store, FileStore)
    return journal._store._db


def all_jobs(journal: Journal) -> list[Job]:
    return journal.recent(limit=9999)


def is_sound(folder: Path) -> bool:
    raw = sqlite3.connect(folder / FILE)
    answer: list[tuple[str]] = raw.execute("PRAGMA integrity_check").fetchall()
    raw.close()
    return answer == [("ok",)]


class TestPlaces:
    def test_the_variable_names_the_folder(self, tmp_path: Path) -> None:
        assert state_dir({"KONTEXT_STATE_DIR": str(tmp_path)}) == tmp_path

    def test_the_journal_is_there_or_in_a_database(self, tmp_path: Path) -> None:
        folder = {"KONTEXT_STATE_DIR": str(tmp_path)}
        assert journal_location({**folder, "KONTEXT_JOURNAL": ""}) == tmp_path
        for url in ("postgresql://me@db/kontext", "postgres:///kontext?host=/run"):
            assert journal_location({**folder, "KONTEXT_JOURNAL": url}) == url

    def test_else_it_is_where_the_system_keeps_state(self) -> None:
        assert state_dir({}).name == "kontext"
        assert state_dir({"KONTEXT_STATE_DIR": ""}) == state_dir({})

    @pytest.mark.parametrize("scheme", ["mysql", "postgresq", "https"])
    def test_what_is_no_database_of_ours_is_refused(self, world: World, scheme: str) -> None:
        elsewhere = {"KONTEXT_JOURNAL": f"{scheme}://me:secret@db/kontext"}
        for argv in (["status"], ["generate", "x", "-p", "fal"], ["forget", "a"]):
            ran = world.run(*argv, environ=elsewhere)
            assert (ran.code, ran.lines) == (2, [])
            assert "KONTEXT_JOURNAL=postgresql://USER@HOST/DATABASE" in ran.err
            assert "secret" not in ran.err
        assert not world.ledger.entries

    @pytest.mark.parametrize("name", ["a b", "50%?#&x=1", "ü", "a'\"b", ":memory:", "file:x"])
    def test_any_folder_will_do(self, tmp_path: Path, name: str) -> None:
        with Journal.open(tmp_path / name / "deep") as journal:
            journal.record(job())
            other = Journal.read(tmp_path / name / "deep")
            assert other is not None
            with other:
                assert len(all_jobs(other)) == 1
        assert names(tmp_path) - {name} == set()

    def test_a_relative_folder_will_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Journal.open(Path("state")).close()
        assert FILE in names(tmp_path / "state")

    @posix_only
    @pytest.mark.parametrize("umask", [0, 0o077])
    def test_nobody_else_can_read_it(self, folder: Path, umask: int) -> None:
        before = os.umask(umask)
        try:
            with Journal.open(folder) as journal:
                journal.record(job())
                modes = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
        finally:
            os.umask(before)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {f"{FILE}-wal", f"{FILE}-shm"} < {path.name for path in modes}
        for path, mode in modes.items():
            assert mode == (0o700 if path.is_dir() else 0o600), path

    def test_closing_leaves_the_file_alone(self, folder: Path) -> None:
        with Journal.open(folder) as journal:
            journal.record(job())
        assert names(folder) == {FILE, "journal.lock", "running"}

    def test_what_a_kill_while_it_was_made_left_is_no_hindrance(self, folder: Path) -> None:
        folder.mkdir()
        (folder / f"{FILE}.new").write_text("half")
        (folder / f"{FILE}.new-journal").write_text("half")
        Journal.open(folder).close()
        assert is_sound(folder)
        assert names(folder) == {FILE, "journal.lock"}


class NoLog(sqlite3.Connection):
    """As on a file system where write-ahead logs do not work: SQLite then stays as it is."""

    def execute(self, text: str, values: Any = (), /) -> sqlite3.Cursor:
        if text == "PRAGMA journal_mode = WAL":
            text = "PRAGMA journal_mode"
        return super().execute(text, values)


class TestDurability:
    def pragma(self, journal: Journal, name: str) -> object:
        return raw(journal).execute(f"PRAGMA {name}").fetchone()[0]

    def test_each_commit_is_synced(self, folder: Path) -> None:
        with Journal.open(folder) as journal:
            assert self.pragma(journal, "journal_mode") == "wal"
            assert self.pragma(journal, "synchronous") == 2

    def test_without_a_write_ahead_log_it_works_as_well(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = sqlite3.connect
        monkeypatch.setattr(
            sqlite3, "connect", lambda *args, **options: plain(*args, factory=NoLog, **options)
        )
        one = full_job()
        with Journal.open(folder) as journal:
            assert self.pragma(journal, "journal_mode") == "delete"
            assert self.pragma(journal, "synchronous") == 3
            journal.record(one)
            other = Journal.read(folder)
            assert other is not None
            with other:
                assert [facts(each) for each in other.unfinished()] == [facts(one)]
            assert journal.forget(ids=[one.id]) == 1
        with Journal.open(folder) as journal:
            assert all_jobs(journal) == []

    @pytest.mark.parametrize("reading", [True, False])
    def test_a_kill_in_the_midst_of_a_write_without_a_log_is_rolled_back(
        self, folder: Path, kept: list[Job], tmp_path: Path, reading: bool
    ) -> None:
        raw = sqlite3.connect(folder / FILE, isolation_level=None)
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute("PRAGMA cache_size = 1")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("UPDATE jobs SET details = '{}', state = 'failed'")
        raw.execute("CREATE TABLE more AS SELECT randomblob(90000)")
        killed = tmp_path / "killed"
        killed.mkdir()
        for name in (FILE, f"{FILE}-journal"):
            shutil.copy(folder / name, killed)
        raw.execute("ROLLBACK")
        raw.close()
        journal = Journal.read(killed) if reading else Journal.open(killed)
        assert journal is not None
        with journal:
            assert [facts(each) for each in all_jobs(journal)] == [facts(each) for each in kept]

    def test_a_long_run_does_not_let_the_log_grow(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kontext_cli.journal.sqlite._COMMITS_TO_CHECKPOINT", 20)
        one = job()
        with Journal.open(folder) as journal:
            sizes = []
            for _ in range(40):
                journal.record(one)
                sizes.append((folder / f"{FILE}-wal").stat().st_size)
        assert sizes[19] == sizes[39] == 0
        assert min(sizes[18], sizes[38]) > 0


class TestRefusals:
    @pytest.mark.parametrize("below", ["", "sub", "sub/sub"])
    def test_a_folder_that_cannot_be_made(self, tmp_path: Path, below: str) -> None:
        (tmp_path / "file").touch()
        folder = tmp_path / "file" / below
        with pytest.raises(JournalFault, match="cannot write the journal") as caught:
            Journal.open(folder)
        assert caught.value.exit_code == 8
        assert caught.value.hint == "name a folder that can be written in KONTEXT_STATE_DIR"

    def test_nothing_can_be_read_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(JournalFault, match="cannot read the journal"):
            Journal.read(tmp_path / "file")

    @pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
    def test_a_folder_that_takes_no_files(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        def refuse(path: Path) -> NoReturn:
            raise OSError(number, os.strerror(number), path)

        monkeypatch.setattr(disk, "create_private", refuse)
        with pytest.raises(JournalFault, match=os.strerror(number)) as caught:
            Journal.open(folder)
        room = caught.value.hint == "make room on the disk"
        assert room is (number == errno.ENOSPC)
        assert names(folder) == set()

    @pytest.mark.skipif(not POSIX or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_may_not_be_written(self, folder: Path, kept: list[Job]) -> None:
        for mode in (0o500, 0o700):
            folder.chmod(mode)
            if mode == 0o500:
                with pytest.raises(JournalFault):
                    Journal.open(folder)
            else:
                Journal.open(folder).close()

    @pytest.mark.usefixtures("kept")
    def test_a_file_that_cannot_be_written(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            journal_file, "connect", lambda path, _mode: database.connect(path, "ro")
        )
        with pytest.raises(JournalFault, match="attempt to write a readonly database"):
            Journal.open(folder)

    def test_room_is_kept_for_what_comes_of_a_job_that_is_sent(self, folder: Path) -> None:
        sent, queued = job(State.SUBMITTING), job(request={"prompt": "x" * 100_000})
        with Journal.open(folder) as journal:
            journal.record(job(State.RUNNING))
            (held,) = (folder / "running").iterdir()
            assert held.stat().st_size == 0
            journal.record(sent)
            assert held.stat().st_size == ROOM
            (most,) = raw(journal).execute("PRAGMA max_page_count").fetchone()
            raw(journal).execute("PRAGMA max_page_count = 1")
            with pytest.raises(JournalFault, match="full"):
                journal.record(queued)
            assert held.stat().st_size == 0
            raw(journal).execute(f"PRAGMA max_page_count = {most}")
            journal.record(sent)
            assert held.stat().st_size == ROOM

    def test_a_full_disk_loses_nothing_of_what_was_kept(
        self, folder: Path, kept: list[Job], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def connect(path: Path, mode: str) -> sqlite3.Connection:
            db = database.connect(path, mode)
            if mode == "rw":
                (pages,) = db.execute("PRAGMA page_count").fetchone()
                db.execute(f"PRAGMA max_page_count = {max(pages, 1)}")
            return db

        monkeypatch.setattr(journal_file, "connect", connect)
        with Journal.open(folder) as journal:
            with pytest.raises(JournalFault, match="full") as caught:
                journal.record(job(request={"prompt": "x" * 100_000}))
            assert caught.value.hint == "make room on the disk"
            assert len(all_jobs(journal)) == len(kept)
            kept[0].state = State.CANCELED
            journal.record(kept[0])
            assert journal.find(kept[0].id).state is State.CANCELED

    @posix_only
    def test_no_room_is_found_out_before_anything_is_sent(
        self, folder: Path, kept: list[Job]
    ) -> None:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(JournalFault):
                Journal.open(folder)
            with pytest.raises(JournalFault):
                Journal.open(folder.with_name("other"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with Journal.open(folder) as journal:
            assert len(all_jobs(journal)) == len(kept)
        with Journal.open(folder.with_name("other")) as journal:
            assert all_jobs(journal) == []

    def test_a_journal_that_is_kept_busy(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0)
        with Journal.open(folder) as journal:
            raw = sqlite3.connect(folder / FILE, isolation_level=None)
            raw.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalFault, match="another program has it locked") as caught:
                journal.record(job())
            assert caught.value.hint == "try again when the other program is done"
            raw.close()
            journal.record(job())
            assert len(all_jobs(journal)) == 1


class TestVersions:
    def test_one_of_the_first_version_is_upgraded_and_keeps_its_jobs(self, folder: Path) -> None:
        folder.mkdir()
        sql(
            folder,
            *journal_schema.UPGRADES[0],
            "PRAGMA user_version = 1",
            "INSERT INTO jobs VALUES ('0abc', 'queued', NULL, 'b', 'r-1', '2026-01-31T00:00:00Z',"
            """ '{"operation":"generate","provider":"fal","model":"m","endpoint":"e","seed":1,"""
            """"request":{},"cost":{"usd":1,"source":"estimate"},"target":{"paths":["/a.jpg"]}}')""",
        )
        with Journal.open(folder) as journal:
            kept = journal.find("0abc")
        assert (kept.state, kept.batch, kept.row, kept.attempt) == (State.QUEUED, "b", None, 1)
        assert kept.target is not None
        assert kept.target.replaces == ()

    @pytest.mark.parametrize("at", [Journal.open, Journal.read])
    @pytest.mark.usefixtures("kept")
    def test_a_newer_one_is_refused_and_untouched(
        self, folder: Path, at: Callable[[Path], Journal]
    ) -> None:
        sql(folder, "PRAGMA user_version = 99", "DROP TABLE jobs")
        before = (folder / FILE).read_bytes()
        with pytest.raises(JournalFault, match="was written by a newer kontext") as caught:
            at(folder)
        assert caught.value.exit_code == 8
        assert (folder / FILE).read_bytes() == before
        assert not list(folder.glob("*damaged*"))

    @pytest.mark.parametrize("at", [Journal.open, Journal.read])
    @pytest.mark.usefixtures("kept")
    def test_also_where_only_its_log_tells(
        self, folder: Path, tmp_path: Path, at: Callable[[Path], Journal]
    ) -> None:
        killed = tmp_path / "killed"
        killed.mkdir()
        raw = sqlite3.connect(folder / FILE, isolation_level=None)
        raw.execute("PRAGMA user_version = 99")
        for name in (FILE, f"{FILE}-wal"):
            shutil.copy(folder / name, killed)
        raw.close()
        before = [(killed / name).read_bytes() for name in (FILE, f"{FILE}-wal")]
        with pytest.raises(JournalFault, match="was written by a newer kontext"):
            at(killed)
        assert [(killed / name).read_bytes() for name in (FILE, f"{FILE}-wal")] == before

    @pytest.mark.parametrize("at", [Journal.open, Journal.read])
    def test_an_older_one_is_upgraded(
        self,
        folder: Path,
        kept: list[Job],
        monkeypatch: pytest.MonkeyPatch,
        at: Callable[[Path], Journal],
    ) -> None:
        more = ("ALTER TABLE jobs ADD COLUMN mood TEXT", "CREATE INDEX moods ON jobs (mood)")
        monkeypatch.setattr(journal_schema, "UPGRADES", (*journal_schema.UPGRADES, more))
        with at(folder) as journal:
            assert [facts(each) for each in all_jobs(journal)] == [facts(each) for each in kept]
        sql(folder, "SELECT mood FROM jobs INDEXED BY moods WHERE mood = 'good'")
        with at(folder) as journal:
            assert len(all_jobs(journal)) == len(kept)

    @pytest.mark.usefixtures("kept")
    def test_an_upgrade_that_fails_changes_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        more = ("ALTER TABLE jobs ADD COLUMN mood TEXT", "CREATE INDEX moods ON jobs (feeling)")
        before = (folder / FILE).read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(journal_schema, "UPGRADES", (*journal_schema.UPGRADES, more))
            with pytest.raises(JournalFault, match="not those of this version"):
                Journal.open(folder)
        assert (folder / FILE).read_bytes() == before


def flips(size: int) -> Iterator[tuple[int, int]]:
    yield from ((offset, 0xFF) for offset in range(100))
    yield from ((offset, 0x01) for offset in range(16, 64, 4))
    yield from ((offset, 0x5A) for offset in range(100, size, size // 70))


def put(folder: Path, content: bytes) -> None:
    """Make this the journal, and all there is."""
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / FILE).write_bytes(content)


class TestDamage:
    def seen(self, folder: Path, told: list[str]) -> set[int]:
        """How many jobs each way of looking shows; twice as many where it shows a half."""
        with Journal.open(folder, log=told.append) as journal:
            counts = {
                len(all_jobs(journal)),
                len(journal.recent(states=[*State], limit=9999)),
                2 * len(journal.unfinished()),
            }
            journal.record(job())
        return counts

    @pytest.fixture
    def whole(self, folder: Path) -> bytes:
        with Journal.open(folder) as journal:
            for number in range(24):
                journal.record(job(State.SAVED if number % 2 else State.QUEUED, batch="a"))
        return (folder / FILE).read_bytes()

    def test_no_flipped_byte_loses_jobs_in_silence(self, folder: Path, whole: bytes) -> None:
        in_silence = aside = refused = 0
        for offset, mask in flips(len(whole)):
            damaged = whole[:offset] + bytes([whole[offset] ^ mask]) + whole[offset + 1 :]
            put(folder, damaged)
            told: list[str] = []
            try:
                counts = self.seen(folder, told)
            except JournalFault:
                refused += 1
                assert (folder / FILE).read_bytes() == damaged
                continue
            moved = list(folder.glob("*.damaged-*Z"))
            assert told or counts == {24}, offset
            assert len(moved) == sum("it is now" in each for each in told)
            assert not moved or is_sound(folder)
            in_silence += not told
            aside += len(moved)
        assert min(in_silence, aside, refused) > 3

    @pytest.mark.parametrize("quickly_checked", [0, 2**20])
    def test_no_truncation_loses_jobs_in_silence(
        self, folder: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, quickly_checked: int
    ) -> None:
        monkeypatch.setattr(journal_file, "_QUICKLY_CHECKED", quickly_checked)
        for size in (0, 1, 50, 100, 4095, *range(4096, len(whole), 4096)):
            put(folder, whole[:size])
            told: list[str] = []
            assert self.seen(folder, told) == {0}
            (moved,) = folder.glob("*.damaged-*Z")
            assert moved.read_bytes() == whole[:size]
            assert [str(moved) in each for each in told] == [True]

    @pytest.mark.usefixtures("whole")
    def test_an_emptied_journal_keeps_its_log(self, folder: Path, told: list[str]) -> None:
        with holder(folder, "queued"):
            pass
        log = (folder / f"{FILE}-wal").read_bytes()
        (folder / FILE).write_bytes(b"")
        assert self.seen(folder, told) == {0}
        (moved,) = folder.glob("*.damaged-*Z-wal")
        assert len(log) > 0
        assert moved.read_bytes() == log

    @pytest.mark.usefixtures("whole")
    def test_an_index_that_does_not_fit_is_made_anew(self, folder: Path, told: list[str]) -> None:
        change = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') WHERE name = 'jobs_open'"
        allow = "PRAGMA writable_schema = ON"
        sql(folder, allow, change.format("queued", "qqqqqq"))
        sql(folder, "REINDEX jobs_open")
        sql(folder, allow, change.format("qqqqqq", "queued"))
        assert not is_sound(folder)
        assert self.seen(folder, told) == {24}
        assert is_sound(folder)
        assert told == []

    @pytest.mark.usefixtures("whole")
    @pytest.mark.parametrize("at", [Journal.open, Journal.read])
    def test_a_large_journal_is_looked_at_closely_once_damage_shows(
        self,
        folder: Path,
        told: list[str],
        monkeypatch: pytest.MonkeyPatch,
        at: Callable[..., Journal],
    ) -> None:
        monkeypatch.setattr(journal_file, "_QUICKLY_CHECKED", 0)
        allow = "PRAGMA writable_schema = ON"
        index = "FROM sqlite_master WHERE name = 'jobs_by_state'"
        sql(folder, f"CREATE TABLE kept AS SELECT * {index}", allow, f"DELETE {index}")
        sql(folder, "DELETE FROM jobs WHERE rowid = 3")
        sql(folder, allow, "INSERT INTO sqlite_master SELECT * FROM kept")
        sql(folder, "DROP TABLE kept")
        with at(folder, log=told.append) as journal:
            with pytest.raises(JournalFault, match="malformed") as caught:
                journal.recent(states=[*State], limit=9999)
            assert caught.value.hint == "it was repaired or moved aside; try again"
        with at(folder, log=told.append) as journal:
            assert len(journal.recent(states=[*State], limit=9999)) == len(all_jobs(journal)) == 23
        assert told == []

    @pytest.mark.parametrize(
        "content", [b"", b"hello", b"x" * 10_000, b"SQLite format 3\0" + b"\0" * 5000]
    )
    def test_what_is_no_journal_is_moved_aside(
        self, folder: Path, told: list[str], content: bytes
    ) -> None:
        folder.mkdir()
        (folder / FILE).write_bytes(content)
        with Journal.open(folder, log=told.append) as journal:
            journal.record(job())
            assert len(all_jobs(journal)) == 1
        (moved,) = folder.glob("*.damaged-*Z")
        assert moved.read_bytes() == content
        assert [str(moved) in each for each in told] == [True]

    def test_another_database_is_moved_aside(self, folder: Path, told: list[str]) -> None:
        folder.mkdir()
        sql(
            folder, "CREATE TABLE jobs (x)", f"PRAGMA user_version = {len(journal_schema.UPGRADES)}"
        )
        Journal.open(folder, log=told.append).close()
        assert len(told) == 1
        assert "no such index: jobs_open" in told[0]

    def test_another_database_of_an_earlier_version_is_moved_aside(
        self, folder: Path, told: list[str]
    ) -> None:
        folder.mkdir()
        sql(folder, "CREATE TABLE jobs (x)", "PRAGMA user_version = 1")
        Journal.open(folder, log=told.append).close()
        assert len(told) == 1
        assert "no such index: jobs_open" in told[0]

    @pytest.mark.usefixtures("kept")
    def test_a_reader_moves_it_aside_and_makes_none(self, folder: Path, told: list[str]) -> None:
        (folder / FILE).write_bytes(b"hello")
        assert Journal.read(folder, log=told.append) is None
        assert len(told) == 1
        assert FILE not in names(folder)
        assert Journal.read(folder, log=told.append) is None
        assert len(told) == 1

    def test_a_reader_that_meets_damage_later_says_so(self, folder: Path, whole: bytes) -> None:
        (folder / FILE).write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
        journal = Journal.read(folder)
        assert journal is not None
        with journal, pytest.raises(JournalFault, match="malformed") as caught:
            all_jobs(journal)
        assert caught.value.hint == "it was repaired or moved aside; try again"
        assert is_sound(folder)

    def test_a_log_without_its_journal_is_not_read_into_the_new_one(
        self, folder: Path, kept: list[Job], told: list[str]
    ) -> None:
        with holder(folder, "queued"):
            pass
        (folder / FILE).unlink()
        with Journal.open(folder, log=told.append) as journal:
            assert all_jobs(journal) == []
        assert is_sound(folder)
        assert len(told) == 1
        assert list(folder.glob("*.damaged-*Z-wal"))

    def test_only_one_of_two_that_find_it_moves_it(
        self, folder: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir()
        (folder / FILE).write_bytes(b"hello")
        alone = journal_file._alone

        def after_another(path: Path) -> object:
            monkeypatch.setattr(journal_file, "_alone", alone)
            with Journal.open(path, log=told.append) as other:
                other.record(job())
            return alone(path)

        monkeypatch.setattr(journal_file, "_alone", after_another)
        with Journal.open(folder, log=told.append) as journal:
            assert len(all_jobs(journal)) == 1
        assert len(told) == 1

    @posix_only
    def test_damage_under_way_costs_no_job_that_is_written(
        self, folder: Path, whole: bytes, told: list[str]
    ) -> None:
        one, two = job(), job()
        with Journal.open(folder, log=told.append) as journal:
            journal.record(one)
            with (folder / FILE).open("r+b") as stream:
                stream.seek(4096)
                stream.write(b"\xff" * (len(whole) - 4096))
            with Journal.open(folder, log=told.append) as other:
                other.record(two)
                journal.record(one)
                assert {each.id for each in all_jobs(other)} == {one.id, two.id}
                assert {each.id for each in all_jobs(journal)} == {one.id, two.id}
                assert other.owned_elsewhere(one.id)
        assert is_sound(folder)
        assert len(told) == 1

    @posix_only
    def test_a_write_that_meets_damage_goes_to_a_new_journal(
        self, folder: Path, whole: bytes, told: list[str]
    ) -> None:
        one = job()
        with Journal.open(folder, log=told.append) as journal:
            sql(folder, "PRAGMA wal_checkpoint")
            with (folder / FILE).open("r+b") as stream:
                stream.seek(4096)
                stream.write(b"\xff" * (len(whole) - 4096))
            sql(folder, "PRAGMA user_version = 1")
            journal.record(one)
            assert [facts(each) for each in all_jobs(journal)] == [facts(one)]
        assert len(told) == 1
        assert is_sound(folder)

    @posix_only
    def test_a_journal_removed_under_way_is_made_anew(self, folder: Path, kept: list[Job]) -> None:
        with Journal.open(folder) as journal, Journal.open(folder) as other:
            journal.record(kept[0])
            shutil.rmtree(folder)
            for each in kept:
                each.state = State.RUNNING
                journal.record(each)
            other.record(job())
            assert len(all_jobs(journal)) == len(all_jobs(other)) == len(kept) + 1
            assert other.owned_elsewhere(kept[0].id)
        with Journal.open(folder) as journal:
            assert len(all_jobs(journal)) == len(kept) + 1
        assert is_sound(folder)

    def test_a_journal_that_cannot_be_made_anew_can_be_later(self, folder: Path) -> None:
        one = job()
        with Journal.open(folder) as journal:
            if POSIX:
                shutil.rmtree(folder)
                folder.touch()
                with pytest.raises(JournalFault):
                    journal.record(one)
                with pytest.raises(JournalFault):
                    journal.record(one)
                folder.unlink()
            journal.record(one)
            assert len(all_jobs(journal)) == 1
