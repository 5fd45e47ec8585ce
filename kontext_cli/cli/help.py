"""Help pages: the examples first, then the options that most people use, then all others."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import typer.core

from kontext_cli.cli.defaults import give_way, located, use_defaults
from kontext_cli.errors import KontextError, UsageError
from kontext_cli.terminal.cells import wrapped
from kontext_cli.terminal.input import break_line
from kontext_cli.terminal.output import to_stdout
from kontext_cli.terminal.style import BOLD, DIM, Piece
from kontext_cli.terminal.table import window_width

COMMANDS = (
    "generate",
    "edit",
    "status",
    "fetch",
    "cancel",
    "forget",
    "check",
    "info",
    "replay",
    "show",
    "gallery",
    "cost",
    "models",
    "doctor",
    "sandbox",
    "completion",
    "auth",
)
"""In the order of the help; each is a module of the same name in `kontext_cli.cli`."""


_FIRST = (
    *("image", "provider", "model", "aspect_ratio", "num_images", "seed"),
    *("output", "output_dir", "prompts_file", "dry_run"),
)
"""The options of `generate`, `edit` and `replay` that most people use, in the order of the help."""
_LONG = ("generate", "edit", "replay")
"""The commands whose other options stand in a part of their own."""
_ARGUMENTS, _OPTIONS, _MORE, _LAST = "Arguments", "Options", "More options", "Output"
_TEXT_AT = 30
"""The column in which it is said what an option does."""
_NARROW = 60
"""Columns below which this is said in the lines below the option."""
_INDENT = 6
_NARROWEST, _WIDEST = 32, 100
_HEADING = re.compile(r" {0,4}[A-Z][\w ]*:(?= |$)", re.ASCII)
_COMMENT = re.compile(r"(    ?kontext .*)(  # .*)")


class HelpfulGroup(typer.core.TyperGroup):
    """A group of commands whose help shows its examples first."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option that shows the help."""
        return _with_our_callback(super().get_help_option(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; on Ctrl-C at a terminal, end the line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if ctx.parent is None:
                break_line()
            raise

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description and the examples."""
        super().format_help_text(ctx, formatter)
        super().format_epilog(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write nothing: the examples stand above."""


class HelpfulCommand(typer.core.TyperCommand):
    """A command whose help shows its examples first, then its options in groups.

    The group of an option is its ``rich_help_panel``.
    """

    def get_help_option(self, ctx: Any) -> Any:
        """The option that shows the help."""
        return _with_our_callback(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line; sets the context of usage errors.

        `-dry-run` would be parsed as `-d ry-run`, and something would be sent, so long options with
        one dash are rejected. Raises UsageError.
        """
        use_defaults(ctx)
        names = {name for each in self.get_params(ctx) for name in _all_names(each)}
        for piece in takewhile(lambda each: each != "--", args):
            if len(piece) > len("-x") and f"-{piece}" in names:
                raise UsageError(f"no such option: {piece}", hint=f"did you mean `-{piece}`?")
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            raise located(error, ctx) from error.__cause__
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that is about a default names its file and line."""
        give_way(ctx)
        try:
            return super().invoke(ctx)
        except KontextError as error:
            raise located(error, ctx) from error.__cause__

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description and the examples."""
        super().format_help_text(ctx, formatter)
        super().format_epilog(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write nothing: the examples stand above."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; a long page has two parts, the second one in groups."""
        groups: dict[str, list[_Record]] = {_ARGUMENTS: [], _OPTIONS: []}
        records = [record for each in self.get_params(ctx) for record in _records(each)]
        for record in sorted(records, key=lambda record: record.rank):
            is_first = self.name not in _LONG or record.rank < len(_FIRST)
            plain = _OPTIONS if is_first else record.group
            groups.setdefault(_ARGUMENTS if record.is_argument else plain, []).append(record)
        for heading in (_ARGUMENTS, _OPTIONS):
            _write_section(formatter, heading, groups.pop(heading))
        if groups:
            with formatter.section(_MORE):
                for heading, group in groups.items():
                    _write_section(formatter, heading, group)


class _Record(NamedTuple):
    """An argument or option in the help; ``rank`` is its place there."""

    names: str
    text: str
    group: str
    rank: int
    is_argument: bool


def _records(parameter: Any) -> Iterator[_Record]:
    """What the help says of a parameter, unless it is hidden: no ranges, which its text gives where
    they matter."""
    if getattr(parameter, "hidden", False):
        return
    is_argument = parameter.param_type_name == "argument"
    group = getattr(parameter, "rich_help_panel", None) or _LAST
    rank = _FIRST.index(parameter.name) if parameter.name in _FIRST else len(_FIRST)
    text, default = parameter.help or "", parameter.default
    if isinstance(default, str | int | float) and not isinstance(default, bool):
        text += f" Default: {default}."
    names = _argument_name(parameter) if is_argument else _option_names(parameter)
    yield _Record(names, text, group, rank, is_argument)


def _all_names(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def _argument_name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper()).strip("[].")


def _option_names(option: Any) -> str:
    """The names of an option, with the long ones of all options below each other."""
    names = ", ".join(sorted(option.opts, key=len))
    if option.is_flag:
        metavar = ""
    else:
        metavar = f" {option.metavar or '|'.join(getattr(option.type, 'choices', ()))}"
    return f"{'' if len(option.opts) > 1 else '    '}{names}{metavar}"


def _write_section(formatter: Any, heading: str, records: Sequence[_Record]) -> None:
    """Write some parameters, in all sections with their texts in the same column."""
    if not records:
        return
    with formatter.section(heading):
        indent = " " * formatter.current_indent
        is_narrow = formatter.width < _NARROW
        at = len(indent) + _INDENT if is_narrow else _TEXT_AT
        for record in records:
            start = indent + (record.names.strip() if is_narrow else record.names)
            text = list(wrapped(record.text, formatter.width - at))
            if len(start) + 2 <= at:
                start = start.ljust(at) + text.pop(0)
            formatter.write(f"{start}\n")
            for line in text:
                formatter.write(f"{' ' * at}{line}\n")


def _with_our_callback(option: Any) -> Any:
    """The help option with a callback that fails on a full disk and succeeds if the reader has
    exited; Typer's own crashes in both cases."""
    if option is not None:
        option.callback = _show_help
    return option


def _show_help(ctx: Any, _option: Any, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        ctx.terminal_width = min(max(window_width(), _NARROWEST), _WIDEST) - 2
        to_stdout(_styled(ctx.get_help()))
        ctx.exit()


def _styled(page: str) -> Iterator[Piece]:
    """A page in pieces: headings are bold, comments of examples dim."""
    for line in page.splitlines(keepends=True):
        text = line.rstrip()
        if found := _HEADING.match(text):
            yield Piece(found[0], BOLD)
            yield Piece(text[found.end() :])
        elif found := _COMMENT.fullmatch(text):
            yield from (Piece(found[1]), Piece(found[2], DIM))
        else:
            yield Piece(text)
        yield Piece("\n" if line.endswith("\n") else "")
