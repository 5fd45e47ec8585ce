"""Writes the page: tiles and data as they come, between the parts of a template."""

import base64
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from html import escape
from math import log
from pathlib import Path
from string import Template
from typing import BinaryIO

from kontext_cli.errors import OutputFault
from kontext_cli.files.faults import output_faults
from kontext_cli.gallery.facts import command, cost_of, facts, reason, replay, state, title
from kontext_cli.gallery.spending import Spending
from kontext_cli.gallery.tiles import Tile

MARK = b'name="generator" content="kontext gallery"'
"""In the first lines of each page, to tell it from pages of others."""
MOST_INLINE = 100_000_000
"""Bytes of a page that holds its images; browsers become slow with larger ones."""

_HERE = Path(__file__).parent
_STEP = log(1.02)
_STEPS = 70
"""Shapes from 1:4 to 4:1; what is narrower or wider is cropped to these."""
_LONGEST_ALT = 300
_FAILED = ("failed", "moderated", "canceled", "expired", "unknown")


class Page:
    """A page in the making. A context manager, which removes what is not written in the end."""

    def __init__(self, name: str, path: Path, spending: Spending, *, inline: bool) -> None:
        """``spending`` may hold jobs that are not on the page."""
        self._name = name
        self._path = path
        self._inline = inline
        self._streams = ExitStack()
        self._spending = spending
        self.images = 0
        self.faults = 0
        self.first_fault = ""
        self.states: Counter[str] = Counter()

    def __enter__(self) -> "Page":
        with _spooling():
            self._tiles = self._streams.enter_context(tempfile.TemporaryFile())
            self._entries = self._streams.enter_context(tempfile.TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a disk that is full, which was reported
            self._streams.close()

    def add(self, tile: Tile) -> None:
        """Write a tile. Raises OutputFault where a page of images becomes too large."""
        self._count(tile)
        number = self.images + self.faults + self.states.total()
        record = _script_safe(_record(tile, self._path.parent))
        with _spooling():
            self._tiles.write(_encoded(_figure(tile, number)))
            self._entries.write(f"{',' if number > 1 else ''}{record}\n".encode())
        if self._inline and self._tiles.tell() + self._entries.tell() > MOST_INLINE:
            raise OutputFault(
                f"`{self._path}` would be larger than {MOST_INLINE // 10**6} MB",
                hint="leave out --inline, or name fewer images",
            )

    def write(self, out: BinaryIO) -> None:
        """Write the whole page."""
        script, style = _asset("page.js"), f"{_asset('page.css')}{''.join(_shapes())}"
        values = {
            "title": escape(self._name),
            "counts": self._counts(),
            "script": script,
            "script_hash": _hash(script),
            "style": style,
            "style_hash": _hash(style),
        }
        head, rest = _asset("page.html").split("$tiles")
        between, tail = rest.split("$entries")
        out.write(_filled(head, values))
        _copy(self._tiles, out)
        out.write(_filled(between, values))
        out.write(b"[")
        _copy(self._entries, out)
        out.write(b"]")
        out.write(_filled(tail, values))

    def _count(self, tile: Tile) -> None:
        if tile.thumbnail:
            self.images += 1
        elif tile.fault:
            self.faults += 1
            self.first_fault = self.first_fault or f"`{tile.entry.path}`: {tile.fault}"
        else:
            self.states[state(tile.entry)] += 1
        if tile.entry.job is not None:
            self._spending.add(tile.entry.job)

    def _counts(self) -> str:
        parts = [f"{self.images:,} image{'' if self.images == 1 else 's'}"]
        for name, count in sorted(self.states.items()):
            shown = f"{count:,} {escape(name)}"
            parts.append(f'<span class="bad">{shown}</span>' if name in _FAILED else shown)
        if self.faults:
            parts.append(f'<span class="bad">{self.faults:,} missing or damaged</span>')
        if self._spending.text:
            parts.append(self._spending.text)
        return " · ".join(parts)


def _spooling() -> AbstractContextManager[None]:
    return output_faults(f"cannot write to `{tempfile.gettempdir()}`")


def _figure(tile: Tile, number: int) -> str:
    entry, job = tile.entry, tile.entry.job
    name = title(entry)
    data = {"provider": job.provider, "model": job.model} if job else {}
    data |= {"state": state(entry)}
    if job is not None:
        file = entry.path.name if entry.path else ""
        data["words"] = " ".join(filter(None, [job.id, job.row_id, file]))
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    return (
        f'<figure class="{_shape(tile)}"{attributes}>{_content(tile, name, number)}'
        f'<figcaption><p dir="auto">{escape(name)}</p><small>{escape(_line(tile))}</small>'
        "</figcaption></figure>\n"
    )


def _content(tile: Tile, name: str, number: int) -> str:
    """The link of a tile with its image, or with the reason why there is none."""
    place = f'href="{escape(tile.image)}"' if tile.image else f'id="i{number}" href="#i{number}"'
    if not tile.thumbnail:
        return f"<a {place}>{_why(tile)}</a>"
    width, height = tile.size or (1, 1)
    alt = name if len(name) <= _LONGEST_ALT else f"{name[:_LONGEST_ALT]}…"
    edited = '<span class="edited">before / after</span>' if tile.before else ""
    return (
        f'<a {place}><img loading="lazy" decoding="async" src="{escape(tile.thumbnail)}" '
        f'width="{width}" height="{height}" alt="{escape(alt)}">{edited}</a>'
    )


def _why(tile: Tile) -> str:
    job = tile.entry.job
    heading, text = ("not shown", tile.fault) if tile.fault or job is None else ("", reason(job))
    heading = heading or state(tile.entry)
    return f'<span class="why"><b>{escape(heading)}</b><span>{escape(text)}</span></span>'


def _line(tile: Tile) -> str:
    """What stands below the prompt of a tile."""
    job = tile.entry.job
    parts = [f"{tile.size[0]} × {tile.size[1]}"] if tile.size else []
    if job is not None:
        seed = [f"seed {job.seed}"] if job.seed is not None else []
        parts = [*seed, job.model, *parts, cost_of(job)]
    return " · ".join(filter(None, parts))


def _record(tile: Tile, folder: Path) -> dict[str, object]:
    """What the script needs of a tile beyond what the page shows."""
    return {
        "size": tile.size,
        "image": bool(tile.image),
        "before": tile.before,
        "command": _command(tile, folder),
        "facts": list(facts(tile.entry, tile.size, tile.bytes)),
    }


def _command(tile: Tile, folder: Path) -> str:
    """The command line that makes an image again, empty where that is not known."""
    job, path = tile.entry
    if tile.has_record and path is not None:
        return replay(path, folder)
    return command(job, folder) if job else ""


def _shape(tile: Tile) -> str:
    """The class with the nearest shape: styles on elements would need a weaker policy."""
    width, height = tile.size or (1, 1)
    step = round(log(width / height) / _STEP)
    return f"a{min(max(step, -_STEPS), _STEPS) + _STEPS}"


def _shapes() -> Iterator[str]:
    for step in range(-_STEPS, _STEPS + 1):
        yield f".a{step + _STEPS}{{--a:{1.02**step:.3f}}}\n"


def _script_safe(value: object) -> str:
    """JSON that cannot end the script element which it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _filled(part: str, values: dict[str, str]) -> bytes:
    return _encoded(Template(part).substitute(values))


def _encoded(text: str) -> bytes:
    return text.replace("\0", "\ufffd").encode(errors="replace")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _copy(source: BinaryIO, out: BinaryIO) -> None:
    source.seek(0)
    shutil.copyfileobj(source, out, 2**18)
