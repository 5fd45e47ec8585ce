"""The command line: builds its commands, and turns errors into exit codes."""

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from kontext_cli import __version__
from kontext_cli.cli.help import COMMANDS, HelpfulCommand, HelpfulGroup
from kontext_cli.errors import Bug, KontextError, OutputFault, UsageError
from kontext_cli.terminal.output import on_actions, print_result, to_stderr, to_stdout
from kontext_cli.terminal.records import as_line, error_record
from kontext_cli.terminal.text import error_lines

_NAME = "kontext"
_USAGE_ERROR = typer.BadParameter.__base__ or typer.BadParameter
"""Typer's usage error; only this subclass is public."""

EXAMPLES = """\b
Examples:
  kontext generate "a lighthouse in fog" -p sandbox  # offline, no key
  kontext generate "a lighthouse in fog" -o lighthouse.png
  kontext edit "make it winter" -i house.jpg
  kontext generate --help
"""


def program(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with the given commands; building one takes a millisecond."""
    app = typer.Typer(
        name=_NAME,
        help="Make and edit images with FLUX.1 Kontext, FLUX.2 and FLUX 3.",
        epilog=EXAMPLES,
        cls=HelpfulGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names:
        module = import_module(f"kontext_cli.cli.{name}")
        if isinstance(getattr(module, "app", None), typer.Typer):
            app.add_typer(module.app, name=name)
        else:
            app.command(cls=HelpfulCommand, epilog=module.EXAMPLES)(getattr(module, name))
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        to_stdout(f"kontext {__version__}")
        raise typer.Exit


def _root(
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def run(argv: Sequence[str]) -> int:
    """Run the command line ``argv``; returns the exit code. Errors of users and providers never
    print a traceback."""
    _survive_any_locale()
    try:
        code = _call(argv or ["--help"])
        return code if argv else 2
    except KontextError as error:
        return _report(error, argv)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        if isinstance(error, _USAGE_ERROR):
            return _report(_usage(error, argv), argv)
        if "--debug" in argv:
            _print_frames(error)
        return _report(_folder_gone() or Bug.of(error), argv)


def _folder_gone() -> OutputFault | None:
    """The error for a working directory that was removed; None if it exists."""
    try:
        Path.cwd()
    except OSError:
        return OutputFault(
            "the working directory no longer exists",
            hint="change to another directory, or use absolute paths",
        )
    return None


def _call(argv: Sequence[str]) -> int:
    """Run the given command. All commands are built only if none is given."""
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    if argv[0] not in COMMANDS and not argv[0].startswith("-"):
        raise _no_command(argv)
    first = next((each for each in argv if not each.startswith("-")), None)
    command = _built(first if first in COMMANDS else None)
    code = command(list(argv), prog_name=_NAME, standalone_mode=False, obj=tuple(argv))
    return int(code or 0)


def _no_command(argv: Sequence[str]) -> UsageError:
    from kontext_cli.cli.usage import unknown_command

    return unknown_command(argv, COMMANDS, _built("edit").commands["edit"])


@cache
def _built(name: str | None) -> Any:
    """The command line with one command, or with all if ``name`` is None."""
    return typer.main.get_command(program([name] if name else COMMANDS))


def _report(error: KontextError, argv: Sequence[str]) -> int:
    error = _without_signatures(error, argv)
    if "--json" in argv:
        print_result(as_line(error_record(error)))
    for line in error_lines(error):
        to_stderr(line)
    if error.details and on_actions():
        from kontext_cli.terminal.annotations import annotate

        annotate(error.details)
    return error.exit_code


def _without_signatures(error: KontextError, argv: Sequence[str]) -> KontextError:
    """The error without the signatures of the URLs on the command line that it quotes."""
    for typed in argv:
        _, scheme, rest = typed.partition("://")
        if scheme and rest in f"{error.message} {error.hint}":
            from kontext_cli.http.urls import abridged

            shown = abridged(f"://{rest}")[3:]
            hint = error.hint and error.hint.replace(rest, shown)
            error = error.replace(error.message.replace(rest, shown), hint=hint)
    return error


def _usage(error: Exception, argv: Sequence[str]) -> UsageError:
    from kontext_cli.cli.usage import explained

    return explained(error, argv)


def _print_frames(error: BaseException) -> None:
    """Print the traceback without the messages of exceptions, which may contain secrets."""
    import traceback

    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    for line in traceback.format_tb(error.__traceback__):
        to_stderr(line.rstrip("\n"))


def _survive_any_locale() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
