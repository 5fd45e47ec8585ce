"""Saves every row of `prompts.txt` without a provider: an image in `images`, a job in the journal.

Jobs are planned and written as `kontext generate -f prompts.txt -d images` does it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from kontext_cli.batch.decide import Rules
from kontext_cli.batch.order import Order
from kontext_cli.batch.part import Part
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.sources import BatchSource, batch_id, rows_of_files
from kontext_cli.files.destinations import FOLDERS
from kontext_cli.files.saved import file_of, verified
from kontext_cli.job import Handle, Job, Output, State
from kontext_cli.journal import Journal
from kontext_cli.providers.base import Provider
from kontext_cli.settings.paths import state_dir
from kontext_cli.settings.settings import Settings
from server import jpeg

_ROWS_A_COMMIT = 1_000
_MOST_LINKS = 10_000
"""Names of one file: some file systems allow a few tens of thousands."""


def main() -> None:
    """Save all rows of the batch in the working folder."""
    folder = Path("images").absolute()
    source, settings = rows_of_files(["prompts.txt"], _no_input), Settings.load(os.environ)
    planner = Planner(
        _order(source, folder), open_provider=lambda _: settings.open("fal"), stdin=_no_input
    )
    entries = planner.entries(source, Part(source.rows), lambda _key: None)
    images = _Images(folder)
    with Journal.open(state_dir(os.environ)) as journal:
        for first in range(0, len(entries), _ROWS_A_COMMIT):
            jobs = [planner.plan(entry).job for entry in entries[first : first + _ROWS_A_COMMIT]]
            journal.write([journal.recording(images.saved(job)) for job in jobs])


def _order(source: BatchSource, folder: Path) -> Order:
    width = len(str(len(source.rows)))
    return Order(
        batch=batch_id(source.identity, folder),
        operation="generate",
        defaults={"provider": "fal", "model": Provider.default_model, "keep_flagged": False},
        images=(),
        bases=source.bases,
        folder=folder,
        template=f"{{index:0{width}}}-{{slug}}",
        id_template="{id}",
        exists="error",
        rules=Rules(),
    )


def _no_input() -> BinaryIO:
    raise AssertionError("nothing is read from standard input")


class _Images:
    """One image on disk, under the names of all jobs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._data = jpeg()
        self._image = verified(self._data)
        self._first = folder
        self._links = _MOST_LINKS

    def saved(self, job: Job) -> Job:
        """The job as it is when its image is saved."""
        (path,) = job.target.paths if job.target else ()
        self._save(path)
        job.handle = Handle(str(uuid4()))
        job.request_id = job.handle.request_id
        job.outputs = (Output(url=f"https://v3.fal.media/files/{job.request_id}.jpeg"),)
        job.files = (file_of(path, self._image, FOLDERS.stamp(path)),)
        job.reply = {"prompt": job.request["prompt"], "timings": {"inference": 3.2}}
        job.state, job.finished_at = State.SAVED, datetime.now(UTC)
        return job

    def _save(self, path: Path) -> None:
        if self._links == _MOST_LINKS:
            path.write_bytes(self._data)
            self._first, self._links = path, 0
        else:
            path.hardlink_to(self._first)
        self._links += 1


if __name__ == "__main__":
    main()
