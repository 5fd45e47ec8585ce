"""`kontext edit`: change images by an instruction."""

import typer

from kontext_cli.cli import options
from kontext_cli.cli.generate import run

EXAMPLES = """\b
Examples:
  kontext edit "make it winter" -i house.jpg
  kontext edit "put the duck on the shirt" -i duck.png -i shirt.jpg
  kontext edit "add a bird" -i https://example.com/beach.png -p aimlapi
  kontext edit "make it winter" -i photos --each -d winter
  cat house.jpg | kontext edit "make it winter" -i - -o - > winter.jpg
  kontext edit "make it winter" -i house.jpg --dry-run  # send nothing
"""


@options.with_request_options
def edit(
    context: typer.Context,
    prompt: options.Prompt = None,
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
    prompts_file: options.PromptsFile = None,
    each: options.Each = False,
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
    """Edit one or several images with a text instruction."""
    return run("edit", locals())
