"""Disks of their own, as small as a test wants them: in memory, seen by nobody else."""

import functools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from processes import MACHINE

_WAYS = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))
_MOUNT = (
    'mount -t tmpfs -o "$1" tmpfs "$0" && cd "$0" && shift && mkdir "$@" && echo ready && exec cat'
)
_THROUGH = 'cd "$0" && exec "$@"'


@functools.cache
def _way() -> tuple[str, ...]:
    """How this user may mount something where only its own processes see it; empty: in no way."""
    if shutil.which("nsenter") is None or shutil.which("unshare") is None:
        return ()
    for way in _WAYS:
        trial = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if not subprocess.run(trial, env=MACHINE, capture_output=True, check=False).returncode:
            return way
    return ()


needs_volumes = pytest.mark.skipif(not _way(), reason="disks of one's own cannot be mounted here")


class Volume:
    """A tmpfs below ``path``, with some folders in it, for programs that are run ``through`` it.

    It lies in the mount namespace of a process, and is gone with that. ``options`` are those of
    tmpfs: ``size=400k``, ``nr_inodes=20``.
    """

    def __init__(self, path: Path, options: str, *folders: str) -> None:
        path.mkdir()
        self.path = path
        self._process = subprocess.Popen(
            [*_way(), "sh", "-c", _MOUNT, str(path), options, *folders],
            env=MACHINE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def through(self, folder: Path) -> Sequence[str]:
        """What to put before a command that is to see the volume, and to work in ``folder``."""
        user = ("--user", "--preserve-credentials") if len(_way()) > 2 else ()
        target = ("--target", str(self._process.pid))
        return ["nsenter", *target, *user, "--mount", "sh", "-c", _THROUGH, str(folder)]

    def see(self, path: Path) -> Path:
        """Where this process finds what has that name for those that see the volume."""
        return Path(f"/proc/{self._process.pid}/root{path}")

    def change(self, options: str) -> None:
        """Make it larger, smaller, or read-only."""
        mount = ["mount", "-o", f"remount,{options}", str(self.path)]
        subprocess.run([*self.through(self.path), *mount], env=MACHINE, check=True)
