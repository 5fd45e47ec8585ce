"""fal's queue dialect, spoken by fal itself, by gateways in front of it, and by the sandbox.

Sources: fal's queue documentation and its official clients. There are three states, IN_QUEUE,
IN_PROGRESS and COMPLETED; a job that failed is COMPLETED too, and only its result says so.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from kontext_cli.errors import JobFailed, JournalFault, UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.urls import may_have_key
from kontext_cli.job import Handle, Progress, State
from kontext_cli.providers.base import Cancellation, Queue
from kontext_cli.providers.failure import failure, reason
from kontext_cli.providers.results import outputs_in, read_result

_STATES = {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.RUNNING}
_PENDING = r"(?i:in progress|not ready|in queue|still (running|processing))"
_THREE_PART_APPS = ("workflows", "comfy")
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~%+:@-]+)+")


_CANCELLATIONS = {
    200: Cancellation.REMOVED,
    202: Cancellation.REQUESTED,
    400: Cancellation.TOO_LATE,
    404: Cancellation.UNKNOWN,
}


class FalQueue(Queue):
    """A provider with fal's queue; the data of its handles are three URLs on its base.

    ``streams`` says that it offers the status as server-sent events. ``trusted_hosts`` are
    other hosts that its replies may name in follow-up URLs; only the paths of those are used.
    """

    streams: ClassVar[bool] = False
    trusted_hosts: ClassVar[frozenset[str]] = frozenset()
    error_type_header = "x-fal-error-type"
    canceled_types = frozenset({"client_cancelled", "client_disconnected"})

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return Call("submit", "POST", f"{self.base_url}/{endpoint}", json=payload)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        body = reply.object
        request_id = body.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise UnexpectedReply(f"{self.name} sent no request id in its response")
        handle = self.handle(endpoint, request_id, body)
        return Progress(State.QUEUED, position=_position(body), handle=handle)

    def handle(
        self, endpoint: str, request_id: str, urls: Mapping[str, Any] | None = None
    ) -> Handle:
        """The handle of a job, with the follow-up ``urls`` of the reply where they are trusted.

        A trusted URL is moved to our own base, so that the key goes nowhere else. One on a
        foreign host is ignored, and rebuilt from the request id by fal's rule.
        """
        urls = urls or {}
        name = quote(request_id.encode(errors="surrogatepass"), safe="")
        job = f"{self.base_url}/{app_id(endpoint)}/requests/{name}"
        usual = {"status_url": f"{job}/status", "response_url": job, "cancel_url": f"{job}/cancel"}
        return Handle(
            request_id,
            {name: self._own(urls.get(name), request_id) or url for name, url in usual.items()},
        )

    def poll(self, handle: Handle) -> Call:
        return Call("status", "GET", f"{self._url(handle, 'status_url')}?logs=1")

    def stream(self, handle: Handle) -> Call | None:
        if not self.streams:
            return None
        return Call("stream", "GET", f"{self._url(handle, 'status_url')}/stream?logs=1")

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        return body.get("request_id") in (None, handle.request_id)

    def progress(self, reply: Reply, handle: Handle) -> Progress:
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
        return Call("result", "GET", self._url(handle, "response_url"))

    def outcome(self, reply: Reply) -> Progress:
        if is_pending(reply):
            return Progress(State.RUNNING)
        if not reply.ok or (reply.object.get("error") and not outputs_in(reply.object)):
            raise failure(self, reply, submitted=True)
        if not reply.object:
            raise JobFailed(f"{self.name} sent a result that is not JSON", billed="maybe")
        return read_result(self.name, reply.object)

    def cancel(self, handle: Handle) -> Call:
        return Call("cancel", "PUT", self._url(handle, "cancel_url"))

    def canceled(self, reply: Reply) -> Cancellation:
        found = _CANCELLATIONS.get(reply.status)
        if found is None:
            raise failure(self, reply, submitted=True)
        return found

    def _url(self, handle: Handle, name: str) -> str:
        """One of the URLs of a handle, which may be damaged where it was stored."""
        url = handle.data.get(name)
        if not isinstance(url, str):
            raise JournalFault(f"the journal has no valid {name} of request {handle.request_id}")
        return url

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
    """Whether this answer to a request for the result says that the job is not done yet."""
    body = reply.object
    if body.get("images"):
        return False
    word = str(body.get("status", "")).upper()
    if reply.status == 202 or word in {"IN_QUEUE", "IN_PROGRESS", "PENDING", "PROCESSING"}:
        return True
    return bool(body) and not reply.is_html and bool(re.search(_PENDING, reason(reply).text))


def _position(body: Mapping[str, Any]) -> int | None:
    position = body.get("queue_position")
    is_number = isinstance(position, int) and not isinstance(position, bool)
    return position if is_number else None


def _logs(logs: Any) -> tuple[str, ...]:
    if not isinstance(logs, list):
        return ()
    rows = (row.get("message") for row in logs if isinstance(row, dict))
    return tuple(str(message) for message in rows if message)
