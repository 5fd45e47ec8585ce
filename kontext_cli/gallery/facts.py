"""What the page and the sheet say of an entry: plain text, escaped where it is written."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from kontext_cli.gallery.entries import Entry
from kontext_cli.gallery.spending import was_billed
from kontext_cli.gallery.thumbnails import relative
from kontext_cli.http.urls import abridged, is_url
from kontext_cli.job import Job
from kontext_cli.options import OPTIONS
from kontext_cli.words import dollars, flag

Fact = tuple[str, str]
"""A name and its value."""

_OTHERS = ("prompt", "images", "seed")


def title(entry: Entry) -> str:
    """The prompt, or where that is not known, the name of the file."""
    prompt = str(entry.job.request.get("prompt") or "") if entry.job else ""
    return prompt or (entry.path.name if entry.path else "")


def state(entry: Entry) -> str:
    """The state of the job; of a file without one, that of a saved image."""
    return str(entry.job.state) if entry.job else "saved"


def reason(job: Job) -> str:
    """Why a job has no image."""
    if job.error is not None:
        return job.error.message
    return f"no image so far; kontext fetch {job.id}" if job.handle else "no image"


def cost_of(job: Job) -> str:
    """The cost of a job in words, empty where it is not known and for what was not billed."""
    cost = job.cost
    if cost.usd is None or not was_billed(job):
        return ""
    if not cost.usd:
        return "free"
    return f"{'' if cost.source == 'provider' else 'about '}{dollars(cost.usd)}"


def size_text(size: tuple[int, int], count: int) -> str:
    """The pixels and bytes of a file."""
    pixels = f"{size[0]} × {size[1]}"
    return f"{pixels}, {count / 1e6:.1f} MB" if count >= 1e6 else f"{pixels}, {count / 1e3:.0f} kB"


def facts(entry: Entry, size: tuple[int, int] | None, count: int) -> Iterator[Fact]:
    """All that is known of an entry, but for its prompt and its command."""
    job = entry.job
    if size:
        yield "Size", size_text(size, count)
    if job is not None:
        if job.seed is not None:
            yield "Seed", str(job.seed)
        yield "Model", job.model
        yield "Provider", job.provider
        for row in OPTIONS:
            value = job.request.get(row.name)
            if value is not None and row.name not in _OTHERS:
                yield flag(row.name)[2:].replace("-", " ").capitalize(), _value(value)
        if cost := cost_of(job):
            yield "Cost", cost
        yield "Made", f"{job.finished_at or job.created_at:%Y-%m-%d %H:%M} UTC"
        if job.row_id is not None:
            yield "Row", job.row_id
        yield "Job", job.id
    if entry.path is not None:
        yield "File", entry.path.name


def _value(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def replay(image: Path, folder: Path) -> str:
    """The command line that makes an image with a record again; see `command`."""
    name = relative(image, folder)
    return " ".join(map(_quoted, ["kontext", "replay", f"./{name}" if name[0] == "-" else name]))


def command(job: Job, folder: Path) -> str:
    """The command line that asks for the same again, in a POSIX shell, from the page's folder."""
    prompt = str(job.request.get("prompt") or "")
    words = ["-p", job.provider, "-m", job.model]
    for source in job.sources:
        words += ["-i", _source(source.name, folder)]
    for row in OPTIONS:
        value = job.seed if row.name == "seed" else job.request.get(row.name)
        if value is not None and value is not False:
            words += [flag(row.name)] if value is True else [flag(row.name), str(value)]
    # Last and after `--`, a prompt may begin with a dash.
    tail = ["--", prompt] if prompt.startswith("-") else []
    head = [] if tail else [prompt]
    return " ".join(map(_quoted, ["kontext", job.operation, *head, *words, *tail]))


def _source(name: str, folder: Path) -> str:
    if is_url(name):
        return abridged(name)
    return relative(Path(name), folder) if os.path.isabs(name) else name  # noqa: PTH117


def _quoted(word: str) -> str:
    """A word for the shell; control characters are escaped, as a paste could run them."""
    if word.replace("\n", " ").isprintable():
        return shlex.quote(word)
    escaped = "".join(_escaped(each) for each in word)
    return f"$'{escaped}'"


def _escaped(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character == "\n" or character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="replace") if byte)
