"""`kontext doctor`: check settings, keys, network, folders and programs."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext doctor
  kontext doctor --online  # are the keys valid? costs nothing
  kontext doctor --json | jq -r 'select(.verdict == "problem").text'
"""


def doctor(
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Ask each provider whether it takes the key, and each server of your own what it "
            "is. Nothing is submitted, and nothing is billed.",
        ),
    ] = False,
    json: options.JsonRecords = False,
    debug: options.Debug = False,
) -> int:
    """Show each setting with its origin, and check keys, network, folders and programs.

    Each line is ok, or names what to do. The exit code is 0 without a problem, else that of a
    command that meets it: 2 for a setting, 3 for a key, 6 for the network, 8 for a folder or the
    journal; 9 for several kinds.
    """
    from kontext_cli.commands.doctor import check_all

    return show(check_all(online=online, debug=debug), as_json=json, quiet=json)
