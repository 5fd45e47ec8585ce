"""`kontext status`: recent jobs from the journal, or the current state at the provider."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.job import State
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext status                 # recent jobs from the journal; no network
  kontext status --state unknown
  kontext status 1q3x            # polls the provider
  kontext status 1q3x --watch
  kontext status 764cabcf-b745-4b3e-ae38-1200304cf45b -p fal
"""


def status(
    jobs: options.Jobs = None,
    provider: options.AtProvider = None,
    model: options.AtModel = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Maximum number of jobs to list.")
    ] = 20,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only jobs in this state. Repeatable. One of {', '.join(State)}.",
        ),
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="Only jobs of this batch.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the given jobs until they end.")
    ] = False,
    timeout: options.Timeout = 600,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """List recent jobs, or poll the provider for the given ones."""
    if jobs:
        from kontext_cli.commands.poll import poll_jobs

        result = poll_jobs(
            jobs,
            provider=provider,
            model=model,
            watch=watch,
            timeout=timeout,
            as_json=json,
            quiet=quiet,
            debug=debug,
        )
    else:
        from kontext_cli.commands.status import list_jobs

        result = list_jobs(limit=limit, states=state or (), batch=batch)
    return show(result, as_json=json, quiet=quiet or json)
