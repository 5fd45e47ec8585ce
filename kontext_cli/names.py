"""Which paths a job's pictures will get, and what to do about those that are taken."""

import itertools
import os
import unicodedata
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

from kontext_cli.errors import NameTaken, OutputFault, UsageError
from kontext_cli.slugs import has_name_here, slugify
from kontext_cli.templates import MOST_NAME_BYTES, Fields, Template, parse

__all__ = ["Exists", "Names", "fit_suffix", "format_of", "name_files", "slugify", "template_fields"]

Exists = Literal["error", "skip", "number", "overwrite"]
OutputFormat = Literal["jpeg", "png"]

_SUFFIXES: dict[OutputFormat, tuple[str, ...]] = {"jpeg": (".jpg", ".jpeg"), "png": (".png",)}
_NOT_MADE = frozenset(
    {".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".svg", ".pdf"}
)
_ODD_ON_WINDOWS = frozenset('<>:"|?*')


class Names(NamedTuple):
    """The paths of a job's pictures in order, relative ones as they were given.

    ``skip``: all of them are there already, and that was to be accepted. ``notices`` are for
    the user.
    """

    paths: tuple[Path, ...]
    skip: bool = False
    notices: tuple[str, ...] = ()


class _Plan(NamedTuple):
    """Names before their numbers: a path without suffix per picture, and the suffix of all."""

    stems: tuple[Path, ...]
    suffix: str
    numbered: bool
    notices: tuple[str, ...]

    def paths(self, attempt: int = 1) -> tuple[Path, ...]:
        again = f"-{attempt}" if attempt > 1 else ""
        return tuple(
            stem.with_name(f"{stem.name}{again}{f'-{n}' if self.numbered else ''}{self.suffix}")
            for n, stem in enumerate(self.stems, start=1)
        )


def template_fields(template: str) -> frozenset[str]:
    """The fields a name template uses; raises UsageError when it is none."""
    return parse(template).fields


def format_of(output: str) -> OutputFormat | None:
    """The format that a typed name asks for by its suffix; None when it does not say."""
    suffix = PurePath(output).suffix.lower()
    return next((kind for kind, known in _SUFFIXES.items() if suffix in known), None)


def fit_suffix(path: Path, output_format: OutputFormat) -> Path:
    """The path with a suffix that tells the format; one that tells it already is kept."""
    typed = _typed_suffix(path.name)
    return path.with_name(path.name.removesuffix(typed) + _suffix(typed, output_format))


def name_files(
    *,
    output: str | None,
    folder: Path,
    template: str,
    fields: Fields,
    count: int,
    output_format: OutputFormat,
    exists: Exists,
    ours: Collection[Path] = (),
) -> Names:
    """Name the ``count`` pictures of a job, by a literal ``output`` or else by the template.

    Several pictures get `-1`, `-2`… before the suffix, unless the template has `{n}`. Files among
    ``ours`` may be replaced. Raises UsageError for names that cannot be, NameTaken and OutputFault
    for those that are in use.
    """
    if output is None:
        plan = _from_template(parse(template), folder, fields, count, output_format)
    else:
        plan = _from_output(output, folder, count, output_format)
    return _settle(plan, exists, ours)


def _from_template(
    template: Template, folder: Path, fields: Fields, count: int, output_format: OutputFormat
) -> _Plan:
    rendered = [template.render({**fields, "n": n}) for n in range(1, count + 1)]
    suffix = _suffix(template.suffix, output_format)
    return _Plan(
        stems=tuple(folder.joinpath(*components) for components in rendered),
        suffix=suffix,
        numbered=count > 1 and "n" not in template.fields,
        notices=_corrections(template.text, template.suffix, suffix, output_format),
    )


def _from_output(output: str, folder: Path, count: int, output_format: OutputFormat) -> _Plan:
    path = folder / output
    typed = _typed_suffix(path.name)
    stem = path.name.removesuffix(typed)
    _check_output(output, path, stem)
    suffix = _suffix(typed, output_format)
    return _Plan(
        stems=(path.with_name(stem),) * count,
        suffix=suffix,
        numbered=count > 1,
        notices=_corrections(output, typed, suffix, output_format),
    )


def _check_output(output: str, path: Path, stem: str) -> None:
    if not _is_nameable(output):
        raise UsageError(f"`{output}` cannot be a file name", hint="choose another with `-o`")
    if output.endswith(("/", os.sep)) or not path.name or _is_folder(path):
        raise UsageError(f"`{output}` is a folder", hint=f"use `-d {output}`")
    if path.suffix.lower() in _NOT_MADE:
        raise UsageError(
            f"`{output}` asks for `{path.suffix}`, but pictures are JPEG or PNG",
            hint="end the name in `.jpg` or `.png`",
        )
    if not stem.strip(". ") or (os.name == "nt" and _ODD_ON_WINDOWS & set(stem)):
        raise UsageError(f"`{output}` cannot be a file name", hint="choose another with `-o`")
    if len(os.fsencode(stem)) > MOST_NAME_BYTES:
        raise UsageError(
            f"`{output}` has a name of more than {MOST_NAME_BYTES} bytes", hint="shorten it"
        )


def _settle(plan: _Plan, exists: Exists, ours: Collection[Path]) -> Names:
    """Decide about names that are taken."""

    def is_taken(path: Path) -> bool:
        return path not in ours and os.path.lexists(path)

    paths = plan.paths()
    taken = [path for path in paths if is_taken(path)]
    if exists == "overwrite":
        _refuse_folders(taken)
    elif exists == "number":
        attempts = (plan.paths(attempt) for attempt in itertools.count(1))
        paths = next(names for names in attempts if not any(map(is_taken, names)))
    elif exists == "skip" and len(taken) == len(paths):
        return Names(paths=paths, skip=True, notices=plan.notices)
    elif taken:
        raise NameTaken(
            f"`{taken[0]}` is there already"
            + (", but not the job's other files" if exists == "skip" else ""),
            hint=f"use {_ways_out(exists)}",
        )
    return Names(paths=paths, notices=plan.notices)


def _ways_out(exists: Exists) -> str:
    if exists == "skip":
        return "`--exists number` or `overwrite`"
    return "`--exists number`, `skip` or `overwrite`"


def _refuse_folders(taken: list[Path]) -> None:
    for path in taken:
        if _is_folder(path):
            raise OutputFault(f"cannot write `{path}`: it is a folder", hint="choose another name")


def _typed_suffix(name: str) -> str:
    """The suffix of a file name, if it is one of a picture we make; else empty."""
    return PurePath(name).suffix if format_of(name) else ""


def _suffix(typed: str, output_format: OutputFormat) -> str:
    known = _SUFFIXES[output_format]
    return typed if typed.lower() in known else known[0]


def _corrections(
    name: str, typed: str, suffix: str, output_format: OutputFormat
) -> tuple[str, ...]:
    if not typed or typed == suffix:
        return ()
    return (f"`{name}` gets the suffix `{suffix}`: the format is {output_format.upper()}",)


def _is_nameable(output: str) -> bool:
    odd = any(unicodedata.category(char) in {"Cc", "Cs"} for char in output)
    return bool(output) and not odd and has_name_here(output)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
