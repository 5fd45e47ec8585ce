"""`kontext forget`: delete jobs from the journal."""

from typing import Annotated

import typer

from kontext_cli.job import State
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext forget 1q3x 1q40
  kontext forget --older-than 30d
  kontext forget --state failed --state canceled
"""


def forget(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB]...", help="A job id or an unambiguous prefix of one."),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Jobs older than this, as in 30d, 12h, 90m. Unfinished jobs are kept.",
        ),
    ] = None,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Jobs in this state. Repeatable. One of {', '.join(State)}.",
        ),
    ] = None,
) -> int:
    """Delete jobs and their prompts from the journal. Images are kept.

    Unfinished jobs are deleted only by id, and not while another process is working on them.
    """
    from kontext_cli.commands.forget import run_forget

    return show(run_forget(jobs or (), older_than=older_than, states=state or ()))
