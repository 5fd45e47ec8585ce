"""Jobs, summaries and errors as JSON, for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kontext_cli.errors import KontextError
from kontext_cli.job import File, Job

if TYPE_CHECKING:
    from kontext_cli.batch.tally import Tally

SCHEMA = 1


_COMMAND_INSIDE = "##["
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def error_record(error: KontextError) -> dict[str, Any]:
    """An error without a job, for `--json`."""
    record = {
        "schema": SCHEMA,
        "type": "error",
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
    return {**record, "details": list(error.details)} if error.details else record


def job_record(
    job: Job,
    *,
    reason: str | None = None,
    planned: Sequence[str] = (),
    with_urls: bool = False,
) -> dict[str, Any]:
    """A job for `--json`; ``reason`` says why a row of a batch was run or skipped.

    ``planned`` are the absolute paths that a job that was not sent would write.
    ``with_urls`` adds the full URLs, with signatures, of billed files in an unsupported format to
    the error. Only for `status`: other output may end up in logs.
    """
    record = {
        "schema": SCHEMA,
        "type": "job",
        "id": job.id,
        "batch": job.batch,
        "index": job.index,
        "operation": job.operation,
        "provider": job.provider,
        "model": job.model,
        "endpoint": job.endpoint,
        "request": job.request,
        "request_id": job.request_id,
        "state": str(job.state),
        "seed": job.seed,
        "files": [
            *[_file_record(file) for file in job.files],
            *[{"path": path} for path in planned],
        ],
        "cost": {"usd": job.cost.usd, "source": job.cost.source},
        "reply": job.reply,
        "skipped": job.skipped,
        "error": job.error and _error_of(job, job.error, with_urls=with_urls),
        "created_at": _utc(job.created_at),
        "finished_at": _utc(job.finished_at),
    }
    return record if reason is None else {**record, "reason": reason}


def as_line(record: Mapping[str, Any]) -> str:
    """One line of JSON Lines, plain ASCII so that it survives any locale."""
    line = _ENCODER.encode(record)
    return line.replace(_COMMAND_INSIDE, r"#\u0023[")


def _file_record(file: File) -> dict[str, Any]:
    return {
        "path": str(file.path.absolute()),
        "sha256": file.sha256,
        "bytes": file.bytes,
        "width": file.width,
        "height": file.height,
        "format": file.format,
    }


def _error_of(job: Job, error: KontextError, *, with_urls: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "billed": error.billed,
    }
    urls = [output.url for output in job.outputs if output.rejected and output.url]
    return {**record, "urls": urls} if with_urls and urls else record


def _utc(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z" if moment else None


def summary_record(batch: str, tally: "Tally", *, exit_code: int) -> dict[str, object]:
    """The totals of a batch, for `--json`."""
    return {
        "schema": SCHEMA,
        "type": "summary",
        "batch": batch,
        **tally.record(),
        "cost": {"usd": tally.cost.usd, "source": tally.cost.source},
        "exit_code": exit_code,
    }
