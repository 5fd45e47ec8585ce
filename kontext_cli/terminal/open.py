"""Opens the report of this process: live on a terminal, plain lines elsewhere, or quiet."""

from functools import partial
from typing import TYPE_CHECKING

from kontext_cli.terminal.output import may_draw
from kontext_cli.terminal.report import OpenLive, Report
from kontext_cli.terminal.view import Lines, PastRunTimes, Silent, View

if TYPE_CHECKING:
    from kontext_cli.batch.progress import BatchProgress
    from kontext_cli.batch.tally import Tally
    from kontext_cli.terminal.batch_report import BatchReport


def open_report(*, as_json: bool, quiet: bool, plain: bool = False) -> Report:
    """The report of single jobs.

    ``plain`` forces plain lines, with the logs of the provider, beside the output of `--debug`.
    """
    view, live = _views(None, quiet=quiet, plain=plain or as_json, logs=plain)
    return Report(view, live=live, as_json=as_json)


def open_batch_report(
    tally: "Tally", *, batch: str, as_json: bool, quiet: bool, plain: bool = False
) -> "BatchReport":
    """The report of a batch; ``plain`` as for ``open_report``."""
    from kontext_cli.batch.progress import BatchProgress
    from kontext_cli.terminal.batch_report import BatchReport

    progress = BatchProgress(tally)
    view, live = _views(progress, quiet=quiet, plain=plain or as_json)
    return BatchReport(view, progress, batch=batch, live=live, as_json=as_json)


def _views(
    progress: "BatchProgress | None", *, quiet: bool, plain: bool, logs: bool = False
) -> tuple[View, OpenLive | None]:
    """The view to begin with, and how to open the one that replaces it when jobs run."""
    if quiet:
        return Silent(), None
    lines = Lines(every_change=progress is None, logs=logs)
    return lines, None if plain or not may_draw() else partial(_live, progress, lines)


def _live(progress: "BatchProgress | None", otherwise: View, past_run_times: PastRunTimes) -> View:
    # Importing rich takes longer than all other imports together.
    from kontext_cli.terminal.live import open_live

    return open_live(progress, past_run_times) or otherwise
