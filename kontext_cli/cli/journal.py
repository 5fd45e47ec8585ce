"""`kontext journal`: copy the journal of jobs from one place to another."""

from typing import Annotated

import typer

from kontext_cli.cli.help import HelpfulCommand, HelpfulGroup
from kontext_cli.cli.options import JsonRecords, Quiet
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext journal copy ~/.local/state/kontext env  # to KONTEXT_JOURNAL
  kontext journal copy env backup
  kontext journal copy state/1 postgresql://kontext@db/kontext
"""

app = typer.Typer(help="Copy the journal of jobs.", epilog=EXAMPLES, cls=HelpfulGroup)

_PLACE = "a state folder, a journal.db, postgresql://USER@HOST/DATABASE, or env for KONTEXT_JOURNAL"


@app.callback()
def _group() -> None:
    pass


@app.command(cls=HelpfulCommand, epilog=EXAMPLES)
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help=f"The journal to copy: {_PLACE}.")],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="Where to, likewise; created where there is none.")
    ],
    json: JsonRecords = False,
    quiet: Quiet = False,
) -> int:
    """Copy all jobs of a journal into another, and compare both.

    Other jobs that are in TO stay, so several journals can be united. A copy that was interrupted
    goes on when it is run again. A job that is in both and differs is left as it is in TO, and
    named, exit code 9; only one that certainly is at an earlier state there is replaced. So no
    request id is lost, and nothing that may have been sent is sent again. Refused while another
    kontext works on jobs of FROM, exit code 7.
    """
    from kontext_cli.commands.journal import run_journal_copy

    return show(run_journal_copy(source, target, quiet=quiet), as_json=json, quiet=quiet)
