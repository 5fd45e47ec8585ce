"""Rows of the journal that a bad disk, or another version, made something else of."""

import contextlib
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import Raw, bodies, encoded, junk
from fuzz.examples import fuzzed
from fuzz.refusals import tried
from journals import full_job, job
from kontext_cli.cli.main import run
from kontext_cli.engine.reading import read
from kontext_cli.errors import KontextError
from kontext_cli.job import Job, Origin, State, Target
from kontext_cli.journal import Journal
from kontext_cli.journal.codec import Row, job_of, row_of
from kontext_cli.journal.file import FILE
from kontext_cli.journal.replies import Answers
from kontext_cli.providers.aimlapi import Aimlapi
from kontext_cli.terminal.jobs import job_facts, job_table, job_values
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.style import pieces_of
from kontext_cli.terminal.text import describe, error_lines

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where something stands in a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield (*at, key)
        if isinstance(each, dict | list):
            yield from places(each, (*at, key))


def get(value: Any, at: Place) -> Any:
    """What stands in one place."""
    return get(value[at[0]], at[1:]) if at else value


def put(value: Any, at: Place, new: Any) -> Any:
    """The same value with another in one place."""
    if not at:
        return new
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    changed = {key: put(each, at[1:], new) if key == at[0] else each for key, each in pairs}
    return changed if isinstance(value, dict) else list(changed.values())


WHOLE = row_of(replace(full_job(), id="1qfa9fanyt8a"), None)
DETAILS = json.loads(WHOLE.details)
PLACES = sorted(places(DETAILS), key=str)

others = junk | st.sampled_from(
    [
        *(None, True, -1, 0, 10**30, "", "x", "\0", "../x", [], [1], [None], {}, {"a": 1}),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-01", "2026-11-21"),
        *("queued", "nope", "fal", "no", "saved", Raw("1e999"), Raw("9" * 5000), 129, 999),
    ]
)
ALIKE: dict[type, list[Any]] = {
    str: ["", "x", "..", "\0", "\ud800", "\x1b[2J", "data:,x", "https://[", "sandbox", "a" * 999],
    int: [0, -1, 1, 2**31, 10**30, 10**400],
    float: [0.0, -1.0, 1e300, Raw("-0.0")],
    bool: [True, False],
    list: [[], [None], [[]]],
    dict: [{}, {"": ""}],
    NoneType: [None],
}
"""Other values of the same types."""


@st.composite
def changed(draw: st.DrawFn, new: st.SearchStrategy[Any] | None = None) -> str:
    """The details with another value in one place, of the same type where none is given."""
    at = draw(st.sampled_from(PLACES))
    alike = st.sampled_from(ALIKE[type(get(DETAILS, at))])
    return encoded(put(DETAILS, at, draw(alike if new is None else new)))


flipped = st.builds(
    lambda at, mask: "".join(
        chr(ord(char) ^ mask) if number == at % len(WHOLE.details) else char
        for number, char in enumerate(WHOLE.details)
    ),
    st.integers(0),
    st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]),
)
cut = st.integers(0).map(lambda length: WHOLE.details[: length % len(WHOLE.details)])
details = changed() | changed(others) | flipped | cut | junk.map(encoded) | st.text(max_size=9)
columns = st.fixed_dictionaries(
    {"details": details},
    optional={
        "state": st.sampled_from([*State, "saves", "", "SAVED"]),
        "created_at": st.text(max_size=5)
        | st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-21"]),
        "batch": st.none() | st.text(max_size=5) | st.just("\\ud800"),
        "row": st.none() | st.text(max_size=5) | st.just('"'),
        "request_id": st.none() | st.text(max_size=5) | st.just("\\"),
        "attempt": st.integers(-1, 3),
    },
)
rows = columns.map(lambda given: Row(**(WHOLE._asdict() | given)))


def damaged(**more: Any) -> Row:
    return WHOLE._replace(details=encoded(DETAILS | more))


@fuzzed(100)
@given(row=rows)
@example(WHOLE._replace(created_at="0001-01-01T00:00:00+23:59"))
@example(damaged(finished_at="9999-12-31T23:59:59-23:59"))
@example(damaged(provider=None))
@example(damaged(cost={"usd": "x", "source": "estimate"}))
@example(damaged(reply={"timings": Raw("1e999")}))
@example(damaged(error={**DETAILS["error"], "code": None}))
@example(damaged(error={**DETAILS["error"], "hint": True}))
def test_any_row_is_refused_or_a_job_that_can_be_told_and_kept(row: Row) -> None:
    found = tried(ValueError, job_of, row)
    if isinstance(found, ValueError):
        assert "is damaged" in str(found)
    else:
        tell(found)
        assert job_of(row_of(found, None)).id == WHOLE.id


def tell(found: Job) -> None:
    """Say all that is ever said of a job."""
    assert json.loads(as_line(job_record(found)))["id"] == found.id
    assert describe(found)
    if found.error is not None:
        assert error_lines(found.error, found)
    for lines in (job_table([found]), job_facts(found), [job_values(found)]):
        assert found.id in "".join(piece.text for line in lines for piece in pieces_of(line))


SOUND = "000000000000"
COMMANDS = (("status",), ("status", "--json"), ("status", "-q", "{id}"), ("fetch", "{id}"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with a damaged job in it, and a whole one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KONTEXT_CONFIG_DIR", str(tmp_path / "config"))
    state = tmp_path / "state"
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(state))
    with Journal.open(state) as journal:
        journal.record(job(State.CANCELED, id=SOUND))
        origin = Origin("0123456789abcdef", "build-7", tmp_path)
        target = Target((tmp_path / "a.jpg",), origin=origin)
        kept = replace(full_job(), id=WHOLE.id, provider="sandbox", target=target)
        journal.record(kept)
    return state


@fuzzed(20)
@given(
    at=st.sampled_from(PLACES),
    new=others | st.sampled_from([each for values in ALIKE.values() for each in values]),
    state=st.sampled_from(["ready", "saved", "queued", "unknown", "failed"]),
    command=st.sampled_from(COMMANDS),
)
@example(("provider",), None, "ready", COMMANDS[0])
@example(("handle", "response_url"), None, "queued", COMMANDS[3])
@example(("outputs", 0, "url"), True, "ready", COMMANDS[3])
@example(("target", "paths"), [], "ready", COMMANDS[3])
@example(("error", "billed"), "x", "unknown", COMMANDS[3])
@example(("files",), None, "saved", COMMANDS[3])
def test_a_damaged_job_stops_no_command(
    folder: Path, at: Place, new: Any, state: str, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        (whole,) = db.execute("SELECT details FROM jobs WHERE id = ?", (WHOLE.id,)).fetchone()
        text = encoded(put(json.loads(whole), at, new))
        db.execute("UPDATE jobs SET details = ?, state = ? WHERE id = ?", (text, state, WHOLE.id))
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            code = run([word.format(id=WHOLE.id) for word in command])
    finally:
        with closing(sqlite3.connect(folder / FILE)) as db, db:
            db.execute("UPDATE jobs SET details = ? WHERE id = ?", (whole, WHOLE.id))
    assert "bug in kontext" not in err.getvalue()
    assert "{id}" in command or (code == 0 and SOUND in out.getvalue())


@fuzzed(60)
@given(
    head=junk.map(encoded)
    | st.builds(
        lambda status, headers: encoded({"status": status, "headers": headers}), others, others
    )
    | st.text(max_size=9),
    body=bodies,
)
@example(head="[" * 5000, body=b"")
@example(head='{"status": "200", "headers": []}', body=b'{"images": ["https://a.example/b"]}')
def test_any_kept_answer_is_read_or_passed_over(tmp_path: Path, head: str, body: bytes) -> None:
    (tmp_path / "answers").mkdir(exist_ok=True)
    kept = head.encode(errors="replace") + b"\n" + body
    (tmp_path / "answers" / WHOLE.id).write_bytes(kept)
    found = Answers(tmp_path).find(WHOLE.id)
    if found is not None:
        read_again = tried(KontextError, read, Aimlapi().accepted, found, "flux/kontext-pro")
        assert isinstance(read_again, KontextError) or read_again.outputs
