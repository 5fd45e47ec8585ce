"""`kontext auth`: store provider keys, show where they come from, and remove them."""

from typing import Annotated

import typer

from kontext_cli.cli.help import HelpfulCommand, HelpfulGroup
from kontext_cli.cli.options import JsonRecords
from kontext_cli.cli.provider_names import known_provider
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext auth set fal  # prompts for the key, without echo
  pass show fal | kontext auth set fal
  kontext auth status
  kontext auth remove fal
"""

app = typer.Typer(help="Store, list and remove provider keys.", epilog=EXAMPLES, cls=HelpfulGroup)

_Provider = Annotated[
    str,
    typer.Argument(callback=known_provider, metavar="PROVIDER", help="The provider of the key."),
]
_Stored = Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider of the key.")]


@app.command("set", cls=HelpfulCommand)
def set_key(provider: _Provider) -> int:
    """Store a key, typed at a prompt or read from standard input."""
    from kontext_cli.commands.auth import store_key

    return show(store_key(provider))


@app.command(cls=HelpfulCommand)
def status(json: JsonRecords = False) -> int:
    """Show where each provider's key comes from. Needs no network."""
    from kontext_cli.commands.auth import list_keys

    return show(list_keys(), as_json=json)


@app.command(cls=HelpfulCommand)
def remove(provider: _Stored) -> int:
    """Remove a stored key."""
    from kontext_cli.commands.auth import remove_key

    return show(remove_key(provider))
