"""What is not on the command line: environment, then the config file, then the default.

Nothing is ever read from the working folder, and no `.env` file: a key must not follow whatever
lies where one happens to stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kontext_cli.config import Config
from kontext_cli.errors import InvalidKey, MissingKey, UsageError
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.urls import check_base_url

DEFAULT_MODEL = "kontext-pro"


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment and the config file, asked in that order after the flags."""

    environ: Mapping[str, str]
    config: Config

    def provider(self, flag: str | None, *, needs_key: bool = True) -> Name:
        """The provider's name: flag, KONTEXT_PROVIDER, config, else the first that has a key.

        Raises MissingKey with every variable's name where there is no key at all, unless none is
        needed: then it is the first in order.
        """
        given = flag or self._env("KONTEXT_PROVIDER") or self.config.provider
        if given is not None:
            return _known(given)
        for name in NAMES:
            if self.key(name) is not None:
                return name
        if needs_key:
            raise _no_key_at_all()
        return NAMES[0]

    def model(self, flag: str | None) -> str:
        """The model's name, or a provider's own endpoint id."""
        return flag or self._env("KONTEXT_MODEL") or self.config.model or DEFAULT_MODEL

    def output_dir(self, flag: str | None) -> str:
        """The folder that files go to; the working folder where nothing is set."""
        return flag or self._env("KONTEXT_OUTPUT_DIR") or self.config.output_dir or "."

    def base_url(self, name: Name) -> str | None:
        """Another host for a provider, None for its own. Raises UsageError for an unsafe one."""
        if provider_class(name).offline:
            return None
        variable = f"KONTEXT_{name.upper()}_BASE_URL"
        url = self._env(variable)
        if url:
            return check_base_url(url, variable)
        url = self.config.base_urls.get(name)
        return check_base_url(url, f"base_url of {name} in the config") if url else None

    def open(self, name: Name) -> Provider:
        """The provider, on its base URL and with its prices as they are set."""
        return provider_class(name)(self.base_url(name), self.config.prices.get(name))

    def key(self, name: Name) -> str | None:
        """The provider's key, None where there is none. Raises InvalidKey without its value."""
        for variables in provider_class(name).key_variables:
            parts = [_key_part(self.environ.get(each, ""), each) for each in variables]
            if all(parts):
                return ":".join(parts)
        return None

    def require_key(self, name: Name) -> str | None:
        """The provider's key; None only for a provider that has none.

        Raises MissingKey with the names of the variables.
        """
        variables = provider_class(name).key_variables
        key = self.key(name)
        if variables and key is None:
            raise MissingKey(f"there is no key for {name}", hint=f"set {_spelled(name)}")
        return key

    def _env(self, variable: str) -> str | None:
        return self.environ.get(variable, "").strip() or None


def _known(given: str) -> Name:
    for name in NAMES:
        if name == given:
            return name
    raise UsageError(f"there is no provider `{given}`", hint=f"there are {', '.join(NAMES)}")


def _key_part(value: str, variable: str) -> str:
    """Secret files end in newlines, which must not reach a header: it would be printed."""
    value = value.strip()
    if any(not "!" <= character <= "~" for character in value):
        raise InvalidKey(
            f"{variable} cannot be a key: it holds a space, a line break or a non-ASCII character",
            hint="copy the key again, without anything around it",
        )
    return value


def _spelled(name: Name) -> str:
    return " or ".join(" and ".join(row) for row in provider_class(name).key_variables)


def _no_key_at_all() -> MissingKey:
    keyed = [name for name in NAMES if provider_class(name).key_variables]
    listed = "; ".join(f"{name}: {_spelled(name)}" for name in keyed)
    return MissingKey(
        f"there is no key for any provider ({listed})",
        hint="set one of them, or try it offline with --provider sandbox",
    )
