"""`kontext replay`: make images again."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.cli.defaults import used_defaults
from kontext_cli.commands.flags import Flags
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext replay lighthouse.jpg --dry-run  # what was sent
  kontext replay lighthouse.jpg -n 4 --seed 7
  kontext replay lighthouse.jpg -p replicate -m kontext-max
  kontext replay winter.jpg -i moved/house.jpg
  kontext replay images/*.jpg -d again --max-cost 5
"""


@options.with_request_options
def replay(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Images: JPEG, PNG or WebP files.")
    ],
    prompt: options.OtherPrompt = None,
    image: options.Images = None,
    provider: options.Provider = None,
    model: options.Model = None,
    aspect_ratio: str | None = None,
    resolution: str | None = None,
    num_images: int | None = None,
    seed: int | None = None,
    guidance_scale: float | None = None,
    safety_tolerance: int | None = None,
    no_safety_checker: bool = False,
    steps: int | None = None,
    output_format: str | None = None,
    enhance_prompt: bool = False,
    sync_mode: bool = False,
    keep_flagged: bool = False,
    metadata: str | None = None,
    sidecar: bool = False,
    output: options.Output = None,
    output_dir: options.OutputDir = None,
    name: options.NameTemplate = None,
    exists: options.Exists = None,
    jobs: options.JobsInFlight = None,
    fail_fast: options.FailFast = False,
    max_failures: options.MaxFailures = None,
    retry_failed: options.RetryFailed = False,
    on_unknown: options.OnUnknown = "hold",
    force: options.Force = False,
    max_cost: options.MaxCost = None,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 600,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
    preview: options.Preview = None,
    open_images: options.Open = False,
) -> int:
    """Make images again, by the requests that made them.

    The options given win. Defaults are for what an image does not say.
    """
    arguments = locals()
    arguments.pop("context")
    absent = dict.fromkeys(("prompts_file", "batch", "limit", "only", "shard"))
    from kontext_cli.commands.replay import run_replay

    given = {**arguments, **absent}
    flags = Flags.of("generate", context.obj or (), given, used_defaults(context))
    return show(run_replay(flags), as_json=flags.json, quiet=flags.quiet)
