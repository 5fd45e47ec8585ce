"""Job names as users type them: the errors for unknown and ambiguous ones."""

import difflib
from collections.abc import Sequence

from kontext_cli.errors import StillRunning, UsageError
from kontext_cli.job import Job
from kontext_cli.journal.codec import Row

MOST_CANDIDATES = 10
_SHOWN = 40


def no_such_job(name: str, ids: Sequence[str]) -> UsageError:
    """The error for a name that no job has; ``ids`` are candidates for what was meant."""
    near = _nearest(name, ids)
    return UsageError(
        f"there is no job `{_shortened(name)}`",
        hint=f"did you mean {near}?" if near else "`kontext status` lists the jobs",
    )


class AmbiguousJob(UsageError):
    """Several jobs have the name that was given."""

    def __init__(self, name: str, jobs: Sequence[Job]) -> None:
        super().__init__(
            f"`{_shortened(name)}` may be any of these jobs", hint="give more of the id"
        )
        vars(self)["jobs"] = jobs

    @property
    def candidates(self) -> Sequence[Job]:
        """The first jobs that have the name, at most ten."""
        jobs: Sequence[Job] = vars(self)["jobs"]
        return jobs[:MOST_CANDIDATES]

    @property
    def are_more(self) -> bool:
        """Whether there are more of them."""
        return len(vars(self)["jobs"]) > MOST_CANDIDATES


def still_owned(rows: Sequence[Row]) -> StillRunning:
    """The error for forgetting jobs that another process owns."""
    ids = ", ".join(f"`{row.id}`" for row in rows)
    which = f"job {ids}" if len(rows) == 1 else f"jobs {ids}"
    cancel = "".join(f" {row.id}" for row in rows if row.request_id)
    return StillRunning(
        f"another kontext is still at {which}; nothing was forgotten",
        hint="wait until it has ended" + (f", or: kontext cancel{cancel}" if cancel else ""),
    )


def _nearest(name: str, ids: Sequence[str]) -> str:
    """The ids whose beginnings are closest to what was typed, in words."""
    start = name[: max(map(len, ids), default=0)].lower()
    if not start:
        return ""
    by_start = {job_id[: len(start)]: job_id for job_id in reversed(ids)}
    close = difflib.get_close_matches(start, by_start, n=3)
    return ", ".join(f"`{by_start[each]}`" for each in close)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
