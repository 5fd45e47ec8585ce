"""Jobs, costs and errors as text for people."""

import math
from typing import TYPE_CHECKING

from kontext_cli.errors import KontextError
from kontext_cli.job import Cost, Job, State
from kontext_cli.terminal.printable import one_line
from kontext_cli.words import dollars

if TYPE_CHECKING:
    from kontext_cli.batch.progress import BatchProgress
    from kontext_cli.batch.tally import Tally

_BILLED = {"no": "not billed", "maybe": "may have been billed", "yes": "billed"}


def describe(job: Job) -> str:
    """A job's state in a few words."""
    match job.state:
        case State.QUEUED if job.position is not None:
            return f"queued at {job.provider}, position {job.position}"
        case State.QUEUED:
            return f"queued at {job.provider}"
        case State.SUBMITTING:
            return f"submitting to {job.provider}"
        case State.RUNNING:
            return f"running at {job.provider}"
        case State.READY:
            return "ready, downloading"
        case State.SAVED:
            return _saved(job)
        case _:
            return str(job.state)


def cost_text(cost: Cost) -> str:
    """A cost in words."""
    if cost.usd is None:
        return "cost unknown"
    if cost.usd == 0:
        return "free"
    amount = dollars(cost.usd)
    return amount if cost.source == "provider" else f"about {amount}"


def short_cost(cost: Cost) -> str:
    """A cost in a few characters: `$0.04`, `~$0.04` where it is an estimate, `?` if unknown."""
    if cost.usd is None:
        return "?"
    if cost.usd == 0:
        return "free"
    return f"{'' if cost.source == 'provider' else '~'}{dollars(cost.usd)}"


def bill_text(error: KontextError) -> str:
    """Whether a job that ended with this error was billed, in words."""
    return _BILLED[error.billed]


def error_lines(
    error: KontextError, job: Job | None = None, *, place: str | None = None
) -> list[str]:
    """What happened, to which job, whether it may have been billed, and what to do next.

    ``place`` is the row of a batch.
    """
    where = f"{one_line(place)}: " if place else ""
    lines = [f"error: {where}{one_line(error.message)}"]
    lines += [f"  {one_line(detail)}" for detail in error.details]
    if job is not None:
        named = [f"job {job.id}"]
        if job.request_id:
            named.append(f"request id {one_line(job.request_id)}")
        lines.append(f"  {', '.join(named)}: {bill_text(error)}")
    if error.hint:
        lines.append(f"hint: {one_line(error.hint)}")
    return lines


def _saved(job: Job) -> str:
    if job.skipped:
        return "already exists, nothing sent"
    sizes = dict.fromkeys(f"{file.width}×{file.height} {file.format}" for file in job.files)
    facts = [*sizes, *([f"seed {job.seed}"] if job.seed is not None else []), cost_text(job.cost)]
    return f"saved ({', '.join(facts)})"


def rows_text(count: int) -> str:
    """A number of rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def row_name(job: Job) -> str:
    """The name of a row: its id, else its number."""
    if job.row_id is not None:
        return f"row {one_line(job.row_id)}"
    return f"job {job.id}" if job.index is None else f"row {job.index}"


_LONGEST = 100 * 3600.0


def place_text(tally: "Tally") -> str:
    """How many rows have ended, and the total."""
    return f"[{tally.ended}/{tally.total}]"


def rate_text(progress: "BatchProgress") -> str:
    """The rate of a batch; empty while unknown."""
    rate = progress.images_per_minute
    if rate is None:
        return ""
    return f"{rate:.0f} images/min" if rate >= 9.95 else f"{rate:.1f} images/min"


def left_text(progress: "BatchProgress") -> str:
    """The remaining time of a batch; empty while unknown."""
    seconds = progress.seconds_left
    return "" if seconds is None or seconds >= _LONGEST else f"{duration(seconds)} left"


def spent_so_far(tally: "Tally") -> str:
    """The cost of this run so far; empty if nothing was submitted."""
    text = spent_text(tally)
    return "" if text == "nothing" else text


def spent_text(tally: "Tally") -> str:
    """The cost of this run in words; an estimate is rounded to cents."""
    cost = tally.cost
    if not tally.spent and not tally.unpriced:
        return "nothing"
    if not cost.usd:
        return cost_text(cost)
    if cost.source == "provider":
        return dollars(cost.usd)
    amount = f"${cost.usd:.2f}" if cost.usd >= 0.01 else dollars(cost.usd)
    return f"{'at least' if tally.unpriced else 'about'} {amount}"


def duration(seconds: float) -> str:
    """A remaining time in seconds as text, rounded up."""
    if seconds <= 90:
        return f"{math.ceil(round(seconds, 1) / 5) * 5} s"
    minutes = math.ceil(round(seconds) / 60)
    if minutes <= 90:
        return f"{minutes} min"
    hours, minutes = divmod(math.ceil(minutes / 5) * 5, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def elapsed_text(seconds: float) -> str:
    """A time that has passed: `12 s`, `3 min 20 s`, `2 h 5 min`; empty below a second."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count)
