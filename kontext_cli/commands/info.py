"""`kontext info`: what is known of images, from sidecars, the files and the journal."""

import os
from collections.abc import Sequence

from kontext_cli.engine.known import Image, read_image, with_journal
from kontext_cli.errors import KontextError
from kontext_cli.files.inputs import typed_image
from kontext_cli.settings.paths import from_home, journal_location
from kontext_cli.terminal.info import info_lines, info_record
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.text import error_lines


def run_info(files: Sequence[str]) -> Result:
    """What is known of each image. One that cannot be read is an error, and stops no other."""
    images: list[Image] = []
    faults: list[KontextError] = []
    for file in files:
        try:
            images.append(read_image(typed_image(from_home(file))))
        except KontextError as fault:
            faults.append(fault)
    images = with_journal(images, journal_location(os.environ), _notice)
    return Result(
        faults[0].exit_code if faults else 0,
        text=info_lines(images),
        records=map(info_record, images),
        errors=[line for fault in faults for line in error_lines(fault)],
    )


def _notice(text: str) -> None:
    to_stderr(f"notice: {text}")
