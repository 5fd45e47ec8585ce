"""`kontext auth`: store, list and remove keys. No key is ever printed."""

import os
import sys
from typing import NamedTuple

from kontext_cli.errors import KeyFault, KontextError, MissingKey, UsageError
from kontext_cli.providers import NAMES, Name, is_known, provider_class
from kontext_cli.settings.credentials import checked_key
from kontext_cli.settings.settings import Setting, Settings, spelled_variables
from kontext_cli.terminal.input import break_line, stdin_bytes
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.table import labeled

_MOST_KEY_BYTES = 4_096
_LAST = 4
_LONG_ENOUGH = 16


def store_key(provider: Name) -> Result:
    """Read a key and store it. Raises UsageError, InvalidKey or OutputFault."""
    settings = Settings.load(os.environ)
    _check_has_key(provider)
    key = checked_key(_read_key(provider), "the input")
    if not key:
        raise MissingKey("no key was given")
    settings.check_form(Setting(key, "the input"), provider)
    settings.credentials.store(provider, key)
    messages = [one_line(f"stored the {provider} key in {settings.credentials.path}")]
    used = settings.key(provider)
    if used is not None and used.value != key:
        messages.append(f"notice: {used.origin} is set and overrides the stored key")
    return Result(messages=messages)


def list_keys() -> Result:
    """List where each provider's key comes from, and its last four characters; of providers of
    installed packages, those whose key is stored."""
    settings = Settings.load(os.environ)
    names = (*NAMES, *(name for name in settings.credentials.names() if name not in NAMES))
    keys = [_found(settings, name) for name in names]
    width = max(map(len, names))
    return Result(
        text=[
            line
            for key in keys
            for line in labeled(f"{key.provider:<{width}} ", one_line(_described(key)))
        ],
        records=map(_record, keys),
    )


def remove_key(provider: Name) -> Result:
    """Remove a stored key, also of a provider that is not installed any more.

    Raises CredentialsFault or OutputFault, and UsageError for what is no provider: its name is not
    repeated, as it may be a key.
    """
    settings = Settings.load(os.environ)
    removed = settings.credentials.remove(provider)
    if not removed and not is_known(provider):
        raise UsageError(
            "there is no such provider, and no key of one is stored", hint="kontext auth status"
        )
    message = f"removed the {provider} key" if removed else f"no {provider} key is stored"
    return Result(messages=[message])


def _check_has_key(provider: Name) -> None:
    if not provider_class(provider).key_variables:
        raise UsageError(f"{provider} needs no key")


def _read_key(provider: Name) -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return _asked_for(provider)
    raw = stdin_bytes().read(_MOST_KEY_BYTES + 1)
    if len(raw) > _MOST_KEY_BYTES:
        raise UsageError("standard input is too long for a key")
    return raw.decode("utf-8-sig", errors="replace")


def _asked_for(provider: Name) -> str:
    """The key typed at a terminal, without echo; empty if Ctrl-D was pressed."""
    from getpass import getpass

    try:
        return getpass(f"{provider} key (not shown): ", stream=sys.stderr)
    except EOFError:
        break_line()
        return ""


class _Key(NamedTuple):
    """The key of a provider, or what is wrong with it, or the command that prints it."""

    provider: Name
    key: Setting | None = None
    fault: KontextError | None = None
    command: Setting | None = None


def _found(settings: Settings, name: Name) -> _Key:
    try:
        key = settings.key(name)
    except (KeyFault, UsageError) as fault:
        return _Key(name, fault=fault)
    command = None if key else settings.key_command(name)
    return _Key(name, key, None if key or command else settings.half_a_key(name), command)


def _described(found: _Key) -> str:
    name, key, fault, command = found
    if fault is not None:
        return f"not usable: {fault.message}"
    if not provider_class(name).key_variables:
        return "needs no key"
    if command is not None:
        return f"key_command, {command.value} ({command.origin})"
    if key is None:
        return f"no key (set {spelled_variables(name)}, or run `kontext auth set {name}`)"
    return f"{key.origin}, {_ending(key.value)}"


def _record(found: _Key) -> dict[str, object]:
    key, fault, source = found.key, found.fault, found.key or found.command
    return {
        "schema": SCHEMA,
        "type": "key",
        "provider": found.provider,
        "source": source.origin if source else None,
        "last4": _last(key.value) if key else None,
        "error": fault.message if fault else None,
    }


def _ending(key: str) -> str:
    last = _last(key)
    return f"ends in {last}" if last else "set"


def _last(key: str) -> str | None:
    """The last four characters; None for a short key, of which they would reveal too much."""
    return key[-_LAST:] if len(key) >= _LONG_ENOUGH else None
