"""Every flag and argument with its help; those of requests come from the table of options."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import typer

from kontext_cli.cli.provider_names import known_provider, known_providers
from kontext_cli.errors import UsageError
from kontext_cli.options import OPTIONS, RequestOption
from kontext_cli.providers import NAMES
from kontext_cli.quantities import seconds, us_dollars
from kontext_cli.settings import config
from kontext_cli.words import flag

_Command = TypeVar("_Command", bound=Callable[..., Any])

_IMAGE = "Image"
_BATCH = "Batch"
_FILES = "Files"
_WAITING = "Waiting"
_OUTPUT = "Output"


def _timeout(typed: str | float) -> float:
    """The seconds of a duration as typed; the default is a number already."""
    try:
        time = seconds(typed) if isinstance(typed, str) else typed
    except ValueError:
        time = 0
    if not 0 < time < float("inf"):
        raise UsageError(
            f"--timeout should be a duration above 0, not `{typed}`", hint="as in 300, 30s, 5m, 1h"
        )
    return time


def _max_cost(typed: str) -> float:
    try:
        return us_dollars(typed)
    except ValueError:
        hint = "as in 5, 0.50, '$5'"
        if not typed:
            hint = "the shell expands $5 as a variable: write 5, or '$5'"
        raise UsageError(f"--max-cost should be US dollars, not `{typed}`", hint=hint) from None


def with_request_options(command: _Command) -> _Command:
    """Annotate the parameters of a command that are in the table of options."""
    types = command.__annotations__
    types.update({row.name: _annotation(row) for row in OPTIONS if row.name in types})
    return command


def _annotation(row: RequestOption) -> Any:
    """The parameter's type for Typer, with its flag and help."""
    option = typer.Option(
        flag(row.name),
        *([row.short] if row.short else []),
        metavar=_METAVARS.get(row.name) or _METAVARS.get(row.type),
        help=row.description,
        rich_help_panel=_IMAGE if row.sent else _FILES,
    )
    return Annotated[row.annotation if row.type is bool else row.annotation | None, option]


_METAVARS = {int: "N", float: "X", "aspect_ratio": "R", "output_format": "TYPE", "metadata": "WHAT"}

Prompt = Annotated[
    str | None,
    typer.Argument(
        metavar="[PROMPT]",
        help="What to make, or what to change. Read from standard input if it is `-`, or if it is "
        "left out and text is piped in.",
    ),
]
OtherPrompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        metavar="PROMPT",
        help="Another prompt than that of the image; `-` is standard input.",
        rich_help_panel=_IMAGE,
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        "-i",
        metavar="IMAGE",
        help="Input image: a path, a URL of https, s3, gs or az, or `-` for standard input. "
        "Repeatable.",
        rich_help_panel=_IMAGE,
    ),
]


Provider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        callback=known_providers,
        metavar="NAME",
        help=f"Provider: {', '.join(NAMES)}. Of several, as in fal,aimlapi, the next one is tried "
        "only where the one before certainly did not accept the job. Default: KONTEXT_PROVIDER, "
        "else the first with a key.",
        rich_help_panel=_IMAGE,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, "
        "flux-2-flex, flux-3, or an endpoint id of the provider.",
        rich_help_panel=_IMAGE,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Output file. `-` is standard output.",
        rich_help_panel=_FILES,
    ),
]
OutputDir = Annotated[
    str | None,
    typer.Option(
        "--output-dir",
        "-d",
        metavar="DIR",
        help="Output directory, created if missing, or s3://, gs://, az://.",
        rich_help_panel=_FILES,
    ),
]
NameTemplate = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        help="Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} "
        "{provider} {model} {stem} {date}. Default in a batch: {id} for rows with an id, "
        "{index}-{slug} for others.",
        rich_help_panel=_FILES,
    ),
]
Exists = Annotated[
    Literal["error", "skip", "number", "overwrite"] | None,
    typer.Option(
        "--exists",
        metavar="ACTION",
        help="What to do if a file exists. One of error, skip, number, overwrite. Default: error, "
        "but `number` for the automatic name of a single job.",
        rich_help_panel=_FILES,
    ),
]
PromptsFile = Annotated[
    list[str] | None,
    typer.Option(
        "--prompts-file",
        "-f",
        metavar="FILE",
        help="Run a job for each row: .txt (one prompt per line), .jsonl, .json, .csv, .tsv, or "
        "`-`. Repeatable.",
        rich_help_panel=_BATCH,
    ),
]
Each = Annotated[
    bool,
    typer.Option(
        "--each",
        help="Run a job for each image given with -i; a directory stands for the images in it.",
        rich_help_panel=_BATCH,
    ),
]
JobsInFlight = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        max=1000,
        help="Maximum number of jobs in flight, 1 to 1000. Reduced when the provider is too busy.",
        rich_help_panel=_BATCH,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=0, help="Run only the first N rows.", rich_help_panel=_BATCH
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="ID,...",
        help="Run only these rows, given by id or number.",
        rich_help_panel=_BATCH,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N|auto",
        help=(
            "Run only part I of N of the rows. A row is in the same part on every machine. `auto` "
            "is the part that Slurm, AWS Batch, GitLab, CircleCI, Buildkite, Bitbucket or Cloud "
            "Run names; `auto/N` that of a Kubernetes Job."
        ),
        rich_help_panel=_BATCH,
    ),
]
FailFast = Annotated[
    bool,
    typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_BATCH),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures", metavar="N", min=1, help="Stop after N failures.", rich_help_panel=_BATCH
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Also retry rows that were moderated, and failed rows that may have been billed.",
        rich_help_panel=_BATCH,
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch",
        metavar="NAME",
        help="Name of the batch. Default: identified by its prompts files and output directory.",
        rich_help_panel=_BATCH,
    ),
]
OnUnknown = Annotated[
    Literal["hold", "resubmit"],
    typer.Option(
        "--on-unknown",
        metavar="ACTION",
        help="What to do with rows that may have been accepted in an earlier run: hold or "
        "resubmit them.",
        rich_help_panel=_BATCH,
    ),
]
Lock = Annotated[
    bool,
    typer.Option(
        "--lock",
        help="Keep a lock beside the prompts file, to be committed with the images: `kontext "
        "check` compares them. Once it is there, it is used without the flag.",
        rich_help_panel=_BATCH,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Also regenerate finished rows.", rich_help_panel=_BATCH),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="USD",
        parser=_max_cost,
        help="Send nothing if the estimated cost is higher.",
        rich_help_panel=_IMAGE,
    ),
]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="Submit, print the job id, and exit. `kontext fetch ID` downloads the images.",
        rich_help_panel=_WAITING,
    ),
]
Jobs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB]...",
        help="A job id or an unambiguous prefix of one; with --provider also a request id.",
    ),
]
NamedJobs = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...",
        help="A job id or an unambiguous prefix of one; with --provider also a request id.",
    ),
]
OneProvider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        callback=known_provider,
        metavar="NAME",
        help=f"Only the models of this provider. One of {', '.join(NAMES)}.",
    ),
]
AtProvider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        callback=known_provider,
        metavar="NAME",
        help="Provider of the request id, for a job that was submitted elsewhere.",
    ),
]
AtModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Model that the job with that request id was submitted to.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        parser=_timeout,
        help="How long to wait for each job, in seconds or as in 30s, 5m, 1h.",
        rich_help_panel=_WAITING,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print the request, the files and the estimated cost; send nothing.",
        rich_help_panel=_OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON Lines on standard output, one object per job.",
        rich_help_panel=_OUTPUT,
    ),
]
JsonRecords = Annotated[
    bool,
    typer.Option("--json", help="Print JSON Lines on standard output.", rich_help_panel=_OUTPUT),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print only errors on standard error.", rich_help_panel=_OUTPUT
    ),
]
Preview = Annotated[
    config.Preview | None,
    typer.Option(
        "--preview",
        metavar="WHEN",
        help="Show each image on the terminal as it is saved. One of auto, kitty, iterm, blocks, "
        "off. Default: KONTEXT_PREVIEW, else off.",
        rich_help_panel=_OUTPUT,
    ),
]
Open = Annotated[
    bool,
    typer.Option(
        "--open",
        help="Open the saved images with the viewer of the system.",
        rich_help_panel=_OUTPUT,
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Log each request on standard error, without secrets.",
        rich_help_panel=_OUTPUT,
    ),
]
