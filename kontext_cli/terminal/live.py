"""The live view of single jobs on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from kontext_cli.job import Job
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import describe


class Live:
    """A line for each running job: a spinner, its state, the time, and the last log line of its
    provider. Notices scroll above.
    """

    holds_results = True

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        if not self._console.width:  # COLUMNS is 0: nothing would be printed
            self._console.width = 80
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[said]}", markup=False, style="dim"),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """Redraw a job's line; its previous log line is cleared."""
        if job.id not in self._tasks:
            self._progress.start()
            self._tasks[job.id] = self._progress.add_task("", total=None, said="")
        self._progress.update(self._tasks[job.id], said=one_line(logs[-1]) if logs else "")
        several = len(self._tasks) > 1
        description = f"{job.id}  {describe(job)}" if several else describe(job)
        self._progress.update(self._tasks[job.id], description=description)

    def say(self, line: str) -> None:
        """Print a line above the view."""
        self._console.print(Text(line), soft_wrap=True)

    def warn(self, line: str) -> None:
        """Print a line of an error above the view."""
        self.say(line)

    def drop(self, job: Job) -> None:
        """Remove a job's line."""
        if job.id in self._tasks:
            self._progress.remove_task(self._tasks.pop(job.id))

    def close(self) -> None:
        """Remove the view."""
        self._progress.stop()
