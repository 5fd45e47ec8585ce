"""Who may import whom: the plan of CONTRIBUTING.md, held."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import kontext_cli
from docs.draw_rooms import FLOORS, GUIDE, drawn

ROOT = Path(kontext_cli.__file__).parent

HOMES = {
    "typer": ("cli",),
    "rich": ("terminal",),
    "httpx2": ("http",),
    "httpcore2": ("http",),
    "pydantic": ("request", "sandbox"),
    "platformdirs": ("settings",),
    "PIL": ("images", "sandbox"),
    "starlette": ("sandbox",),
    "uvicorn": ("sandbox",),
    "sqlite3": ("journal",),
    "asyncio": ("commands", "batch", "engine", "journal", "sandbox", "http"),
}
"""The only rooms that may import each library."""

NO_IO = {"os", "time", "asyncio", "pathlib", "socket", "subprocess", "io", "tempfile"}


@cache
def modules() -> Sequence[tuple[str, ast.Module]]:
    """Each module of the package, by its path in there."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
    ]


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: str) -> str:
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


def test_each_library_lives_in_its_own_room() -> None:
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        for name in imports(tree)
        if (library := name.split(".")[0]) in HOMES and room(path) not in HOMES[library]
    ]
    assert strays == []


def test_no_arrow_points_up() -> None:
    floor = {name: -number for number, row in enumerate(FLOORS) for name in row}
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        for name in imports(tree)
        if name.startswith("kontext_cli.")
        and floor.get(name.split(".")[1], floor["__init__"]) > floor[room(path)]
    ]
    assert strays == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {f"kontext_cli.{path.removesuffix('.py').replace('/', '.')}" for path, _ in modules()}
    arrows = {
        f"kontext_cli.{path.removesuffix('.py').replace('/', '.')}": names & {*imports(tree)}
        for path, tree in modules()
    }
    while free := {name for name, needed in arrows.items() if not needed}:
        arrows = {name: needed - free for name, needed in arrows.items() if name not in free}
    assert arrows == {}


def test_providers_do_no_io() -> None:
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        if path.startswith("providers/")
        for name in imports(tree)
        if name.split(".")[0] in NO_IO
    ]
    assert strays == []


def test_providers_do_not_know_each_other() -> None:
    """But for the sandbox: it is fal, emulated, and offers what fal offers."""
    names = {f"kontext_cli.providers.{name}" for name in ("fal", "aimlapi", "chainhub", "sandbox")}
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        if path.startswith("providers/") and path != "providers/sandbox.py"
        for name in imports(tree)
        if name in names
    ]
    assert strays == []


def test_the_guide_shows_the_rooms_as_they_are() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert drawn(guide) == guide, "run `make picture`"
