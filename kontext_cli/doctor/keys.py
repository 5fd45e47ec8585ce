"""Checks of the keys, and of the servers that need none. No part of a key is ever shown."""

import os
import shutil
from collections.abc import Iterator

from kontext_cli.doctor.finding import Finding
from kontext_cli.doctor.packages import usable_providers
from kontext_cli.errors import CredentialsFault, KeyFault, KontextError, UsageError
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.settings.key_command import to_run
from kontext_cli.settings.settings import Setting, Settings
from kontext_cli.words import listed


def check_credentials(settings: Settings) -> Iterator[Finding]:
    """Whether the file of stored keys can be read, and by the user alone. Raises KeyFault."""
    names = dict.fromkeys((*NAMES, *settings.credentials.names()))
    stored = [name for name in names if settings.credentials.key(name)]
    if stored:
        yield Finding("stored keys", f"of {listed(stored)}, in {settings.credentials.path}")


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Where each key comes from, and whether it can be one; then the providers without a key."""
    without = []
    for name in usable_providers():
        kind = provider_class(name)
        if not kind.key_variables or kind.needs_base_url:
            continue
        finding = _key(settings, name)
        if finding is None:
            without.append(name)
        else:
            yield finding
    if without:
        yield Finding("other keys", f"none for {listed(without)}")


def check_servers(settings: Settings) -> Iterator[Finding]:
    """The servers of the user's own that are set, and whether a key is sent there."""
    for name in NAMES:
        if provider_class(name).needs_base_url:
            try:
                yield from _servers(settings, name)
            except KontextError as error:
                yield Finding.of(name, error)


def with_keys(settings: Settings) -> Iterator[tuple[Provider, str | None] | Finding]:
    """The providers that have a key and the user's own servers, each with its key, which a command
    may have to print; or why it cannot be used."""
    for name in usable_providers():
        kind = provider_class(name)
        if kind.offline or not (kind.needs_base_url or settings.has_key(name)):
            continue
        try:
            if kind.needs_base_url and settings.base_url(name) is None:
                continue
            for provider in settings.servers(name):
                yield provider, settings.require_key(name, provider.base_url)
        except (KeyFault, UsageError) as fault:
            yield Finding.of(name, fault)


def _key(settings: Settings, name: Name) -> Finding | None:
    """Where a key comes from; None where there is none."""
    try:
        key = settings.key(name)
        if key is None and (command := settings.key_command(name)) is not None:
            return _command(settings, name, command)
        if key is None:
            half = settings.half_a_key(name)
            return Finding.of(name, half) if half else None
        settings.check_form(key, name)
        base = settings.offered(name).base_url
        return Finding(name, f"{key.origin}, for {base}")
    except CredentialsFault:
        return None  # one finding for all
    except KontextError as error:
        return Finding.of(name, error)


def _command(settings: Settings, name: Name, command: Setting) -> Finding:
    """A program that prints the key: it is not run here, nor shown, as a word may be the key."""
    words = to_run(settings.config.key_commands[name], settings.credentials.path.parent)
    if shutil.which(words[0]) is None:
        is_path = {"/", os.sep} & set(words[0])
        lacks = "cannot be run" if is_path else "is not on the PATH"
        text = f"the program of key_command ({command.origin}) {lacks}"
        return Finding(name, text, "problem", exit_code=KeyFault.exit_code)
    return Finding(name, f"key_command, {command.value} ({command.origin})")


def _servers(settings: Settings, name: Name) -> Iterator[Finding]:
    if settings.base_url(name) is None:
        return
    for server in settings.servers(name):
        sent = "without a key"
        if (key := settings.key(name, server.base_url)) is not None:
            sent = f"with the key of {key.origin}"
        elif (command := settings.key_command(name)) is not None:
            sent = f"with the key of key_command ({command.origin})"
        yield Finding(name, f"{server.base_url}, {sent}")
