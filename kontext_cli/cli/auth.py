"""`kontext auth`: store the key of a provider, see where keys come from, forget one."""

from typing import Annotated

import typer

from kontext_cli.cli.help import HelpfulGroup
from kontext_cli.cli.options import Json
from kontext_cli.providers import Name

EXAMPLES = """\b
Examples:
  kontext auth set fal                      (asks for the key, unseen)
  pass show fal | kontext auth set fal
  kontext auth status
  kontext auth remove fal
"""

app = typer.Typer(
    help="Store the keys of providers, see where keys come from.", epilog=EXAMPLES, cls=HelpfulGroup
)

_Provider = Annotated[Name, typer.Argument(metavar="PROVIDER", help="Whose key.")]


@app.command("set")
def set_key(provider: _Provider) -> None:
    """Store a key: asked for on a terminal, else read from standard input."""
    from kontext_cli.commands.auth import store

    store(provider)


@app.command()
def status(json: Json = False) -> None:
    """Where each provider's key comes from. Asks nobody."""
    from kontext_cli.commands.auth import show_all

    show_all(as_json=json)


@app.command()
def remove(provider: _Provider) -> None:
    """Forget a stored key."""
    from kontext_cli.commands.auth import forget

    forget(provider)
