"""`kontext generate`: make an image from a prompt."""

from typing import Any

import typer

from kontext_cli.cli import options
from kontext_cli.cli.defaults import used_defaults
from kontext_cli.commands.flags import Flags
from kontext_cli.job import Operation
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext generate "a lighthouse in fog"
  kontext generate "a lighthouse in fog" -a 16:9 -n 4 -d images
  kontext generate "a lighthouse in fog" -p fal -m kontext-max -o fog.png
  kontext generate -f prompts.txt -d images --max-cost 5
  echo "a lighthouse in fog" | kontext generate - -o - > lighthouse.jpg
  kontext generate "a lighthouse in fog" --provider sandbox  # offline, no key
"""


@options.with_request_options
def generate(
    context: typer.Context,
    prompt: options.Prompt = None,
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
    prompts_file: options.PromptsFile = None,
    jobs: options.JobsInFlight = None,
    limit: options.Limit = None,
    only: options.Only = None,
    shard: options.Shard = None,
    lock: options.Lock = False,
    fail_fast: options.FailFast = False,
    max_failures: options.MaxFailures = None,
    retry_failed: options.RetryFailed = False,
    batch: options.Batch = None,
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
    """Make an image from a prompt."""
    return run("generate", locals())


def run(operation: Operation, arguments: dict[str, Any]) -> int:
    """Run `generate` or `edit` with the arguments of its function."""
    context = arguments.pop("context")
    flags = Flags.of(operation, context.obj or (), arguments, used_defaults(context))
    if flags.is_batch:
        from kontext_cli.commands.batch import run_batch

        result = run_batch(flags)
    else:
        from kontext_cli.commands.generate import run_one

        result = run_one(flags)
    return show(result, as_json=flags.json, quiet=flags.quiet)
