"""What is printed: results on standard output, talk on standard error."""

import errno
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

from kontext_cli.cli.printable import escaped, one_line, printable
from kontext_cli.errors import KontextError, OutputFault
from kontext_cli.job import OPEN, Cost, File, Job, State
from kontext_cli.words import dollars

SCHEMA = 1
_COMMAND_INSIDE = "##["
_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_READER_HAS_GONE = (errno.EPIPE, errno.EINVAL)
"""The second is what Windows says."""
_BILLED = {"no": "not billed", "maybe": "may have been billed", "yes": "billed"}


class View(Protocol):
    """Shows jobs under way on standard error.

    ``holds_results`` says that lines on a terminal's standard output would tear what it draws.
    """

    holds_results: bool

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """A job has changed, or has something to say."""

    def say(self, line: str) -> None:
        """A line for the person at the terminal, already printable."""

    def warn(self, line: str) -> None:
        """A line of an error, already printable."""

    def drop(self, job: Job) -> None:
        """A job has ended, and is about to be told."""

    def close(self) -> None:
        """Take away whatever was drawn."""


class Silence:
    """The view of `--quiet`: errors alone."""

    holds_results = False

    def show(self, job: Job, logs: Sequence[str]) -> None: ...

    def say(self, line: str) -> None: ...

    def warn(self, line: str) -> None:
        to_stderr(line)

    def drop(self, job: Job) -> None: ...

    def close(self) -> None: ...


class Lines:
    """Plain lines, one for each change: for logs, pipes and pipelines."""

    holds_results = False

    def show(self, job: Job, logs: Sequence[str]) -> None:
        for log in logs:
            names_it = log.startswith(job.provider)
            self.say(one_line(log) if names_it else f"{job.provider}: {one_line(log)}")
        if not logs:
            self.say(f"job {job.id}: {describe(job)}")

    def say(self, line: str) -> None:
        to_stderr(line)

    def warn(self, line: str) -> None:
        to_stderr(line)

    def drop(self, job: Job) -> None: ...

    def close(self) -> None: ...


class Report:
    """Tells results and errors in the form that was asked for, while a view shows the way."""

    def __init__(self, view: View, *, as_json: bool = False) -> None:
        self._view = view
        self._as_json = as_json
        self._holding = view.holds_results and sys.stdout is not None and sys.stdout.isatty()
        self._held: list[str] = []
        self.show_relative = False
        """Whether paths are shown from the working folder, because they were typed so."""
        self.downloads = True
        """Whether the files of a job that is ready are downloaded now."""

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Follow a job; the end of a job is told by ``ended``."""
        shown = job.state in OPEN and (self.downloads or job.state is not State.READY)
        if logs or shown:
            self._view.show(job, logs)

    def notice(self, text: str) -> None:
        """Something the user should know that is no error."""
        self._view.say(f"notice: {one_line(text)}")

    def ended(self, job: Job) -> None:
        """Tell how a job ended: its files, or its error."""
        self._view.drop(job)
        if self._as_json:
            self._result(as_line(job_record(job)))
        else:
            for file in job.files:
                self._result(self._shown(file.path))
        if job.error:
            for line in error_lines(job.error, job):
                self._view.warn(printable(line))
        else:
            self._view.say(f"job {job.id}: {describe(job)}")

    def listed(self, job: Job) -> None:
        """Print a job that is left alone, for programs only: people are told by a notice."""
        if self._as_json:
            self._result(as_line(job_record(job)))

    def submitted(self, job: Job) -> None:
        """Tell the id of a job that goes on by itself."""
        self._view.drop(job)
        self._result(as_line(job_record(job)) if self._as_json else job.id)
        self._view.say(f"job {job.id} goes on at {job.provider}: kontext fetch {job.id}")

    def close(self) -> None:
        """Take away whatever was drawn, and print what was held back for it."""
        self._view.close()
        self._holding = False
        while self._held:
            tell_result(self._held.pop(0))

    def _result(self, line: str) -> None:
        if self._holding:
            self._held.append(line)
        else:
            tell_result(line)

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path) if self.show_relative else str(path)


def open_report(*, as_json: bool, quiet: bool, plain: bool = False) -> Report:
    """The report for this process: live on a terminal, plain lines elsewhere.

    ``plain`` lines are all that goes together with other writers, such as `--debug`.
    """
    return Report(_view(plain=plain or as_json, quiet=quiet), as_json=as_json)


def _view(*, plain: bool, quiet: bool) -> View:
    if quiet:
        return Silence()
    if plain or not may_draw():
        return Lines()
    from kontext_cli.cli.live import Live

    return Live()


def may_draw() -> bool:
    """Whether what is drawn on standard error can be taken away again."""
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    return on_a_terminal and not on_actions() and os.environ.get("TERM") != "dumb"


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


def bill_text(error: KontextError) -> str:
    """Whether a job that ended so has to be paid, in words."""
    return _BILLED[error.billed]


def print_error(error: KontextError, job: Job | None = None) -> None:
    """The human form of an error, on standard error."""
    for line in error_lines(error, job):
        to_stderr(line)


def error_lines(
    error: KontextError, job: Job | None = None, *, place: str | None = None
) -> list[str]:
    """What happened, to which job, whether it may have been billed, and what to do next.

    ``place`` is where the job was asked for: a row of a batch.
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


def error_record(error: KontextError) -> dict[str, Any]:
    """An error that belongs to no job, for `--json`."""
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
    planned: Sequence[Path] = (),
    with_urls: bool = False,
) -> dict[str, Any]:
    """A job for `--json`; ``reason`` tells why a row of a batch was made, or was not.

    ``planned`` are the paths that a job would write which was not sent: all that is known of them.
    ``with_urls``: its error has the whole URLs, signatures included, of paid files that are no
    image we save. For `status` alone, which is asked for them: other output ends up in logs.
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
            *(_file_record(file) for file in job.files),
            *({"path": str(path.absolute())} for path in planned),
        ],
        "cost": {"usd": job.cost.usd, "source": job.cost.source},
        "reply": job.reply,
        "skipped": job.skipped,
        "error": _job_error(job, with_urls=with_urls),
        "created_at": _utc(job.created_at),
        "finished_at": _utc(job.finished_at),
    }
    return record if reason is None else {**record, "reason": reason}


def as_line(record: Mapping[str, Any]) -> str:
    """One line of JSON Lines, plain ASCII so that it survives any locale."""
    line = json.dumps(record, separators=(",", ":"), allow_nan=False)
    return line.replace(_COMMAND_INSIDE, r"#\u0023[")


def tell_result(line: str) -> None:
    """Print a path, an id or a line of JSON: in a pipe as it is, since a program takes it from
    there; escaped where it is seen."""
    is_seen = on_actions() or (sys.stdout is not None and sys.stdout.isatty())
    write(sys.stdout, _tame(escaped(line) if is_seen else line) + "\n")


def to_stdout(text: str) -> None:
    """Print what was asked for, its control characters escaped.

    Raises OutputFault where that cannot be written; a reader that has gone has read enough.
    """
    error = write(sys.stdout, _tame(printable(text)) + "\n")
    if error is not None and error.errno not in _READER_HAS_GONE:
        raise OutputFault(f"cannot write to standard output: {error.strerror or error}")


def to_stderr(text: str) -> None:
    """Print a line of talk, its control characters escaped."""
    write(sys.stderr, _tame(printable(text)) + "\n")


def write(stream: TextIO | None, text: str) -> OSError | None:
    """Write to a stream as it is, at once; returns what went wrong.

    One that is closed, full or without a reader is no reason to fail paid work: what could not
    be written is dropped together with the stream, or Python would try once more at its exit.
    """
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None


def on_actions() -> bool:
    """Whether a runner of GitHub Actions reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _tame(text: str) -> str:
    """A runner takes `##[` anywhere, and `::` at the start of a line, for a command to itself: no
    server and no prompt shall give it one."""
    if not on_actions():
        return text
    text = text.replace(_COMMAND_INSIDE, "# #[")
    return _COMMAND.sub(r"\1: :", text)


def _saved(job: Job) -> str:
    if job.skipped:
        return "there already, nothing sent"
    sizes = dict.fromkeys(f"{file.width}×{file.height} {file.format}" for file in job.files)
    facts = [*sizes, *([f"seed {job.seed}"] if job.seed is not None else []), cost_text(job.cost)]
    return f"saved ({', '.join(facts)})"


def _file_record(file: File) -> dict[str, Any]:
    return {
        "path": str(Path(file.path).absolute()),
        "sha256": file.sha256,
        "bytes": file.bytes,
        "width": file.width,
        "height": file.height,
        "format": file.format,
    }


def _job_error(job: Job, *, with_urls: bool) -> dict[str, Any] | None:
    error = job.error
    if error is None:
        return None
    record: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "billed": error.billed,
    }
    urls = [output.url for output in job.outputs if output.rejected and output.url]
    return {**record, "urls": urls} if with_urls and urls else record


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if moment else None
