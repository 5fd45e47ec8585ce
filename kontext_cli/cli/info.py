"""`kontext info`: what is known of an image."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext info lighthouse.jpg
  kontext info *.png --json
"""


def info(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Images: JPEG, PNG or WebP files.")
    ],
    json: options.JsonRecords = False,
) -> int:
    """Show how images were made, and where that is said."""
    from kontext_cli.commands.info import run_info

    return show(run_info(files), as_json=json)
