"""`kontext journal copy`, as it is typed and what it prints."""

import re
from pathlib import Path

import pytest

from journals import job
from kontext_cli.http.call import Reply
from kontext_cli.job import State
from kontext_cli.journal import Journal
from kontext_cli.journal.file import FILE
from kontext_cli.journal.replies import Answers
from postgres_server import HOW_TO_INSTALL, PASSWORD, PostgresServer, programs
from world import World

FOX = "a fox"


@pytest.fixture
def kept(world: World) -> World:
    """A journal with a saved job."""
    assert world.run("generate", FOX, "-p", "aimlapi").code == 0
    return world


def test_a_copy_is_a_journal_like_the_one_before(kept: World) -> None:
    copied = kept.run("journal", "copy", str(kept.state), "backup")
    assert copied.code == 0
    assert copied.lines == [f"1 job of `{kept.state}`, now in `backup`: 1 copied"]
    assert "use only one of them from now on" in copied.err
    before = kept.jobs()
    kept.set(KONTEXT_STATE_DIR=str(kept.folder / "backup"))
    assert kept.jobs() == before
    assert kept.run("fetch").code == 0


def test_the_file_of_a_journal_stands_for_its_folder(kept: World) -> None:
    argv = ("journal", "copy", f"{kept.state}/journal.db", "new/journal.db")
    (record,) = kept.run(*argv, "--json").records
    assert re.fullmatch("[0-9a-f]{64}", record.pop("sha256"))
    assert record == {
        "schema": 1,
        "type": "journal_copy",
        "from": str(kept.state),
        "to": "new",
        "jobs": 1,
        "copied": 1,
        "updated": 0,
        "differing": [],
        "apart": [],
    }
    assert kept.run(*argv, "-q").err == ""


def test_jobs_that_differ_are_named(kept: World) -> None:
    mine = job(State.FAILED)
    for folder, state in ((kept.state, State.FAILED), (kept.folder / "to", State.QUEUED)):
        with Journal.open(folder) as journal:
            mine.state = state
            journal.record(mine)
    done = kept.run("journal", "copy", str(kept.state), "to")
    assert (done.code, "1 copied, 1 different" in done.lines[0]) == (9, True)
    assert f"notice: job {mine.id} is failed in `{kept.state}` and queued in `to`" in done.err
    (record,) = kept.run("journal", "copy", str(kept.state), "to", "--json").records
    assert record["differing"] == [{"id": mine.id, "from": "failed", "to": "queued"}]


def test_replies_that_no_journal_holds_are_named(kept: World) -> None:
    answers = Answers(kept.state)
    answers.keep("a-job", Reply(200, {}, b"{}"), ())
    done = kept.run("journal", "copy", str(kept.state), "to")
    assert "still holds 1 reply with images that are not saved" in done.err


def test_a_journal_that_was_moved_aside_is_not_copied_as_an_empty_one(world: World) -> None:
    with Journal.open(world.state) as journal:
        for _ in range(24):
            journal.record(job(State.SAVED))
    path = world.state / FILE
    path.write_bytes(path.read_bytes()[:8192] + b"\xff" * (path.stat().st_size - 8192))
    for _ in range(3):
        done = world.run("journal", "copy", str(world.state), "to")
        (aside,) = world.state.glob(f"{FILE}.damaged-*Z")
        assert (done.code, done.lines, str(aside) in done.err) == (8, [], True), done.err
    assert f"hint: it was damaged, and its jobs are in `{aside}`" in done.err


def test_a_journal_is_not_copied_onto_itself(kept: World, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(kept.state, target_is_directory=True)
    for same in kept.state / ".." / kept.state.name, tmp_path / "link":
        done = kept.run("journal", "copy", str(kept.state), str(same))
        assert (done.code, "FROM and TO are the same journal" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("none", "to"), 8, "there is no journal in `none`"),
        (("state", "state/journal.db"), 2, "FROM and TO are the same journal"),
        (("state", ""), 2, "the name of a journal is empty"),
        (("env", "to"), 2, "KONTEXT_JOURNAL, which is not set"),
        (("mysql://db/x", "to"), 2, "postgresql://USER@HOST/DATABASE"),
        (("here.txt", "to"), 2, "`here.txt` is a file, and a journal is called `journal.db`"),
    ],
)
def test_what_is_no_journal_is_refused(
    argv: tuple[str, str], code: int, message: str, world: World
) -> None:
    world.write("here.txt", "")
    done = world.run("journal", "copy", *argv)
    assert (done.code, message in done.err) == (code, True), done.err
    assert world.files() == ["here.txt"]


@pytest.mark.skipif(programs() is None, reason=HOW_TO_INSTALL)
class TestADatabase:
    def test_takes_a_folder_and_gives_it_back(
        self, kept: World, postgres: PostgresServer, tmp_path: Path
    ) -> None:
        before = kept.jobs()
        kept.set(KONTEXT_JOURNAL=postgres.url(postgres.new_database()))
        there = kept.run("journal", "copy", str(kept.state), "env", "--json").records[0]
        back = kept.run("journal", "copy", "env", str(tmp_path / "back"), "--json").records[0]
        assert there["sha256"] == back["sha256"]
        listed = kept.run("status", "--json").records
        assert [each["id"] for each in listed] == [each["id"] for each in before]

    @pytest.mark.parametrize("where", ["{user}:{secret}@{host}", "{user}@{host}?password={secret}"])
    def test_prints_no_password_and_warns_of_it(
        self, where: str, kept: World, postgres: PostgresServer
    ) -> None:
        base, _, query = where.partition("?")
        host = f"127.0.0.1:{postgres.port}"
        values = {"user": "kontext", "secret": PASSWORD, "host": host}
        url = f"postgresql://{base}/{postgres.new_database()}".format(**values)
        url += "?sslmode=disable" + (f"&{query}".format(**values) if query else "")
        done = kept.run("journal", "copy", str(kept.state), url)
        assert done.code == 0, done.err
        assert "~/.pgpass or a service file keeps it" in done.err
        assert PASSWORD not in done.err + done.out.decode()
        assert f"now in `postgresql://{host}/journal" in done.lines[0]
        wrong = kept.run("journal", "copy", str(kept.state), url.replace(PASSWORD, "canary"))
        assert wrong.code == 8
        assert "canary" not in wrong.err
