"""What all dialects share: requests become jobs, and jobs become images or failures."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import uuid4

from kontext_cli.sandbox import inputs
from kontext_cli.sandbox.drawing import image, provenance
from kontext_cli.sandbox.failures import CANCELED, OUTCOMES, NoImage
from kontext_cli.sandbox.faults import Faults, Point
from kontext_cli.sandbox.jobs import Job, Jobs
from kontext_cli.sandbox.ledger import Entry, Ledger
from kontext_cli.sandbox.orders import Order
from kontext_cli.sandbox.payloads import parsed
from kontext_cli.sandbox.shelf import Shelf

_PLAIN_SCALE = 16
_SMALLEST_DRAWING = 256
"""Pixels of a side; there is no room for a frame and a caption in less."""
_KEPT_IMAGES = 64
"""Of the latest, which clients whose download failed ask for again; 0.1 to 2 MB each."""
_OTHER_FORMAT = {"jpeg": "png", "png": "jpeg", "webp": "jpeg"}
_MARKED = frozenset({"bfl"})
"""The dialects whose images carry their provenance."""


class Workshop:
    """Accepts requests and makes the images; `latency` is the seconds a job takes in all.

    ``plain`` images are small and of one colour: quick to make, for tests of many jobs.
    """

    def __init__(
        self,
        *,
        latency: float,
        plain: bool,
        max_body: int,
        faults: Faults,
        ledger: Ledger,
        shelf: Shelf,
        clock: Callable[[], float],
    ) -> None:
        self.latency = latency
        self._plain = plain
        self.max_body = max_body
        self.faults = faults
        self.ledger = ledger
        self.shelf = shelf
        self.now = clock
        self.jobs = Jobs(shelf, clock)
        self._image = lru_cache(maxsize=_KEPT_IMAGES)(self._drawn)

    def accept(
        self, dialect: str, endpoint: str, payload: dict[str, Any], request_id: str | None = None
    ) -> Job:
        """Make a job of a request and enter it in the ledger: from here on it is billed."""
        job = Job(
            request_id=request_id or str(uuid4()),
            dialect=dialect,
            endpoint=endpoint,
            payload=payload,
            seed=_seed(payload),
            outcome=None,
            latency=self.latency,
            created=self.now(),
            born=time.time(),
        )
        job.outcome = self.faults.due(Point.OUTCOME, prompt=job.prompt, of=job.prompt)
        self.jobs.add(job)
        self.ledger.accept(Entry(dialect, endpoint, job.prompt, job.request_id, job.seed, payload))
        return job

    def due(self, point: Point, job: Job) -> str | None:
        """The fault that strikes a job at this point now, if there is one."""
        return self.faults.due(point, prompt=job.prompt, of=job.request_id)

    async def made(self, job: Job, *, files: str) -> dict[str, Any]:
        """What the model returns, in fal's form; `files` is the base URL of the images."""
        payload, (width, height), _ = await asyncio.to_thread(self._order, job)
        suffix = payload.file_format
        images: list[dict[str, Any]] = []
        for number in range(1, _count(job, payload) + 1):
            url = f"{files}/{job.request_id}/{number}.{suffix}"
            if payload.inline:
                data = base64.b64encode(await self.image(job, number)).decode()
                url = f"data:image/{suffix};base64,{data}"
            made = {"url": url, "width": width, "height": height}
            images.append(made | {"content_type": f"image/{suffix}"})
        answer = {
            "images": images,
            "timings": {"inference": round(job.latency * 2 / 3, 3)},
            "seed": job.seed,
            "has_nsfw_concepts": [job.outcome == "flagged"] * len(images),
            "prompt": job.prompt,
        }
        return {name: value for name, value in answer.items() if name in payload.shown}

    async def image(self, job: Job, number: int) -> bytes:
        """The file of one image of a job, counted from 1."""
        return await asyncio.to_thread(self._image, job, number)

    async def has_made(self, job: Job, number: int, output_format: str) -> bool:
        """Whether a job has an image of this number and format to show."""
        try:
            payload, _, _ = await asyncio.to_thread(self._order, job)
        except NoImage:
            return False
        return payload.file_format == output_format and 1 <= number <= _count(job, payload)

    def _order(self, job: Job) -> tuple[Order, tuple[int, int], list[bytes]]:
        """The valid payload of a job, the size of its images, and its inputs as files."""
        if job.canceled:
            raise NoImage(CANCELED)
        if job.outcome in OUTCOMES:
            raise NoImage(OUTCOMES[job.outcome])
        payload = parsed(job.dialect, job.endpoint, job.payload)
        files = [inputs.read(source, self.shelf) for source in payload.sources]
        size = payload.size(inputs.shape(files[0]) if files else None)
        if self._plain:
            size = (size[0] // _PLAIN_SCALE, size[1] // _PLAIN_SCALE)
        return payload, size, files

    def _drawn(self, job: Job, number: int) -> bytes:
        payload, size, files = self._order(job)
        output_format = payload.file_format
        if job.outcome == "png-for-jpeg":
            output_format = _OTHER_FORMAT[output_format]
        drawn = self._painted(job, number, size, output_format, files)
        return provenance.marked(drawn, output_format) if job.dialect in _MARKED else drawn

    def _painted(
        self, job: Job, number: int, size: tuple[int, int], output_format: str, files: list[bytes]
    ) -> bytes:
        if job.outcome == "flagged":
            return image.black(size, output_format)
        if self._plain or min(size) < _SMALLEST_DRAWING:
            return image.plain(size, output_format, f"{job.prompt}\0{job.seed}\0{number}")
        return image.draw(
            prompt=job.prompt,
            seed=job.seed,
            size=size,
            output_format=output_format,
            inputs=files,
            number=number,
        )


def _count(job: Job, payload: Order) -> int:
    if job.outcome == "empty":
        return 0
    return payload.count - (job.outcome == "fewer")


def _seed(payload: dict[str, Any]) -> int:
    seed = payload.get("seed")
    return seed if type(seed) is int else secrets.randbits(32)
