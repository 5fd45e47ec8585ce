"""A journal with many jobs: `history.py STATE_FOLDER JOBS` writes that many saved jobs."""

import sys
from pathlib import Path

from kontext_cli.job import File, Job, State
from kontext_cli.journal import Journal
from sample_jobs import sample_job


def main() -> None:
    """Write the jobs."""
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    with Journal.open(folder) as journal:
        for number in range(jobs):
            journal.record(_saved(number))


def _saved(number: int) -> Job:
    file = File(Path(f"/pictures/{number}.jpg"), f"{number:064x}", 150_000, 1024, 1024, "jpeg", 1)
    return sample_job(number, state=State.SAVED, files=(file,))


if __name__ == "__main__":
    main()
