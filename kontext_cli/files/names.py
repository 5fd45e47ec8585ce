"""The paths of a job's images, and what to do where a name is taken."""

import itertools
import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Literal, NamedTuple, get_args

from kontext_cli.errors import NameTaken, OutputFault, UsageError
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.disk import is_special
from kontext_cli.files.place import is_object, place, typed_place
from kontext_cli.files.slugs import has_name_here, slugify
from kontext_cli.files.templates import MOST_NAME_BYTES, Fields, Template, parse
from kontext_cli.job import FileFormat

__all__ = [
    "Exists",
    "Names",
    "check_output",
    "fit_suffix",
    "format_of",
    "name_files",
    "slugify",
    "template_fields",
]

Exists = Literal["error", "skip", "number", "overwrite"]
OutputFormat = Literal["jpeg", "png"]

_SUFFIXES: dict[FileFormat, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg"),
    "png": (".png",),
    "webp": (".webp",),
}
_ALL_SUFFIXES = tuple(itertools.chain(*_SUFFIXES.values()))
_NOT_MADE = frozenset(
    {".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".svg", ".pdf"}
)
_ODD_ON_WINDOWS = frozenset('<>:"|?*')
_HERE = Path()


class Names(NamedTuple):
    """The files of a job's images in order, relative paths as they were given.

    ``skip``: all files exist already, under the suffixes they have here, and `--exists skip` was
    given. ``notices`` are printed for the user. Paths are text, of which many take less time and
    memory.
    """

    files: tuple[str, ...]
    skip: bool = False
    notices: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files as paths."""
        return tuple(map(place, self.files))


class _Plan(NamedTuple):
    """Paths without number and suffix, one for each image, and the suffix of all."""

    stems: Sequence[str]
    suffix: str
    numbered: bool
    notices: tuple[str, ...]

    def files(self, attempt: int = 1) -> tuple[str, ...]:
        again = f"-{attempt}" if attempt > 1 else ""
        if not self.numbered:
            return tuple([f"{stem}{again}{self.suffix}" for stem in self.stems])
        return tuple(
            [f"{stem}{again}-{n}{self.suffix}" for n, stem in enumerate(self.stems, start=1)]
        )


def template_fields(template: str) -> frozenset[str]:
    """The fields that a name template uses; raises UsageError for an invalid template."""
    return parse(template).fields


def format_of(output: str) -> OutputFormat | None:
    """The format of a typed name by its suffix; None without a known suffix."""
    suffix = PurePath(output).suffix.lower()
    kinds: tuple[OutputFormat, ...] = get_args(OutputFormat)
    return next((kind for kind in kinds if suffix in _SUFFIXES[kind]), None)


def check_output(output: str, folder: Path) -> None:
    """Raises UsageError for a literal name that no image can have."""
    if is_object(output):
        folder, output = _split_url(output)
    if not is_special(folder / output):
        _from_output(output, folder, 1, "jpeg")


def fit_suffix(path: Path, output_format: FileFormat) -> Path:
    """The path with a suffix of the format; a suffix that fits is kept."""
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
    apart: Callable[[], Collection[Path]] = tuple,
    may_have: Callable[[str], bool] = lambda _path: True,
    beside: bool = False,
) -> Names:
    """Name the ``count`` images of a job, by a literal ``output`` or else by the template.

    Several images get `-1`, `-2`… before the suffix, unless the template has `{n}`. A device or a
    pipe that ``output`` names is taken as it is, whatever ``exists`` says. A name is taken by a
    file that has it, with whatever suffix of an image. Files among ``ours`` may be replaced, those
    ``apart`` take no name but their very own. ``may_have`` knows of paths that are certainly free,
    whatever suffix is put on. With ``beside``, the name of a sidecar has to be free as well.
    Raises UsageError for names that cannot be, NameTaken and OutputFault for those in use.
    """
    if output is not None and is_object(output):
        folder, output = _split_url(output)
    if output is not None and may_have(_stem(os.path.join(folder, output))):  # noqa: PTH118
        path = folder / output
        if is_special(path):
            return _special(output, path, count)
    if output is None:
        plan = _from_template(parse(template), folder, fields, count, output_format)
    else:
        plan = _from_output(output, folder, count, output_format)
    files = plan.files()
    sidecars = map(sidecar_name, files) if beside else ()
    if not any(map(may_have, itertools.chain(map(_stem, files), sidecars))):
        return Names(files, notices=plan.notices)

    def is_of_others(path: Path) -> bool:
        return path not in ours and path not in apart()

    def taker(file: str) -> str | None:
        return image_taker(file) or (sidecar_taker(file) if beside else None)

    def sidecar_taker(file: str) -> str | None:
        sidecar = sidecar_name(file)
        is_free = place(file) in ours or not may_have(sidecar) or not _exists(sidecar)
        return None if is_free else sidecar

    def image_taker(file: str) -> str | None:
        if not may_have(_stem(file)):
            return None
        if _exists(file) and place(file) not in ours:
            return file
        there = filter(_exists, _siblings(file))
        return next((each for each in there if is_of_others(place(each))), None)

    return _settle(plan, exists, taker, beside=beside)


def _special(output: str, path: Path, count: int) -> Names:
    if count > 1:
        raise UsageError(
            f"`{output}` is no regular file, and takes one image, not {count}",
            hint="choose a folder with `-d`",
        )
    return Names((str(path),))


def _from_template(
    template: Template, folder: Path, fields: Fields, count: int, output_format: OutputFormat
) -> _Plan:
    at, suffix, notices = _same_for_all(template, folder, output_format)
    sep = "/" if is_object(folder) else os.sep
    if "n" in template.fields:
        rendered = [template.render({**fields, "n": n}) for n in range(1, count + 1)]
    else:
        rendered = [template.render(fields)] * count
    return _Plan(
        stems=[at + sep.join(components) for components in rendered],
        suffix=suffix,
        numbered=count > 1 and "n" not in template.fields,
        notices=notices,
    )


@lru_cache(maxsize=64)
def _same_for_all(
    template: Template, folder: Path, output_format: OutputFormat
) -> tuple[str, str, tuple[str, ...]]:
    """What the names of all jobs begin and end with, and the notices about the latter."""
    suffix = _suffix(template.suffix, output_format)
    notices = _corrections(template.text, template.suffix, suffix, output_format)
    return "" if folder == _HERE else os.path.join(folder, ""), suffix, notices  # noqa: PTH118


def _from_output(output: str, folder: Path, count: int, output_format: OutputFormat) -> _Plan:
    path = folder / output
    typed = _typed_suffix(path.name)
    stem = path.name.removesuffix(typed)
    _check_output(output, path, stem)
    suffix = _suffix(typed, output_format)
    return _Plan(
        stems=[str(path.with_name(stem))] * count,
        suffix=suffix,
        numbered=count > 1,
        notices=_corrections(output, typed, suffix, output_format),
    )


def _split_url(output: str) -> tuple[Path, str]:
    """The prefix and the name of the URL of an image. Raises UsageError where it has no name."""
    path = typed_place(output)
    if output.endswith("/") or len(path.parts) <= 2:  # the scheme and the bucket
        raise UsageError(f"`{output}` is a folder", hint=f"use `-d {output}`")
    return path.parent, path.name


def _check_output(output: str, path: Path, stem: str) -> None:
    if not _is_nameable(output):
        raise UsageError(f"`{output}` cannot be a file name", hint="choose another with `-o`")
    if output.endswith(("/", os.sep)) or not path.name or _is_folder(path):
        raise UsageError(f"`{output}` is a folder", hint=f"use `-d {output}`")
    if path.suffix.lower() in _NOT_MADE:
        raise UsageError(
            f"`{output}` asks for `{path.suffix}`, but images are JPEG or PNG",
            hint="end the name in `.jpg` or `.png`",
        )
    if not stem.strip(". ") or (os.name == "nt" and _ODD_ON_WINDOWS & set(stem)):
        raise UsageError(f"`{output}` cannot be a file name", hint="choose another with `-o`")
    if len(os.fsencode(stem)) > MOST_NAME_BYTES:
        raise UsageError(
            f"`{output}` has a name of more than {MOST_NAME_BYTES} bytes", hint="shorten it"
        )


def _settle(
    plan: _Plan, exists: Exists, taker: Callable[[str], str | None], *, beside: bool
) -> Names:
    """Apply ``exists`` to names that are taken; ``taker`` finds the file that has a name."""
    files = plan.files()
    if exists == "overwrite":
        _refuse_irregular(Path(file) for file in files if taker(file))
        _refuse_irregular(Path(sidecar_name(file)) for file in files if beside)
    elif exists == "number":
        attempts = (plan.files(attempt) for attempt in itertools.count(1))
        files = next(names for names in attempts if not any(map(taker, names)))
    else:
        found = [(file, there) for file in files if (there := taker(file))]
        are_images = all(there != sidecar_name(file) for file, there in found)
        if exists == "skip" and len(found) == len(files) and are_images:
            return Names(tuple(there for _, there in found), skip=True, notices=plan.notices)
        if found:
            raise _taken(*found[0], exists)
    return Names(files, notices=plan.notices)


def sidecar_name(file: str) -> str:
    """The path of the sidecar of an image: its own, with another suffix."""
    return f"{file}.json"


def _siblings(path: str) -> list[str]:
    """The same name with each other suffix of an image: the suffix follows the bytes, so that an
    earlier run may have saved this very image so."""
    siblings = (_stem(path) + suffix for suffix in _ALL_SUFFIXES)
    return [each for each in siblings if each != path]


def _stem(path: str) -> str:
    """A path without the suffix of an image."""
    stem, dot, suffix = path.rpartition(".")
    return stem if dot + suffix.lower() in _ALL_SUFFIXES else path


def _taken(file: str, there: str, exists: Exists) -> NameTaken:
    what = f"`{there}` is there already"
    if there == sidecar_name(file):
        what += f", where the sidecar of `{Path(file).name}` goes"
    elif there != file:
        what += f", which blocks `{Path(file).name}`: the same name with another extension"
    if exists == "skip":
        what += "; the job's other files are not"
        return NameTaken(what, hint="use `--exists number` or `overwrite`")
    return NameTaken(what, hint="use `--exists number`, `skip` or `overwrite`")


def _refuse_irregular(paths: Iterable[Path]) -> None:
    """Raise OutputFault for folders, devices and pipes, which are never replaced."""
    for path in paths:
        if _is_folder(path) or is_special(path):
            what = "a folder" if _is_folder(path) else "no regular file"
            raise OutputFault(f"cannot write `{path}`: it is {what}", hint="choose another name")


def _typed_suffix(name: str) -> str:
    """The suffix of a file name, if it is one of an image; else empty."""
    suffix = PurePath(name).suffix
    return suffix if suffix.lower() in _ALL_SUFFIXES else ""


def _suffix(typed: str, output_format: FileFormat) -> str:
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


def _exists(name: str) -> bool:
    return destination_of(name).exists(name)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
