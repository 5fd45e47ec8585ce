"""Who may import whom: the plan of CONTRIBUTING.md, held."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import kontext_cli
from docs.draw_rooms import FLOORS, GUIDE, drawn
from kontext_cli.providers import NAMES, provider_class

ROOT = Path(kontext_cli.__file__).parent

HOMES = {
    "typer": ("cli",),
    "rich": ("terminal",),
    "httpx2": ("http",),
    "httpcore2": ("http",),
    "pydantic": ("request", "sandbox"),
    "platformdirs": ("settings",),
    "PIL": ("images", "sandbox"),
    "pi_heif": ("images",),
    "obstore": ("files",),
    "starlette": ("sandbox",),
    "uvicorn": ("sandbox",),
    "sqlite3": ("journal",),
    "psycopg": ("journal",),
    "asyncio": ("commands", "batch", "doctor", "engine", "journal", "sandbox", "http"),
}
"""The only rooms that may import each library."""

MOST_LINES = 400
NO_IO = {"os", "time", "asyncio", "pathlib", "socket", "subprocess", "io", "tempfile"}


@cache
def modules() -> Sequence[tuple[str, ast.Module]]:
    """Each module of the package, by its path in there."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
    ]


@cache
def imports(tree: ast.Module) -> Sequence[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    return found


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


def test_the_rules_of_the_journal_know_no_database() -> None:
    """What a database is needed for stays behind `Store`, chosen in `journal/store.py`."""
    of_sqlite = {
        f"journal/{name}.py" for name in ("database", "file", "history", "schema", "sqlite")
    }
    users = {path for path, tree in modules() if "sqlite3" in imports(tree)}
    assert users == of_sqlite
    of_postgresql = {
        f"journal/{name}.py"
        for name in ("leases", "postgres", "postgres_schema", "postgres_table", "server")
    }
    assert {path for path, tree in modules() if "psycopg" in imports(tree)} == of_postgresql
    for store in ("kontext_cli.journal.sqlite", "kontext_cli.journal.postgres"):
        assert [path for path, tree in modules() if store in imports(tree)] == ["journal/store.py"]


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
    """But for the sandbox, which is fal, emulated, and a router, which offers what its hosts do."""
    names = {f"kontext_cli.providers.{name}" for name in NAMES}
    of_others = {"providers/sandbox.py", "providers/huggingface.py"}
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        if path.startswith("providers/") and path not in of_others
        for name in imports(tree)
        if name in names
    ]
    assert strays == []


def strings(tree: ast.Module) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node.value


def test_what_is_peculiar_to_a_provider_stays_in_its_file() -> None:
    """Its name and its headers; the examples of `cli` may name it, the sandbox emulates it, and
    foreign metadata may be a program's that is also a provider."""
    names = {name for name in NAMES if not provider_class(name).offline} - {"together"}
    peculiar = re.compile(rf"\b({'|'.join(names)})\b|^together$|^x-", re.IGNORECASE)
    its_own = {"providers/__init__.py", *(f"providers/{name}.py" for name in NAMES)}
    strays = [
        f"{path}: {text}"
        for path, tree in modules()
        if room(path) not in ("cli", "sandbox") and path not in its_own
        if not path.startswith(("providers/dialects/", "metadata/foreign"))
        for text in strings(tree)
        if peculiar.search(text)
    ]
    assert strays == []


def test_no_file_is_too_long() -> None:
    lines = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path, _ in modules()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_the_guide_shows_the_rooms_as_they_are() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert drawn(guide) == guide, "run `make picture`"
