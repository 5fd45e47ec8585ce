"""Prompt and seed of images that other programs made, as far as they are plain.

The forms: `parameters` of the Stable Diffusion web UI and sd-server (as Exif comment in JPEG),
`invokeai_metadata`, mflux's comment, and `prompt`, the graph of ComfyUI.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from kontext_cli.metadata.find import TOO_LONG, Finding
from kontext_cli.metadata.record import read_json

T = TypeVar("T")

_LORA = re.compile(r" ?<(?:lora|lyco|hypernet):[^<>]*>")
_SETTING = re.compile(r'(\w[\w /-]{0,40}): ?("(?:\\.|[^\\"])*"|[^,]*)(?:, ?|$)')
_LONGEST_SETTINGS = 8_000
_NEGATIVE = "Negative prompt"
_FEWEST_SETTINGS = 2
_MOST_DIGITS = 20
"""Of a seed of 64 bits."""


class Making(NamedTuple):
    """What a program says of an image: ``prompt`` and ``seed`` are None where they are not plain.

    ``others`` are the names of what else it says, which has no meaning here.
    """

    program: str
    prompt: str | None = None
    seed: int | None = None
    others: tuple[str, ...] = ()


def making_of(findings: Sequence[Finding]) -> Making | None:
    """What another program says in an image, None where it says nothing that is known."""
    found = [making for each in findings if (making := _making(each)) is not None]
    return next((each for each in found if each.prompt is not None), next(iter(found), None))


def _making(finding: Finding) -> Making | None:
    if finding.text == TOO_LONG:
        return None
    match finding.name:
        case "parameters":
            return _of_parameters(finding.text)
        case "UserComment":
            value = read_json(finding.text)
            return _of_keys("mflux", value) if value else _of_parameters(finding.text)
        case "invokeai_metadata":
            return _of_keys("InvokeAI", read_json(finding.text))
        case "prompt":
            return _of_graph(read_json(finding.text))
        case _:
            return None


def _of_parameters(text: str) -> Making | None:
    """The prompt, which may have several lines, `Negative prompt:`, and a line of settings.

    Without such a line it is a comment of any kind.
    """
    *lines, last = text.strip().split("\n")
    settings = dict(_SETTING.findall(last[:_LONGEST_SETTINGS]))
    if "Seed" not in settings or len(settings) < _FEWEST_SETTINGS:
        return None
    prompt, negative, _ = "\n".join(lines).partition(f"\n{_NEGATIVE}:")
    if prompt.startswith(f"{_NEGATIVE}:"):
        prompt, negative = "", "\n"
    plain = _LORA.sub("", prompt)
    others = [_NEGATIVE] if negative else []
    others += ["LoRA"] if plain != prompt else []
    others += [name for name in settings if name not in ("Seed", "Version")]
    return Making("another program", _text(plain), _seed(settings["Seed"].strip()), tuple(others))


def _of_keys(program: str, value: object) -> Making | None:
    """Values by their names, as InvokeAI and mflux write them."""
    if not isinstance(value, dict):
        return None
    known = ("positive_prompt", "prompt", "seed")
    others = [name for name, each in value.items() if name not in known and _says_something(each)]
    if not any(name in value for name in known):
        return None
    return Making(
        program,
        _text(value.get("positive_prompt", value.get("prompt"))),
        _seed(value.get("seed")),
        tuple(others),
    )


def _of_graph(value: object) -> Making | None:
    """A graph of nodes: a text or a seed counts where there is only one of them."""
    if not isinstance(value, dict):
        return None
    nodes = [each for each in value.values() if isinstance(each, dict) and "class_type" in each]
    if not nodes:
        return None
    inputs = [each["inputs"] for each in nodes if isinstance(each.get("inputs"), dict)]
    texts = {each.strip() for each in _inputs(inputs, "text", "prompt") if isinstance(each, str)}
    seeds = {each for each in map(_seed, _inputs(inputs, "seed", "noise_seed")) if each is not None}
    texts.discard("")
    kinds = dict.fromkeys(str(each["class_type"]) for each in nodes)
    return Making("ComfyUI", _only(texts), _only(seeds), tuple(kinds))


def _inputs(nodes: Sequence[Mapping[str, Any]], *names: str) -> Iterator[object]:
    return (node[name] for node in nodes for name in names if name in node)


def _only(values: set[T]) -> T | None:
    return values.pop() if len(values) == 1 else None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _seed(value: object) -> int | None:
    """A seed as a number, or as the digits of one."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) <= _MOST_DIGITS else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 10**_MOST_DIGITS else None


def _says_something(value: object) -> bool:
    return value not in (None, "", [], {}, False)
