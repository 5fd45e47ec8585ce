"""`kontext cost`: what the jobs in the journal cost."""

from typing import Annotated, Literal

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext cost               # everything in the journal; no network
  kontext cost --since 30d
  kontext cost --by batch
"""


def cost(
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="AGE",
            help="Only jobs submitted within this time, as in 30d, 12h, 90m.",
        ),
    ] = None,
    by: Annotated[
        Literal["day", "provider", "model", "batch"] | None,
        typer.Option(
            "--by",
            metavar="GROUP",
            help="Only this table, and all of it: day, provider, model or batch.",
        ),
    ] = None,
    json: options.JsonRecords = False,
    quiet: options.Quiet = False,
) -> int:
    """Show what was spent, by day, provider, model and batch.

    Jobs that may have been billed count as spent; those that were certainly not billed, or were
    forgotten, do not. Days are local.
    """
    from kontext_cli.commands.cost import sum_up

    return show(sum_up(since=since, by=by), as_json=json, quiet=quiet or json)
