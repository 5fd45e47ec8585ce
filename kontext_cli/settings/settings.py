"""Settings beyond the command line: environment, then the config file, then the default.

Nothing is read from the working folder, not even a `.env` file: which key is used must not depend
on the working folder.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self, TypeVar

from kontext_cli.errors import InvalidKey, KeyFault, MissingKey, UsageError
from kontext_cli.http.urls import canonical, check_base_url, host_of, is_loopback
from kontext_cli.job import Operation
from kontext_cli.options import Metadata
from kontext_cli.providers import (
    KEY_FORMS,
    NAMED_ONLY,
    NAMES,
    Name,
    every_name,
    is_known,
    provider_class,
)
from kontext_cli.providers.base import Provider
from kontext_cli.settings.config import METADATA, PREVIEWS, Config, Preview, load_config
from kontext_cli.settings.credentials import Credentials, checked_key
from kontext_cli.settings.paths import config_dir, from_home
from kontext_cli.words import nearest

WAYS = ("route", "dialect")
"""What changes a request beside its model and options: the names of settings of a provider."""

_Choice = TypeVar("_Choice", bound=str)


class Setting(NamedTuple):
    """A value and its origin."""

    value: str
    origin: str


class Settings(NamedTuple):
    """The environment, the config file and the stored keys, asked in that order after the flags."""

    environ: Mapping[str, str]
    config: Config
    credentials: Credentials

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read the config file. Raises UsageError with the line of a fault."""
        folder = config_dir(environ)
        return cls(environ, load_config(folder / "config.toml"), Credentials(folder))

    def providers(
        self, flag: str | None, *, needs_key: bool = True, usual: str | None = None
    ) -> tuple[Name, ...]:
        """The providers to try in this order: flag, KONTEXT_PROVIDER, config, else the ``usual``
        ones, else the first that has a key.

        If there is no key at all, it is the first provider; with ``needs_key``, MissingKey is
        raised instead, with the names of all variables.
        """
        given = self._first(flag, "provider", self.config.provider)
        if given is not None or usual is not None:
            return known_providers(given.value if given is not None else str(usual))
        for name in NAMES:
            if name not in NAMED_ONLY and self.has_key(name):
                return (name,)
        if needs_key:
            raise self._no_key_at_all()
        return NAMES[:1]

    def ways(self, providers: str) -> dict[str, str]:
        """How ``providers``, a list as in `-p`, are asked where that is set: ``WAYS``."""
        config, names = self.config, providers.split(",")
        found = {"route": config.routes, "dialect": config.dialects}
        return {way: each[name] for way, each in found.items() for name in names if name in each}

    def going(self, providers: str, ways: Mapping[str, str]) -> Self:
        """These settings with ``providers`` asked in these ways, whatever is set for them."""
        names: list[str] = [*known_providers(providers)]
        routes, dialects = (
            {name: each for name, each in old.items() if name not in names}
            for old in (self.config.routes, self.config.dialects)
        )
        for name in names:
            kind, route, dialect = provider_class(name), ways.get("route"), ways.get("dialect")
            routes |= {name: route} if route in kind.routes and route else {}
            dialects |= {name: dialect} if dialect in kind.dialects and dialect else {}
        return self._replace(config=self.config._replace(routes=routes, dialects=dialects))

    def model(
        self, flag: str | None, name: Name, operation: Operation, *, usual: str | None = None
    ) -> str:
        """The model's name, or a provider's own endpoint id; else the ``usual`` one, or the default
        of the provider.

        Where models have a server's own names, the one that is set for it: not that for others.
        Where the user's own workflows have the models, only the flag names another one.
        """
        kind, configured = provider_class(name), self.config.model
        if kind.runs_workflows:
            unnamed = None if self.config.workflows else usual
            return flag or unnamed or self.offered(name).default_for(operation)
        if kind.own_names:
            configured = self.config.models.get(name)
        return self._with_default(flag, "model", configured, usual or kind.default_model).value

    def output_dir(self, flag: str | None) -> str:
        """The output folder; the working folder if nothing is set."""
        return from_home(self._with_default(flag, "output_dir", self.config.output_dir, ".").value)

    def preview(self, flag: str | None, default: Preview = "off") -> Preview:
        """Whether images are shown as they are saved, and how. Raises UsageError for a variable
        with another value."""
        return _one_of(PREVIEWS, self._with_default(flag, "preview", self.config.preview, default))

    def metadata(self, flag: str | None) -> Metadata:
        """What is written into images. Raises UsageError for a variable with another value."""
        return _one_of(METADATA, self._with_default(flag, "metadata", self.config.metadata, "mark"))

    def jobs(self, name: Name, flag: int | None) -> int:
        """How many jobs of a provider may be in flight: flag, config file, the provider's data."""
        return flag or self.config.jobs.get(name) or provider_class(name).jobs

    def base_url(self, name: Name) -> Setting | None:
        """The base URLs that are set for a provider, separated by commas; None for its own.

        Raises UsageError if one is unsafe or is there twice.
        """
        if provider_class(name).offline:
            return None
        given = self._first(None, f"{name}_base_url", self.config.base_urls.get(name))
        if given is not None:
            self._check_bases(name, given)
        return given

    def open(self, name: Name, server: str | None = None) -> Provider:
        """The provider, with the base URL and prices that are set: ``server`` of a pool, else the
        first of its servers.

        Raises UsageError if it needs a base URL and has none, or lacks ``server``.
        """
        first, *others = self.servers(name)
        if server is None:
            return first
        for each in (first, *others):
            if each.server == server:
                return each
        raise not_listed(name, server)

    def servers(self, name: Name) -> tuple[Provider, ...]:
        """A provider at each of its base URLs: several servers are a pool. As ``open``."""
        kind, base_url = provider_class(name), self.base_url(name)
        if base_url is None and kind.needs_base_url:
            raise self._no_base_url(name)
        if base_url is None or not kind.needs_base_url:
            return (self._opened(name, base_url.value if base_url else None),)
        return tuple(self._opened(name, canonical(url)) for url in _listed(base_url))

    def offered(self, name: Name) -> Provider:
        """The provider as ``open`` returns it, but for the lists of what there is: one without
        the base URL that it needs is there as well."""
        is_set = self.base_url(name) or not provider_class(name).needs_base_url
        return self.open(name) if is_set else self._opened(name, None)

    def key(self, name: Name, base_url: str | None = None) -> Setting | None:
        """The provider's key, None where there is none; for ``base_url``, only one that may go
        there. Raises KeyFault without its value."""
        variables = provider_class(name).key_variables
        for row in variables:
            parts = [checked_key(self.environ.get(each, ""), each) for each in row]
            if all(parts) and _goes_to(base_url, provider_class(name), row):
                return Setting(":".join(parts), " and ".join(row))
        stored = self.credentials.key(name) if variables else None
        return Setting(stored, str(self.credentials.path)) if stored else None

    def key_command(self, name: Name) -> Setting | None:
        """Where the command that prints the provider's key is set; None if there is none.

        Its words are not shown: one of them may be the key.
        """
        if name not in self.config.key_commands:
            return None
        origin = self.config.origin("key_command", f"providers.{name}")
        return Setting("run when a request needs the key", origin)

    def require_key(self, name: Name, base_url: str | None = None) -> str | None:
        """The key for a provider at ``base_url``; None only where none is needed. Its command is
        run if no variable is set and no key is stored.

        Raises MissingKey with the names of the variables, InvalidKey for another provider's key.
        """
        key = self.key(name, base_url) or self._printed_key(name)
        if self._needs_key(name) and key is None:
            raise self.half_a_key(name) or MissingKey(
                f"there is no key for {name}",
                hint=f"set {spelled_variables(name)}, or store one with `kontext auth set {name}`",
            )
        if key is None:
            return None
        self.check_form(key, name)
        return key.value

    def check_form(self, key: Setting, name: Name) -> None:
        """Raises InvalidKey for a key that has the form of another provider's, which must not get
        it; with another base URL, who takes the key is not known."""
        if self.base_url(name) is not None:
            return
        for start, (owner, what) in KEY_FORMS.items():
            if key.value.startswith(start) and owner != name:
                raise InvalidKey(
                    f"{key.origin}: this looks like {what}, not like a key for {name}",
                    hint=f"`-p {owner}` takes it",
                )

    def half_a_key(self, name: Name) -> MissingKey | None:
        """The error for a key of which only some variables are set; None for any other key."""
        for row in provider_class(name).key_variables:
            there = [each for each in row if self.environ.get(each, "").strip()]
            if there and len(there) < len(row):
                lacking = " and ".join(each for each in row if each not in there)
                return MissingKey(
                    f"{' and '.join(there)} is set, but {lacking} is not: {name} needs both",
                    hint=f"set {lacking}, or store the whole key with `kontext auth set {name}`",
                )
        return None

    def is_usable(self, name: Name) -> bool:
        """Whether a provider can be asked: there is a key, or it needs none."""
        return not self._needs_key(name) or self.has_key(name)

    def has_key(self, name: Name, base_url: str | None = None) -> bool:
        """Whether there is a key, usable or not: an unusable one is reported when it is needed."""
        if not provider_class(name).key_variables:
            return False
        try:
            return name in self.config.key_commands or self.key(name, base_url) is not None
        except KeyFault:
            return True

    def _printed_key(self, name: Name) -> Setting | None:
        command = self.key_command(name)
        if command is None:
            return None
        words = self.config.key_commands[name]
        source = f"the key_command of {name} ({command.origin})"
        return Setting(self.credentials.printed_by(words, name, source), source)

    def _needs_key(self, name: Name) -> bool:
        kind = provider_class(name)
        return bool(kind.key_variables) and not kind.needs_base_url

    def _opened(self, name: Name, base_url: str | None) -> Provider:
        provider = provider_class(name)(base_url, self.config.prices.get(name))
        if dialect := self.config.dialects.get(name):
            provider = provider.speaking(dialect)
        if provider.runs_workflows and self.config.workflows:
            from kontext_cli.settings.workflows import give_workflows

            give_workflows(provider, self.config)
        route = self.config.routes.get(name)
        return provider.through(route) if route else provider

    def _check_bases(self, name: Name, given: Setting) -> None:
        """Check the base URLs of a provider. Raises UsageError."""
        source, urls = f"the base URL of {name} ({given.origin})", _listed(given)
        kind = provider_class(name)
        if not urls:
            raise UsageError(f"{source} is an empty list")
        if len(urls) > 1 and not kind.needs_base_url:
            raise UsageError(
                f"{source} is a list, but {name} is one service",
                hint="only servers of your own can be several",
            )
        first: dict[str, str] = {}
        for url in urls:
            with_key = not kind.needs_base_url or self.has_key(name, url)
            check_base_url(url, source, with_key=with_key)
            same = canonical(kind.normalised(url))
            if same in first:
                raise UsageError(f"{source} lists a server twice: {first[same]}, {url}")
            first[same] = url

    def _no_base_url(self, name: Name) -> UsageError:
        example, file = provider_class(name).home, config_dir(self.environ) / "config.toml"
        return UsageError(
            f"{name} has no base URL: its servers are your own",
            hint=f"KONTEXT_{name.upper()}_BASE_URL={example}, or in {file}: "
            f'[providers.{name}] base_url = "{example}"',
        )

    def _no_key_at_all(self) -> MissingKey:
        chosen = (name for name in NAMES if name not in NAMED_ONLY)
        keyed = [name for name in chosen if provider_class(name).key_variables]
        for name in keyed:
            if half := self.half_a_key(name):
                return half
        listed = "; ".join(f"{name}: {spelled_variables(name)}" for name in keyed)
        return MissingKey(
            f"there is no key for any provider ({listed})",
            hint="set one of them, or try it offline with --provider sandbox",
        )

    def setting(self, name: str, default: str | None = None) -> Setting | None:
        """A setting of the top of the config file, such as ``model``, with its origin."""
        configured: str | None = getattr(self.config, name)
        found = self._first(None, name, configured)
        return found or (Setting(default, "default") if default is not None else None)

    def _with_default(
        self, flag: str | None, name: str, configured: str | None, default: str
    ) -> Setting:
        return self._first(flag, name, configured) or Setting(default, "default")

    def _first(self, flag: str | None, name: str, configured: str | None) -> Setting | None:
        """The first of flag, variable and config file that has a value."""
        variable = f"KONTEXT_{name.upper()}"
        for value, origin in (
            (flag, "command line"),
            (self.environ.get(variable, "").strip(), variable),
        ):
            if value:
                return Setting(value, origin)
        return Setting(configured, self._origin(name)) if configured else None

    def _origin(self, name: str) -> str:
        """Where a setting is in the config file; ``name`` is that of its variable."""
        provider = name.removesuffix("_base_url")
        if provider != name:
            return self.config.origin("base_url", f"providers.{provider}")
        return self.config.origin(name)


def _one_of(choices: Sequence[_Choice], given: Setting) -> _Choice:
    for known in choices:
        if known == given.value:
            return known
    raise UsageError(f"{given.origin} should be one of {', '.join(choices)}, not `{given.value}`")


def not_listed(name: str, server: str) -> UsageError:
    """The error for a job at a server that is no longer set: it is asked nothing."""
    return UsageError(
        f"the job is at {server}, which is not among the base URLs of {name}",
        hint=f"set KONTEXT_{name.upper()}_BASE_URL={server} to ask it",
    )


def _listed(given: Setting) -> list[str]:
    return [url for each in given.value.split(",") if (url := each.strip())]


def _goes_to(base_url: str | None, kind: type[Provider], variables: Sequence[str]) -> bool:
    """Whether the key of these variables is meant for a base URL."""
    if base_url is None or is_loopback(base_url):
        return True
    hosts = (kind.key_hosts.get(each) for each in variables)
    return all(each is None or host_of(base_url) in each for each in hosts)


def known_provider(given: str) -> Name:
    """The provider of that name. Raises UsageError if there is none."""
    if is_known(given):
        return given
    raise unknown_provider(given, given)


def unknown_provider(given: str, shown: str) -> UsageError:
    """The error for a name that no provider has; ``shown`` is printed in its place."""
    names = every_name()
    near = nearest(given, names)
    there_are = f"there are {', '.join(names)}; any other needs its package installed"
    return UsageError(
        f"there is no provider `{shown}`", hint=f"did you mean `{near}`?" if near else there_are
    )


def known_providers(given: str) -> tuple[Name, ...]:
    """The providers of a list like ``fal,bfl``. Raises UsageError for an unknown or second name."""
    names = tuple(known_provider(name.strip()) for name in given.split(","))
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UsageError(f"the provider {twice[0]} is listed twice")
    return names


def spelled_variables(name: Name) -> str:
    """The variables of a provider's key, for a message."""
    return " or ".join(" and ".join(row) for row in provider_class(name).key_variables)
