"""`[defaults]` and `[defaults.COMMAND]` of `config.toml`: flags that a user need not type."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from kontext_cli.errors import UsageError
from kontext_cli.options import OPTIONS
from kontext_cli.words import listed, nearest

_MAKE = ("generate", "edit")
_RUN = (*_MAKE, "replay")

COMMANDS_WITH: Mapping[str, tuple[str, ...]] = {
    # `replay` sends the options of the image
    **{row.name: _MAKE for row in OPTIONS if row.sent},
    "max_cost": _RUN,
    "keep_flagged": (*_RUN, "fetch"),
    "sidecar": _RUN,
    "name": _RUN,
    "exists": _RUN,
    "fail_fast": _RUN,
    "max_failures": _RUN,
    "no_wait": _RUN,
    "timeout": (*_RUN, "fetch", "status"),
    "open": (*_RUN, "fetch"),
    "limit": ("status",),
    "watch": ("status",),
    "width": ("show",),
    "columns": ("gallery",),
    "label": ("gallery",),
    "inline": ("gallery",),
    "since": ("cost",),
    "by": ("cost",),
    "check": ("models",),
    "host": ("sandbox",),
    "port": ("sandbox",),
    "latency": ("sandbox",),
    "fault": ("sandbox",),
    "plain": ("sandbox",),
    "quiet": (*_RUN, "fetch", "status", "cancel", "check", "gallery", "cost", "sandbox"),
    "debug": (*_RUN, "fetch", "status", "cancel", "models"),
}
"""The flags that can have a default, by their keys, and the commands that take it."""

SWITCHES = {
    *(row.name for row in OPTIONS if row.type is bool),
    *("fail_fast", "no_wait", "open", "watch", "inline", "check", "plain", "quiet", "debug"),
}
"""Those that are true or false; the others are text or a number."""

_AT_TOP = "is set above all tables"
_OF_PROVIDER = "is set for each provider, in [providers.NAME]"
_PAYS = "may pay twice, so it is typed each time"
_OF_ONE_RUN = "belongs to one run"
_FOR_SCRIPTS = "decides what scripts get, so it is typed each time"
_ASKS = "asks every provider, so it is typed each time"
_DELETES = "changes what is kept, so it is typed each time"

TYPED_ONLY: Mapping[str, str] = {
    **dict.fromkeys(("provider", "model", "output_dir", "metadata", "preview"), _AT_TOP),
    "jobs": _OF_PROVIDER,
    **dict.fromkeys(("force", "resubmit", "retry_failed", "on_unknown"), _PAYS),
    **dict.fromkeys(("prompt", "image", "prompts_file", "each", "batch", "lock"), _OF_ONE_RUN),
    **dict.fromkeys(("output", "only", "shard", "limit", "state"), _OF_ONE_RUN),
    **dict.fromkeys(("json", "dry_run"), _FOR_SCRIPTS),
    "online": _ASKS,
    **dict.fromkeys(("accept", "prune", "merge", "older_than"), _DELETES),
}
"""Why other flags have no default here. `limit` has one where it limits a list."""

ALL = ""
"""In place of a command: the defaults of all commands that have the flag."""

_COMMANDS = tuple(dict.fromkeys(name for names in COMMANDS_WITH.values() for name in names))


class Default(NamedTuple):
    """A default: text as it would be typed, or a bool for a switch; ``origin`` is `PATH:LINE`."""

    value: str | bool
    origin: str


Defaults = Mapping[str, Mapping[str, Default]]
"""The defaults by command, or ALL, and key."""


class Place(Protocol):
    """Where the file is, for errors and origins."""

    def origin(self, key: str, table: str) -> str:
        """The path and the line of a key."""

    def fault(self, key: str, table: str, what: str, *, hint: str | None = None) -> UsageError:
        """The error for a key."""


def read_defaults(data: Mapping[str, Any], place: Place) -> Defaults:
    """The defaults of the table ``data``. Their values are checked by the flags that have them.

    Raises UsageError with the line of a key that is unknown, or can have no default.
    """
    found: dict[str, dict[str, Default]] = {ALL: {}}
    for key, value in data.items():
        if not isinstance(value, dict):
            found[ALL][key] = _read(key, value, ALL, place)
        elif key in _COMMANDS:
            found[key] = {name: _read(name, each, key, place) for name, each in value.items()}
        elif key in COMMANDS_WITH:
            raise place.fault(key, "defaults", f"`{key}` should be a value, not a table")
        else:
            raise place.fault(
                key,
                "defaults",
                f"there is no command `{key}` with defaults",
                hint=_near(key, _COMMANDS),
            )
    return found


def defaults_of(defaults: Defaults, command: str) -> dict[str, Default]:
    """The defaults of a command by key; its own table goes before that of all commands."""
    general = {
        key: each for key, each in defaults.get(ALL, {}).items() if command in COMMANDS_WITH[key]
    }
    return {**general, **defaults.get(command, {})}


def described(defaults: Defaults) -> Iterator[tuple[str, Default]]:
    """Each default by its full name, as in ``defaults.edit.exists``."""
    for command, keys in defaults.items():
        for key, each in keys.items():
            yield f"{_table(command)}.{key}", each


def _table(command: str) -> str:
    return f"defaults.{command}" if command else "defaults"


def _read(key: str, value: object, command: str, place: Place) -> Default:
    """A default, as it would be typed. Raises UsageError."""
    table = _table(command)
    _check_allowed(key, command, place)
    if key in SWITCHES:
        if not isinstance(value, bool):
            raise place.fault(key, table, f"`{key}` should be true or false")
        return Default(value, place.origin(key, table))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise place.fault(key, table, f"`{key}` should be text or a number")
    if isinstance(value, str) and "\0" in value:
        raise place.fault(key, table, f"`{key}` contains a NUL character")
    return Default(str(value), place.origin(key, table))


def _check_allowed(key: str, command: str, place: Place) -> None:
    """Raises UsageError for a key that is unknown, or can have no default for a command."""
    commands = COMMANDS_WITH.get(key, ())
    if commands and command in (ALL, *commands):
        return
    what, hint = f"there is no flag `{key}` that can have a default", _near(key, COMMANDS_WITH)
    if key in TYPED_ONLY:
        what, hint = f"`{key}` can have no default here: it {TYPED_ONLY[key]}", None
    elif commands:
        what, hint = f"`{command}` takes no default for `{key}`", f"it is for {listed(commands)}"
    raise place.fault(key, _table(command), what, hint=hint)


def _near(key: str, known: Iterable[str]) -> str | None:
    near = nearest(key, known)
    return f"did you mean `{near}`?" if near else None
