"""Jobs to keep, and processes that keep them."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kontext_cli.errors import BadMedia
from kontext_cli.job import Cost, File, Handle, Job, Origin, Output, Source, State, Target, new_id
from processes import environment

Place = Path | str
"""The state folder or the URL of a journal."""
REQUEST_ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"


def job(state: State = State.QUEUED, **given: Any) -> Job:
    """A job as it is while it is on its way, with whatever is given instead."""
    usual: dict[str, Any] = {
        "operation": "generate",
        "provider": "fal",
        "model": "kontext-pro",
        "endpoint": "fal-ai/flux-pro/kontext/text-to-image",
        "request": {"prompt": "a red fox", "seed": 42},
        "seed": 42,
        "cost": Cost(0.04, "estimate"),
        "id": new_id(),
    }
    return Job(**usual | {"state": state} | given)


def full_job() -> Job:
    """A job that has a value in each of its fields."""
    url = f"https://queue.fal.run/fal-ai/flux-pro/requests/{REQUEST_ID}"
    return job(
        State.READY,
        digest="d" * 64,
        sources=(Source("/home/a/\udcff.png", "5" * 64), Source("-", None)),
        target=Target(
            (Path("/home/a/fox.jpg"), Path("/home/a/\udcfffox.jpg")),
            overwrite=True,
            keep_flagged=True,
            replaces=(File(Path("/home/a/cat.png"), "c" * 64, 99, 64, 48, "png", 1, 17),),
            origin=Origin("0123456789abcdef", "build-7", Path("/home/a")),
        ),
        batch='a "batch" — 1',
        row="id:füchse#2",
        attempt=3,
        index=7,
        server="http://gpu.local:8188",
        package="kontext-acme",
        handle=Handle(
            REQUEST_ID,
            {
                "status_url": f"{url}/status",
                "response_url": url,
                "cancel_url": f"{url}/cancel",
                "misses": 2,
            },
        ),
        request_id=REQUEST_ID,
        position=3,
        outputs=(
            Output("https://v3.fal.media/a.jpg", flagged=True),
            Output("https://b/b.png", rejected="no JPEG, PNG or WebP, but a GIF"),
        ),
        files=(
            File(
                Path("/home/a/fox.webp"),
                "e" * 64,
                123,
                64,
                48,
                "webp",
                2,
                1_795_255_155_733_255_353,
            ),
        ),
        reply={"prompt": "ein Füchslein 🦊", "timings": {"inference": 1.25}, "n": [None, True]},
        skipped=True,
        error=BadMedia("it is cut short", hint="fetch it again", billed="yes"),
        answer_by=datetime(2026, 2, 1, 0, 9, 59, tzinfo=UTC),
        created_at=datetime(2026, 1, 31, 23, 59, 59, 1, tzinfo=UTC),
        finished_at=datetime(2026, 2, 1, tzinfo=UTC),
    )


def facts(kept: Job) -> dict[str, Any]:
    """All that a job says, comparable: errors by what they tell."""
    values = {each.name: getattr(kept, each.name) for each in fields(Job)}
    error = kept.error
    if error is not None:
        told = (error.message, error.hint, error.billed, error.exit_code)
        values["error"] = (type(error), *told)
    return values


PRELUDE = """
import sys
from pathlib import Path
from kontext_cli.job import Cost, Job, State, new_id
from kontext_cli.journal import Journal

def job(state, **given):
    return Job("generate", "fal", "kontext-pro", "x", {}, 42, Cost(0.04, "estimate"),
               given.pop("id", None) or new_id(), state=State(state), **given)

place = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1])
"""


def start(code: str, *argv: object, **environ: str) -> subprocess.Popen[str]:
    """Run the prelude and ``code`` in a process of its own, with pipes to talk through."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, *map(str, argv)],
        env=environment(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def holder(place: Place, *states: str) -> Iterator[list[str]]:
    """The ids of jobs that a living process has just recorded; it is killed at the end."""
    code = """
with Journal.open(place) as journal:
    for state in sys.argv[2:]:
        mine = job(state)
        journal.record(mine)
        print(mine.id, flush=True)
    sys.stdin.read()
"""
    process = start(code, place, *states)
    ids: list[str] = []
    try:
        ids += [line(process) for _ in states]
        yield ids
    finally:
        process.kill()
        process.communicate()
        expire(place, *ids)


def execute(place: Place, statement: str, *values: object) -> list[Any]:
    """Look at a journal or change it behind its back; `?` stands for a value."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place / "journal.db")) as file, file:
            return file.execute(statement, values).fetchall()
    import psycopg

    with psycopg.connect(place) as db:
        cursor = db.execute(statement.replace("?", "%s").encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def expire(place: Place, *ids: str) -> None:
    """Let the time of a lease pass for the processes that own these jobs; in a folder, nobody needs
    to."""
    if isinstance(place, str):
        owners = "SELECT owner FROM jobs WHERE id = ANY(?)"
        now = "UPDATE owners SET expires = clock_timestamp() WHERE token IN"
        execute(place, f"{now} ({owners})", [*ids])
