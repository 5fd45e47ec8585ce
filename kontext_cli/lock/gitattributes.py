"""Whether git merges a lock line by line: what `.gitattributes` says of it."""

import re
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 2**20
_PIECES = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[!?[^]]+\]|.", re.DOTALL)
_OF_PIECES = {
    "/**/": "/(?:.*/)?",
    "**/": "(?:.*/)?",
    "/**": "/.*",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
}


def line_for(lock: Path) -> str:
    """The line that is needed in a `.gitattributes` beside the lock."""
    pattern = f"/{lock.name}"
    return f'"{pattern}" merge=union' if " " in pattern else f"{pattern} merge=union"


def is_merged_by_line(lock: Path) -> bool:
    """Whether branches with different rows merge; also true outside of git repositories."""
    lock = lock.resolve()
    top = next((each for each in lock.parents if (each / ".git").exists()), None)
    if top is None:
        return True
    folders = [each for each in lock.parents if each == top or top in each.parents]
    files = [top / ".git" / "info" / "attributes", *(each / ".gitattributes" for each in folders)]
    for file in files:  # the first that says something counts, and in it the last line
        base = top if file.parent.name == "info" else file.parent
        said = list(_said(file, lock.relative_to(base).as_posix()))
        if said:
            return said[-1] == "union"
    return False


def _said(file: Path, path: str) -> Iterator[str]:
    """How a file of attributes wants a path to be merged, line by line."""
    try:
        with file.open("rb") as stream:
            text = stream.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        found = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s#]\S*))\s+(.*)', line)
        if found is not None and _matches(found[1] or found[2], path):
            yield from (
                each.partition("=")[2] or each
                for each in found[3].split()
                if each.lstrip("-!").partition("=")[0] in ("merge", "binary")
            )


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern of git matches a path; both relative to the folder of the file."""
    if "/" not in pattern:
        path = path.rpartition("/")[2]
    pieces = _PIECES.findall(pattern.removeprefix("/").replace("\\", ""))
    expression = "".join(_OF_PIECES.get(piece) or _literal(piece) for piece in pieces)
    return re.fullmatch(expression, path) is not None


def _literal(piece: str) -> str:
    is_set = len(piece) > 1 and piece[0] == "["
    return f"[^{piece[2:]}" if piece.startswith("[!") else piece if is_set else re.escape(piece)
