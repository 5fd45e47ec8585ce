"""Lumen on this machine, to try the package: python lumen_server.py COMMAND...

Each job waits for one status and is drawn for one; its image is plain, in the colour of the seed.
"""

import json
import os
import struct
import subprocess
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import ClassVar

STATES = ("waiting", "drawing", "done")


class Lumen(BaseHTTPRequestHandler):
    """Answers the requests of all jobs."""

    jobs: ClassVar[dict[str, list[int]]] = {}
    """The seed and the number of statuses of each job."""
    numbers = count(1)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")
        if not self.headers["Authorization"]:
            self.answer(401, {"error": {"type": "bad_key", "message": "there is no key"}})
        elif self.path == "/v1/images":
            job = f"lu-{next(self.numbers)}"
            self.jobs[job] = [body.get("seed", 0), 0]
            self.answer(202, {"id": job, "state": "waiting"})
        else:
            self.answer(200, {"state": "done"})

    def do_GET(self) -> None:
        job = self.path.rpartition("/")[2].removesuffix(".png")
        if job not in self.jobs:
            self.answer(404, {"error": {"type": "unknown", "message": "there is no such job"}})
        elif self.path.endswith(".png"):
            self.send(200, "image/png", png(self.jobs[job][0]))
        else:
            seed, polls = self.jobs[job]
            self.jobs[job][1] += 1
            url = f"http://{self.headers['Host']}/files/{job}.png"
            state = STATES[min(polls, len(STATES) - 1)]
            self.answer(
                200, {"id": job, "state": state, "ahead": 1, "files": [{"url": url}], "seed": seed}
            )

    def answer(self, status: int, body: object) -> None:
        self.send(status, "application/json", json.dumps(body).encode())

    def send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def png(seed: int) -> bytes:
    """A plain image of 64 × 64 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = b"\0" + seed.to_bytes(8, "little")[:3] * 64
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 64)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def main(command: list[str]) -> int:
    """Serve until a command has ended; without one, until Ctrl-C."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lumen)
    settings = {
        "KONTEXT_LUMEN_BASE_URL": f"http://127.0.0.1:{server.server_port}",
        "LUMEN_API_KEY": "any",
    }
    if not command:
        print("\n".join(f"export {name}={value}" for name, value in settings.items()), flush=True)
        server.serve_forever()
    Thread(target=server.serve_forever, daemon=True).start()
    return subprocess.run(command, env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
