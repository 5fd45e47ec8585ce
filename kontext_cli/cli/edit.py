"""`kontext edit`: pictures and an instruction."""

from kontext_cli.cli import options
from kontext_cli.cli.flags import Flags

EXAMPLES = """\b
Examples:
  kontext edit "make it winter" -i house.jpg
  kontext edit "put the duck on the shirt" -i duck.png -i shirt.jpg -o duck-shirt.png
  kontext edit "add a bird" -i https://example.com/beach.png -p aimlapi
  cat house.jpg | kontext edit "make it winter" -i - -o - > winter.jpg
  kontext edit "make it winter" -i house.jpg --dry-run          (send nothing)
"""


def edit(
    prompt: options.Prompt = None,
    image: options.Images = None,
    provider: options.Provider = None,
    model: options.Model = None,
    aspect_ratio: options.AspectRatio = None,
    num_images: options.NumImages = None,
    seed: options.Seed = None,
    guidance_scale: options.GuidanceScale = None,
    safety_tolerance: options.SafetyTolerance = None,
    output_format: options.OutputFormat = None,
    enhance_prompt: options.EnhancePrompt = False,
    sync_mode: options.SyncMode = False,
    keep_flagged: options.KeepFlagged = False,
    output: options.Output = None,
    output_dir: options.OutputDir = None,
    name: options.NameTemplate = None,
    exists: options.Exists = "error",
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 600,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Change one to four pictures as an instruction says."""
    flags = Flags(operation="edit", **locals())
    from kontext_cli.cli.make import run_one

    return run_one(flags)
