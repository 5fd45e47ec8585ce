"""`kontext fetch`: wait for submitted jobs and save their images."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext fetch                             # all unfinished jobs
  kontext fetch 1q3x
  kontext fetch 1q3x -o lighthouse.jpg
  kontext fetch 1q3x --resubmit  # resubmit an unknown or failed job
  kontext fetch 764cabcf-b745-4b3e-ae38-1200304cf45b -p fal -d images
"""


@options.with_request_options
def fetch(
    jobs: options.Jobs = None,
    provider: options.AtProvider = None,
    model: options.AtModel = None,
    output: options.Output = None,
    output_dir: options.OutputDir = None,
    name: options.NameTemplate = None,
    keep_flagged: bool = False,
    resubmit: Annotated[
        bool,
        typer.Option(
            "--resubmit",
            help="Resubmit the given `unknown` or `failed` jobs. They may be billed again.",
        ),
    ] = False,
    timeout: options.Timeout = 600,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
    preview: options.Preview = None,
    open_images: options.Open = False,
) -> int:
    """Wait for jobs and save their images."""
    arguments = locals()
    from kontext_cli.commands.fetch import Fetch, run_fetch

    return show(run_fetch(Fetch(**arguments)), as_json=json, quiet=quiet)
