"""What the jobs of a gallery cost together."""

from collections import Counter

from kontext_cli.engine.endings import bill_so_far
from kontext_cli.job import Job, State
from kontext_cli.words import dollars


class Spending:
    """Adds up what was billed, or may have been; each job once."""

    def __init__(self) -> None:
        self._jobs: set[str] = set()
        self._spent: Counter[str] = Counter()
        self._unpriced = False

    def add(self, job: Job) -> None:
        """Count a job."""
        if job.id in self._jobs or not was_billed(job):
            return
        self._jobs.add(job.id)
        if job.cost.usd is None:
            self._unpriced = True
        else:
            self._spent[job.cost.source] += job.cost.usd  # type: ignore[assignment]

    @property
    def text(self) -> str:
        """The sum in words; empty where nothing is known to have been spent."""
        usd = round(sum(self._spent.values()), 6)
        if not usd:
            return ""
        if self._unpriced:
            return f"at least {dollars(usd)}"
        return f"{'' if set(self._spent) == {'provider'} else 'about '}{dollars(usd)}"


def was_billed(job: Job) -> bool:
    """Whether a job counts for what was spent."""
    return job.state is not State.PLANNED and bill_so_far(job) != "no"
