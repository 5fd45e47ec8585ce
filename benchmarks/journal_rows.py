"""One worker of a batch without a provider: `journal_rows.py JOURNAL FIRST ROWS IN_FLIGHT`.

Opens the journal, prints a line, and when one comes on standard input takes its rows and records
each step of their jobs, as a batch does with so many in flight.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kontext_cli.job import File, Handle, Job, Output, State, Target
from kontext_cli.journal import Journal
from kontext_cli.journal.writer import Scribe
from sample_jobs import sample_job

BATCH = "rows"


def main() -> None:
    """Write the rows."""
    location, first, rows, in_flight = sys.argv[1], *map(int, sys.argv[2:])
    place = location if "://" in location else Path(location)
    with Journal.open(place) as journal:
        print("ready", flush=True)
        sys.stdin.readline()
        asyncio.run(_write(journal, iter(range(first, first + rows)), in_flight))


async def _write(journal: Journal, rows: Iterator[int], in_flight: int) -> None:
    scribe = Scribe(journal)
    await asyncio.gather(*(_write_each(scribe, rows) for _ in range(in_flight)))
    await scribe.settle()


async def _write_each(scribe: Scribe, rows: Iterator[int]) -> None:
    for row in rows:
        job = _job(row)
        if not await scribe.take(job, None):
            raise SystemExit(f"row {row} is another's")
        for state in (State.SUBMITTING, State.QUEUED, State.RUNNING, State.READY, State.SAVED):
            _advance(job, state)
            await scribe.record(job)


def _job(row: int) -> Job:
    target = Target((Path(f"/pictures/{row}.jpg"),))
    return sample_job(row, target=target, batch=BATCH, row=f"line:{row}", index=row)


def _advance(job: Job, state: State) -> None:
    """What is known of a job by the time it reaches a state."""
    job.state = state
    if state is State.QUEUED:
        url = f"https://queue.fal.run/fal-ai/flux-pro/requests/{job.id}"
        job.request_id = job.id
        job.handle = Handle(job.id, {"status_url": f"{url}/status", "response_url": url})
    elif state is State.READY:
        job.outputs = (Output(f"https://v3.fal.media/files/{job.id}.jpeg"),)
    elif state is State.SAVED:
        path = Path(f"/pictures/{job.index}.jpg")
        job.files = (File(path, f"{job.index:064x}", 150_000, 1024, 1024, "jpeg", 1),)
        job.finished_at = datetime.now(UTC)


if __name__ == "__main__":
    main()
