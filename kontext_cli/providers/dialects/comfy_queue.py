"""ComfyUI's queue: a graph is submitted under an id that we choose; the server's list says where
it stands, and its history what it made.

Sources: ComfyUI's pages on its server routes, and the answers of ComfyUI 0.3.64. It takes the id
of a client since 0.3.45, and interrupts a job by its id since 0.3.57. A second submit of an id runs
again, and replaces the entry of the first in the history. Within the server a job moves from the
list to the history at once: who asks for the list first, and then for the history, misses none.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from kontext_cli.errors import Expired, JobFailed, KontextError, UnexpectedReply, Unreachable
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.base import Cancellation, Queue
from kontext_cli.providers.dialects import comfy_faults
from kontext_cli.providers.failure import reason

_CLIENT = "kontext"
_SOFTWARE = "ComfyUI"
_MOST_IMAGES = 64
_LISTS = ("queue_running", "queue_pending")


class ComfyQueue(Queue):
    """A server with ComfyUI's queue. The data of a handle is ``running``, as of the last poll: what
    waits and what runs is canceled in different ways."""

    cancels_by_state = True
    chooses_ids = True

    def load(self) -> Call:
        return Call("list", "GET", f"{self.base_url}/prompt")

    def jobs_there(self, reply: Reply) -> int:
        return int(reply.object["exec_info"]["queue_remaining"])

    def graph_call(self, graph: Mapping[str, Any]) -> Call:
        """The call that submits a graph."""
        body = {"prompt": graph, "client_id": _CLIENT}
        return Call("submit", "POST", f"{self.base_url}/prompt", json=body)

    def named(self, call: Call, request_id: str) -> Call:
        return call._replace(json={**(call.json or {}), "prompt_id": request_id})

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        request_id = reply.object.get("prompt_id")
        if not isinstance(request_id, str) or not request_id:
            raise self._not_comfy(UnexpectedReply, reply)
        if (fault := comfy_faults.taken_in_part(reply)) is not None:
            raise fault
        return Progress(State.QUEUED, handle=self.handle(endpoint, request_id))

    def refused(self, reply: Reply) -> KontextError:
        return comfy_faults.refused(reply) or self._not_comfy(JobFailed, reply)

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return Handle(request_id)

    def poll(self, handle: Handle) -> Call:
        return Call("status", "GET", f"{self.base_url}/queue")

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        """Whether the list has the job: one that does not may be older than the job."""
        return any(handle.request_id in _ids(body.get(each)) for each in _LISTS)

    def progress(self, reply: Reply, handle: Handle) -> Progress:
        """Read the list: a job that is on it no more has ended."""
        body = reply.object
        if not reply.ok or not all(isinstance(body.get(each), list) for each in _LISTS):
            raise self._not_comfy(Unreachable, reply)
        running, pending = (_ids(body[each]) for each in _LISTS)
        if handle.request_id in running:
            return Progress(State.RUNNING, handle=handle.with_data(running=True))
        if handle.request_id in pending:
            ahead = pending.index(handle.request_id) + len(running)
            waiting = handle.with_data(running=False)
            return Progress(State.QUEUED, position=ahead, handle=waiting)
        return Progress(State.RUNNING, done=True)

    def status(self, body: Mapping[str, Any]) -> Progress:
        """Nothing: it is not streamed."""
        return Progress(State.RUNNING)

    def result(self, handle: Handle) -> Call:
        name = quote(handle.request_id.encode(errors="surrogatepass"), safe="")
        return Call("result", "GET", f"{self.base_url}/history/{name}")

    def outcome(self, reply: Reply) -> Progress:
        """Read the history of one job; it is empty for a job that the server does not know."""
        if not reply.ok or not isinstance(reply.json, dict):
            raise self._not_comfy(Unreachable, reply)
        entry = next(iter(reply.object.values()), None)
        if entry is None:
            raise Expired(
                f"{self.title} does not know the job any more: it was restarted, or its history "
                "was cleared",
                hint="make it again",
                billed="no",
            )
        status = entry.get("status") or {}
        if status.get("status_str", "success") != "success":
            raise comfy_faults.ended(status)
        outputs = [self._output(image) for image in _images(entry)[:_MOST_IMAGES]]
        if not outputs:
            raise JobFailed(
                f"{self.name} completed the job without an image that it keeps",
                hint="end the workflow in a SaveImage node: those of PreviewImage are thrown away",
                billed="no",
            )
        software = {"server": _SOFTWARE}
        return Progress(State.READY, done=True, outputs=tuple(outputs), reply=software)

    def cancel(self, handle: Handle) -> Call:
        if handle.data.get("running"):
            body: dict[str, Any] = {"prompt_id": handle.request_id}
            return Call("cancel", "POST", f"{self.base_url}/interrupt", json=body)
        body = {"delete": [handle.request_id]}
        return Call("cancel", "POST", f"{self.base_url}/queue", json=body)

    def canceled(self, reply: Reply) -> Cancellation:
        if not reply.ok:
            raise self._not_comfy(Unreachable, reply)
        return Cancellation.REQUESTED

    def _output(self, image: Mapping[str, Any]) -> Output:
        """Where an image can be downloaded: its names are in the query alone."""
        names = {name: str(image.get(name) or "") for name in ("filename", "subfolder", "type")}
        query = urlencode(names, quote_via=quote, safe="", errors="surrogatepass")
        return Output(url=f"{self.base_url}/view?{query}")

    def _not_comfy(self, kind: type[KontextError], reply: Reply) -> KontextError:
        """The error for what no ComfyUI answers."""
        return kind(
            f"{self.title} does not answer as ComfyUI does ({reply.status}): {reason(reply).text}",
            hint=f"is a ComfyUI at {self.base_url}? KONTEXT_{self.name.upper()}_BASE_URL says so",
        )


def _ids(items: object) -> list[str]:
    """The ids of the jobs on a list, in the order in which they run: each begins with its number
    and its id."""
    if not isinstance(items, list):
        return []
    jobs = [item for item in items if isinstance(item, list) and len(item) > 1]
    return [str(item[1]) for item in sorted(jobs, key=_number)]


def _number(item: Sequence[Any]) -> float:
    return item[0] if isinstance(item[0], int | float) else 0


def _images(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The images that a job saved; the temporary ones are previews."""
    nodes = entry.get("outputs") or {}
    found = [image for node in nodes.values() for image in node.get("images") or ()]
    return [image for image in found if image.get("type") == "output" and image.get("filename")]
