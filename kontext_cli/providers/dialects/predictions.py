"""Replicate's predictions, spoken by Replicate itself and by routers in front of it.

Sources: Replicate's HTTP reference, its pages on the lifecycle, the deadlines and the retention of
predictions, and its official clients; the wording of moderation is from reports of users.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kontext_cli.errors import (
    Canceled,
    Expired,
    JobFailed,
    KontextError,
    Moderated,
    UnexpectedReply,
)
from kontext_cli.http.call import Call, Reply, plain
from kontext_cli.job import Handle, Progress, State
from kontext_cli.providers.base import Cancellation
from kontext_cli.providers.dialects.status_queue import StatusQueue
from kontext_cli.providers.failure import failure, short
from kontext_cli.providers.results import read_result

_STATES = {"starting": State.QUEUED, "processing": State.RUNNING}
_WITHHELD = r"(?i:\(E005\)|flagged|sensitive|nsfw)"


class Predictions(StatusQueue):
    """A provider with Replicate's predictions. Follow-up URLs are written from the id alone, as the
    official clients do it: where those of a reply lead has no say in where the key goes."""

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base of a URL with or without the version: the official clients differ in it."""
        return base_url.rstrip("/").removesuffix("/v1")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        url = f"{self.base_url}/v1/models/{endpoint}/predictions"
        return Call("submit", "POST", url, json={"input": payload})

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        request_id = reply.object.get("id")
        if not isinstance(request_id, str) or not request_id:
            raise UnexpectedReply(f"{self.name} sent no id of a prediction in its response")
        return Progress(State.QUEUED, handle=self.handle(endpoint, request_id))

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return Handle(request_id)

    def poll(self, handle: Handle) -> Call:
        return Call("status", "GET", self._url(handle))

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        return body.get("id") == handle.request_id

    def status(self, body: Mapping[str, Any]) -> Progress:
        """Read a prediction; a status word of another version counts as running.

        One that is processing counts as running, too, where it has output already: its files may
        still be on their way.
        """
        word = str(body.get("status", ""))
        if word == "succeeded":
            return self._made(body)
        if word in ("failed", "canceled", "aborted"):
            raise self._ended(word, body)
        return Progress(_STATES.get(word, State.RUNNING), logs=_logs(body))

    def cancel(self, handle: Handle) -> Call:
        return Call("cancel", "POST", f"{self._url(handle)}/cancel")

    def canceled(self, reply: Reply) -> Cancellation:
        if reply.status == 404:
            return Cancellation.UNKNOWN
        if not reply.ok:
            raise failure(self, reply, submitted=True)
        word, has_started = reply.object.get("status"), reply.object.get("started_at")
        if word in ("succeeded", "failed"):
            return Cancellation.TOO_LATE
        if word in ("canceled", "aborted") and not has_started:
            return Cancellation.REMOVED
        return Cancellation.REQUESTED

    def _url(self, handle: Handle) -> str:
        name = quote(handle.request_id.encode(errors="surrogatepass"), safe="")
        return f"{self.base_url}/v1/predictions/{name}"

    def _made(self, body: Mapping[str, Any]) -> Progress:
        """The images of a prediction that succeeded: its output is one URL, or a list of them."""
        output = body.get("output")
        if output is None and body.get("data_removed"):
            raise Expired(
                f"{self.name} has deleted the image: it keeps results for an hour",
                hint="make it again, and fetch it within the hour",
                billed="yes",
            )
        images = output if isinstance(output, list) else [output]
        made = read_result(self.name, {"images": images})
        metrics = body.get("metrics")
        reply = plain({"metrics": metrics}) if isinstance(metrics, dict) else {}
        return made._replace(logs=_logs(body), reply=reply)

    def _ended(self, word: str, body: Mapping[str, Any]) -> KontextError:
        """The error of a prediction without an image. A deadline that passes before the start is
        free of charge; one canceled at work is charged."""
        why = short(body.get("error") or "no reason given")
        if word == "aborted":
            return Canceled(f"{self.name} aborted the job before it started: {why}", billed="no")
        if word == "canceled":
            has_started = body.get("started_at")
            return Canceled(
                f"the job was canceled: {why}", billed="yes" if has_started else "maybe"
            )
        if re.search(_WITHHELD, why):
            return Moderated(
                f"{self.name} withheld it: {why}", hint="change the prompt", billed="maybe"
            )
        return JobFailed(f"{self.name} failed: {why}", billed="maybe")


def _logs(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The lines of the log, which comes as a whole each time, progress bars and all."""
    logs = body.get("logs")
    if not isinstance(logs, str):
        return ()
    return tuple(line.strip() for line in logs.splitlines() if line.strip())
