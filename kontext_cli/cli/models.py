"""`kontext models`: list providers, models, options and prices."""

from kontext_cli.cli import options

EXAMPLES = """\b
Examples:
  kontext models
  kontext models -p fal -m kontext-max
  kontext models --json | jq -r '[.provider, .model, .operation, .price.usd] | @tsv'
  kontext models --debug  (also shows where each setting comes from)
"""


def models(
    provider: options.Provider = None,
    model: options.Model = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List providers, models, options and prices. Needs no key and no network."""
    from kontext_cli.commands.models import show

    show(provider, model, as_json=json, with_settings=debug)
