"""Jobs as `status` shows them: a table that fits the window, or full values for programs."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from journals import REQUEST_ID, job
from kontext_cli.errors import JobFailed, Moderated
from kontext_cli.job import Cost, File, Job, Source, State
from kontext_cli.journal import Journal
from kontext_cli.terminal.cells import width_of
from kontext_cli.terminal.jobs import job_facts
from kontext_cli.terminal.style import pieces_of
from processes import kontext_here
from screens import Screen, on_screen

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")

NAME = "a-beast-with-a-long-long-prompt-that-goes-on-past-the-edge-1.jpg"
FOX = File(Path("/images") / NAME, "0" * 64, 1, 8, 8, "jpeg")
LONG = "a beast with a long, long prompt that goes on\tand on,\nfar past the edge of the window"
WIDE = "灯台と霧の中の小さな船、夜明けの海、静かな波、遠い鐘の音、白い鳥と青い空と金色の雲"
REFUSED = "the provider withheld it, for reasons that take many more words than a line has room for"
COLUMNS = pytest.mark.parametrize("columns", [20, 40, 80, 120, 200])


def made(**given: Any) -> Job:
    """A job that was made an hour ago."""
    return job(**{"created_at": datetime.now(UTC) - timedelta(minutes=61)} | given)


def jobs() -> list[Job]:
    """Jobs of all kinds, the oldest first."""
    moderated = Moderated(REFUSED, hint="change the prompt", billed="maybe")
    return [
        made(state=State.SAVED, files=(FOX,), request={"prompt": LONG}),
        made(state=State.SAVED, request={"prompt": WIDE}, cost=Cost(0.08, "provider")),
        made(state=State.MODERATED, request={"prompt": "🦊 " * 40}, error=moderated),
        made(state=State.FAILED, error=JobFailed("a short reason", billed="no")),
        made(state=State.UNKNOWN, request={}, request_id=REQUEST_ID, cost=Cost(None, "unknown")),
    ]


def keep(folder: Path, *kept: Job) -> None:
    """Write a journal with these jobs."""
    with Journal.open(folder / "state") as journal:
        journal.write([journal.recording(each) for each in kept])


def status(folder: Path, *argv: str, columns: int = 80, **environ: str) -> Screen:
    """Run `kontext status` on a terminal."""
    places = {"KONTEXT_STATE_DIR": str(folder / "state"), "NO_COLOR": "1"}
    return on_screen("status", *argv, cwd=folder, columns=columns, environ={**places, **environ})


def test_a_server_of_ones_own_is_named() -> None:
    shown = job_facts(made(server="http://gpu:8188"))
    lines = ["".join(piece.text for piece in pieces_of(line)) for line in shown]
    assert "server      http://gpu:8188" in lines
    assert not any("server" in str(line) for line in job_facts(made()))


@posix
@COLUMNS
def test_no_line_is_wider_than_the_window(tmp_path: Path, columns: int) -> None:
    keep(tmp_path, *jobs())
    lines = status(tmp_path, columns=columns).lines
    assert max(map(width_of, lines)) <= columns
    assert lines == [line.rstrip() for line in lines]
    assert not any("\t" in line for line in lines)


@posix
@COLUMNS
def test_every_job_is_there_with_its_id_and_reason(tmp_path: Path, columns: int) -> None:
    kept = jobs()
    keep(tmp_path, *kept)
    shared, _, *lines = status(tmp_path, columns=columns).lines
    assert shared == "fal, kontext-pro"
    ids = [line.split()[0] for line in lines if not line.startswith("  ")]
    assert ids == [each.id for each in reversed(kept)]
    reasons = [line for line in lines if line.startswith("  ")]
    assert "  a short reason"[:columns] in reasons
    assert any(line.startswith("  the provider") for line in reasons)


@posix
def test_what_is_the_same_for_all_is_no_column(tmp_path: Path) -> None:
    keep(tmp_path, made(batch="cards"), made(batch="cards", model="kontext-max"))
    shared, heading, *_ = status(tmp_path).lines
    assert shared == "fal, cards"
    assert heading.split() == ["id", "age", "state", "model", "cost", "prompt"]


@posix
def test_costs_say_how_sure_they_are(tmp_path: Path) -> None:
    keep(tmp_path, *jobs())
    text = status(tmp_path, columns=120).terminal
    costs = re.findall(r"^\w{12} +1h  \w+ +(\S+)", text, re.MULTILINE)
    assert costs == ["?", "–", "$0.04?", "$0.08", "~$0.04"]


@posix
def test_states_have_colours(tmp_path: Path) -> None:
    keep(tmp_path, *jobs())
    text = status(tmp_path, NO_COLOR="").terminal
    for state, code in {"saved": 32, "moderated": 31, "failed": 31, "unknown": 33}.items():
        assert f"\x1b[{code}m{state}\x1b[0m" in text


@posix
def test_one_job_is_shown_in_full(tmp_path: Path) -> None:
    keep(tmp_path, made(state=State.SAVED, files=(FOX,), request={"prompt": LONG}))
    lines = status(tmp_path, jobs()[0].id[:1], columns=60).lines
    place = lines.index("prompt      a beast with a long, long prompt that goes on")
    assert [line.strip() for line in lines[place + 1 : place + 3]] == [
        "and on,",
        "far past the edge of the window",
    ]
    assert f"file        /images/{NAME}" in lines
    assert "seed        42" in lines
    assert "cost        about $0.04" in lines


@posix
def test_the_error_of_one_job_follows_with_the_whole_reason(tmp_path: Path) -> None:
    each = jobs()[2]
    keep(tmp_path, each)
    done = status(tmp_path, each.id, columns=40)
    assert done.code == 5
    assert f"error: {REFUSED}" in done.lines
    assert "cost        about $0.04, may have been" in done.lines


def test_in_a_pipe_values_are_whole_and_separated_by_tabs(tmp_path: Path) -> None:
    kept = jobs()
    keep(tmp_path, *kept)
    done = kontext_here(
        "status", cwd=tmp_path, KONTEXT_STATE_DIR=str(tmp_path / "state"), COLUMNS="40"
    )
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    moment = kept[0].created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    shown = LONG.replace("\t", "\\t").replace("\n", "\\n")
    path = str(FOX.path)
    first = [kept[0].id, moment, "saved", "fal", "kontext-pro", "", "0.04", shown, path, ""]
    assert rows[-1] == first
    assert {len(row) for row in rows} == {10}
    assert [row[9] for row in rows] == ["", "a short reason", REFUSED, "", ""]
    assert [row[6] for row in rows] == ["", "0.04", "0.04", "0.08", "0.04"]
    assert rows[0][7] == f"request id {REQUEST_ID}"


def test_a_job_in_a_pipe_is_its_line(tmp_path: Path) -> None:
    each = made(state=State.SAVED, sources=(Source("/house.jpg", None),))
    keep(tmp_path, each, made())
    done = kontext_here("status", each.id, cwd=tmp_path, KONTEXT_STATE_DIR=str(tmp_path / "state"))
    assert done.stdout.decode().startswith(f"{each.id}\t")
    assert done.stdout.count(b"\n") == 1
