"""The provider of the benchmarks: fal's queue as the sandbox speaks it, with a record of each job.

The sandbox draws its images and goes through an application framework. On a machine of few cores
that would cost more than the clients that are to be compared, so this one answers from raw sockets,
with the sandbox's own bodies and images made beforehand. `python benchmarks/server.py` prints its
URL and serves until its standard input is closed. `--certificate FILE` holds a certificate and its
key, and has it speak https; with `--delay SECONDS` each round trip to it takes that long.
"""

import argparse
import asyncio
import io
import json
import random
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from PIL import Image

from far import far
from kontext_cli.sandbox import follow
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.payloads import FAL
from record import Record
from wire import LAST_CHUNK, Connection, Request, chunk, head, reply

_LATENCY = re.compile(r"\[latency=([0-9.]+)\]")
_DEFAULT_LATENCY = 0.35
_CHANGES = (*(each / 9 for each in range(3)), *(1 / 3 + each / 10.5 for each in range(8)))
"""Shares of a job's time at which the sandbox has news of it: a place in the queue, or a line."""
_PNG_SIDE = 2582
"""Three bytes for each of its pixels come to 20 MB, which noise does not compress."""


class Queue:
    """Jobs from their submit to their image. JPEGs are of 150 kB, PNGs of 20 MB.

    A prompt that holds `[latency=0.34]` sets the seconds that its job takes from the submit on, and
    one that holds `[count]` is refused.
    """

    def __init__(self) -> None:
        self.url = ""
        """Where it is served, without a closing slash; known only when it is."""
        self._jobs: dict[str, tuple[Job, Record]] = {}
        self._images = {
            "jpeg": reply(200, jpeg(), "image/jpeg"),
            # The client closes the connection after this one, which shows when it had all of it.
            "png": reply(200, png(), "image/png", {"connection": "close"}),
        }

    def answer(self, request: Request, connection: Connection) -> None:
        """Answer one request."""
        parts = request.path.strip("/").split("/")
        match parts:
            case ["records"] if request.method == "DELETE":
                self._hand_over(connection)
            case ["fal", "fal-ai", "flux-pro", "requests", request_id, *rest]:
                self._follow(request, connection, request_id, "/".join(rest))
            case ["fal", *endpoint] if request.method == "POST":
                self._submit(request, connection, "/".join(endpoint))
            case ["files", request_id, file] if request_id in self._jobs:
                self._image(request, connection, request_id, file)
            case _:
                connection.send(_refusal(404, "Not Found"))

    def _hand_over(self, connection: Connection) -> None:
        """Return the records of all jobs, and delete them."""
        records = [asdict(record) for _, record in self._jobs.values()]
        self._jobs.clear()
        connection.send(_json(200, records))

    def _submit(self, request: Request, connection: Connection, endpoint: str) -> None:
        if endpoint not in FAL:
            connection.send(_refusal(404, f"Application '{endpoint}' not found"))
            return
        if not _has_key(request):
            connection.send(_refusal(401, "Authentication is required"))
            return
        payload: dict[str, Any] = json.loads(request.body)
        prompt = str(payload.get("prompt", ""))
        if "[count]" in prompt:
            _count_instructions()
            connection.send(_refusal(400, "Bad Request"))
            return
        found = _LATENCY.search(prompt)
        latency = float(found[1]) if found else _DEFAULT_LATENCY
        job = Job(
            request_id=str(uuid4()),
            dialect="fal",
            endpoint=endpoint,
            payload=payload,
            seed=int(payload.get("seed") or 1),
            outcome=None,
            latency=latency,
            created=time.monotonic(),
            born=time.time(),
        )
        record = Record(prompt, latency, request.began, job.created + latency)
        self._jobs[job.request_id] = (job, record)
        body = follow.accepted(job, base=f"{self.url}/fal", now=job.created)
        connection.send(_json(200, body, job))

    def _follow(self, request: Request, connection: Connection, request_id: str, what: str) -> None:
        if not _has_key(request):
            connection.send(_refusal(401, "Authentication is required"))
            return
        if request_id not in self._jobs or request.method != "GET":
            connection.send(_refusal(404, "Request not found"))
            return
        job, record = self._jobs[request_id]
        record.requests += 1
        if what == "":
            self._result(connection, job)
            return
        record.polls += 1
        logs = follow.wants_logs(request.query.partition("logs=")[2].partition("&")[0])
        if what == "status/stream":
            Stream(job, connection, lambda now: self._status(job, now, logs=logs)).start()
            return
        body = self._status(job, time.monotonic(), logs=logs)
        connection.send(_json(200 if body["status"] is Status.COMPLETED else 202, body, job))

    def _status(self, job: Job, now: float, *, logs: bool) -> dict[str, Any]:
        return follow.progress(job, base=f"{self.url}/fal", now=now, logs=logs)

    def _result(self, connection: Connection, job: Job) -> None:
        if job.status(time.monotonic()) is not Status.COMPLETED:
            connection.send(_refusal(400, follow.STILL_IN_PROGRESS))
            return
        suffix = job.payload.get("output_format", "jpeg")
        side = _PNG_SIDE if suffix == "png" else 1024
        image = {
            "url": f"{self.url}/files/{job.request_id}/1.{suffix}",
            "width": side,
            "height": side,
            "content_type": f"image/{suffix}",
        }
        body = {
            "images": [image],
            "timings": {"inference": round(job.latency * 2 / 3, 3)},
            "seed": job.seed,
            "has_nsfw_concepts": [False],
            "prompt": job.prompt,
        }
        connection.send(_json(200, body, job))

    def _image(self, request: Request, connection: Connection, request_id: str, file: str) -> None:
        suffix = file.rpartition(".")[2]
        if suffix not in self._images:
            connection.send(_refusal(404, "Not Found"))
            return
        _, record = self._jobs[request_id]
        record.requests += 1
        record.download_begun = request.began
        if suffix == "png":
            connection.on_leaving.append(lambda: _note_end(record))
        connection.send(self._images[suffix])


class Stream:
    """A job's status as server-sent events: each at the moment it is new, the last one when the
    job is completed."""

    def __init__(
        self, job: Job, connection: Connection, status: Callable[[float], dict[str, Any]]
    ) -> None:
        self._job = job
        self._connection = connection
        self._status = status
        self._told = 0
        self._timer: asyncio.TimerHandle | None = None
        connection.on_leaving.append(self._stop)

    def start(self) -> None:
        """Send the current status, and each change as it comes."""
        headers = {"transfer-encoding": "chunked", "x-fal-request-id": self._job.request_id}
        self._connection.send(head(200, "text/event-stream; charset=utf-8", headers))
        self._tell(time.monotonic())

    def _tell(self, now: float) -> None:
        body = self._status(now)
        if body["logs"]:
            body["logs"], self._told = body["logs"][self._told :], len(body["logs"])
        self._connection.send(chunk(b"data: %b\n\n" % json.dumps(body).encode("ascii")))
        if body["status"] is Status.COMPLETED:
            self._connection.send(LAST_CHUNK)
            self._connection.on_leaving.remove(self._stop)
            return
        moments = (self._job.created + share * self._job.latency for share in _CHANGES)
        ready = self._job.created + self._job.latency
        then = min((moment for moment in moments if moment > now), default=ready)
        # A timer may be early by as much as its clock is coarse.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(then, lambda: self._tell(max(then, time.monotonic())))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def jpeg() -> bytes:
    """A square JPEG of a megapixel and about 150 kB, the same each time."""
    side = 96
    rough = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(3 * side * side))
    return _file(rough.resize((1024, 1024), Image.Resampling.BICUBIC), "JPEG", quality=75)


def png() -> bytes:
    """A square PNG of noise: 20 MB that are larger than any buffer on the way."""
    noise = random.Random(7).randbytes(3 * _PNG_SIDE * _PNG_SIDE)
    return _file(Image.frombytes("RGB", (_PNG_SIDE, _PNG_SIDE), noise), "PNG", compress_level=1)


def _file(image: Image.Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _note_end(record: Record) -> None:
    record.download_ended = time.monotonic()


def _has_key(request: Request) -> bool:
    return request.headers.get("authorization", "").startswith("Key ")


def _json(status: int, body: object, job: Job | None = None) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode("ascii")
    headers = {"x-fal-request-id": job.request_id} if job else None
    return reply(status, text, "application/json", headers)


def _count_instructions() -> None:
    """Have valgrind write down what the client has executed until now, where it runs under it."""
    if shutil.which("callgrind_control"):
        subprocess.run(["callgrind_control", "--dump"], capture_output=True, check=False)


def _refusal(status: int, detail: str) -> bytes:
    return _json(status, {"detail": detail})


async def serve(certificate: str | None, delay: float) -> None:
    """Print the URL, and answer until standard input is closed, as it is when the parent ends."""
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    queue = Queue()
    server = await loop.create_server(
        lambda: Connection(queue.answer), "127.0.0.1", 0, backlog=512, ssl=tls
    )
    host, port = server.sockets[0].getsockname()
    if delay:
        host, port = (await far(host, port, delay)).sockets[0].getsockname()
    queue.url = f"{'https' if tls else 'http'}://{host}:{port}"
    print(queue.url, flush=True)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(serve(options.certificate, options.delay))
