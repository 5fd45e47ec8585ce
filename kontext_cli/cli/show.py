"""`kontext show`: images in the terminal."""

from typing import Annotated, Literal

import typer

from kontext_cli.terminal.result import show as show_result

EXAMPLES = """\b
Examples:
  kontext show lighthouse.jpg
  kontext show a.jpg b.jpg c.png            # side by side
  kontext show *.png --width 30
  kontext show lighthouse.jpg --preview blocks > lighthouse.ansi
"""


def show(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Images: JPEG, PNG, WebP or GIF files.")
    ],
    width: Annotated[
        int | None,
        typer.Option(
            "--width",
            metavar="COLUMNS",
            min=1,
            help="Width of each image at most. Default: as many as fit side by side.",
        ),
    ] = None,
    preview: Annotated[
        Literal["auto", "kitty", "iterm", "blocks"] | None,
        typer.Option(
            "--preview",
            metavar="WHEN",
            help="How to draw. One of auto, kitty, iterm, blocks. Default: KONTEXT_PREVIEW, else "
            "what the terminal supports.",
        ),
    ] = None,
) -> int:
    """Show images in the terminal."""
    from kontext_cli.commands.show import run_show

    return show_result(run_show(files, width=width, preview=preview))
