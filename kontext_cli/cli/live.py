"""The live view on a terminal; the one place that draws with rich."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from kontext_cli.cli.printable import one_line
from kontext_cli.cli.report import describe
from kontext_cli.job import Job


class Live:
    """A spinner, the state and the elapsed time of each job; logs and notices scroll above it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """Redraw a job's line, and put what it says above it."""
        if job.id not in self._tasks:
            self._progress.start()
            self._tasks[job.id] = self._progress.add_task("", total=None)
        for log in logs:
            self._console.print(Text(f"  {one_line(log)}", style="dim"))
        self._progress.update(self._tasks[job.id], description=describe(job))

    def say(self, line: str) -> None:
        """Put a line above what is drawn."""
        self._console.print(Text(line))

    def close(self) -> None:
        """Take the view away."""
        self._progress.stop()
