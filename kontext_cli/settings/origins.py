"""Every setting beyond the command line, with its origin."""

from collections.abc import Iterator

from kontext_cli.http.urls import abridged
from kontext_cli.providers import NAMES, Name
from kontext_cli.providers.base import Provider
from kontext_cli.settings.defaults import described
from kontext_cli.settings.settings import Setting, Settings

_TOP = {
    "provider": None,
    "model": Provider.default_model,
    "output_dir": ".",
    "metadata": "mark",
    "preview": "off",
}
"""The settings at the top of the file, with their defaults."""


def all_settings(settings: Settings) -> dict[str, Setting]:
    """Every setting that has a value, by the name that it has in `config.toml`.

    The origin is a variable, ``PATH:LINE`` or ``default``. Keys are not among them, nor what may be
    a credential in a URL. Raises UsageError for a base URL that cannot be used.
    """
    found = {name: settings.setting(name, default) for name, default in _TOP.items()}
    if (folder := found["output_dir"]) and "://" in folder.value:
        found["output_dir"] = folder._replace(value=abridged(folder.value))
    config = settings.config
    tables = (config.base_urls, config.jobs, config.key_commands, config.prices)
    for name in dict.fromkeys((*NAMES, *(name for table in tables for name in table))):
        found |= dict(_of_provider(settings, name))
    for key, default in described(config.defaults):
        value = str(default.value).lower() if isinstance(default.value, bool) else default.value
        found[key] = Setting(value, default.origin)
    return {name: setting for name, setting in found.items() if setting}


def _of_provider(settings: Settings, name: Name) -> Iterator[tuple[str, Setting | None]]:
    config, table = settings.config, f"providers.{name}"
    is_ours = name in NAMES  # the packages of others are not loaded
    if is_ours:
        yield f"{table}.base_url", settings.base_url(name)
    yield f"{table}.key_command", settings.key_command(name)
    written = {
        "base_url": None if is_ours else config.base_urls.get(name),
        "route": config.routes.get(name),
        "dialect": config.dialects.get(name),
        "model": config.models.get(name),
        "jobs": config.jobs.get(name),
    }
    for key, value in written.items():
        if value is not None:
            yield f"{table}.{key}", Setting(str(value), config.origin(key, table))
    for model, usd in config.prices.get(name, {}).items():
        prices = f"prices.{name}"
        yield f"{prices}.{model}", Setting(f"{usd:g}", config.origin(model, prices))
