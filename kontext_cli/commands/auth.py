"""`kontext auth`: store, list and remove keys. No key is ever printed."""

import os
import sys

from kontext_cli.errors import KeyFault, MissingKey, UsageError
from kontext_cli.providers import NAMES, Name, provider_class
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
    """List where each provider's key comes from, and its last four characters."""
    settings = Settings.load(os.environ)
    keys = [(name, *_found(settings, name)) for name in NAMES]
    described = [(name, one_line(_described(name, key, fault))) for name, key, fault in keys]
    width = max(map(len, NAMES))
    return Result(
        text=[line for name, text in described for line in labeled(f"{name:<{width}} ", text)],
        records=[_record(name, key, fault) for name, key, fault in keys],
    )


def remove_key(provider: Name) -> Result:
    """Remove a stored key. Raises CredentialsFault or OutputFault."""
    settings = Settings.load(os.environ)
    removed = settings.credentials.remove(provider)
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


def _found(settings: Settings, name: Name) -> tuple[Setting | None, KeyFault | None]:
    try:
        key = settings.key(name)
    except KeyFault as fault:
        return None, fault
    return key, None if key else settings.half_a_key(name)


def _described(name: Name, key: Setting | None, fault: KeyFault | None) -> str:
    if fault is not None:
        return f"not usable: {fault.message}"
    if not provider_class(name).key_variables:
        return "needs no key"
    if key is None:
        return f"no key (set {spelled_variables(name)}, or run `kontext auth set {name}`)"
    return f"{key.origin}, {_ending(key.value)}"


def _record(name: Name, key: Setting | None, fault: KeyFault | None) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "type": "key",
        "provider": name,
        "source": key.origin if key else None,
        "last4": _last(key.value) if key else None,
        "error": fault.message if fault else None,
    }


def _ending(key: str) -> str:
    last = _last(key)
    return f"ends in {last}" if last else "set"


def _last(key: str) -> str | None:
    """The last four characters; None for a short key, of which they would reveal too much."""
    return key[-_LAST:] if len(key) >= _LONG_ENOUGH else None
