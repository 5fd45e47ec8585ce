"""What the quick commands may import: their speed is an import list, and a list can be checked."""

import subprocess
import sys

import pytest

from processes import environment

HEAVY = {
    "httpx2",
    "pydantic",
    "rich",
    "rich.progress",
    "asyncio",
    "PIL",
    "starlette",
    "uvicorn",
    "sqlite3",
}


def imported(*argv: str) -> set[str]:
    """The modules that a run of the command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kontext_cli", *argv],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {row.rpartition("|")[2].strip() for row in rows}


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["--version"],
        ["generate", "--help"],
        ["edit", "--help"],
        ["sandbox", "--help"],
        ["auth", "--help"],
        ["completion", "--help"],
        ["fetch", "--help"],
        ["generate", "x", "--no-such-option"],
        ["generate", "x", "-n", "many"],
        ["genrate"],
    ],
)
def test_quick_commands_stay_light(argv: list[str]) -> None:
    modules = imported(*argv)
    assert "kontext_cli" in modules
    assert not modules & HEAVY


def test_the_version_is_answered_before_typer_is_imported() -> None:
    assert "typer" not in imported("--version")
