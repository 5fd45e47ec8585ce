"""Holds the commands and the providers to the table of options."""

import inspect
from typing import get_type_hints

import pytest

from kontext_cli.cli.edit import edit
from kontext_cli.cli.generate import generate
from kontext_cli.cli.replay import replay
from kontext_cli.options import OPTIONS
from kontext_cli.prompts import KEYS
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.request import parse
from kontext_cli.words import flag

SENT = {row.name for row in OPTIONS if row.sent}


@pytest.mark.parametrize("command", [generate, edit, replay])
def test_a_command_has_each_option_in_the_order_of_the_table(command: object) -> None:
    parameters = inspect.signature(command).parameters  # type: ignore[arg-type]
    names = {row.name for row in OPTIONS}
    assert [name for name in parameters if name in names] == [row.name for row in OPTIONS]
    for row in OPTIONS:
        hint = get_type_hints(command, include_extras=True)[row.name]
        assert hint.__metadata__[0].default == flag(row.name)  # where Typer keeps the first name
        assert parameters[row.name].default is (False if row.type is bool else None)


@pytest.mark.parametrize("command", [generate, edit, replay])
def test_a_parameter_of_a_command_has_the_type_of_its_option(command: object) -> None:
    declared = inspect.getsource(command)  # type: ignore[arg-type]
    for row in OPTIONS:
        kind = row.type.__name__ if row.type is bool else f"{row.type.__name__} | None"
        assert f"    {row.name}: {kind} = " in declared


def test_requests_and_prompts_files_take_each_option() -> None:
    options = {row.name: row.choices[0] if row.choices else 1 for row in OPTIONS if row.sent}
    request = parse({"operation": "generate", "prompt": "a fox", **options})
    assert request.options.keys() == SENT
    assert {row.name for row in OPTIONS} <= KEYS


def test_a_provider_takes_only_options_of_the_table() -> None:
    taken = {
        field for name in NAMES for row in provider_class(name).endpoints for field in row.fields
    }
    assert taken == {"prompt"} | SENT


@pytest.mark.parametrize("name", sorted(SENT))
def test_help_quotes_the_widest_limits_of_any_provider(name: str) -> None:
    [option] = [row for row in OPTIONS if row.name == name]
    endpoints = [row for each in NAMES for row in provider_class(each).endpoints]
    taken = [row for each in endpoints if (row := each.option(name))]
    if option.choices:
        assert set(option.choices) == {word for row in taken for word in row.choices}
    if option.least is not None:
        assert option.least == min(row.least for row in taken if row.least is not None)
        assert option.most == max(row.most for row in taken if row.most is not None)
