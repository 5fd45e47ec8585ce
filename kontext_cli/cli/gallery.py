"""`kontext gallery`: a page or a contact sheet of what was made."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext gallery -o page.html           # the last batch
  kontext gallery --batch cards -o page.html
  kontext gallery images -o page.html    # a directory of images
  kontext gallery images --inline -o page.html  # all in one file
  kontext gallery -o sheet.png --columns 4 --label id,seed
"""


def gallery(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|DIR]...",
            help="Images, and directories with images. Default: the last batch.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Required. A .html page, or a .png or .jpg contact sheet.",
        ),
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="Show the rows of this batch.")
    ] = None,
    inline: Annotated[
        bool,
        typer.Option("--inline", help="Put the images into the page itself, in a smaller size."),
    ] = False,
    columns: Annotated[
        int | None,
        typer.Option("--columns", metavar="N", min=1, max=1000, help="Columns of the sheet."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="NAME,...",
            help="Labels on the sheet: prompt (default), id, seed, model, provider, cost, state, "
            "file.",
        ),
    ] = None,
    json: options.JsonRecords = False,
    quiet: options.Quiet = False,
) -> int:
    """Make a page or a contact sheet of images.

    The page links to the images where they lie, has its thumbnails in a directory beside it, and
    loads nothing from a network.
    """
    from kontext_cli.commands.gallery import make_gallery

    result = make_gallery(
        paths or (),
        output=output,
        batch=batch,
        inline=inline,
        columns=columns,
        label=label,
        as_json=json,
        quiet=quiet,
    )
    return show(result, as_json=json, quiet=quiet)
