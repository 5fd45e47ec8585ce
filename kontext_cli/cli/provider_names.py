"""Check the names of providers that are typed, as Typer checks a choice; they may be those of
installed packages."""

from typing import NoReturn

import typer

from kontext_cli.providers import NAMES, every_name, is_known


def known_providers(typed: str | None) -> str | None:
    """Refuse an unknown provider of a list, as a choice of Typer's does."""
    unknown = [name for name in (typed or NAMES[0]).split(",") if not is_known(name.strip())]
    if unknown:
        _refuse_provider(typed if " " in unknown[0].strip() else unknown[0])
    return typed


def known_provider(typed: str | None) -> str | None:
    """Refuse an unknown provider, as a choice of Typer's does."""
    if typed is not None and not is_known(typed):
        _refuse_provider(typed)
    return typed


def _refuse_provider(typed: str | None) -> NoReturn:
    raise typer.BadParameter(f"'{typed}' is not one of {', '.join(map(repr, every_name()))}.")
