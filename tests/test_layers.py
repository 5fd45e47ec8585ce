"""Who may import whom: the arrows of CONTRIBUTING.md, held."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kontext_cli

ROOT = Path(kontext_cli.__file__).parent

HOMES = {
    "typer": ("cli/",),
    "rich": ("cli/live.py",),
    "httpx2": ("transport.py", "network.py"),
    "httpcore2": ("network.py", "resolving.py", "connections.py"),
    "pydantic": ("request.py", "sandbox/payloads.py"),
    "platformdirs": ("paths.py",),
    "PIL": ("pictures.py", "shrinking.py", "sandbox/"),
    "starlette": ("sandbox/",),
    "uvicorn": ("sandbox/",),
    "asyncio": (
        "engine.py",
        "recorder.py",
        "collect.py",
        "transport.py",
        "resolving.py",
        "connections.py",
        "deadline.py",
        "throughput.py",
        "journal/scribe.py",
        "batch/lane.py",
        "batch/pace.py",
        "batch/run.py",
        "cli/batching.py",
        "cli/signals.py",
        "cli/session.py",
        "cli/fetching.py",
        "sandbox/",
    ),
    "sqlite3": ("journal/",),
}
"""The only places that may import each library."""

LAYERS = (
    ("errors",),
    ("job", "sizes", "words", "quantities", "failpoint"),
    (
        "request",
        "urls",
        "addresses",
        "prompts",
        "slugs",
        "containers",
        "plain",
        "redaction",
        "templates",
        "pictures",
        "shrinking",
        "disk",
        "renaming",
        "listing",
    ),
    ("providers",),
    (
        "config",
        "paths",
        "credentials",
        "retry",
        "proxies",
        "connections",
        "deadline",
        "events",
        "throughput",
        "reach",
        "resolving",
        "inline",
        "inputs",
        "names",
    ),
    ("outputs",),
    ("settings", "network", "unanswered", "transport", "delivery", "plan"),
    ("journal",),
    ("upload", "collect", "answers", "outcome"),
    ("recorder",),
    ("engine",),
    ("batch",),
    ("sandbox",),
    ("cli",),
)
"""Rooms from the inside out; each may import its own row and the rows before it."""

NO_IO = {"os", "time", "asyncio", "pathlib", "socket", "subprocess", "io", "tempfile"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


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
        if (library := name.split(".")[0]) in HOMES and not path.startswith(HOMES[library])
    ]
    assert strays == []


def test_arrows_point_inward() -> None:
    rank = {name: number for number, row in enumerate(LAYERS) for name in row}
    strays = [
        f"{path} imports {name}"
        for path, tree in modules()
        for name in imports(tree)
        if name.startswith("kontext_cli.") and room(path) in rank
        if rank.get(name.split(".")[1], 0) > rank[room(path)]
    ]
    assert strays == []


def test_every_room_has_its_layer() -> None:
    known = {name for row in LAYERS for name in row} | {"__init__", "__main__"}
    assert {room(path) for path, _ in modules()} <= known


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
