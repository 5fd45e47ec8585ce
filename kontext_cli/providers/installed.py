"""Providers of installed packages, by the entry points of the group ``kontext.providers``.

Each entry point is the name of a provider and its class, as in ``acme = "kontext_acme:Acme"``.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from kontext_cli.errors import KontextError, UsageError
from kontext_cli.words import listed

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from kontext_cli.providers.base import Provider

GROUP = "kontext.providers"
_SAMPLE_KEY = "0" * 32
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}", re.ASCII)


class _Found(NamedTuple):
    """An entry point, and the package that has it."""

    entry: "EntryPoint"
    package: str
    version: str

    @property
    def title(self) -> str:
        """The package with its version."""
        return f"{self.package} {self.version}"


def may_be_name(name: str) -> bool:
    """Whether a provider can have that name: it is part of the names of variables."""
    return _NAME.fullmatch(name) is not None


def installed_names() -> Collection[str]:
    """The names that installed packages give to providers, which may be among ours as well."""
    return _entry_points().keys()


def packages_of(name: str) -> list[str]:
    """The packages that have a provider of that name, with their versions."""
    return [found.title for found in _entry_points().get(name, ())]


@cache
def installed_class(name: str) -> "type[Provider]":
    """The class of a provider, checked and guarded.

    Raises UsageError where there is none, several packages have it, or it cannot be used.
    """
    several = _entry_points().get(name, ())
    if not several:
        raise UsageError(f"there is no provider `{name}`")
    if len(several) > 1:
        raise UsageError(
            f"several packages have a provider {name}: {listed(packages_of(name))}",
            hint="remove all but one of them",
        )
    [found] = several
    try:
        return _usable_class(found)
    except UsageError as fault:
        raise UsageError(
            f"the provider {name} of {found.title} cannot be used: {fault}",
            hint=fault.hint or f"update the package, or remove it: pip uninstall {found.package}",
        ) from fault.__cause__


def _usable_class(found: _Found) -> "type[Provider]":
    """The class that an entry point names. Raises UsageError, also for whatever happens while it is
    imported."""
    from kontext_cli.providers.checked import checked
    from kontext_cli.providers.guarded import described, guarded

    try:
        with redirect_stdout(sys.stderr):  # results alone go to standard output
            loaded = found.entry.load()
        kind = checked(loaded, found.entry.name)
        usable = guarded(kind, found.package, found.version)
        usable().headers(_SAMPLE_KEY)
    except ImportError as error:
        raise UsageError(f"{type(error).__name__}: {error}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, KontextError):
            raise UsageError(error.message, hint=error.hint) from error
        raise UsageError(described(error)) from error
    return usable


@cache
def _entry_points() -> Mapping[str, list[_Found]]:
    """The entry points of providers, by name; a package that is found twice counts once."""
    from importlib.metadata import distributions

    found: defaultdict[str, dict[str, _Found]] = defaultdict(dict)
    for distribution in distributions():
        try:
            for entry in distribution.entry_points.select(group=GROUP):
                if may_be_name(entry.name):
                    package = distribution.name
                    one = _Found(entry, package, distribution.version)
                    found[entry.name].setdefault(package, one)
        except Exception:  # noqa: S112 – a package with damaged metadata hides itself alone
            continue
    return {name: [*several.values()] for name, several in found.items()}
