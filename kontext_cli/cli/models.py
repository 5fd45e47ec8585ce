"""`kontext models`: list providers, models, options and prices."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext models
  kontext models -p fal -m kontext-max
  kontext models --json | jq -r '[.provider, .model, .price.usd] | @tsv'
  kontext models --check  # asks the providers which of these they withdraw
  kontext models --debug  # also shows where each setting comes from
"""


def models(
    provider: options.OneProvider = None,
    model: options.Model = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Ask the providers which of these models they withdraw. Needs no key."
        ),
    ] = False,
    json: options.JsonRecords = False,
    debug: options.Debug = False,
) -> int:
    """List providers, models, options and prices. Needs no key and no network, but for the models
    of a server of your own: `kontext models -p openai` asks it."""
    if check:
        from kontext_cli.commands.models_check import check_models

        return show(check_models(provider, model, debug=debug), as_json=json)
    from kontext_cli.commands.models import list_models

    return show(list_models(provider, model, with_settings=debug), as_json=json)
