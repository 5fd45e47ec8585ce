"""What `kontext doctor --online` finds out about a journal in PostgreSQL, without changing it."""

import re

import pytest

from journals import job
from kontext_cli.doctor.finding import Finding, found
from kontext_cli.doctor.jobs import check_journal
from kontext_cli.job import State
from kontext_cli.journal import Journal
from postgres_server import HOW_TO_INSTALL, PASSWORD, PostgresServer, programs

if programs() is None:
    pytest.skip(HOW_TO_INSTALL, allow_module_level=True)


def finding(url: str, *, online: bool = True) -> Finding:
    """The only finding about a journal; nothing of a password is in it."""
    environ = {"KONTEXT_JOURNAL": url}
    [only] = found("journal", lambda: check_journal(environ, online=online))
    assert PASSWORD not in f"{only.text} {only.hint}"
    return only


def test_it_is_not_asked_offline() -> None:
    only = finding(f"postgresql://me:{PASSWORD}@nowhere.example/db", online=False)
    assert (only.verdict, only.text) == (
        "ok",
        "in the database of KONTEXT_JOURNAL, which `--online` asks",
    )


def test_an_empty_database_gets_no_tables(database: str, postgres: PostgresServer) -> None:
    only = finding(database)
    assert only.verdict == "ok"
    assert re.search(r": PostgreSQL [0-9.]+, \d+ ms a query, 0 jobs$", only.text), only.text
    name = database.partition("?")[0].rpartition("/")[2]
    assert postgres.execute("SELECT to_regclass('jobs')", database=name) == [(None,)]


def test_unfinished_jobs(database: str) -> None:
    with Journal.open(database) as journal:
        journal.record(job(State.SAVED))
        journal.record(job(State.QUEUED))
    only = finding(database)
    assert (only.verdict, only.hint) == ("note", "kontext fetch")
    assert only.text.endswith(", 2 jobs, 1 unfinished")


@pytest.mark.parametrize("with_tables", [True, False])
def test_a_user_who_may_not_write(
    database: str, postgres: PostgresServer, with_tables: bool
) -> None:
    if with_tables:
        Journal.open(database).close()
    name = database.partition("?")[0].rpartition("/")[2]
    postgres.execute(f'CREATE ROLE "{name}_reader" LOGIN')
    only = finding(database.replace("//kontext@", f"//{name}_reader@", 1))
    assert (only.verdict, only.exit_code) == ("problem", 8)
    assert "its user lacks the right to do that" in only.text


def test_a_database_that_takes_no_changes(database: str) -> None:
    options = "options=-cdefault_transaction_read_only%3Don"
    only = finding(f"{database}{'&' if '?' in database else '?'}{options}")
    assert only.exit_code == 8
    assert "it takes no changes" in only.text
    assert only.hint == "name the primary server in KONTEXT_JOURNAL"


def test_a_server_that_is_away() -> None:
    only = finding(f"postgresql://me:{PASSWORD}@127.0.0.1:9/db")
    assert (only.verdict, only.exit_code) == ("problem", 8)
    assert "Connection refused" in only.text
