"""`kontext show`: images in the terminal."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from kontext_cli.errors import InputFault, OutputFault, UsageError
from kontext_cli.files.inputs import typed_image
from kontext_cli.settings.config import Preview
from kontext_cli.settings.paths import from_home
from kontext_cli.settings.settings import Settings
from kontext_cli.terminal.image_protocols import Protocol, can_show_blocks, protocol_of
from kontext_cli.terminal.output import draw_on_stdout, to_stderr
from kontext_cli.terminal.preview import Grid, Window
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.text import error_lines

_LINES_BELOW = 2
"""The caption and the prompt of the shell."""


def run_show(files: Sequence[str], *, width: int | None, preview: Preview | None) -> Result:
    """Draw the images on standard output, at most ``width`` columns wide each.

    Raises UsageError for a folder, and unless standard output is a terminal or ``preview`` says
    how to draw; OutputFault where it cannot be written.
    """
    paths = [typed_image(from_home(file)) for file in files]
    _check_folders(paths)
    protocol = _protocol(preview)
    if protocol is None:
        to_stderr("notice: this terminal cannot show images; `--preview blocks` tries it")
    window = Window.of(sys.stdout)
    grid = Grid.within(
        window,
        protocol,
        os.environ,
        count=len(paths),
        rows=window.rows - _LINES_BELOW,
        width=width,
    )
    faults: list[InputFault] = []
    for row in grid.draw(paths, faults, facts=True):
        draw_on_stdout(row)
    errors = [line for fault in faults for line in error_lines(fault)]
    return Result(faults[0].exit_code if faults else 0, errors=errors)


def _check_folders(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir():
            raise UsageError(
                f"`{path}` is a folder", hint=f"kontext gallery {quote(str(path))} -o gallery.html"
            )


def _protocol(preview: Preview | None) -> Protocol | None:
    """How to draw: as is said or set, else by the terminal; None if that cannot show images."""
    when = Settings.load(os.environ).preview(preview, default="auto")
    if sys.stdout is None:
        raise OutputFault("standard output is closed")
    if preview in (None, "auto") and not sys.stdout.isatty():
        raise UsageError(
            "`kontext show` draws on a terminal, and standard output is not one",
            hint="--preview blocks, kitty or iterm says how to draw elsewhere",
        )
    if when == "auto" or when == "off":  # noqa: PLR1714  # for mypy
        return protocol_of(os.environ, sys.stdout.encoding)
    return None if when == "blocks" and not can_show_blocks(sys.stdout.encoding) else when
