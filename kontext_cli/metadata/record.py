"""The provenance of an image: its mark, and the record from which it can be made again."""

import json
import os
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from kontext_cli import __version__
from kontext_cli.http.urls import is_url, unsigned
from kontext_cli.job import Job, Source
from kontext_cli.options import Metadata

SCHEMA = 1
MOST_RECORD = 2**20
"""Bytes of a record, and of any JSON that is read from an image or its sidecar."""
MOST_DEPTH = 20
"""Lists and objects within each other in there."""
_KIND = "image"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NOT_OPTIONS = ("prompt", "images")


class Provenance(NamedTuple):
    """What an image is to carry; ``prompt``, ``parameters`` and ``record`` (JSON) are None where
    it is only marked."""

    source_type: str
    system: str
    tool: str
    prompt: str | None = None
    parameters: str | None = None
    record: str | None = None


def provenance_of(job: Job, metadata: Metadata, folder: Path, size: tuple[int, int]) -> Provenance:
    """What an image of a job carries that lies in ``folder``; ``size`` is in pixels."""
    kind = "compositeWithTrainedAlgorithmicMedia" if job.sources else "trainedAlgorithmicMedia"
    maker = job.reply.get("server") or job.provider
    mark = Provenance(_SOURCE_TYPES + kind, f"{_model(job)} ({maker})", f"kontext {__version__}")
    if metadata != "full":
        return mark
    return mark._replace(
        prompt=str(job.request.get("prompt", "")),
        parameters=_parameters(job, size),
        record=as_json(record_of(job, folder)),
    )


def record_of(job: Job, folder: Path) -> dict[str, Any]:
    """What `replay` needs to make an image of a job again. Input files are relative to ``folder``.

    The same job has the same record at any time, so that its image is the same file again when it
    is saved a second time.
    """
    options = {name: each for name, each in job.request.items() if name not in _NOT_OPTIONS}
    return {
        "schema": SCHEMA,
        "type": _KIND,
        "operation": job.operation,
        "provider": job.provider,
        "model": job.model,
        "endpoint": job.endpoint,
        "prompt": job.request.get("prompt"),
        "options": options,
        "seed": job.seed,
        "inputs": [_input(source, folder) for source in job.sources],
        "version": __version__,
        "time": job.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def as_json(record: Mapping[str, Any], *, indent: int | None = None) -> str:
    """A record as JSON that is valid UTF-8, whatever its texts and paths contain."""
    text = json.dumps(record, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate, as JSON escapes it


def is_record(value: object) -> bool:
    """Whether a JSON value is a record of an image."""
    return isinstance(value, dict) and (value.get("schema"), value.get("type")) == (SCHEMA, _KIND)


def read_json(text: bytes | str) -> object:
    """JSON of someone else's, None where it is not valid, too long or nested too deep."""
    if len(text) > MOST_RECORD:
        return None
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return None
    return value if _depth(value) <= MOST_DEPTH else None


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


def _depth(value: object) -> int:
    """How deep a JSON value is nested, up to a little more than is allowed."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        depth += 1
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [x for each in inner for x in (each.values() if isinstance(each, dict) else each)]
    return depth


def _input(source: Source, folder: Path) -> dict[str, str | bool | None]:
    if source.sha256 is None:
        url = unsigned(source.name)
        shortened = {} if url == source.name else {"shortened": True}
        return {"url": url, "sha256": None, **shortened}
    return {"path": _path(source.name, folder), "sha256": source.sha256}


def _path(name: str, folder: Path) -> str:
    """The path of an input from a folder, or its URL; its name alone where no way leads there."""
    if name == "-" or is_url(name):
        return name
    try:
        return os.path.relpath(name, folder).replace(os.sep, "/")
    except ValueError:  # on another drive
        return Path(name).name


def _model(job: Job) -> str:
    """The name of the model; the server's own where it says one."""
    return str(job.reply.get("model") or job.model)


def _parameters(job: Job, size: tuple[int, int]) -> str:
    """The prompt and its values as many programs read them; steps only where they were sent."""
    values = {
        "Steps": job.request.get("steps"),
        "Seed": job.seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": _model(job),
        "Version": f"kontext {__version__}",
    }
    settings = ", ".join(f"{name}: {each}" for name, each in values.items() if each is not None)
    return f"{job.request.get('prompt', '')}\n{settings}"
