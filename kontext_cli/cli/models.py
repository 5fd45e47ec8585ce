"""`kontext models`: list providers, models, options and prices."""

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext models
  kontext models -p fal -m kontext-max
  kontext models --json | jq -r '[.provider, .model, .price.usd] | @tsv'
  kontext models --debug  # also shows where each setting comes from
"""


def models(
    provider: options.OneProvider = None,
    model: options.Model = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """List providers, models, options and prices. Needs no key and no network."""
    from kontext_cli.commands.models import list_models

    return show(list_models(provider, model, with_settings=debug), as_json=json)
