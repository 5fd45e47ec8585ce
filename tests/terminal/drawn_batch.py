"""A batch on the terminal of a process of its own: `python drawn_batch.py COMMANDS ANSWERS`.

Obeys the lines of one pipe, and answers in another as soon as the terminal has shown all of it:
`start N`, `save N` (a job, by its number), `wait COLUMNS` (for that width), `close`.
"""

import os
import sys
import tty
from pathlib import Path
from select import select

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.job import Cost, File, Job, State
from kontext_cli.terminal.batch_report import BatchReport
from kontext_cli.terminal.live import open_live

PROMPT = "a lighthouse in fog, seen from the sea"


class Drawn:
    """Jobs under report, each shown at once."""

    def __init__(self) -> None:
        self._now = 0.0
        progress = BatchProgress(Tally(90), lambda: self._now)
        self._report = BatchReport(open_live(progress), progress, batch="b")  # type: ignore[arg-type]
        self._tally = progress.tally
        self._jobs: dict[str, Job] = {}

    def start(self, number: str) -> None:
        job = self._jobs[number] = Job(
            operation="generate",
            provider="fal",
            model="kontext-pro",
            endpoint="e",
            request={"prompt": PROMPT},
            seed=5,
            cost=Cost(0.04, "estimate"),
            id=f"job{number}",
            index=int(number),
            state=State.RUNNING,
        )
        self._now += 1
        self._report.watch(job, [" 43%|████▎     | 12/28"])

    def save(self, number: str) -> None:
        job = self._jobs.pop(number)
        path = Path(f"/out/{number}-a-lighthouse-in-fog-seen-from-the-sea-at-dawn.jpg")
        job.files = (File(path, "0" * 64, 1, 1024, 1024, "jpeg"),)
        job.state = State.SAVED
        self._tally.count(job)
        self._now += 1
        self._report.ended(job)
        self._report.refresh()

    def wait(self, columns: str) -> None:
        while os.get_terminal_size(2).columns != int(columns):
            select([], [], [], 0.01)
        self._now += 1
        self._report.refresh()

    def close(self) -> None:
        self._report.close()


def all_is_shown() -> None:
    """Ask the terminal where its cursor is: it answers when it has done all before."""
    os.write(2, b"\x1b[6n")
    while os.read(0, 1) != b"R":
        pass


def main(commands: str, answers: str) -> None:
    tty.setcbreak(0)
    drawn = Drawn()
    with open(commands) as obeyed, open(answers, "w") as answered:  # noqa: PTH123
        for line in obeyed:
            command, *arguments = line.split()
            getattr(drawn, command)(*arguments)
            all_is_shown()
            print(line, end="", file=answered, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
