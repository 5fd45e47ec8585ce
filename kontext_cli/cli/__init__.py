"""The command line: its commands, and the one place where errors become exit codes."""

import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import typer

from kontext_cli import __version__
from kontext_cli.cli import (
    auth,
    cancel,
    completion,
    edit,
    fetch,
    forget,
    generate,
    models,
    sandbox,
    status,
)
from kontext_cli.cli.help import HelpfulCommand, HelpfulGroup
from kontext_cli.cli.report import as_line, error_record, print_error, to_stderr, to_stdout
from kontext_cli.errors import KontextError, UsageError

_USAGE_ERROR = typer.BadParameter.__base__ or typer.BadParameter
"""What Typer raises for a command line it cannot read; it publishes only this subclass."""

EXAMPLES = """\b
Examples:
  kontext generate "a lighthouse in fog" --provider sandbox     (offline, no key)
  kontext generate "a lighthouse in fog" -o lighthouse.png
  kontext edit "make it winter" -i house.jpg
  kontext generate --help
"""

app = typer.Typer(
    name="kontext",
    help="Make and edit images with FLUX.1 Kontext.",
    epilog=EXAMPLES,
    cls=HelpfulGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command, examples in (
    (generate.generate, generate.EXAMPLES),
    (edit.edit, edit.EXAMPLES),
    (status.status, status.EXAMPLES),
    (fetch.fetch, fetch.EXAMPLES),
    (cancel.cancel, cancel.EXAMPLES),
    (forget.forget, forget.EXAMPLES),
    (models.models, models.EXAMPLES),
    (sandbox.sandbox, sandbox.EXAMPLES),
    (completion.completion, completion.EXAMPLES),
):
    app.command(cls=HelpfulCommand, epilog=examples)(command)
app.add_typer(auth.app, name="auth")


def _show_version(wanted: bool) -> None:
    if wanted:
        to_stdout(f"kontext {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def run(argv: Sequence[str]) -> int:
    """Run the command line ``argv``; the exit code. Nothing a user or provider did gets out as a
    traceback."""
    _survive_any_locale()
    try:
        code = _call(argv or ["--help"])
        return code if argv else 2
    except KontextError as error:
        return _tell(error, argv)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        if isinstance(error, _USAGE_ERROR):
            return _tell(_usage(error), argv)
        if "--debug" in argv:
            raise
        return _tell_bug(error)


def _call(argv: Sequence[str]) -> int:
    return int(app(args=list(argv), prog_name=app.info.name, standalone_mode=False) or 0)


def _tell(error: KontextError, argv: Sequence[str]) -> int:
    if "--json" in argv:
        to_stdout(as_line(error_record(error)))
    print_error(error)
    return error.exit_code


def _usage(error: Exception) -> UsageError:
    message = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "kontext"
    hint = _near_choice(message) or f"{path} --help"
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _near_choice(message: str) -> str | None:
    """What a mistyped choice may have been meant to be; for commands and flags, Typer says so."""
    found = re.search(r"'([^']+)' is not one of (.+)", message)
    if found is None:
        return None
    near = get_close_matches(found[1], re.findall(r"'([^']+)'", found[2]), n=1)
    return f"did you mean `{near[0]}`?" if near else None


def _tell_bug(error: Exception) -> int:
    """Name the place, not the values: they may hold what must not be printed."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "nowhere"
    to_stderr(f"error: {type(error).__name__} at {where}; this is a bug in kontext")
    to_stderr("hint: run it again with --debug for the traceback, and report it")
    return 1


def _survive_any_locale() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
