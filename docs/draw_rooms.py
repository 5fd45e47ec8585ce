"""Draws the plan of the package into CONTRIBUTING.md: its rooms, floor by floor."""

import ast
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kontext_cli"
GUIDE = ROOT / "CONTRIBUTING.md"
FLOORS = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("terminal",),
    ("batch", "gallery", "doctor"),
    ("engine",),
    ("journal", "settings", "sandbox"),
    ("providers", "files", "prompts", "lock"),
    ("images", "metadata", "request"),
    ("http",),
    ("job",),
    ("errors", "options", "sizes", "words", "quantities", "failpoint", "__init__"),
)
"""The rooms from the top floor down; each may import its own floor and those below."""

_BEGIN, _END = "<!-- rooms -->\n```\n", "```\n<!-- /rooms -->"
_WIDTH = 100
_NAME = 12


def drawing() -> str:
    """The floors as text, each room with the first sentence of its docstring."""
    rule = f"├{'─' * (_WIDTH - 2)}┤\n"
    floors = rule.join("".join(map(_room, floor)) for floor in FLOORS)
    return (
        rule.replace("├", "┌").replace("┤", "┐") + floors + rule.replace("├", "└").replace("┤", "┘")
    )


def drawn(guide: str) -> str:
    """The guide with the drawing of the rooms as they are now."""
    before, _, rest = guide.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{drawing()}{_END}{after}"


def _room(name: str) -> str:
    folder = PACKAGE / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = said.split("\n\n", maxsplit=1)[0].replace("\n", " ").replace("``", "`")
    shown = f"{name}/" if folder.is_dir() else f"{name}.py"
    lines = wrap(first, _WIDTH - _NAME - 6)
    labels = [shown, *[""] * (len(lines) - 1)]
    return "".join(
        f"│ {label:<{_NAME + 2}}{line:<{_WIDTH - _NAME - 5}}│\n"
        for label, line in zip(labels, lines, strict=True)
    )


if __name__ == "__main__":
    GUIDE.write_text(drawn(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
