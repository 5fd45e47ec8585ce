"""Every flag and argument, once, with its help; those of a request come from their table."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import typer

from kontext_cli.errors import UsageError
from kontext_cli.options import OPTIONS, RequestOption
from kontext_cli.providers import Name
from kontext_cli.quantities import seconds, us_dollars
from kontext_cli.words import flag

_Command = TypeVar("_Command", bound=Callable[..., Any])

_MAKE = "What to make"
_MANY = "Many at once"
_PUT = "Where to put it"
_WAIT = "How to wait"
_TELL = "What is said"


def _timeout(typed: str | float) -> float:
    """The seconds of a time as typed; the default is a number already."""
    try:
        time = seconds(typed) if isinstance(typed, str) else typed
    except ValueError:
        time = 0
    if not 0 < time < float("inf"):
        raise UsageError(
            f"--timeout should be a time above 0, not `{typed}`", hint="as in 300, 30s, 5m, 1h"
        )
    return time


def _max_cost(typed: str) -> float:
    try:
        return us_dollars(typed)
    except ValueError:
        hint = "as in 5, 0.50, '$5'"
        if not typed:
            hint = "the shell takes the 5 of $5 for the name of a variable: write 5, or '$5'"
        raise UsageError(f"--max-cost should be US dollars, not `{typed}`", hint=hint) from None


def with_request_options(command: _Command) -> _Command:
    """Make flags of the parameters of a command that the table of options names."""
    types = command.__annotations__
    types.update({row.name: _annotation(row) for row in OPTIONS if row.name in types})
    return command


def _annotation(row: RequestOption) -> Any:
    """The parameter's type for Typer, with its flag and help."""
    option = typer.Option(
        flag(row.name),
        *([row.short] if row.short else []),
        metavar=_METAVARS.get(row.type),
        help=row.description,
        rich_help_panel=_MAKE if row.sent else _PUT,
    )
    return Annotated[row.annotation if row.type is bool else row.annotation | None, option]


_METAVARS = {int: "N", float: "X"}

Prompt = Annotated[
    str | None,
    typer.Argument(
        help="What to make, or what to change. `-`, or none where text is piped in, reads standard "
        "input to its end."
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        "-i",
        metavar="IMAGE",
        help="Input image: a path, an https URL, or `-` for standard input. Up to four times.",
        rich_help_panel=_MAKE,
    ),
]
Provider = Annotated[
    Name | None,
    typer.Option(
        "--provider",
        "-p",
        help="Who makes it. Else KONTEXT_PROVIDER, else the first with a key.",
        rich_help_panel=_MAKE,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="kontext-pro (the default), kontext-max, or a provider's own endpoint id.",
        rich_help_panel=_MAKE,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="The file. `-` is standard output.",
        rich_help_panel=_PUT,
    ),
]
OutputDir = Annotated[
    str | None,
    typer.Option(
        "--output-dir",
        "-d",
        metavar="DIR",
        help="The folder, made where it is missing.",
        rich_help_panel=_PUT,
    ),
]
NameTemplate = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        help="How files are named, of {index} {id} {slug} {seed} {n} {job} {provider} {model} "
        "{stem} {date}. In a batch else {id} for rows with an id, {index}-{slug} for others.",
        rich_help_panel=_PUT,
    ),
]
Exists = Annotated[
    Literal["error", "skip", "number", "overwrite"] | None,
    typer.Option(
        "--exists",
        help="What to do with a name that is taken. Else error; `number` where the name of a "
        "single job was not given.",
        rich_help_panel=_PUT,
    ),
]
PromptsFile = Annotated[
    list[str] | None,
    typer.Option(
        "--prompts-file",
        "-f",
        metavar="FILE",
        help="A job for each row: .txt (a prompt a line), .jsonl, .json, .csv, .tsv, or `-`. "
        "Repeatable.",
        rich_help_panel=_MANY,
    ),
]
Each = Annotated[
    bool,
    typer.Option(
        "--each",
        help="A job for each image, and for each picture in a folder, given with -i.",
        rich_help_panel=_MANY,
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
        help="Jobs in flight. Lowered by itself when the provider is too busy.",
        rich_help_panel=_MANY,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=0, help="Only the first N rows.", rich_help_panel=_MANY
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="ID,...",
        help="Only these rows, by their ids or numbers.",
        rich_help_panel=_MANY,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Part I of N of the rows, the same on every machine.",
        rich_help_panel=_MANY,
    ),
]
FailFast = Annotated[
    bool,
    typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_MANY),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures", metavar="N", min=1, help="Stop after N failures.", rich_help_panel=_MANY
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Also what failed and may have been billed, and what was moderated.",
        rich_help_panel=_MANY,
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch",
        metavar="NAME",
        help="What the batch is known by, else its file and its folder.",
        rich_help_panel=_MANY,
    ),
]
OnUnknown = Annotated[
    Literal["hold", "resubmit"],
    typer.Option(
        "--on-unknown",
        help="What to do about rows that may have been accepted before.",
        rich_help_panel=_MANY,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Make again what is there already.", rich_help_panel=_MANY),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="USD",
        parser=_max_cost,
        help="Send nothing if it would cost more.",
        rich_help_panel=_MAKE,
    ),
]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="Submit, print the job id, and leave. `kontext fetch ID` brings the pictures.",
        rich_help_panel=_WAIT,
    ),
]
Jobs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB]...",
        help="A job id, or any unambiguous start of one; with --provider also a request id.",
    ),
]
NamedJobs = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...",
        help="A job id, or any unambiguous start of one; with --provider also a request id.",
    ),
]
AtProvider = Annotated[
    Name | None,
    typer.Option("--provider", "-p", help="Whose request id it is, if the job is not one of ours."),
]
AtModel = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="NAME", help="The model that request id was for."),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        parser=_timeout,
        help="How long to wait for the images: seconds, or as in 30s, 5m, 1h.",
        rich_help_panel=_WAIT,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show what would be sent, written and paid; send nothing.",
        rich_help_panel=_TELL,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="JSON Lines on standard output, one object a job.", rich_help_panel=_TELL
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Nothing on standard error but errors.", rich_help_panel=_TELL
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Tell each request on standard error, without secrets.",
        rich_help_panel=_TELL,
    ),
]
