"""`kontext replay`: make images again, by what is known of how they were made."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kontext_cli.batch.faults import Faults
from kontext_cli.batch.sources import BatchSource, rows_of_recipes
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.repeating import Again, Repeater
from kontext_cli.engine.known import Image, read_image, with_journal
from kontext_cli.engine.recipe import input_images, recipe_of
from kontext_cli.errors import KontextError
from kontext_cli.files.inputs import typed_image
from kontext_cli.settings.paths import from_home, journal_location
from kontext_cli.settings.settings import Settings
from kontext_cli.terminal.input import check_single_use, read_prompt
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.result import Result

_MOST_NAMED = 3


def run_replay(flags: Flags) -> Result:
    """Make each image again: one as `generate` and `edit` do it, several as a batch.

    Raises KontextError for any fault that is found before anything is sent.
    """
    check_single_use(flags.prompt, flags.images, flags.files)
    files = [*dict.fromkeys(map(from_home, flags.files))]
    flags = flags._replace(files=files)
    prompt = None
    if flags.prompt is not None:
        prompt = read_prompt(flags.prompt, "generate", quiet=flags.quiet)
    repeater = Repeater(flags, Settings.load(os.environ), prompt)
    if not flags.is_batch:
        again = _of_one(files[0], flags, repeater)
        _print_notices({text: [files[0]] for text in again.notices}, flags)
        from kontext_cli.commands.generate import run_one

        return run_one(again.flags(flags))
    from kontext_cli.commands.batch import run_batch

    return run_batch(flags, _source(flags, repeater))


def _of_one(file: str, flags: Flags, repeater: Repeater) -> Again:
    """The request for an image. Raises KontextError that names it."""
    [image] = _with_journal([read_image(typed_image(file))], flags)
    try:
        return _again(file, image, flags, repeater)
    except KontextError as error:
        raise error.replace(f"`{file}`: {error.message}") from None


def _again(file: str, image: Image, flags: Flags, repeater: Repeater) -> Again:
    """The request for an image with the inputs that it had, or those given."""
    recipe = recipe_of(image)
    if flags.images:
        return repeater.again(recipe, flags.images)
    images, notices = input_images(recipe, image, file)
    again = repeater.again(recipe, images)
    return again._replace(notices=(*again.notices, *notices))


def _source(flags: Flags, repeater: Repeater) -> BatchSource:
    """The rows for several images; those of one job are one row.

    Raises one KontextError with all that is wrong.
    """
    images: dict[str, Image] = {}
    wrong: dict[str, KontextError] = {}
    for file in flags.files:
        try:
            images[file] = read_image(typed_image(file))
        except KontextError as fault:
            wrong[file] = fault
    found: dict[str, Again] = {}
    for file, image in zip(images, _with_journal([*images.values()], flags), strict=True):
        try:
            found[file] = _again(file, image, flags, repeater)
        except KontextError as error:
            wrong[file] = error
    _raise_all(flags.files, wrong)
    rows: dict[str, dict[str, Any]] = {}
    notices: dict[str, list[str]] = {}
    for file, again, text in _each_job_once(found):
        if again is not None:
            rows[file] = again.row(with_images=not flags.images)
        for each in again.notices if again is not None else (text,):
            notices.setdefault(each, []).append(file)
    _print_notices(notices, flags)
    return rows_of_recipes(rows)


def _each_job_once(found: Mapping[str, Again]) -> Iterator[tuple[str, Again | None, str]]:
    """Each image with its request, or why it needs none."""
    first: dict[str, str] = {}
    for file, again in found.items():
        before = first.setdefault(again.job or file, file)
        if before == file:
            yield file, again, ""
        else:
            yield file, None, f"it is the same request as that of `{before}`, and made once"


def _raise_all(files: Sequence[str], wrong: Mapping[str, KontextError]) -> None:
    """Raise what is wrong as one error; each with its own hint, as these name the images."""
    source = rows_of_recipes({file: {} for file in files})
    faults = Faults(source)
    for row in source.rows:
        if error := wrong.get(row.file):
            hint = f" ({error.hint})" if error.hint else ""
            faults.add(row, error.replace(f"{error.message}{hint}"))
    faults.raise_all()


def _with_journal(images: Sequence[Image], flags: Flags) -> list[Image]:
    return with_journal(images, journal_location(os.environ), lambda text: _notice(text, flags))


def _print_notices(notices: Mapping[str, Sequence[str]], flags: Flags) -> None:
    """Print each notice once, with the images that it is about."""
    for text, files in notices.items():
        names = ", ".join(f"`{file}`" for file in files[:_MOST_NAMED])
        more = len(files) - _MOST_NAMED
        _notice(f"{names}{f' and {more:,} more' if more > 0 else ''}: {text}", flags)


def _notice(text: str, flags: Flags) -> None:
    if not flags.quiet:
        to_stderr(f"notice: {one_line(text)}")
