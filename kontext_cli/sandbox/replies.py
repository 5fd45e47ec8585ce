"""Reading requests and writing replies, for all dialects; broken replies as well."""

import asyncio
import json
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job
from kontext_cli.sandbox.workshop import Workshop

Refuse = Callable[[int, str], Response]
"""How a dialect says no: an HTTP status and a sentence in its own JSON."""

_SLOW_SECONDS = 5.0
_REFUSALS = {
    "401": "A valid API key is required",
    "402": "User is out of credit",
    "403": "User is locked. Reason: Exhausted balance",
    "429": "Too Many Requests",
    "503": "Service temporarily unavailable",
}
_BUSY = {"429", "503"}


class Declined(Exception):
    """A request that goes no further; carries the reply."""

    def __init__(self, reply: Response) -> None:
        super().__init__(reply.status_code)
        self.reply = reply


def answered(_: Request, declined: Exception) -> Response:
    """The reply of a request that goes no further, for an app's handlers."""
    return cast("Declined", declined).reply


class Json(JSONResponse):
    """JSON in plain ASCII: a client may have sent a lone surrogate, which UTF-8 cannot encode."""

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def origin(request: Request) -> str:
    """Scheme and host of this server as the client knows them, without a closing slash."""
    return str(request.base_url).rstrip("/")


def key_of(request: Request, scheme: str) -> str:
    """The key or token that the request carries under a scheme, empty where there is none."""
    given, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if given == scheme else ""


async def read_body(request: Request, limit: int, refuse: Refuse) -> bytes:
    """The body; one over the limit is read to its end, as an unread one breaks the connection."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= limit:
            body += chunk
    if len(body) > limit:
        raise Declined(refuse(413, f"Request body is larger than {limit} bytes"))
    return bytes(body)


async def read_object(request: Request, limit: int, refuse: Refuse) -> dict[str, Any]:
    """The body as a JSON object."""
    body = await read_body(request, limit, refuse)
    if not body:
        raise Declined(refuse(422, "Field required"))
    try:
        payload = json.loads(body, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise Declined(refuse(400, f"Invalid JSON: {error}")) from error
    if not isinstance(payload, dict):
        raise Declined(refuse(422, "Input should be a valid dictionary"))
    return payload


def html(status: int, title: str) -> Response:
    """The page of a proxy that stands before the provider, in place of the provider's reply."""
    page = f"<html>\n<head><title>{status} {title}</title></head>\n<body>\n<center><h1>{status} "
    page += f"{title}</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n"
    return HTMLResponse(page, status)


def cut_short(whole: bytes, *, sent: int, media_type: str) -> Response:
    """A reply that announces its whole length and ends early.

    The server finds out and closes the connection, as a failing network would; in process, where
    there is none, the body is just too short.
    """
    headers = {"content-length": str(max(len(whole), sent + 1))}
    return Response(whole[:sent], headers=headers, media_type=media_type)


def dropped() -> Response:
    """A connection that breaks after the status line."""
    return cut_short(b"", sent=0, media_type="application/json")


def strike(workshop: Workshop, prompt: str, refuse: Refuse) -> None:
    """Decline the request if a fault is due before the job is accepted."""
    name = workshop.faults.due(Point.SUBMIT, prompt=prompt, of=prompt)
    if name == "html-502":
        raise Declined(html(502, "Bad Gateway"))
    if name == "reset":
        raise Declined(dropped())
    if name is None:
        return
    reply = refuse(int(name), _REFUSALS[name])
    if name in _BUSY:
        reply.headers["retry-after"] = "1"
    raise Declined(reply)


async def delivered(workshop: Workshop, request: Request, prompt: str, reply: Response) -> Response:
    """The reply to an accepted submit, unless a fault loses it or holds it back."""
    name = workshop.faults.due(Point.REPLY, prompt=prompt, of=prompt)
    if name == "lost-reply":
        return dropped()
    if name == "slow":
        await hold(request, _SLOW_SECONDS)
    return reply


async def hold(request: Request, seconds: float | None) -> None:
    """Let a client wait (without a number: forever), until it disconnects."""
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass


async def hold_until_done(request: Request, job: Job) -> None:
    """Let a client of a blocking call wait as long as its job takes."""
    stuck = job.outcome == "stuck"
    if stuck or job.latency:
        await hold(request, None if stuck else job.latency)


def _finite(number: str) -> float:
    # Python reads NaN, Infinity and 1e999, which JSON cannot express
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"`{number}` is not a number of JSON")
    return value
