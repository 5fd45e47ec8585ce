"""What the quick commands may import: their speed is an import list, and a list can be checked."""

import pytest

from processes import HEAVY, imported


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
        ["gallery", "--help"],
        ["cost", "--help"],
        ["doctor", "--help"],
        ["check", "--help"],
        ["check"],
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


@pytest.mark.parametrize(
    "argv",
    [
        *(["status"], ["models"], ["auth", "list"], ["forget", "none"], ["gallery"], ["cost"]),
        ["doctor"],
    ],
)
def test_commands_that_send_nothing_import_what_they_read_alone(argv: list[str]) -> None:
    assert imported(*argv) & HEAVY <= {"sqlite3"}
