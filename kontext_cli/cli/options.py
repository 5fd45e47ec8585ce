"""Every flag and argument, once, with its help."""

from typing import Annotated, Literal

import typer

from kontext_cli.providers import Name

Prompt = Annotated[
    str | None,
    typer.Argument(help="What to make, or what to change. `-` reads standard input."),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        "-i",
        metavar="IMAGE",
        help="Input image: a path, an https URL, or `-` for standard input. Up to four times.",
    ),
]
Provider = Annotated[
    Name | None,
    typer.Option(
        "--provider", "-p", help="Who makes it. Else KONTEXT_PROVIDER, else the first with a key."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="kontext-pro (the default), kontext-max, or a provider's own endpoint id.",
    ),
]
AspectRatio = Annotated[
    Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"] | None,
    typer.Option(
        "--aspect-ratio", "-a", help="Shape. `generate`: 1:1 by default; `edit`: the input's."
    ),
]
NumImages = Annotated[
    int | None, typer.Option("--num-images", "-n", metavar="N", help="How many pictures, 1 to 4.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", help="The same seed and prompt make the same picture. Else chosen."
    ),
]
GuidanceScale = Annotated[
    float | None,
    typer.Option(
        "--guidance-scale", "-g", metavar="X", help="How closely to follow the prompt, 1 to 20."
    ),
]
SafetyTolerance = Annotated[
    int | None,
    typer.Option("--safety-tolerance", metavar="N", help="1 to 6; 1 is the strictest."),
]
OutputFormat = Annotated[
    Literal["jpeg", "png"] | None,
    typer.Option("--output-format", help="Else from the suffix of --output, else jpeg."),
]
EnhancePrompt = Annotated[
    bool, typer.Option("--enhance-prompt", help="Let the provider improve the prompt.")
]
SyncMode = Annotated[
    bool,
    typer.Option(
        "--sync-mode", help="The picture inside the reply, kept out of the provider's history."
    ),
]
KeepFlagged = Annotated[
    bool, typer.Option("--keep-flagged", help="Save what the provider flagged as unsafe, too.")
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="PATH", help="The file. `-` is standard output."),
]
OutputDir = Annotated[
    str | None,
    typer.Option("--output-dir", "-d", metavar="DIR", help="The folder, made where it is missing."),
]
NameTemplate = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        help="How files are named: {slug} {seed} {n} {job} {provider} {model} {stem} {date} …",
    ),
]
Exists = Annotated[
    Literal["error", "skip", "number", "overwrite"],
    typer.Option("--exists", help="What to do with a name that is taken."),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the pictures."),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be sent, written and paid; send nothing."),
]
Json = Annotated[
    bool, typer.Option("--json", help="JSON Lines on standard output, one object a job.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on standard error but errors.")]
Debug = Annotated[
    bool, typer.Option("--debug", help="Tell each request on standard error, without secrets.")
]
