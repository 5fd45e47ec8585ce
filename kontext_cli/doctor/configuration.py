"""Checks of the settings: the config file, the variables, the provider that is chosen."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from kontext_cli.doctor.finding import Finding
from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import choose_endpoint
from kontext_cli.settings.config import Config
from kontext_cli.settings.credentials import Credentials
from kontext_cli.settings.origins import all_settings
from kontext_cli.settings.paths import config_dir
from kontext_cli.settings.settings import Setting, Settings
from kontext_cli.words import listed, nearest

_PREFIX = "KONTEXT_"
_VARIABLES = (
    *("PROVIDER", "MODEL", "OUTPUT_DIR", "METADATA", "PREVIEW"),
    *("STATE_DIR", "CONFIG_DIR", "JOURNAL"),
)


def load_settings(environ: Mapping[str, str]) -> tuple[Settings, UsageError | None]:
    """The settings; without those of the config file where that has a fault, and the fault."""
    try:
        return Settings.load(environ), None
    except UsageError as fault:
        try:
            folder = config_dir(environ)
        except UsageError:
            folder = Path(os.devnull)  # in which nothing is
        return Settings(environ, Config(), Credentials(folder)), fault


def list_settings(settings: Settings) -> tuple[Mapping[str, Setting], list[Finding]]:
    """Every setting with its origin, but for base URLs that cannot be used, which are problems."""
    problems: list[Finding] = []
    for name in NAMES:
        try:
            settings.base_url(name)
        except UsageError as fault:
            problems.append(Finding.of(name, fault))
    names = {each.name for each in problems}
    variables = {f"{_PREFIX}{name.upper()}_BASE_URL" for name in names}
    urls = {name: url for name, url in settings.config.base_urls.items() if name not in names}
    rest = settings._replace(
        environ={name: each for name, each in settings.environ.items() if name not in variables},
        config=settings.config._replace(base_urls=urls),
    )
    return all_settings(rest), problems


def check_config(settings: Settings, fault: UsageError | None) -> Iterator[Finding]:
    """Whether the config file can be read and understood. Raises its fault."""
    if fault is not None:
        raise fault
    path = config_dir(settings.environ) / "config.toml"
    text = str(path) if settings.config.path else f"none; it would be {path}"
    yield Finding("config file", text)


def check_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The variables that look like settings, and are not: most are misspelled."""
    known = {f"{_PREFIX}{name}" for name in _VARIABLES}
    known |= {f"{_PREFIX}{name.upper()}_BASE_URL" for name in NAMES}
    rows = (row for name in NAMES for row in provider_class(name).key_variables)
    known |= {variable for row in rows for variable in row}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known:
            near = nearest(name, known)
            yield Finding(
                "variable",
                f"{name} is set, and is no setting of this version",
                "note",
                f"did you mean {near}?" if near else f"unset {name}",
            )


def check_words(settings: Settings) -> Iterator[Finding]:
    """The variables that take one of a few words."""
    for name, check in (("preview", settings.preview), ("metadata", settings.metadata)):
        try:
            check(None)
        except UsageError as fault:
            yield Finding.of(name, fault)


def check_provider(settings: Settings) -> Iterator[Finding]:
    """The provider that is used where none is named, or several, and its model.

    Raises UsageError or KeyFault where there is none, or it cannot be used.
    """
    names = settings.providers(None)
    for name in names:
        if not settings.is_usable(name) and settings.half_a_key(name) is None:
            settings.require_key(name)
        provider, model = settings.open(name), settings.model(None, name, "generate")
        if not provider.own_names:
            _check_model(provider, model)
    given = settings.setting("provider")
    why = f"from {given.origin}" if given else "the first one that has a key"
    yield Finding("provider", f"{listed(names)}, {why}")


def _check_model(provider: Provider, model: str) -> None:
    """Raises UnsupportedOption for a model that a provider neither makes nor edits images with."""
    try:
        choose_endpoint(provider, model, "generate", 0)
    except UnsupportedOption as unknown:
        try:
            choose_endpoint(provider, model, "edit", 1)
        except UnsupportedOption:
            raise unknown from None
