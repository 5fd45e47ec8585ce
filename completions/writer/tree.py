"""The command tree as plain data: what completion scripts and the man page are written from."""

import inspect
import re
import typing
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Literal

import typer

from kontext_cli.gallery.contact_sheet import LABELS
from kontext_cli.options import OPTIONS, RequestOption
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.sandbox.faults import FAULTS
from kontext_cli.words import flag

Completes = Literal["file", "folder"] | None

_FILES = {"FILE", "IMAGE", "PATH"}
_FOLDERS = {"DIR"}
_FEW = 9
"""The highest number that is offered, of those that an option takes."""
_PLAIN_WORD = re.compile(r"[\w.:/+@%,][\w.:/+@%,-]*", re.ASCII)
_TYPOGRAPHY = str.maketrans({"–": "-", "—": "-", "×": "x", "’": "'", "“": '"', "”": '"', "→": "->"})


@dataclass(frozen=True, slots=True)
class Option:
    """A flag under all its names, and what may follow it; ``choices`` are offered, not enforced.

    ``group`` is the part of the help that it stands in.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    takes_value: bool = False
    completes: Completes = None
    repeatable: bool = False
    default: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Argument:
    """A word that stands by its place."""

    metavar: str
    help: str
    choices: tuple[str, ...]
    completes: Completes
    required: bool
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group of commands; ``path`` is how it is typed."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    subcommands: tuple["Command", ...]
    examples: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last word of its path."""
        return self.path[-1]

    def walk(self) -> Iterator["Command"]:
        """This command and all below it."""
        yield self
        for each in self.subcommands:
            yield from each.walk()


def tree(app: typer.Typer) -> Command:
    """The commands of ``app`` that its help shows."""
    return _command(typer.main.get_command(app), (app.info.name or "",), ["--help"])


def summary(text: str) -> str:
    """The first sentence of a help text: what a list has room for."""
    return re.split(r"(?<!\.)\.(?:\s|$)", text, maxsplit=1)[0]


def in_ascii(text: str) -> str:
    """Text that reads the same in every locale; Windows PowerShell takes a dash for a quote."""
    plain = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHY))
    return plain.encode("ascii", "ignore").decode()


def _command(command: Any, path: tuple[str, ...], help_flags: list[str]) -> Command:
    help_flags = command.context_settings.get("help_option_names", help_flags)
    options, arguments = _parameters(command)
    children = getattr(command, "commands", {}).items()
    return Command(
        path=path,
        help=in_ascii(" ".join(inspect.cleandoc(command.help or "").split())),
        options=(*options, _help_option(help_flags)),
        arguments=tuple(arguments),
        subcommands=tuple(
            _command(child, (*path, name), help_flags)
            for name, child in children
            if not child.hidden
        ),
        examples=_examples(command.epilog or ""),
    )


def _parameters(command: Any) -> tuple[list[Option], list[Argument]]:
    types = typing.get_type_hints(command.callback) if command.callback else {}
    options, arguments = [], []
    for parameter in command.params:
        if parameter.hidden:
            continue
        choices = tuple(_literals(types.get(parameter.name)))
        if parameter.param_type_name == "argument":
            arguments.append(_argument(parameter, choices))
        else:
            options.append(_option(parameter, choices))
    return options, arguments


def _option(option: Any, choices: tuple[str, ...]) -> Option:
    flags = _short_first([*option.opts, *option.secondary_opts])
    text = in_ascii(option.help or "")
    repeatable = option.multiple or option.count
    group = option.rich_help_panel or ""
    if option.is_flag or option.count:
        return Option(flags, text, repeatable=repeatable, group=group)
    metavar = option.metavar or "|".join(choices) or "VALUE"
    return Option(
        flags,
        text,
        metavar=metavar,
        choices=_OPEN_CHOICES[flags[-1]]() if flags[-1] in _OPEN_CHOICES else choices,
        takes_value=True,
        completes=_completes(metavar),
        repeatable=repeatable,
        default=_default(option.default),
        group=group,
    )


def _models() -> tuple[str, ...]:
    """The models that have a name with us; `--model` takes others, too."""
    endpoints = (each for name in NAMES for each in provider_class(name).endpoints)
    # Not those with a route: bash splits words at their colons.
    return tuple(dict.fromkeys(each.model for each in endpoints if ":" not in each.model))


def _numbers(row: RequestOption) -> tuple[str, ...]:
    """The values of an option that takes a few whole numbers; none for all others."""
    if row.type is not int or row.least is None or row.most is None or row.most > _FEW:
        return ()
    return tuple(map(str, range(row.least, row.most + 1)))


_OPEN_CHOICES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "--model": _models,
    "--provider": lambda: NAMES,
    "PROVIDER": lambda: NAMES,
    "--fault": lambda: tuple(FAULTS),
    "--label": lambda: tuple(LABELS),
    "--shard": lambda: ("auto",),
    **{flag(row.name): partial(_numbers, row) for row in OPTIONS if _numbers(row)},
}
"""Options and arguments that take more than the words to complete."""


def _argument(argument: Any, choices: tuple[str, ...]) -> Argument:
    metavar = (argument.metavar or argument.name.upper()).strip("[]. ")
    return Argument(
        metavar=metavar,
        help=in_ascii(argument.help or ""),
        choices=_OPEN_CHOICES[metavar]() if metavar in _OPEN_CHOICES else choices,
        completes=_completes(metavar),
        required=argument.required,
        repeatable=argument.nargs != 1,
    )


def _help_option(flags: list[str]) -> Option:
    return Option(_short_first(flags), "Show this message and exit.", group="Output")


def _short_first(flags: list[str]) -> tuple[str, ...]:
    return tuple(sorted(flags, key=lambda flag: flag.startswith("--")))


def _literals(annotation: object) -> Iterator[str]:
    """The values of a Literal, or of an enumeration, anywhere in a type. Typer's own place for them
    moves about."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield from annotation
        return
    if typing.get_origin(annotation) is not Literal:
        for part in typing.get_args(annotation):
            yield from _literals(part)
        return
    for value in typing.get_args(annotation):
        if not _PLAIN_WORD.fullmatch(value):
            raise ValueError(f"{value!r} would have to be quoted differently in every shell")
        yield value


def _completes(metavar: str) -> Completes:
    word = re.match("[A-Z]*", metavar)
    if word and word[0] in _FILES:
        return "file"
    return "folder" if word and word[0] in _FOLDERS else None


def _default(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _examples(epilog: str) -> tuple[str, ...]:
    lines = inspect.cleandoc(epilog.replace("\b", "")).splitlines()
    return tuple(in_ascii(line.strip()) for line in lines if line.startswith("  "))
