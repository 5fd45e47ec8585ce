"""Images as escape sequences: kitty's protocol, iTerm2's, and half-blocks in colour.

No sequence asks the terminal anything, so that no answer is left on the prompt.
"""

import zlib
from base64 import standard_b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Protocol = Literal["kitty", "iterm", "blocks"]

HALF = "▀"
_CHUNK = 4096
"""Base64 characters of one sequence; kitty allows no more."""
_SAMPLE = 2**16
_WORTHWHILE = 0.8
_MULTIPLEXERS = ("TMUX", "STY", "ZELLIJ")
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm", "mintty", "vscode")
_TRUE_COLOUR_TERMS = ("kitty", "ghostty", "wezterm", "alacritty", "foot", "-direct")
"""In TERM, which is all that comes along over SSH."""
_LEVELS = (0, 95, 135, 175, 215, 255)
_GREYS = 24


class Drawn(NamedTuple):
    """An image in cells: rows of half-blocks as ``lines``, or a ``sequence`` that draws it from
    the cursor to the right and down, and leaves the cursor anywhere."""

    columns: int
    rows: int
    lines: Sequence[str] = ()
    sequence: str = ""


def protocol_of(environ: Mapping[str, str], encoding: str) -> Protocol | None:
    """The best protocol of the terminal that the environment describes; None if it has none.

    ``encoding`` is that of the stream. A terminal multiplexer passes only half-blocks on.
    """
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    is_named = bool(term or program or environ.get("WT_SESSION"))
    if not is_named or term == "dumb" or not can_show_blocks(encoding):
        return None
    if any(map(environ.get, _MULTIPLEXERS)) or term.startswith(("tmux", "screen")):
        return "blocks"
    if "kitty" in term or "ghostty" in term or program == "ghostty":
        return "kitty"
    if "wezterm" in term or program in _ITERM_PROGRAMS:
        return "iterm"
    if environ.get("KITTY_WINDOW_ID") or environ.get("KONSOLE_VERSION"):
        return "kitty"
    if environ.get("LC_TERMINAL") == "iTerm2" or environ.get("WEZTERM_PANE"):
        return "iterm"
    return "blocks"


def can_show_blocks(encoding: str) -> bool:
    """Whether half-blocks can be written in that encoding."""
    try:
        HALF.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def has_true_colour(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show 24-bit colours; GNU screen never passes them on."""
    if environ.get("STY"):
        return False
    says = environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}
    is_known = any(name in environ.get("TERM", "") for name in _TRUE_COLOUR_TERMS)
    return says or is_known or bool(environ.get("WT_SESSION"))


def kitty(pixels: bytes, size: tuple[int, int], columns: int, rows: int) -> Drawn:
    """RGB pixels of ``size``, stretched over so many cells; the cursor stays."""
    data = standard_b64encode(_compressed(pixels)).decode("ascii")
    width, height = size
    keys = f"a=T,f=24,o=z,s={width},v={height},c={columns},r={rows},C=1,"
    parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    sequences = []
    for number, part in enumerate(parts, start=1):
        more = int(number < len(parts))
        sequences.append(f"\x1b_G{keys}q=2,m={more};{part}\x1b\\")  # q in each, or kitty answers
        keys = ""
    return Drawn(columns, rows, sequence="".join(sequences))


def iterm(data: bytes, columns: int, rows: int) -> Drawn:
    """The bytes of an image file, as large as fits in so many cells."""
    keys = f"inline=1;size={len(data)};width={columns};height={rows};preserveAspectRatio=1"
    content = standard_b64encode(data).decode("ascii")
    return Drawn(columns, rows, sequence=f"\x1b]1337;File={keys}:{content}\x07")


def blocks(pixels: bytes, size: tuple[int, int], *, true_colour: bool) -> Drawn:
    """RGB pixels of ``size``, one a column and two a row."""
    width, height = size
    colours = [*_colours(pixels, true_colour=true_colour)]
    lines = []
    for at in range(0, height, 2):
        upper = colours[at * width : (at + 1) * width]
        lower = colours[(at + 1) * width : (at + 2) * width] or ["9"] * width
        lines.append(_line(upper, lower))
    return Drawn(width, len(lines), lines)


def side_by_side(images: Sequence[Drawn], step: int, caption: str = "") -> str:
    """Images in a row, one every ``step`` columns, on a line of text; no line feed at the end.

    Room is made first, so that nothing scrolls while the images are drawn. The cursor ends in the
    last line.
    """
    rows = max((image.rows for image in images), default=0)
    lines = [_joined(images, row - rows, step) for row in range(rows)]
    if caption:
        lines.append(caption)
    sequences = [
        _drawn_above(image, number * step, image.rows if caption else image.rows - 1)
        for number, image in enumerate(images)
        if image.sequence
    ]
    return "\n".join(lines) + "".join(sequences)


def _drawn_above(image: Drawn, column: int, up: int) -> str:
    """The sequence of an image that begins so many lines up; the cursor returns to its line."""
    there, back = (f"\x1b[{up}A", f"\x1b[{up}B") if up else ("", "")
    return f"{there}\x1b[{column + 1}G\x1b7{image.sequence}\x1b8{back}\r"


def _joined(images: Sequence[Drawn], row: int, step: int) -> str:
    """A line of half-blocks across all images; ``row`` counts from the last, which is -1."""
    line, at = "", 0
    for number, image in enumerate(images):
        if len(image.lines) + row >= 0:
            line += " " * (number * step - at) + image.lines[row]
            at = number * step + image.columns
    return line


def _compressed(pixels: bytes) -> bytes:
    """The pixels for zlib, stored as they are if that saves nothing, as with noise."""
    sample = pixels[:_SAMPLE]
    saves = len(zlib.compress(sample, 1)) < _WORTHWHILE * len(sample)
    return zlib.compress(pixels, 1 if saves else 0)


def _colours(pixels: bytes, *, true_colour: bool) -> Iterator[str]:
    """The colour of each pixel as in ``38;…`` and ``48;…``, from its second digit on."""
    channels = iter(pixels)
    for red, green, blue in zip(channels, channels, channels, strict=True):
        yield f"8;2;{red};{green};{blue}" if true_colour else f"8;5;{_nearest(red, green, blue)}"


def _line(upper: Sequence[str], lower: Sequence[str]) -> str:
    """A row of cells; a colour is set only where it changes."""
    parts = []
    before = ("", "")
    for colours in zip(upper, lower, strict=True):
        changed = [
            f"{ground}{colour}"
            for ground, colour, last in zip("34", colours, before, strict=True)
            if colour != last
        ]
        parts.append(f"\x1b[{';'.join(changed)}m{HALF}" if changed else HALF)
        before = colours
    return "".join([*parts, "\x1b[m"])


@lru_cache(maxsize=4096)
def _nearest(red: int, green: int, blue: int) -> int:
    """The nearest of the 240 colours that are the same on all terminals: a cube and greys."""
    near = [min(range(6), key=lambda n: abs(_LEVELS[n] - value)) for value in (red, green, blue)]
    grey = min(max(round(((red + green + blue) / 3 - 8) / 10), 0), _GREYS - 1)
    in_cube = _distance((red, green, blue), [_LEVELS[n] for n in near])
    if _distance((red, green, blue), [8 + 10 * grey] * 3) < in_cube:
        return 232 + grey
    return 16 + 36 * near[0] + 6 * near[1] + near[2]


def _distance(one: Sequence[int], other: Sequence[int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
