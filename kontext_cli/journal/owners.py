"""Which processes own jobs: each holds the lock on a file of its own for as long as it runs."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kontext_cli.errors import JournalFault
from kontext_cli.files import disk

_TOKEN = re.compile(r"[0-9a-f]{16}")
ROOM = 2**17
"""Bytes reserved for each process: a few commits, with what they add to the file."""


class Owners:
    """The running processes on one state folder, each with a token; this one has its own.

    The lock file of a process also reserves disk space: what becomes of the jobs that it sent must
    be written down, however full the disk is by then.
    """

    def __init__(self, state_folder: Path, log: Callable[[str], None]) -> None:
        """``log`` is called once where the folder is on a file system without working locks."""
        self._folder = state_folder / "running"
        self._log = log
        self._is_logged = False
        self._descriptor: int | None = None
        self.token: str | None = None
        """Our own token, None until ``enter``."""
        self._has_room = False

    def enter(self) -> str:
        """Acquire our owner token, once; returns it. Raises OSError or JournalFault."""
        if self.token is None:
            disk.make_inner_folder(self._folder, JournalFault)
            self._sweep()
            path, self._descriptor, _ = disk.create_locked(self._folder)
            self.token = path.name
            if not disk.locks_work(path):
                self._log_no_locks()
        return self.token

    def is_alive(self, token: str) -> bool | None:
        """Whether the process of a token is running; None where locks do not work."""
        if token == self.token:
            return True
        # A token from a damaged journal could be the path of any file.
        if not _TOKEN.fullmatch(token) or not disk.is_inner_folder(self._folder):
            return False
        path = self._folder / token
        locks_work = disk.remove_abandoned(path)
        if not path.exists():
            return False
        if not locks_work:
            self._log_no_locks()
            return None
        return True

    def keep_room(self) -> None:
        """Reserve disk space for the ends of jobs sent now. Raises OSError, JournalFault."""
        self.enter()
        if not self._has_room and self._descriptor is not None:
            disk.fill(self._descriptor, ROOM)
            self._has_room = True

    def give_room(self) -> bool:
        """Release the reserved disk space; False where none was reserved."""
        had_room, self._has_room = self._has_room, False
        if had_room and self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
        return had_room

    def leave(self) -> None:
        """Release our owner token."""
        if self.token is None or self._descriptor is None:
            return
        os.close(self._descriptor)
        with suppress(FileNotFoundError):
            (self._folder / self.token).unlink()
        self.token = self._descriptor = None
        self._has_room = False

    def _log_no_locks(self) -> None:
        if not self._is_logged:
            self._is_logged = True
            self._log(
                f"file locks do not work in `{self._folder}`, so one kontext cannot tell whether"
                " another is still running: run one at a time, or keep KONTEXT_STATE_DIR on a"
                " local disk"
            )

    def _sweep(self) -> None:
        """Remove the files of processes that were killed."""
        for path in self._folder.iterdir():
            if _TOKEN.fullmatch(path.name):
                disk.remove_abandoned(path)
