"""`kontext check`: does what is on disk agree with a prompts file and its lock?"""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext check cards.jsonl                    # exit 12 if anything differs
  kontext check cards.jsonl --accept fox       # the edited image is right
  kontext check cards.jsonl --prune            # remove what no row needs
  kontext check --merge cards.jsonl            # unite the locks of shards
"""


def check(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Prompts files with a lock, or the locks."),
    ],
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="ID,...",
            help="Take the images of these rows as they are, as those of the rows as they are now.",
        ),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove rows from the lock that the prompts file no longer has, and their images. "
            "Images that somebody edited are kept.",
        ),
    ] = False,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge",
            help="Unite the locks of shards, NAME.IofN.lock, into the lock, and remove them.",
        ),
    ] = False,
    json: options.JsonRecords = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare prompts files and images with their lock.

    Needs no key and no network, and sends nothing. Changes nothing without --accept, --prune or
    --merge.
    """
    from kontext_cli.commands.check import Wanted, run_check

    wanted = Wanted(accept or (), prune, merge)
    return show(run_check(files, wanted), as_json=json, quiet=quiet)
