"""What repeats an image: the request of its record, or what other programs say of it.

Nothing in a file is believed: types are checked here, values by `request.parse` as if they were
typed. An input is a file of the user only if it has the SHA-256 of the record, so that a record
from elsewhere can have nothing sent but an image that its author has already.
"""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, get_args

from kontext_cli.engine.known import Image
from kontext_cli.errors import InputFault
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.inputs import reading
from kontext_cli.files.place import is_object, typed_object
from kontext_cli.files.records import Record
from kontext_cli.http.urls import is_url
from kontext_cli.job import Operation
from kontext_cli.metadata.foreign import making_of
from kontext_cli.options import OPTIONS
from kontext_cli.request import MOST_IMAGES
from kontext_cli.sizes import MOST_INPUT_BYTES

_SHA256 = re.compile("[0-9a-f]{64}")
_SENT = frozenset(row.name for row in OPTIONS if row.sent)
_ASKED = ("operation", "provider", "model", "endpoint", "prompt", "options")
_MOST_NAMED = 8


Inputs = Sequence[Mapping[str, Any]]
"""The input images of a record."""


class Recipe(NamedTuple):
    """How an image was made, unchecked but for the types.

    ``prompt`` is None where it is not known, ``provider``, ``model`` and ``endpoint`` are where
    another program made it. ``inputs`` are those of each record that asks for the same, with paths
    from then and from now. ``notices`` say what is not used of what the file says. ``is_ours``: it
    is of a record.
    """

    operation: Operation
    prompt: str | None
    options: Mapping[str, Any]
    inputs: Sequence[Inputs] = ()
    provider: str | None = None
    model: str | None = None
    endpoint: str | None = None
    time: object = None
    notices: tuple[str, ...] = ()
    is_ours: bool = True


def recipe_of(image: Image) -> Recipe:
    """The recipe of an image, from its first record, else from what another program says.

    Raises InputFault.
    """
    if image.records:
        return _of_record(image.records)
    made = making_of(image.findings)
    if made is None:
        raise InputFault(_nothing_said(image), hint="`kontext info` shows what is known of it")
    seed = {} if made.seed is None else {"seed": made.seed}
    used = [name for name, value in (("prompt", made.prompt), ("seed", made.seed)) if value]
    notice = f"it is from {made.program}: "
    notice += f"{' and '.join(used) or 'nothing'} can be used, so another image is made"
    if made.others:
        more = len(made.others) - _MOST_NAMED
        names = [*made.others[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
        notice += f"; not used: {', '.join(names)}"
    return Recipe("generate", made.prompt, seed, notices=(notice,), is_ours=False)


def _nothing_said(image: Image) -> str:
    found = {each.name: each.text for each in image.findings}
    if "DigitalSourceType" in found:
        by = f": {found['AISystemUsed']}" if "AISystemUsed" in found else ""
        return f"it says only that a model made it{by}, not from what prompt"
    return "it does not say how it was made, and the journal does not know it"


def _of_record(records: Sequence[Record]) -> Recipe:
    (origin, values), *others = records
    options = _typed(origin, values, "options", dict)
    operation: Operation = _typed(origin, values, "operation", str)
    if operation not in get_args(Operation):
        raise InputFault(f"{origin}: there is no operation `{operation}`")
    known = {name: each for name, each in options.items() if name in _SENT and each is not None}
    if values.get("seed") is not None:
        known.setdefault("seed", values["seed"])  # one that the provider chose and reported
    notices = []
    if unknown := len([name for name in options if name not in _SENT]):
        notices.append(f"options that this version does not know are left out: {unknown}")
    same = [each for each in others if _asked(each.values) == _asked(values)]
    if other := next((each for each in others if each not in same), None):
        notices.append(f"{origin} is used; {other.origin} says otherwise")
    return Recipe(
        operation,
        _typed(origin, values, "prompt", str),
        known,
        [_inputs(each) for each in (records[0], *same)],
        provider=_typed(origin, values, "provider", str),
        model=_typed(origin, values, "model", str),
        endpoint=_typed(origin, values, "endpoint", str),
        time=values.get("time"),
        notices=tuple(notices),
    )


def _inputs(record: Record) -> Inputs:
    inputs: Inputs = _typed(record.origin, record.values, "inputs", list)
    if len(inputs) > MOST_IMAGES or not all(isinstance(each, dict) for each in inputs):
        raise InputFault(f"{record.origin}: its `inputs` are not at most {MOST_IMAGES} images")
    return inputs


def _typed(origin: str, values: Mapping[str, Any], name: str, kind: type) -> Any:
    value = values.get(name)
    if not isinstance(value, kind):
        raise InputFault(f"{origin}: its `{name}` cannot be read")
    return value


def _asked(record: Mapping[str, Any]) -> list[object]:
    """What a record asks for, whoever made it when, and wherever its inputs are."""
    inputs = record.get("inputs")
    images = inputs if isinstance(inputs, list) else []
    return [
        *(record.get(name) for name in _ASKED),
        [(each.get("sha256"), each.get("url")) for each in images if isinstance(each, dict)],
    ]


def input_images(recipe: Recipe, image: Image, name: str) -> tuple[list[str], list[str]]:
    """The input images of a recipe, absolute paths and URLs, with notices about them.

    ``name`` is the image as it was typed. Raises InputFault for the first input that is not what
    it was.
    """
    places = [*zip(*recipe.inputs, strict=True)]
    found = [_found(each, image.folder) for each in places]
    faults = [each for each in found if isinstance(each, InputFault)]
    if faults:
        given = ["IMAGE" if isinstance(each, InputFault) else each for each in found]
        words = [word for each in given for word in ("-i", each)]
        raise faults[0].replace(hint=shlex.join(["kontext", "replay", name, *words]))
    notices = [
        f"the URL {each['url']} of an input had a query, which is in no record; "
        "if it cannot be fetched, give it with -i"
        for each, *_ in places
        if each.get("path") is None and each.get("shortened")
    ]
    return [str(each) for each in found], notices


def _found(places: Inputs, folder: Path) -> str | InputFault:
    """The source of an input that several records have, or what is wrong with the first of them."""
    faults = []
    for each in places:
        try:
            return _input(each, folder)
        except InputFault as fault:
            faults.append(fault)
    return faults[0]


def _input(given: Mapping[str, Any], folder: Path) -> str:
    """The source of an input. Raises InputFault if it is missing or changed."""
    if given.get("path") is None:
        url = given.get("url")
        if not isinstance(url, str) or not is_url(url):
            raise InputFault("an input of its record is neither a path nor a URL")
        return url
    path, digest = given["path"], given.get("sha256")
    if not isinstance(path, str) or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise InputFault("an input of its record is neither a path with a SHA-256 nor a URL")
    if path == "-":
        raise InputFault("its input was standard input, which is not kept")
    with reading(path):
        source = _place(path, folder)
        data = destination_of(source).read(source, most=MOST_INPUT_BYTES)
    if sha256(data).hexdigest() != digest:
        raise InputFault(f"the input `{path}` is not the image that was sent: it was changed")
    return str(source)


def _place(path: str, folder: Path) -> Path:
    """The file or the object of an input. Raises InputFault and UsageError."""
    if is_object(path):  # whose bucket may log the account that asks, and learns no more
        return typed_object(path)
    # No path that we write is absolute: one of another machine, or to a share on Windows, whose
    # server would learn who asks.
    if Path(path).anchor or is_url(path):
        raise InputFault(f"the input `{path}` is not relative to the image")
    return Path(os.path.normpath(folder / path))  # as it was written: links are not followed
