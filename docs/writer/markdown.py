"""Pieces of Markdown that GitHub and the manual's site show alike."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*_<\[\]])")
_CODE = re.compile(r"`[^`]+`|--[a-z][a-z-]*\b|\bKONTEXT_[A-Z_]+\b|\{\w+\}(?:[ -]\{\w+\})*")
_NOTICE = "<!-- Written from the code by `make reference`; not to be edited. -->"


def page(title: str, blocks: Iterable[str]) -> str:
    """A page of blocks, an empty line between each two."""
    return "\n\n".join([_NOTICE, f"# {title}", *blocks]) + "\n"


def code(text: str) -> str:
    """Text as it is typed or printed."""
    return f"`{text}`" if text else ""


def codes(words: Iterable[str]) -> str:
    """Words as they are typed or printed, separated by commas."""
    return ", ".join(map(code, words))


def prose(text: str) -> str:
    """Plain text without markup of its own but for backticks; flags, variables and fields of
    templates are set as code."""
    parts: list[str] = []
    end = 0
    for found in _CODE.finditer(text):
        parts += [_escaped(text[end : found.start()]), code(found[0].strip("`"))]
        end = found.end()
    return "".join([*parts, _escaped(text[end:])])


def bullets(items: Iterable[tuple[str, str]]) -> str:
    """A list of terms, each with its meaning."""
    return "\n".join(f"- {term}: {meaning}" if meaning else f"- {term}" for term, meaning in items)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_in_cell, row))} |" for row in lines)


def fenced(language: str, lines: Iterable[str]) -> str:
    """A block of code."""
    return "\n".join([f"```{language}", *lines, "```"])


def _in_cell(text: str) -> str:
    return text.replace("|", r"\|")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
