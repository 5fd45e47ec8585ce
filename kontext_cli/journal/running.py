"""Which runs of the program are alive: each holds a file for as long as it lives."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from kontext_cli import disk
from kontext_cli.errors import JournalFault

_TOKEN = re.compile(r"[0-9a-f]{16}")
_TRIES = 10


class Running:
    """The living runs on one state folder, and the token by which this one is known there."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / "running"
        self._descriptor: int | None = None
        self.token: str | None = None
        """Our own token, None until ``enter``."""

    def enter(self) -> str:
        """Be known as alive from now on; returns our token. Raises OSError or JournalFault."""
        if self.token is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._sweep()
            self.token, self._descriptor = self._held_file()
        return self.token

    def is_alive(self, token: str) -> bool:
        """Whether the run of that token still lives."""
        if token == self.token:
            return True
        # A token from a damaged journal could be the path of any file.
        if not _TOKEN.fullmatch(token):
            return False
        path = self._folder / token
        disk.remove_abandoned(path)
        return path.exists()

    def leave(self) -> None:
        """Be known as gone."""
        if self.token is None or self._descriptor is None:
            return
        os.close(self._descriptor)
        disk.remove_abandoned(self._folder / self.token)
        self.token = self._descriptor = None

    def _held_file(self) -> tuple[str, int]:
        for _ in range(_TRIES):
            token = secrets.token_hex(8)
            path = self._folder / token
            descriptor, _ = disk.create_private(path)
            if disk.hold(descriptor, path):
                return token, descriptor
            os.close(descriptor)
            with suppress(FileNotFoundError):
                path.unlink()
        raise JournalFault(f"cannot write to `{self._folder}`: other programs remove files there")

    def _sweep(self) -> None:
        """Remove what killed runs left."""
        for path in self._folder.iterdir():
            if _TOKEN.fullmatch(path.name):
                disk.remove_abandoned(path)
