"""No test depends on the environment of the machine, nor does any process that a test starts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import environment

TESTS = Path(__file__).parents[1]
STARTERS = ("run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
BUILDERS = {"processes.py", "sitecustomize.py"}
"""Where `os.environ` is turned into a built environment, and what runs in such a process."""


def inheriting(source: str) -> Iterator[int]:
    """Lines that start a process without ``env=``, or that copy `os.environ` for one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("subprocess"), attr=name)):
                given = {keyword.arg for keyword in node.keywords}
                if name in STARTERS and "env" not in given:
                    yield node.lineno
            case ast.keyword(arg="env" | None, value=value) if _is_environ(value):
                yield value.lineno
            case ast.Dict(keys=keys, values=values):
                spread = (value for key, value in zip(keys, values, strict=True) if key is None)
                yield from (value.lineno for value in spread if _is_environ(value))
            case ast.BinOp(left=left, right=right) if _is_environ(left) or _is_environ(right):
                yield node.lineno


def _is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) in ("os.environ", "os.environ.copy()", "dict(os.environ)")


def test_every_process_gets_an_environment_that_is_built() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in TESTS.rglob("*.py")
        if path.name not in BUILDERS
        and ("subprocess" in (source := path.read_text(encoding="utf-8")) or "environ" in source)
        for line in inheriting(source)
    ]
    assert found == [], "use processes.environment()"


@pytest.mark.parametrize(
    "source",
    [
        "subprocess.run(['x'], check=True)",
        "subprocess.Popen(['x'], env=os.environ)",
        "start('x', env=os.environ.copy())",
        "start('x', env={**os.environ, 'A': 'b'})",
        "start('x', environ={'A': 'b', **os.environ})",
        "values = os.environ | {'A': 'b'}",
    ],
)
def test_what_inherits_is_found(source: str) -> None:
    assert list(inheriting(source)) == [1]


def test_the_environment_of_a_test_holds_no_settings_of_python_or_of_pytest() -> None:
    names = set(environment())
    assert {name for name in names if name.startswith(("PYTHON", "PYTEST", "KONTEXT"))} == set()
    assert set(environment({"PATH": None, "A": "b"})) == names - {"PATH"} | {"A"}
