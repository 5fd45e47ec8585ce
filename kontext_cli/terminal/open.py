"""Chooses the view: live on a terminal, plain lines elsewhere, or quiet."""

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.terminal.batch_report import BatchLines, BatchReport, BatchSilence, BatchView
from kontext_cli.terminal.output import may_draw
from kontext_cli.terminal.report import Lines, Report, Silence, View


def open_report(*, as_json: bool, quiet: bool, plain: bool = False) -> Report:
    """The report for this process: live on a terminal, plain lines elsewhere.

    ``plain`` forces plain lines, for use with other output such as that of `--debug`.
    """
    return Report(_view(plain=plain or as_json, quiet=quiet), as_json=as_json)


def _view(*, plain: bool, quiet: bool) -> View:
    if quiet:
        return Silence()
    if plain or not may_draw():
        return Lines()
    from kontext_cli.terminal.live import Live

    return Live()


def open_batch_report(
    tally: Tally,
    *,
    batch: str,
    as_json: bool,
    quiet: bool,
    plain: bool = False,
) -> BatchReport:
    """The report of a batch for this process: live on a terminal, plain lines elsewhere.

    ``plain`` forces plain lines, for use with other output such as that of `--debug`.
    """
    view = _batch_view(tally, plain=plain or as_json, quiet=quiet)
    return BatchReport(view, tally, batch=batch, as_json=as_json)


def _batch_view(tally: Tally, *, plain: bool, quiet: bool) -> BatchView:
    if quiet:
        return BatchSilence()
    if plain or not may_draw():
        return BatchLines(tally)
    from kontext_cli.terminal.live_batch import open_live_batch

    return open_live_batch(BatchProgress(tally)) or BatchLines(tally)
