"""Keeps the lock of a batch: adds rows as they end, and writes it whole."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock as Mutex

from kontext_cli.errors import KontextError
from kontext_cli.lock import Header, Lock, LockedRow, encode_row, locking, read_lock
from kontext_cli.lock.writing import joined, write_bytes

_LEAST_SECONDS = 1.0
"""Between two writes."""
_SHARE = 20
"""A write that takes long is followed by so many times its duration without one."""

_Signature = tuple[int, int, int] | None


class LockKeeper:
    """Writes the rows of a batch into its lock: the first at once, then at most once a second.

    Before each write, what other processes wrote is read, and kept for all other rows.
    """

    def __init__(
        self, path: Path, header: Header, notice: Callable[[str], None], *, is_due: bool = False
    ) -> None:
        """``notice`` is called once if the lock cannot be written for now. With ``is_due``, it is
        written even if no row is put."""
        self._path = path
        self._header = header
        self._notice = notice
        self._lines: dict[str, tuple[str, ...]] = {}
        self._read: _Signature = None
        self._changes: dict[str, str | None] = {}
        self._mutex = Mutex()
        self._is_due = asyncio.Event()
        self._is_dirty = is_due
        self._is_noticed = False

    def put(self, row: LockedRow, *, instead_of: str | None = None) -> None:
        """Keep a row in place of all lines of its id, and of another id that it had before."""
        if instead_of is not None and instead_of != row.id:
            self._changes[instead_of] = None
        self._changes[row.id] = encode_row(row)
        self._is_dirty = True
        self._is_due.set()

    async def keep(self) -> None:
        """Write what is put, until cancelled."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            began = time.monotonic()
            try:
                await asyncio.to_thread(self.write)
            except KontextError as fault:
                if not self._is_noticed:
                    self._is_noticed = True
                    self._notice(f"the lock is not written for now: {fault.message}")
            took = time.monotonic() - began
            await asyncio.sleep(max(_LEAST_SECONDS, _SHARE * took))

    def write(self) -> None:
        """Write what was put since the last time. Raises StorageFault or LockFault."""
        with self._mutex:
            if not self._is_dirty:
                return
            self._is_dirty = False  # what is put from here on may come too late for this write
            try:
                with locking(self._path):
                    self._write()
            except KontextError:
                self._is_dirty = True
                raise

    def _write(self) -> None:
        self._read_again()
        for row_id, line in self._changes.copy().items():
            self._lines[row_id] = () if line is None else (line,)
        write_bytes(self._path, joined(self._header, self._lines))
        self._read = _signature(self._path)

    def _read_again(self) -> None:
        """Read the lock if another process has written it."""
        now = _signature(self._path)
        if now != self._read:
            self._lines = _encoded(read_lock(self._path)) if now else {}


def _encoded(lock: Lock) -> dict[str, tuple[str, ...]]:
    return {
        row_id: tuple([encode_row(line.row) for line in lines])
        for row_id, lines in lock.lines.items()
    }


def _signature(path: Path) -> _Signature:
    """What differs once a file was replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
