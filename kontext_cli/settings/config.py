"""`config.toml`: the user's defaults; faults are reported with their line."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from kontext_cli.errors import UsageError
from kontext_cli.options import Metadata
from kontext_cli.providers import NAMES, every_name, is_known, provider_class
from kontext_cli.providers.dialects.workflows import USUAL_INPUTS
from kontext_cli.settings.defaults import Defaults, read_defaults
from kontext_cli.words import nearest

if TYPE_CHECKING:
    from kontext_cli.providers.base import Provider

Preview = Literal["auto", "kitty", "iterm", "blocks", "off"]
PREVIEWS: tuple[Preview, ...] = get_args(Preview)
"""Whether images are shown on the terminal as they are saved, and in which protocol."""

METADATA: tuple[Metadata, ...] = get_args(Metadata)

_TEXTS = ("provider", "model", "output_dir", "metadata", "preview")
_MOST_BYTES = 2**20
_PLACE = re.compile(r"[^.\s][^.]*\.\S(.*\S)?")
_TABLES = ("defaults", "providers", "prices")
KEYS = (*_TEXTS, *_TABLES)
"""The keys of the file outside its tables."""
_OF_PROVIDERS = ("base_url", "jobs")
_OF_WORKFLOWS = ("workflow", "generate", "edit", "map")


class Config(NamedTuple):
    """The content of the file; prices are US dollars per image, by provider and model. ``routes``
    are those of routers, ``dialects`` and ``models`` those of servers with models of their own.
    Several base URLs of one provider are separated by commas. ``workflows`` are the files of the
    user's own, by the key that names them, and ``places`` where values go in them.
    ``key_commands`` print the keys of providers."""

    path: Path | None = None
    provider: str | None = None
    model: str | None = None
    output_dir: str | None = None
    metadata: str | None = None
    preview: str | None = None
    base_urls: Mapping[str, str] = MappingProxyType({})
    jobs: Mapping[str, int] = MappingProxyType({})
    routes: Mapping[str, str] = MappingProxyType({})
    dialects: Mapping[str, str] = MappingProxyType({})
    models: Mapping[str, str] = MappingProxyType({})
    workflows: Mapping[str, str] = MappingProxyType({})
    places: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    prices: Mapping[str, Mapping[str, float]] = MappingProxyType({})
    key_commands: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    defaults: Defaults = MappingProxyType({})
    text: str = ""
    """The file itself, from which the line of a setting is found."""

    def origin(self, key: str, table: str = "") -> str:
        """Where a key is set: ``PATH:LINE``."""
        from kontext_cli.settings.toml_lines import line_of

        line = line_of(self.text, table, key)
        return f"{self.path}:{line}" if line else str(self.path)


def _kind_of(provider: str) -> "type[Provider]":
    """The class that decides on the keys: of a package, the base, as it may be broken."""
    from kontext_cli.providers.base import Provider

    return provider_class(provider) if provider in NAMES else Provider


def keys_of(provider: str) -> tuple[str, ...]:
    """The keys of a provider's table, `[providers.NAME]`."""
    kind = _kind_of(provider)
    own = ("model",) if kind.own_names else ()
    workflows = _OF_WORKFLOWS if kind.runs_workflows else ()
    keys = ("key_command",) if kind.key_variables or provider not in NAMES else ()
    return (*_OF_PROVIDERS, *words_of(provider), *own, *keys, *workflows)


def words_of(provider: str) -> Mapping[str, tuple[str, ...]]:
    """The keys of a provider's table that take one of several words, with these words."""
    kind = _kind_of(provider)
    words = {"route": kind.routes, "dialect": kind.dialects}
    return {key: choices for key, choices in words.items() if choices}


def load_config(path: Path) -> Config:
    """Read the file; an empty Config if there is none. Raises UsageError with the line."""
    try:
        path.lstat()
        text = _text(path)
    except (FileNotFoundError, NotADirectoryError):  # as with HOME=/dev/null
        return Config()
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror or error}") from None
    return _parsed(path, text.replace("\r\n", "\n"))


def _text(path: Path) -> str:
    """What a file contains. Raises OSError, and UsageError for what is no text."""
    from kontext_cli.images.reading import NotAnImage, read_regular  # most have no such file

    try:
        return read_regular(path, most=_MOST_BYTES).decode("utf-8-sig")
    except NotAnImage as error:
        raise UsageError(f"`{path}` cannot be read: it is {error.reason}") from None
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` cannot be read: it is not UTF-8") from None


@lru_cache(maxsize=1)  # the defaults of flags are read first, then the settings
def _parsed(path: Path, text: str) -> Config:
    import tomllib  # most users have no such file

    try:
        return _Reader(path, text).read(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"`{path}`: {error}", hint=f'put text in quotes, as in provider = "{NAMES[0]}"'
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(
            f"`{path}`: it contains a number that is too long, or is nested too deep"
        ) from None


class _Reader:
    """Turns the parsed file into a Config, and finds the line of a key."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._table = ""
        """The table that is read."""

    def read(self, data: dict[str, Any]) -> Config:
        for key in data:
            if key not in KEYS:
                raise self._unknown(key, f"setting `{key}`", KEYS)
        texts = {key: self._value(data, key, str) for key in _TEXTS}
        for key, choices in (("metadata", METADATA), ("preview", PREVIEWS)):
            if texts[key] not in (None, *choices):
                raise self._fault(key, f"`{key}` should be one of {', '.join(choices)}")
        base_urls: dict[str, str] = {}
        jobs: dict[str, int] = {}
        models: dict[str, str] = {}
        chosen: dict[str, dict[str, str]] = {"route": {}, "dialect": {}}
        workflows: dict[str, str] = {}
        places: dict[str, tuple[str, ...]] = {}
        for name, table in self._tables(data, "providers"):
            self._table = f"providers.{name}"
            kind = _kind_of(name)
            words, known = words_of(name), keys_of(name)
            for key in table:
                if key not in known:
                    raise self._unknown(key, f"setting `{key}` of a provider", known)
                if key in words:
                    chosen[key][name] = self._choice(table, key, words[key])
            if "model" in table:
                models[name] = self._value(table, "model", str)
            if kind.runs_workflows:
                workflows, places = self._workflows(table), self._places(table)
            if "base_url" in table:
                base_urls[name] = self._base_url(table)
            if "jobs" in table:
                jobs[name] = self._jobs(table)
        return Config(
            self._path,
            **texts,
            base_urls=base_urls,
            jobs=jobs,
            routes=chosen["route"],
            dialects=chosen["dialect"],
            models=models,
            workflows=workflows,
            places=places,
            key_commands=self._key_commands(data),
            prices=self._prices(data),
            defaults=read_defaults(self._defaults(data), self),
            text=self._text,
        )

    def _defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        self._table = ""
        return self._value(data, "defaults", dict) or {}

    def _tables(self, data: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
        self._table = ""
        tables = self._value(data, key, dict) or {}
        for name, table in tables.items():
            if not is_known(name):
                raise self._unknown(name, f"provider `{name}`", every_name())
            if not isinstance(table, dict):
                raise self._fault(name, f"`{key}.{name}` should be a table")
        return list(tables.items())

    def _value(self, table: dict[str, Any], key: str, kind: type) -> Any:
        value = table.get(key)
        if value is not None and not isinstance(value, kind):
            name = "text" if kind is str else "a table"
            raise self._fault(key, f"`{key}` should be {name}")
        if isinstance(value, str) and "\0" in value:
            raise self._fault(key, f"`{key}` contains a NUL character")
        return value

    def _base_url(self, table: dict[str, Any]) -> str:
        """A text, or a list of them, which is then separated by commas as in the environment."""
        given = table["base_url"]
        if isinstance(given, list) and given and all(isinstance(each, str) for each in given):
            table = {"base_url": ", ".join(given)}
        elif not isinstance(given, str):
            raise self._fault("base_url", "`base_url` should be text, or a list of texts")
        return str(self._value(table, "base_url", str))

    def _choice(self, table: dict[str, Any], key: str, choices: Sequence[str]) -> str:
        if table[key] not in choices:
            raise self._fault(key, f"`{key}` should be one of {', '.join(choices)}")
        return str(table[key])

    def _workflows(self, table: dict[str, Any]) -> dict[str, str]:
        """The files of workflows, by operation; one of both operations stands for each."""
        files = {key: self._value(table, key, str) for key in _OF_WORKFLOWS[:3]}
        given = {key: file for key, file in files.items() if file}
        both = given.pop("workflow", None)
        if both is not None and given:
            other = " and ".join(f"`{key}`" for key in given)
            raise self._fault("workflow", f"`workflow` is for both operations: {other} is one more")
        return given if both is None else {"workflow": both}

    def _places(self, table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        """Where values go in workflows: each ``NODE.INPUT``, or a list of these."""
        places: dict[str, tuple[str, ...]] = {}
        if "map" in table and table.keys().isdisjoint(_OF_WORKFLOWS[:3]):
            what = "`map` says where values go in a workflow of your own, and there is none"
            raise self._fault("map", what, hint='workflow = "FILE.json" names it')
        for name, given in (self._value(table, "map", dict) or {}).items():
            if name not in USUAL_INPUTS:
                raise self._unknown(name, f"`{name}` in a map", [*USUAL_INPUTS])
            listed = given if isinstance(given, list) else [given]
            texts = [each for each in listed if isinstance(each, str) and _PLACE.fullmatch(each)]
            if not listed or texts != listed:
                raise self._fault(name, f'`{name}` should be "NODE.INPUT", or a list of these')
            places[name] = tuple(texts)
        return places

    def _key_commands(self, data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        commands: dict[str, tuple[str, ...]] = {}
        for name, table in self._tables(data, "providers"):
            self._table = f"providers.{name}"
            if "key_command" in table:
                commands[name] = self._key_command(table)
        return commands

    def _key_command(self, table: dict[str, Any]) -> tuple[str, ...]:
        given = table["key_command"]
        words = given if isinstance(given, list) else []
        if not words or not all(isinstance(each, str) and each for each in words):
            what = "`key_command` should be a list of words, as no shell splits it"
            raise self._fault("key_command", what, hint='as in ["pass", "show", "NAME"]')
        if "\0" in "".join(words):
            raise self._fault("key_command", "`key_command` contains a NUL character")
        return tuple(words)

    def _jobs(self, table: dict[str, Any]) -> int:
        jobs = table["jobs"]
        if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
            raise self._fault("jobs", "`jobs` should be a whole number of at least 1")
        return jobs

    def _prices(self, data: dict[str, Any]) -> dict[str, dict[str, float]]:
        prices: dict[str, dict[str, float]] = {}
        for name, table in self._tables(data, "prices"):
            self._table = f"prices.{name}"
            prices[name] = {model: self._price(table, model) for model in table}
        return prices

    def _price(self, table: dict[str, Any], model: str) -> float:
        usd = table[model]
        if not isinstance(usd, int | float) or isinstance(usd, bool) or not 0 <= usd < 1e6:
            raise self._fault(model, f"the price of `{model}` should be US dollars per image")
        return float(usd)

    def _unknown(self, key: str, what: str, known: Sequence[str]) -> UsageError:
        near = nearest(key, known)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(known)}"
        return self._fault(key, f"there is no {what}", hint=hint)

    def _fault(self, key: str, what: str, *, hint: str | None = None) -> UsageError:
        return self.fault(key, self._table, what, hint=hint)

    def fault(self, key: str, table: str, what: str, *, hint: str | None = None) -> UsageError:
        """The error for a key of a table, with its line."""
        return UsageError(f"{self.origin(key, table)}: {what}", hint=hint)

    def origin(self, key: str, table: str) -> str:
        """Where a key of a table is: the path and the line."""
        return Config(self._path, text=self._text).origin(key, table)
