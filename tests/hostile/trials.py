"""Batches whose runs go through something: a disk of their own, a tracer, a limit."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hostile.volumes import Volume
from kontext_cli.files.saved import existing_file
from soaking import SOAK, soaked
from strained import Strained
from world import Ran

IN_FLIGHT = 4
ROWS = soaked(10, 20)

soak_only = pytest.mark.skipif(not SOAK, reason="one of many, for make soak")


class Trial(Strained):
    """A batch with IN_FLIGHT jobs at a time.

    ``see`` returns where this process finds a file that has a name for those that run ``through``
    something.
    """

    usual = (*Strained.usual, "-j", str(IN_FLIGHT))

    def __init__(self, *world: Any, rows: int | Sequence[str] = ROWS, **options: Any) -> None:
        self.see: Callable[[Path], Path] = lambda path: path
        super().__init__(*world, rows=rows, **options)

    def lie_on(self, volume: Volume, *places: Path) -> None:
        """Have these folders on a volume, and each process see it."""
        for place in places:
            # relative, so that `see` finds it as well
            place.symlink_to(os.path.relpath(volume.path / place.name, place.parent))
        self.through, self.see = volume.through(self.folder), volume.see

    def parts(self) -> list[str]:
        """The part files among the images."""
        return [path.name for path in self.see(self.out).glob(".*")]

    def check_stopped(self, first: Ran) -> None:
        """See that a run ended for the disk, in order: nothing was sent that was not in flight."""
        saved = first.count("saved")
        assert first.code == (9 if saved else 8), first.err
        assert any(error["exit_code"] == 8 for error in first.errors)
        assert "no more rows will be submitted" in first.err
        assert self.accepted.total() <= min(saved + IN_FLIGHT, len(self.rows) - 1)
        assert self.parts() == []

    def check_rest(self, *argv: str, held: bool = False, more: bool = False) -> Ran:
        """See that the next run does what is left, each row made and paid for once.

        ``held``: rows may be of unknown outcome, and are told. ``more``: there may be a second
        copy of an image.
        """
        rest = self.run_batch(*argv)
        unknown = rest.count("unknown") if held else 0
        assert rest.code == (9 if unknown else 0), rest.err
        assert rest.count("saved", "skipped") == len(self.rows) - unknown, rest.err
        self.check()
        self.check_whole(rest, more=more or bool(unknown))
        return rest

    def check_whole(self, last: Ran, *, more: bool = False) -> None:
        """See that the images that were reported are there and whole, and nothing else is.

        ``more``: there may be images of rows that were not reported as saved.
        """
        told = {
            self.see(Path(file["path"])): file["sha256"]
            for job in last.jobs
            for file in job["files"]
        }
        found = {path: existing_file(path) for path in self.see(self.out).iterdir()}
        there = {path: file.sha256 for path, file in found.items() if not more or path in told}
        assert there == told
