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


def ambiguous(name: str, jobs: Sequence[Job]) -> UsageError:
    """The error for a name that several jobs have."""
    shown = "; ".join(map(_described, jobs[:MOST_CANDIDATES]))
    more = "; and more" if len(jobs) > MOST_CANDIDATES else ""
    return UsageError(
        f"`{_shortened(name)}` may be any of these jobs: {shown}{more}", hint="give more of the id"
    )


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


def _described(job: Job) -> str:
    prompt = _shortened(str(job.request.get("prompt", "")))
    return f"`{job.id}` ({job.state}: {prompt})" if prompt else f"`{job.id}` ({job.state})"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
