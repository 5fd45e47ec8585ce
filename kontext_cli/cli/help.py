"""Help pages with the examples first and the options in groups."""

from itertools import takewhile
from typing import Any

import typer.core

from kontext_cli.errors import UsageError
from kontext_cli.terminal.input import break_line
from kontext_cli.terminal.output import to_stdout

COMMANDS = (
    "generate",
    "edit",
    "status",
    "fetch",
    "cancel",
    "forget",
    "gallery",
    "models",
    "sandbox",
    "completion",
    "auth",
)
"""In the order of the help; each is a module of the same name in `kontext_cli.cli`."""


_OTHERS = "Options"


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
        names = {name for each in self.get_params(ctx) for name in each.opts}
        for piece in takewhile(lambda each: each != "--", args):
            if len(piece) > len("-x") and f"-{piece}" in names:
                raise UsageError(f"no such option: {piece}", hint=f"did you mean `-{piece}`?")
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description and the examples."""
        super().format_help_text(ctx, formatter)
        super().format_epilog(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write nothing: the examples stand above."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each group under its heading."""
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            is_argument = parameter.param_type_name == "argument"
            panel = getattr(parameter, "rich_help_panel", None) or _OTHERS
            groups.setdefault("Arguments" if is_argument else panel, []).append(record)
        for heading, records in groups.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def _with_our_callback(option: Any) -> Any:
    """The help option with a callback that fails on a full disk and succeeds if the reader has
    exited; Typer's own crashes in both cases."""
    if option is not None:
        option.callback = _show_help
    return option


def _show_help(ctx: Any, _option: Any, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        to_stdout(ctx.get_help())
        ctx.exit()
