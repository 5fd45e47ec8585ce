"""Answers of a provider that answers once: on disk, whole or not at all, and never paid again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from hostile.tracing import Call, calls_in, needs_strace, strace, with_site
from hostile.trials import Trial
from hostile.volumes import Volume, needs_volumes
from kontext_cli.journal import Journal
from soaking import soaked
from world import Build

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX disks")

AT = ("-p", "aimlapi")


class Portal:
    """Something on the way that has every submit delivered, and a page of its own for an answer."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.stands_between = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""

        async def nowhere(_message: Any) -> None: ...

        if self.stands_between and scope["method"] == "POST":
            await self._app(scope, receive, nowhere)
            await HTMLResponse("<title>Please log in</title>")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def test_what_is_no_answer_stays_of_unknown_outcome_however_often_it_is_looked_at(
    build: Build,
) -> None:
    trial = build(Trial, rows=1)
    portal = Portal(trial.gate)
    trial.answer(portal)
    assert trial.run_batch(*AT).code == 11
    portal.stands_between = False
    assert [trial.run_batch(*AT).code for _ in range(soaked(1, 3))] == soaked([11], [11, 11, 11])
    assert trial.accepted.total() == 1


@pytest.fixture
def nearly_full(build: Build) -> Iterator[tuple[Trial, Volume]]:
    """One row whose answer is an image of 210,000 bytes, for which there is no room."""
    trial = build(Trial, plain=False, aimlapi_shape="data-b64")
    trial.write_rows(["image 1"], seed=[1], output_format=["png"])
    with Volume(trial.top / "disk", "size=350k", "out", "state") as volume:
        trial.lie_on(volume, trial.out, trial.state)
        yield trial, volume


@needs_volumes
class TestAnAnswerForWhichThereIsNoRoom:
    def test_is_told_and_never_paid_for_again_by_itself(
        self, nearly_full: tuple[Trial, Volume]
    ) -> None:
        trial, volume = nearly_full
        first = trial.run_batch(*AT)
        assert first.code == 8
        assert "None" not in first.err
        assert list(trial.see(trial.state / "answers").iterdir()) == []
        volume.change("size=16m")
        for _ in range(soaked(1, 2)):
            assert trial.run_batch(*AT).count("unknown") == 1
        assert trial.accepted.total() == 1


@needs_strace
def test_an_answer_is_kept_until_the_journal_has_that_its_image_is_saved(build: Build) -> None:
    trial = build(Trial, rows=2)
    log, wal = trial.top / "calls", trial.state / "journal.db-wal"
    Journal.open(trial.state).close()
    trial.through = strace(log, "pwrite64,fdatasync,fsync", only=wal)
    trial.run_batch(*AT, "--only", "1", environ=with_site("lone"))
    names = [call.name for call in calls_of_the_thread(log)]
    after_the_submit = names.index("fdatasync", names.index("fdatasync") + 1)
    full = f"pwrite64:error=ENOSPC:when={names[:after_the_submit].count('pwrite64') + 1}+"
    trial.through = strace(log, "pwrite64", full, only=wal)
    trial.run_batch(*AT, "--only", "2", environ=with_site("lone"))
    assert len(list(trial.out.iterdir())) == 2
    trial.through = ()
    trial.check_rest(*AT)


def calls_of_the_thread(log: Path) -> list[Call]:
    """The calls that were not made by the main thread, with which everything begins."""
    calls = list(calls_in(log))
    return [call for call in calls if call.thread != calls[0].thread]
