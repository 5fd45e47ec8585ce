"""A terminal without a window: runs commands in it, and draws its screen as SVG."""

import base64
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from pathlib import Path

import pyte
from PIL import Image
from pyte.screens import Char

_ROWS = 200
"""So many that nothing scrolls away."""
_CELL = (8.4, 19.0)
_MARGIN = 14.0
_SIZE = 14
_LONGEST_WAIT = 60
_COLOURS = {
    "red": ("#c62127", "#ff7b72"),
    "green": ("#1a7f37", "#56d364"),
    "brown": ("#8a6100", "#e3b341"),
    "blue": ("#0550ae", "#79c0ff"),
    "magenta": ("#8250df", "#d2a8ff"),
    "cyan": ("#0e7680", "#56d4dd"),
}
"""On light and on dark ground; pyte calls yellow brown."""
_STYLE = """
text{font:%(size)spx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
text{fill:#1f2328;white-space:pre}
.ground{fill:#f6f8fa;stroke:#d0d7de}.b{font-weight:700}.d{opacity:.62}.rest{fill:#8c959f}.u{text-decoration:underline}
%(light)s
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117;stroke:#30363d}%(dark)s}
"""
_RULES = {"━": 3.0, "─": 1.2}
"""Characters drawn as lines of this thickness, so that a bar has no gaps in any font."""


class Terminal(pyte.Screen):
    """A screen of many rows on which commands leave their output."""

    def __init__(self, columns: int) -> None:
        super().__init__(columns, _ROWS)
        self._stream = pyte.ByteStream(self)

    def select_graphic_rendition(self, *attrs: int, **options: bool) -> None:
        """Keep faint text, which pyte does not know, as italics, which nothing here uses."""
        codes = [code for attr in attrs for code in {2: (3,), 22: (22, 23)}.get(attr, (attr,))]
        if attrs[:2] in ((38, 5), (48, 5), (38, 2), (48, 2)):
            codes = list(attrs)
        super().select_graphic_rendition(*codes, **options)

    def run(
        self,
        command: str,
        *,
        folder: Path,
        environ: Mapping[str, str],
        until: str | None = None,
        shown: bool = True,
    ) -> None:
        """Run a shell command to its end, or until the screen shows a pattern ``until``."""
        if shown:
            self._stream.feed(f"\x1b[1;32m$\x1b[0;1m {command}\x1b[0m\r\n".encode())
        ours, theirs = pty.openpty()
        size = struct.pack("HHHH", 50, self.columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **environ},
            start_new_session=True,
        )
        os.close(theirs)
        self._follow(ours, until)
        if until is not None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)

    def _follow(self, ours: int, until: str | None) -> None:
        while select.select([ours], [], [], _LONGEST_WAIT)[0]:
            try:
                data = os.read(ours, 65_536)
            except OSError:  # the other end was closed
                return
            if not data:
                return
            self._stream.feed(data)
            if until is not None and re.search(until, self.text()):
                return
        sys.exit(f"no output for {_LONGEST_WAIT} s; on the screen:\n{self.text()}")

    def text(self) -> str:
        """The lines of the screen, without trailing space."""
        return "\n".join(line.rstrip() for line in self.display).rstrip()

    def svg(self) -> str:
        """The screen as a picture that follows the reader's light or dark setting."""
        lines = self.text().count("\n") + 1
        width = self.columns * _CELL[0] + 2 * _MARGIN
        height = lines * _CELL[1] + 2 * _MARGIN
        sheets = [
            "".join(f".{name}{{fill:{pair[side]}}}" for name, pair in _COLOURS.items())
            for side in (0, 1)
        ]
        style = _STYLE % {"size": _SIZE, "light": sheets[0], "dark": sheets[1]}
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img">',
            f"<title>{escape(self.text().partition(chr(10))[0])}</title>",
            f"<style>{style.strip()}</style>",
            f'<rect class="ground" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" '
            'rx="8"/>',
            *(part for row in range(lines) for part in self._row(row)),
            *self._blocks(lines),
            "</svg>\n",
        ]
        return "\n".join(parts)

    def _row(self, row: int) -> Iterator[str]:
        cells = [(column, self.buffer[row][column]) for column in range(self.columns)]
        for look, group in groupby(cells, key=lambda cell: _look(cell[1])):
            run = list(group)
            text = "".join(char.data for _, char in run)
            if look is None or not text.strip():
                continue
            yield from _drawn(text, look, run[0][0], len(run), row)

    def _blocks(self, lines: int) -> Iterator[str]:
        """The half blocks of the screen, which show images, as one image of its own."""
        pixels = Image.new("RGBA", (self.columns, lines * 2))
        for row in range(lines):
            for column in range(self.columns):
                char = self.buffer[row][column]
                if char.data in ("▀", "▄"):
                    ends = (char.fg, char.bg) if char.data == "▀" else (char.bg, char.fg)
                    for half, colour in enumerate(ends):
                        if colour != "default":
                            rgb = bytes.fromhex(colour)
                            pixels.putpixel((column, 2 * row + half), (*rgb, 255))
        if pixels.getbbox() is None:
            return
        stream = io.BytesIO()
        pixels.save(stream, "PNG", optimize=True)
        data = base64.b64encode(stream.getvalue()).decode()
        yield (
            f'<image x="{_MARGIN:g}" y="{_MARGIN:g}" width="{self.columns * _CELL[0]:g}" '
            f'height="{lines * _CELL[1]:g}" preserveAspectRatio="none" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )


def _look(char: Char) -> tuple[str, str] | None:
    """What makes two cells differ: their classes, and a character that is drawn apart, as its
    width differs between fonts."""
    if char.data in ("▀", "▄", ""):
        return None
    marks = [
        name for name, on in (("b", char.bold), ("d", char.italics), ("u", char.underscore)) if on
    ]
    colour = char.fg if char.fg in _COLOURS else ""
    apart = char.data if char.data in _RULES or not char.data.isascii() else ""
    return " ".join([*marks, colour]).strip(), apart


def _drawn(text: str, look: tuple[str, str], column: int, cells: int, row: int) -> Iterator[str]:
    name, apart = look
    x, y = _MARGIN + column * _CELL[0], _MARGIN + row * _CELL[1]
    attribute = f' class="{name}"' if name else ""
    if apart in _RULES:
        thick = _RULES[apart]
        fill = attribute.replace('"d"', '"rest"') or ' class="rest"'
        yield (
            f'<rect{fill} x="{x:.1f}" y="{y + (_CELL[1] - thick) / 2:.1f}" '
            f'width="{cells * _CELL[0]:.1f}" height="{thick:g}"/>'
        )
        return
    indent = len(text) - len(text.lstrip())
    stripped = text.strip()
    width = (cells - indent - (len(text) - len(text.rstrip()))) * _CELL[0]
    yield (
        f'<text{attribute} x="{x + indent * _CELL[0]:.1f}" y="{y + 14:.1f}" '
        f'textLength="{width:.1f}" xml:space="preserve">{escape(stripped)}</text>'
    )
