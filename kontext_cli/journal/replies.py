"""Replies of blocking providers, on disk before they are acted on: they cannot be fetched again."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kontext_cli.errors import Billed, JournalFault
from kontext_cli.files import disk
from kontext_cli.http.call import Reply


class Answers:
    """Complete replies by job id, readable by the user alone, until the images are saved."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / "answers"

    def prepare(self) -> None:
        """Create the folder for replies before they arrive. Raises JournalFault."""
        with self._faults():
            disk.make_private_folder(self._folder.parent)
            disk.make_inner_folder(self._folder, JournalFault)

    def keep(self, job_id: str, reply: Reply, header_names: Sequence[str]) -> None:
        """Write a reply durably, with those of its headers. Raises JournalFault."""
        headers = {name: reply.headers[name] for name in header_names if name in reply.headers}
        head = json.dumps({"status": reply.status, "headers": headers}).encode()
        self.prepare()
        with self._faults(billed="yes"):
            part = self._path(f".{job_id}.part")
            part.unlink(missing_ok=True)
            try:
                descriptor, _ = disk.create_private(part)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(head + b"\n" + reply.body)
                    stream.flush()
                    os.fsync(stream.fileno())
                part.replace(self._path(job_id))
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            disk.sync_folder(self._folder)

    def find(self, job_id: str) -> Reply | None:
        """The reply of a job, None where none was saved completely."""
        try:
            head, _, body = self._path(job_id).read_bytes().partition(b"\n")
            kept: Mapping[str, Any] = json.loads(head)
            return Reply(kept["status"], kept["headers"], body)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def count(self) -> int:
        """How many replies there are."""
        with suppress(OSError):
            return sum(path.name[0] != "." for path in self._folder.iterdir())
        return 0

    def drop(self, job_id: str) -> None:
        """Delete a reply that is no longer needed."""
        with suppress(OSError):
            self._path(job_id).unlink()

    @contextmanager
    def _faults(self, *, billed: Billed = "no") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalFault(
                f"the provider's reply cannot be saved in `{self._folder}`: {error.strerror}",
                billed=billed,
            ) from None

    def _path(self, job_id: str) -> Path:
        return self._folder / job_id
