"""fal's queue dialect, spoken by fal itself, by gateways in front of it, and by the sandbox.

Sources: fal's queue documentation and its official clients. There are three states, IN_QUEUE,
IN_PROGRESS and COMPLETED; a job that failed is COMPLETED too, and only its result tells.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from kontext_cli.errors import JobFailed, UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.urls import may_have_key
from kontext_cli.job import Handle, Progress, State
from kontext_cli.providers.base import Cancellation, Provider
from kontext_cli.providers.failure import failure, reason
from kontext_cli.providers.results import read_result

_STATES = {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.RUNNING}
_PENDING = re.compile(r"in progress|not ready|in queue|still (running|processing)", re.I)
_THREE_PART_APPS = ("workflows", "comfy")
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~%+:@-]+)+")


_CANCELLATIONS = {
    200: Cancellation.REMOVED,
    202: Cancellation.REQUESTED,
    400: Cancellation.TOO_LATE,
    404: Cancellation.UNKNOWN,
}


class QueueProvider(Provider):
    """A provider that takes a job into a queue and is asked about it until it is done.

    ``streams`` says that it also tells by itself when a job changes.
    """

    streams: ClassVar[bool] = False

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return Call("submit", "POST", f"{self.base_url}/{endpoint}", json=payload)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        body = reply.object
        request_id = body.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise UnexpectedReply(f"{self.name} accepted the job but sent no request id")
        handle = self.handle(endpoint, request_id, body)
        return Progress(State.QUEUED, position=_position(body), handle=handle)

    def handle(
        self, endpoint: str, request_id: str, urls: Mapping[str, Any] | None = None
    ) -> Handle:
        """How to ask about a job: by the ``urls`` of the reply where they can be believed.

        A follow-up URL is moved to our own base, so that the key goes nowhere else. One on a
        foreign host is ignored, and rebuilt from the request id by fal's rule.
        """
        urls = urls or {}
        name = quote(request_id.encode(errors="surrogatepass"), safe="")
        job = f"{self.base_url}/{app_id(endpoint)}/requests/{name}"
        return Handle(
            request_id=request_id,
            status_url=self._own(urls.get("status_url"), request_id) or f"{job}/status",
            response_url=self._own(urls.get("response_url"), request_id) or job,
            cancel_url=self._own(urls.get("cancel_url"), request_id) or f"{job}/cancel",
        )

    def poll(self, handle: Handle) -> Call:
        """The call that asks where a job is."""
        return Call("status", "GET", f"{handle.status_url}?logs=1")

    def stream(self, handle: Handle) -> Call:
        """The call that is answered by one status body after another, until the job is done.

        Server-sent events; their logs are only what is new (fal's queue documentation).
        """
        return Call("stream", "GET", f"{handle.status_url}/stream?logs=1")

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        """Whether a status body may be of this job: it does not name another one."""
        return body.get("request_id") in (None, handle.request_id)

    def progress(self, reply: Reply, handle: Handle) -> Progress:  # noqa: ARG002
        """Read the answer to ``poll``. Raises KontextError where the job has ended badly."""
        if not reply.ok:
            raise failure(self, reply, submitted=True)
        return self.status(reply.object)

    def status(self, body: Mapping[str, Any]) -> Progress:
        """Read a status body; a status word of another version counts as running."""
        word = str(body.get("status", ""))
        return Progress(
            state=_STATES.get(word, State.RUNNING),
            position=_position(body),
            logs=_logs(body.get("logs")),
            done=word == "COMPLETED",
        )

    def result(self, handle: Handle) -> Call:
        """The call for the result of a job that is done."""
        return Call("result", "GET", handle.response_url)

    def outcome(self, reply: Reply) -> Progress:
        """Read the result: pictures, or KontextError for how the job ended."""
        if is_pending(reply):
            return Progress(State.RUNNING)
        if not reply.ok:
            raise failure(self, reply, submitted=True)
        if not reply.object:
            raise JobFailed(f"{self.name} sent a result that is not JSON", billed="maybe")
        return read_result(self.name, reply)

    def cancel(self, handle: Handle) -> Call:
        """The call that asks for a job to be called off."""
        return Call("cancel", "PUT", handle.cancel_url)

    def canceled(self, reply: Reply) -> Cancellation:
        """Read the answer to ``cancel``. Raises KontextError for any but its four."""
        found = _CANCELLATIONS.get(reply.status)
        if found is None:
            raise failure(self, reply, submitted=True)
        return found

    def _own(self, url: object, request_id: str) -> str | None:
        """``url`` moved to our base; None unless it is a plain path of this job on a known host."""
        if not isinstance(url, str):
            return None
        base = urlsplit(self.base_url)
        try:
            given = urlsplit(url)
            known = given.netloc in {base.netloc, *self.trusted_hosts}
        except ValueError:
            return None
        path = given.path
        if given.netloc == base.netloc:
            path = path.removeprefix(base.path)
        if not known or request_id not in path.split("/") or not _PLAIN_PATH.fullmatch(path):
            return None
        own = f"{self.base_url}{path}"
        return own if may_have_key(own, self.base_url) else None


def app_id(endpoint: str) -> str:
    """The part of an endpoint that follow-up URLs carry: owner and app, without the sub-path.

    Workflows and comfy apps keep all three segments (fal's queue documentation).
    """
    segments = endpoint.split("/")
    return "/".join(segments[: 3 if segments[0] in _THREE_PART_APPS else 2])


def is_pending(reply: Reply) -> bool:
    """Whether a result that was asked for is not there yet, in any of the words seen for it."""
    body = reply.object
    if body.get("images"):
        return False
    word = str(body.get("status", "")).upper()
    if reply.status == 202 or word in {"IN_QUEUE", "IN_PROGRESS", "PENDING", "PROCESSING"}:
        return True
    return bool(body) and not reply.is_html and bool(_PENDING.search(reason(reply).text))


def _position(body: Mapping[str, Any]) -> int | None:
    position = body.get("queue_position")
    is_number = isinstance(position, int) and not isinstance(position, bool)
    return position if is_number else None


def _logs(logs: Any) -> tuple[str, ...]:
    if not isinstance(logs, list):
        return ()
    rows = (row.get("message") for row in logs if isinstance(row, dict))
    return tuple(str(message) for message in rows if message)
