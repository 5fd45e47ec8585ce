"""Colour, weight and links: what each of them means, and which streams take them.

The codes are written here, not by rich: importing that takes half as long again as `status` does.
Only theme colours that are legible on light and on dark are used.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

from kontext_cli.files.place import is_object

ERROR = "1;31"
FAILED = "31"
NOTICE = "33"
SAVED = "32"
DIM = "2"
BOLD = "1"
NONE = ""

_LABEL = re.compile(r"(error|stopped|notice|warning|hint):(?= )")
_STYLES = {"error": ERROR, "stopped": ERROR, "notice": NOTICE, "warning": NOTICE}
_SAVED = re.compile(r"(.*: )(saved)( \(.*\))", re.DOTALL)

_COMMAND = re.compile(r": (kontext .*)", re.DOTALL)
"""At the end of a hint."""

_OSC = "\x1b]8;;"
_ST = "\x1b\\"
_LONGEST_URI = 2_000
"""Terminals ignore longer ones."""
_FIRST_VTE = 5_100
_FIRST_TMUX = (3, 4)
_PROGRAMS = ("iTerm.app", "WezTerm", "ghostty", "vscode", "Hyper", "Tabby", "WarpTerminal", "rio")
_TERMS = ("xterm-kitty", "xterm-ghostty", "wezterm", "alacritty", "foot", "contour")
_VARIABLES = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "ALACRITTY_WINDOW_ID", "DOMTERM")


class Piece(NamedTuple):
    """A part of a line, its style, and the file that a click on it opens."""

    text: str
    style: str = NONE
    link: str | None = None


Line = str | Iterable[Piece]
"""A line as plain text, or in pieces."""


def pieces_of(line: Line) -> Iterable[Piece]:
    """The pieces of a line."""
    return (Piece(line),) if isinstance(line, str) else line


def message(text: str) -> Iterator[Piece]:
    """A message in pieces: a label says what it is, a hint is dim but for a command to paste, and
    what was saved is green."""
    if found := _LABEL.match(text):
        if found[1] == "hint":
            command = _COMMAND.search(text)
            end = command.start(1) if command else len(text)
            yield from (Piece(text[:end], DIM), Piece(text[end:]))
            return
        yield Piece(found[0], _STYLES[found[1]])
        yield Piece(text[found.end() :])
    elif found := _SAVED.fullmatch(text):
        yield from (Piece(found[1]), Piece(found[2], SAVED), Piece(found[3], DIM))
    else:
        yield Piece(text)


def painted(piece: Piece, *, links: bool) -> str:
    """A piece, whose text is already escaped, with its codes."""
    text = f"\x1b[{piece.style}m{piece.text}\x1b[0m" if piece.style else piece.text
    uri = _uri(piece.link) if links and piece.link else None
    return f"{_OSC}{uri}{_ST}{text}{_OSC}{_ST}" if uri else text


def takes_colour(stream: TextIO | None) -> bool:
    """Whether a stream is to be coloured: a terminal, unless NO_COLOR or TERM forbids it, or
    anything if FORCE_COLOR says so."""
    environ = os.environ
    if stream is None or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return _is_terminal(stream, environ) and environ.get("GITHUB_ACTIONS") != "true"


def takes_links(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that is known to take hyperlinks."""
    environ = os.environ
    if not takes_colour(stream) or environ.get("CI") or not _is_terminal(stream, environ):
        return False
    return _links_are_known(environ)


def _is_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    if stream is None or not stream.isatty() or environ.get("TERM") == "dumb":
        return False
    # The console of old Windows prints codes as text.
    known = ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM")
    return sys.platform != "win32" or any(name in environ for name in known)


def _links_are_known(environ: Mapping[str, str]) -> bool:
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if program == "tmux":
        return _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _FIRST_TMUX
    if "TMUX" in environ or "STY" in environ or term == "linux":
        return False
    vte = environ.get("VTE_VERSION", "")
    return (
        program in _PROGRAMS
        or term.startswith(_TERMS)
        or any(name in environ for name in _VARIABLES)
        or (vte.isdecimal() and int(vte) >= _FIRST_VTE)
    )


def _version(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _uri(path: str) -> str | None:
    """The `file:` URI of an absolute path, with the host, so that a terminal elsewhere knows that
    the file is not there; None if it has none, or one that is too long."""
    if is_object(path):
        return None
    try:
        uri = Path(path).absolute().as_uri().removeprefix("file://")
    except UnicodeEncodeError:
        return None
    return f"file://{_host()}{uri}" if len(uri) <= _LONGEST_URI else None


def _host() -> str:
    if sys.platform == "win32":
        return ""
    name = os.uname().nodename
    return name if re.fullmatch(r"[A-Za-z0-9.-]+", name) else ""
