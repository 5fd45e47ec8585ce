"""`credentials.toml`: the stored keys, readable by the user alone."""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kontext_cli.errors import CredentialsFault, InvalidKey, KeyFault, OutputFault
from kontext_cli.files import disk

FILE = "credentials.toml"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def checked_key(value: str, source: str) -> str:
    """A key without surrounding whitespace: secret files end in newlines, and an error about a
    newline in a header would print the key.

    Raises InvalidKey, which names the source and never the value.
    """
    value = value.strip()
    if any(not "!" <= character <= "~" for character in value):
        raise InvalidKey(
            f"{source} cannot be a key: it contains a space, a line break or a non-ASCII character",
            hint="copy the key again, without anything around it",
        )
    return value


class Credentials:
    """The keys by provider that are stored, or that a command prints; found on first use, as the
    environment comes first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._printed: dict[str, str | KeyFault] = {}

    def key(self, provider: str) -> str | None:
        """The stored key, None where there is none.

        Raises CredentialsFault where the file is damaged or can be read by others.
        """
        key = self._read().get(provider)
        return None if key is None else checked_key(key, f"the key of {provider} in `{self.path}`")

    def printed_by(self, command: Sequence[str], provider: str, source: str) -> str:
        """The key of a provider that a command prints; it is run once, whatever comes of it.

        Raises KeyFault with its ``source``.
        """
        if provider not in self._printed:
            from kontext_cli.settings.key_command import printed_key

            try:
                printed = printed_key(command, source, self.path.parent)
                self._printed[provider] = checked_key(printed, f"what {source} printed")
            except KeyFault as fault:
                self._printed[provider] = fault
        found = self._printed[provider]
        if isinstance(found, KeyFault):
            raise found
        return found

    def names(self) -> list[str]:
        """The providers whose key is stored; none where the file cannot be read."""
        try:
            return sorted(self._read())
        except CredentialsFault:
            return []

    def store(self, provider: str, key: str) -> None:
        """Store a key. Raises CredentialsFault or OutputFault."""
        self._write({**self._read(), provider: key})

    def remove(self, provider: str) -> bool:
        """Remove a key; False where there was none. Raises CredentialsFault or OutputFault."""
        keys = self._read()
        if keys.pop(provider, None) is None:
            return False
        self._write(keys)
        return True

    def _read(self) -> dict[str, str]:
        try:
            with self.path.open("rb") as stream:
                import tomllib  # with a key in the environment, there is nothing to read

                self._check_private(stream.fileno())
                data = tomllib.load(stream)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, RecursionError) as error:
            # The reason may quote the file, and with it a key.
            reason = error.strerror if isinstance(error, OSError) else "it is not valid TOML"
            raise self._fault(f"cannot be read: {reason}") from None
        return self._keys(data)

    def _keys(self, data: Mapping[str, Any]) -> dict[str, str]:
        from kontext_cli.providers.installed import may_be_name

        for name, key in data.items():
            if not may_be_name(name) or not isinstance(key, str):
                raise self._fault(
                    "is damaged: it should contain keys of providers, and nothing else"
                )
        return dict(data)

    def _check_private(self, descriptor: int) -> None:
        if sys.platform != "win32" and os.fstat(descriptor).st_mode & _OTHERS:
            raise CredentialsFault(
                f"`{self.path}` can be read by others", hint=f"chmod 600 {self.path}"
            )

    def _write(self, keys: Mapping[str, str]) -> None:
        """Replace the file whole: a new one, private from its first byte, then its name."""
        text = "".join(f"{name} = {json.dumps(key)}\n" for name, key in sorted(keys.items()))
        part = self.path.with_name(f".{FILE}-{os.urandom(8).hex()}")
        try:
            disk.make_private_folder(self.path.parent)
            for left in self.path.parent.glob(f".{FILE}-*"):  # by a process that died
                left.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                    stream.write(text)
                    stream.flush()
                    os.fsync(descriptor)
                part.replace(self.path)
            finally:
                with suppress(FileNotFoundError):
                    part.unlink()
        except OSError as error:
            raise OutputFault(f"cannot write `{self.path}`: {error.strerror or error}") from None

    def _fault(self, what: str) -> CredentialsFault:
        return CredentialsFault(
            f"`{self.path}` {what}", hint="fix it, or remove it and store the keys again"
        )
