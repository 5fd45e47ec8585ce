"""Where locks and the files that they name are."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from kontext_cli.errors import LockFault, UsageError

EACH_NAME = "kontext.lock"
"""The lock of `edit --each`, in its output folder."""
SUFFIX = ".lock"
_SHARD = re.compile(r"([1-9][0-9]{0,5})of([1-9][0-9]{0,5})\.lock")


def lock_path(prompts_file: Path, shard: tuple[int, int] | None = None) -> Path:
    """The lock of a prompts file, beside it: `cards.lock`, or `cards.2of4.lock` of a shard."""
    whole = prompts_file.with_suffix(SUFFIX)
    return whole if shard is None else shard_path(whole, shard)


def shard_path(whole: Path, shard: tuple[int, int]) -> Path:
    """The lock of shard I of N beside that of all rows."""
    return whole.with_name(f"{whole.stem}.{shard[0]}of{shard[1]}{SUFFIX}")


def shard_of(whole: Path, path: Path) -> tuple[int, int] | None:
    """The shard I of N of a lock beside that of all rows; None if it is no such lock."""
    start, name = f"{whole.stem}.", path.name
    found = _SHARD.fullmatch(name.removeprefix(start)) if name.startswith(start) else None
    shard = (int(found[1]), int(found[2])) if found else (1, 0)
    return shard if shard[0] <= shard[1] else None


def shard_locks(whole: Path) -> Sequence[Path]:
    """The locks of shards that lie beside that of all rows, in the order of their numbers."""
    found = ((shard_of(whole, path), path) for path in whole.parent.glob(f"*{SUFFIX}"))
    return [path for _, path in sorted((shard, path) for shard, path in found if shard)]


class Places:
    """Paths as they are in a lock, relative to its folder and with slashes, and back."""

    def __init__(self, lock: Path) -> None:
        self.lock = lock
        self.folder = lock.parent
        self._start = str(self.folder.absolute() / "x")[:-1]
        self._real = os.path.realpath(self.folder)
        self._inside: dict[str, bool] = {}
        self._relative: dict[str, str] = {}

    def name(self, path: Path | str) -> str:
        """The name of an image in the lock. Raises UsageError if it is not below the folder."""
        if not self.is_inside(path):
            raise self._is_outside(path)
        return self.relative(path)

    def check_folder(self, folder: Path) -> None:
        """Raises UsageError for a folder whose files cannot be named."""
        if not self.is_inside(folder / "x"):
            raise self._is_outside(folder)

    def relative(self, path: Path | str) -> str:
        """The path from the lock's folder; it may leave it, as an input image may."""
        folder, name = os.path.split(path)
        if folder not in self._relative:
            self._relative[folder] = self.relative_folder(folder)
        there = self._relative[folder]
        return name if there == "." else f"{there}/{name}"

    def relative_folder(self, folder: Path | str) -> str:
        """A folder relative to the lock's; `.` for that, and for one on another drive."""
        try:
            found = os.path.relpath(os.path.realpath(folder), self._real)
        except ValueError:
            return "."
        return found.replace(os.sep, "/")

    def path(self, name: str) -> Path:
        """The file of a name. Raises LockFault if links lead out of the folder."""
        return Path(self.checked(name))

    def checked(self, name: str) -> str:
        """As ``path``, in a tenth of the time."""
        path = self.text(name)
        if not self.is_inside(path):
            raise LockFault(
                f"`{self.lock}`: `{name}` is a link out of the folder, and is left alone",
                hint=f"replace the link by the image itself, or remove the line of `{name}`",
            )
        return path

    def text(self, name: str) -> str:
        """The file of a name, which may be a link."""
        return self._start + name.replace("/", os.sep)

    def is_inside(self, path: Path | str) -> bool:
        """Whether a file is in the lock's folder or below, with all links followed."""
        parent = os.path.dirname(path)  # noqa: PTH120
        if parent not in self._inside:
            self._inside[parent] = self._contains(os.path.realpath(parent))
        if not self._inside[parent]:
            return False
        return not os.path.islink(path) or self._contains(os.path.realpath(path))  # noqa: PTH114

    def _is_outside(self, path: Path | str) -> UsageError:
        return UsageError(
            f"`{path}` is not in the folder of `{self.lock.name}`, which can only name files "
            "below it",
            hint="choose a folder below that of the prompts file with -d",
        )

    def _contains(self, real: str) -> bool:
        return real == self._real or real.startswith(os.path.join(self._real, ""))  # noqa: PTH118
