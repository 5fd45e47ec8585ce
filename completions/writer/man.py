"""The man page, in roff's man macros."""

import re
from collections.abc import Iterable, Iterator

from completions.writer.tree import Argument, Command, Option, in_ascii
from docs.writer.configuration import variables
from docs.writer.exit_codes import EXIT_CODES

_SIGNS = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
)
_HELP_FLAG = "--help"


def page(root: Command) -> str:
    """The man page of the whole program; two of its tables are those of the manual's reference."""
    name = _text(root.name)
    leaves = [command for command in root.walk() if not command.subcommands]
    lines = [
        f'.TH {root.name.upper()} 1 "" "{name}" "User Commands"',
        ".SH NAME",
        rf"{name} \- {_text(_phrase(root.help))}",
        ".SH SYNOPSIS",
        rf"\fB{name}\fR \fICOMMAND\fR [\fIOPTION\fR]...",
        ".SH OPTIONS",
        *(line for option in root.options for line in _option(option)),
        ".SH COMMANDS",
        r"Every command takes \fB\-h\fR and \fB\-\-help\fR.",
        *(line for command in leaves for line in _command(command)),
        ".SH EXIT STATUS",
        *_table((row.codes, row.meaning) for row in EXIT_CODES),
        ".SH ENVIRONMENT",
        *_table((", ".join(names), meaning) for names, meaning in variables()),
        ".SH EXAMPLES",
        *_examples(root),
    ]
    return "\n".join(lines) + "\n"


def _phrase(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")


def _command(command: Command) -> Iterator[str]:
    heading = [rf"\fB{_text(' '.join(command.path))}\fR"]
    if len(command.options) > 1:
        heading.append(r"[\fIOPTION\fR]...")
    heading += map(_placeholder, command.arguments)
    yield f'.SS "{" ".join(heading)}"'
    yield _text(command.help)
    for argument in command.arguments:
        yield from _entry(rf"\fI{_text(argument.metavar)}\fR", _meaning(argument))
    for option in command.options:
        if _HELP_FLAG not in option.flags:
            yield from _option(option)


def _placeholder(argument: Argument) -> str:
    metavar = rf"\fI{_text(argument.metavar)}\fR" + ("..." if argument.repeatable else "")
    return metavar if argument.required else f"[{metavar}]"


def _option(option: Option) -> Iterator[str]:
    flags = ", ".join(rf"\fB{_text(flag)}\fR" for flag in option.flags)
    metavar = rf" \fI{_text(option.metavar)}\fR" if option.takes_value else ""
    default = f" [default: {option.default}]" if option.default else ""
    yield from _entry(flags + metavar, option.help + default)


def _meaning(argument: Argument) -> str:
    if not argument.choices:
        return argument.help
    return f"{argument.help} One of {', '.join(argument.choices)}."


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in rows:
        yield from _entry(rf"\fB{_text(term)}\fR", in_ascii(meaning))


def _entry(term: str, meaning: str) -> Iterator[str]:
    yield ".TP"
    yield term
    yield _text(meaning)


def _examples(root: Command) -> Iterator[str]:
    for example in dict.fromkeys(line for command in root.walk() for line in command.examples):
        yield ".PP"
        yield ".nf"
        yield rf"\&{_verbatim(example)}"
        yield ".fi"


def _text(text: str) -> str:
    """Running text; what stands between backticks is set bold."""
    parts = map(_verbatim, re.split(r"`([^`]+)`", text))
    line = "".join(rf"\fB{part}\fR" if at % 2 else part for at, part in enumerate(parts))
    return rf"\&{line}" if line.startswith(".") else line


def _verbatim(text: str) -> str:
    return text.translate(_SIGNS)
