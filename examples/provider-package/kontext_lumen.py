"""The provider lumen: a queue with one status for progress and result.

    POST /v1/images              {"model": …, "prompt": …}  ->  202 {"id": …, "state": "waiting"}
    GET  /v1/images/ID           {"id": …, "state": …, "ahead": 2, "files": [{"url": …}], "seed": 7}
    POST /v1/images/ID/cancel    {"id": …, "state": "removed"}

Errors are `{"error": {"type": …, "message": …}}`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kontext_cli.providers.interface import (
    Call,
    Cancellation,
    Endpoint,
    Handle,
    JobFailed,
    Moderated,
    Option,
    Price,
    Progress,
    Reply,
    State,
    StatusQueue,
    UnexpectedReply,
    failure,
    image_list,
    read_result,
)

_OPTIONS = (
    Option("prompt", longest=2_000),
    Option("aspect_ratio", "ratio", choices=("16:9", "1:1", "9:16")),
    Option("num_images", "count", least=1, most=4, default=1),
    Option("seed", least=0, most=2**32 - 1),
)
_CANCELED = {
    "removed": Cancellation.REMOVED,
    "drawing": Cancellation.REQUESTED,
    "done": Cancellation.TOO_LATE,
}


class Lumen(StatusQueue):
    """Lumen, whose images are billed when they are done."""

    name = "lumen"
    interface = (1, 0)
    home = "https://api.lumen.example"
    key_variables = (("LUMEN_API_KEY",),)
    default_model = "lumen-2"
    endpoints = (
        Endpoint("lumen-2", "lumen-2", "generate", _OPTIONS, format="png"),
        Endpoint("lumen-2", "lumen-2", "edit", _OPTIONS, image_list("inputs", most=2), "png"),
    )
    prices = (Price("lumen-2", usd=0.03, dated="2026-11-29"),)
    inline_bytes = 8_000_000

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return Call("submit", "POST", self._url(), json={"model": endpoint, **payload})

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        job = reply.object.get("id")
        if not isinstance(job, str) or not job:
            raise UnexpectedReply(f"{self.name} sent no id in its answer")
        return Progress(State.QUEUED, handle=self.handle(endpoint, job))

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return Handle(request_id)

    def poll(self, handle: Handle) -> Call:
        return Call("status", "GET", self._url(handle))

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        return body.get("id") == handle.request_id

    def status(self, body: Mapping[str, Any]) -> Progress:
        state, why = body.get("state"), body.get("reason", "no reason given")
        if state == "done":
            return read_result(self.name, {"images": body.get("files"), "seed": body.get("seed")})
        if state == "blocked":
            raise Moderated(f"{self.name} withheld it: {why}", billed="no")
        if state == "failed":
            raise JobFailed(f"{self.name} failed: {why}", billed="no")
        if state == "drawing":
            return Progress(State.RUNNING)
        ahead = body.get("ahead")
        return Progress(State.QUEUED, position=ahead if isinstance(ahead, int) else None)

    def cancel(self, handle: Handle) -> Call:
        return Call("cancel", "POST", f"{self._url(handle)}/cancel")

    def canceled(self, reply: Reply) -> Cancellation:
        if reply.status == 404:
            return Cancellation.UNKNOWN
        if not reply.ok:
            raise failure(self, reply, submitted=True)
        return _CANCELED.get(reply.object.get("state", ""), Cancellation.REQUESTED)

    def _url(self, handle: Handle | None = None) -> str:
        base = f"{self.base_url}/v1/images"
        return base if handle is None else f"{base}/{quote(handle.request_id, safe='')}"
