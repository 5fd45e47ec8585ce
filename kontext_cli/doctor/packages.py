"""Checks of the installed packages that add providers."""

from collections.abc import Iterator

from kontext_cli.doctor.finding import Finding
from kontext_cli.errors import UsageError
from kontext_cli.providers import NAMES, Name, every_name, provider_class
from kontext_cli.providers.installed import packages_of
from kontext_cli.words import listed


def usable_providers() -> list[Name]:
    """Our providers, and those of packages that can be used."""
    return [name for name in every_name() if name in NAMES or _fault(name) is None]


def check_packages() -> Iterator[Finding]:
    """The providers that packages add, and what is wrong with them."""
    for name in every_name():
        packages = packages_of(name)
        if not packages:
            continue
        if name in NAMES:
            text = f"the provider of {listed(packages)} is not used: kontext has its own"
            yield Finding(name, text, "note", "remove the package")
        elif (fault := _fault(name)) is not None:
            yield Finding.of(name, fault)
        else:
            yield Finding(name, f"a provider of {packages[0]}")


def _fault(name: Name) -> UsageError | None:
    """Why the provider of a package cannot be used; None where it can."""
    try:
        provider_class(name)
    except UsageError as fault:
        return fault
    return None
