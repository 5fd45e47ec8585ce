"""Where images lie: what folders and object stores have in common."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


class Stamp(NamedTuple):
    """What shows whether a file was changed: its size, with its time or the store's ``etag``.

    ``version`` is what some stores need to replace just this one.
    """

    size: int
    modified: int = 0
    etag: str = ""
    version: str = ""


class Part(Protocol):
    """A part file that is complete."""

    def content(self) -> bytes:
        """All its bytes."""

    def publish_as(self, target: Path, *, overwrite: bool) -> Path:
        """Rename it to the target or, unless that is overwritten, to a free name like it."""


class Destination(Protocol):
    """Where images lie. Names are absolute, or relative to the working folder."""

    def prove(self, folder: Path) -> None:
        """Check that images can be written there. Raises OutputFault."""

    def exists(self, name: str) -> bool:
        """Whether something has this name, even a dangling link."""

    def names(self, folder: str) -> Iterable[str] | None:
        """The names in a folder, None where they cannot be listed."""

    def stamp(self, name: str | Path) -> Stamp | None:
        """The stamp of what has this name, None if nothing has. Raises OSError or OutputFault."""

    def stamps(self, folder: str) -> Mapping[str, Stamp]:
        """The stamps of the files in a folder by their names, where to list them is quicker than
        to ask for each; else none. Raises OutputFault."""

    def read(self, path: Path, *, most: int) -> bytes:
        """Its bytes. Raises OSError or OutputFault, and NotAnImage for more than ``most``."""

    def publish(
        self, part: Part, target: Path, *, overwrite: bool, replaces: Stamp | None = None
    ) -> tuple[Path, Stamp]:
        """Put a part file there, durably: under the name ``target``, or one like it if that is
        taken by another than what ``replaces`` says. Raises OutputFault."""

    def remove(self, path: Path) -> None:
        """Remove a file. Raises OSError or OutputFault."""
