"""Clients as thin as can be, one for each dialect, and a clock that tests set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import Any

import httpx2
from PIL import Image

PRO = "fal-ai/flux-pro/kontext"
GENERATE = f"{PRO}/text-to-image"


@contextmanager
def client(url: str, authorization: str = "", timeout: float = 30.0) -> Iterator[httpx2.Client]:
    """An HTTP client for one base URL, with a key, deaf to the environment."""
    headers = {"authorization": authorization} if authorization else {}
    with httpx2.Client(
        base_url=url,
        headers=headers,
        timeout=timeout,
        trust_env=False,
        verify=False,  # it is all plain HTTP; loading certificates would cost more than the test
    ) as http:
        yield http


@dataclass
class Queue:
    """A client of a queue in fal's dialect, or of a gateway before one."""

    http: httpx2.Client

    def submit(self, endpoint: str = GENERATE, **payload: Any) -> httpx2.Response:
        """Send a payload; a prompt is added where it has none."""
        return self.http.post(f"/{endpoint}", json={"prompt": "a lighthouse", **payload})

    def job(self, endpoint: str = GENERATE, **payload: Any) -> dict[str, Any]:
        """Send a payload that is accepted; its reply."""
        reply = self.submit(endpoint, **payload)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def result(self, endpoint: str = GENERATE, **payload: Any) -> httpx2.Response:
        """Send a payload and ask for the result at once."""
        return self.http.get(self.job(endpoint, **payload)["response_url"])

    def made(self, endpoint: str = GENERATE, **payload: Any) -> dict[str, Any]:
        """Send a payload; the images it came to."""
        reply = self.result(endpoint, **payload)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())


@contextmanager
def fal(url: str) -> Iterator[Queue]:
    """A client of the emulated fal."""
    with client(f"{url}/fal", "Key secret") as http:
        yield Queue(http)


class Clock:
    """The sandbox's clock, standing still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ticking(step: float) -> Iterator[float]:
    """A clock that moves by itself: each look takes a step."""
    return (number * step for number in count())


def opened(data: bytes) -> Image.Image:
    """An image, decoded in full."""
    image = Image.open(BytesIO(data))
    image.load()
    return image
