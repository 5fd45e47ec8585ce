"""The reference of the manual is written from the code, and holds all of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kontext_cli
from docs.writer.configuration import EXAMPLE, variables
from docs.writer.exit_codes import EXIT_CODES
from docs.writer.pages import REFERENCE, written
from docs.writer.records import RECORDS
from kontext_cli.cli.main import program
from kontext_cli.errors import KontextError, kinds
from kontext_cli.settings.config import load_config

WRITTEN = written(program())
PACKAGE = Path(kontext_cli.__file__).parent
NOT_FOR_USERS = {"KONTEXT_TEST_KILL_AT"}
"""A variable for tests."""


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_the_file_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == WRITTEN[path], "run `make reference`"


def test_nothing_else_is_there() -> None:
    assert {*REFERENCE.iterdir()} == WRITTEN.keys()


def test_every_exit_code_of_an_error_is_explained() -> None:
    listed = {int(code) for row in EXIT_CODES for code in row.codes.split(", ")}
    assert {kind.exit_code for kind in kinds(KontextError) if hasattr(kind, "exit_code")} <= listed


def test_every_type_of_record_is_in_the_schema() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in printing_modules())
    assert set(re.findall(r'"type": "(\w+)"', code)) == RECORDS.keys()


def printing_modules() -> Iterator[Path]:
    for room in ("commands", "terminal"):
        yield from (PACKAGE / room).glob("*.py")


def test_every_variable_that_the_program_names_is_explained() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r'"(KONTEXT_[A-Z_]*[A-Z])"', code))
    assert named - {name for names, _ in variables() for name in names} <= NOT_FOR_USERS


def test_the_example_of_a_config_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)
    config = load_config(path)
    assert all(value for name, value in config._asdict().items()), config
