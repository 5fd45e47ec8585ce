"""`kontext cancel`: ask the provider to cancel jobs."""

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext cancel 1q3x
  kontext cancel 764cabcf-b745-4b3e-ae38-1200304cf45b -p fal
"""


def cancel(
    jobs: options.NamedJobs,
    provider: options.AtProvider = None,
    model: options.AtModel = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Ask the provider to cancel jobs. A running job may still finish and be billed."""
    from kontext_cli.commands.cancel import run_cancel

    result = run_cancel(jobs, provider=provider, model=model, debug=debug)
    return show(result, as_json=json, quiet=quiet)
