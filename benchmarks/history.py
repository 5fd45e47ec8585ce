"""A journal with many jobs: `history.py STATE_FOLDER JOBS` writes that many saved jobs."""

import sys
from pathlib import Path

from kontext_cli.job import Cost, File, Job, State, new_id
from kontext_cli.journal import Journal


def main() -> None:
    """Write the jobs."""
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    with Journal.open(folder) as journal:
        for number in range(jobs):
            journal.record(_saved(number))


def _saved(number: int) -> Job:
    file = File(Path(f"/pictures/{number}.jpg"), f"{number:064x}", 150_000, 1024, 1024, "jpeg", 1)
    return Job(
        id=new_id(),
        operation="generate",
        provider="fal",
        model="kontext-pro",
        endpoint="fal-ai/flux-pro/kontext/text-to-image",
        request={"prompt": f"a lighthouse in fog, number {number}", "seed": number},
        seed=number,
        cost=Cost(0.04, "estimate"),
        state=State.SAVED,
        files=(file,),
    )


if __name__ == "__main__":
    main()
