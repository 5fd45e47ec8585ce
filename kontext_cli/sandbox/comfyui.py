"""ComfyUI's server: graphs are queued under the id that the client names, listed while they wait
or run, and kept in the history afterwards. An id that comes twice runs twice."""

from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kontext_cli.sandbox.comfyui_graphs import (
    asked,
    key_of,
    node_errors,
    outputs_of,
    problem,
    sound_outputs,
)
from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.media import served
from kontext_cli.sandbox.multipart import fields
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    dropped,
    html,
    read_body,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

VERSION = "0.3.64"
_MOST_UPLOAD = 104_857_600


class Comfyui:
    """A server, mounted under a prefix of its own."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._numbers: dict[str, int] = {}
        """The jobs by their ids, with the number of each; the last one of an id counts."""
        self._unread: set[str] = set()
        """The jobs whose end was not asked for yet."""
        self._files: dict[str, str] = {}
        """The ids of jobs by the names of their files."""

    def routes(self) -> list[Route]:
        """The calls of its API that are no web page's, and no socket."""
        return [
            Route("/prompt", self.submit, methods=["POST"]),
            Route("/prompt", self.load, methods=["GET"]),
            Route("/queue", self.queue, methods=["GET"]),
            Route("/queue", self.delete, methods=["POST"]),
            Route("/interrupt", self.interrupt, methods=["POST"]),
            Route("/history", self.history, methods=["GET"]),
            Route("/history/{request_id}", self.history, methods=["GET"]),
            Route("/view", self.view, methods=["GET"]),
            Route("/upload/image", self.upload, methods=["POST"]),
            Route("/features", self.features, methods=["GET"]),
            Route("/system_stats", self.stats, methods=["GET"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Queue a graph that is valid."""
        body = await read_object(request, self._workshop.max_body, refuse)
        graph = body.get("prompt")
        if not isinstance(graph, dict):
            raise Declined(refuse(400, "No prompt provided"))
        if (wrong := problem(graph, self._has_image)) is not None:
            raise Declined(Json(wrong, 400))
        order = asked(graph)
        strike(self._workshop, order["prompt"], refuse)
        request_id = str(body.get("prompt_id") or uuid4())
        self._workshop.accept("comfyui", "prompt", {**order, "graph": graph}, request_id)
        number = self._numbers[request_id] = len(self._workshop.ledger.entries)
        self._unread.add(request_id)
        faults = node_errors(graph, self._has_image)
        answer = {"prompt_id": request_id, "number": number, "node_errors": faults}
        return await delivered(self._workshop, request, order["prompt"], Json(answer))

    async def load(self, _: Request) -> Response:
        """How many jobs wait or run."""
        there = [*self._listed(Status.IN_PROGRESS), *self._listed(Status.IN_QUEUE)]
        return Json({"exec_info": {"queue_remaining": len(there)}})

    async def queue(self, _: Request) -> Response:
        """The jobs that run, and those that wait."""
        for request_id in self._unread:
            match self._workshop.due(Point.STATUS, self._job(request_id)):
                case "poll-503":
                    return html(503, "Service Temporarily Unavailable")
                case "poll-reset":
                    return dropped()
        return Json(
            {
                "queue_running": self._listed(Status.IN_PROGRESS),
                "queue_pending": self._listed(Status.IN_QUEUE),
            }
        )

    async def delete(self, request: Request) -> Response:
        """Remove jobs that wait; all others are left alone."""
        asked_for = await read_object(request, self._workshop.max_body, refuse)
        for request_id in asked_for.get("delete") or ():
            if self._status(request_id) is Status.IN_QUEUE:
                del self._numbers[request_id]
                self._unread.discard(request_id)
        return Response()

    async def interrupt(self, request: Request) -> Response:
        """End the job that runs, or the named one if it does."""
        asked_for = await read_object(request, self._workshop.max_body, refuse)
        name = asked_for.get("prompt_id")
        for request_id in [*self._numbers] if name is None else [name]:
            if self._status(request_id) is Status.IN_PROGRESS:
                self._workshop.jobs.cancel(self._job(request_id))
        return Response()

    async def history(self, request: Request) -> Response:
        """What jobs made that have ended; nothing of a job that is not known."""
        name = request.path_params.get("request_id")
        entries = {}
        for request_id in [*self._numbers] if name is None else [name]:
            if self._status(request_id) is Status.COMPLETED:
                job = self._job(request_id)
                if self._workshop.due(Point.RESULT, job) == "result-503":
                    return html(503, "Service Temporarily Unavailable")
                self._unread.discard(request_id)
                entries[request_id] = await self._entry(job)
        return Json(entries)

    async def view(self, request: Request) -> Response:
        """One image of a job."""
        query = request.query_params
        name = query.get("filename", "")
        if not name or ".." in name or name.startswith("/"):
            return Response(status_code=400)
        is_saved = query.get("type", "output") == "output" and not query.get("subfolder")
        found = self._files.get(name) if is_saved else None
        if found is None:
            return Response(status_code=404)
        return await served(self._workshop, request, self._job(found), 1, "png")

    async def upload(self, request: Request) -> Response:
        """Store an image under its name, or under the next one that is free."""
        body = await read_body(request, _MOST_UPLOAD, refuse)
        form = fields(request.headers.get("content-type", ""), body)
        image = form.get("image")
        folder = form["subfolder"].content.decode(errors="replace") if "subfolder" in form else ""
        if image is None or not image.filename or ".." in f"{folder}/{image.filename}":
            return Response(status_code=400)
        name, number = image.filename, 0
        while self._stored(folder, name) not in (None, image.content):
            number += 1
            given = PurePosixPath(image.filename)
            name = f"{given.stem} ({number}){given.suffix}"
        self._workshop.shelf.put(key_of(_path(folder, name)), image.content)
        return Json({"name": name, "subfolder": folder, "type": "input"})

    async def features(self, _: Request) -> Response:
        """What the server can do."""
        return Json({"supports_preview_metadata": True, "max_upload_size": _MOST_UPLOAD})

    async def stats(self, _: Request) -> Response:
        """What the server runs on."""
        return Json({"system": {"os": "posix", "comfyui_version": VERSION}, "devices": []})

    def _listed(self, status: Status) -> list[list[Any]]:
        """The jobs of a status as the queue lists them."""
        return [
            [number, request_id, self._job(request_id).payload["graph"], {}, []]
            for request_id, number in self._numbers.items()
            if self._status(request_id) is status
        ]

    async def _entry(self, job: Job) -> dict[str, Any]:
        """The entry of the history."""
        graph = job.payload["graph"]
        base = {"prompt": [self._numbers[job.request_id], job.request_id, graph, {}, []]}
        if job.canceled:
            return {**base, "outputs": {}, "status": _status(job, "execution_interrupted")}
        try:
            made = await self._workshop.made(job, files="")
        except NoImage as ended:
            why = ended.failure.message
            return {**base, "outputs": {}, "status": _status(job, "execution_error", why)}
        outputs = {
            node: {"images": [self._image(job, graph[node]) for _ in made["images"]]}
            for node in sound_outputs(graph, self._has_image)
        }
        status = {"status_str": "success", "completed": True, "messages": []}
        return {**base, "outputs": outputs, "status": status}

    def _image(self, job: Job, node: dict[str, Any]) -> dict[str, str]:
        """One image as a node names it; a preview is a temporary file."""
        number = self._numbers[job.request_id]
        if node["class_type"] == "PreviewImage":
            name = f"ComfyUI_temp_{number:05}_.png"
            return {"filename": name, "subfolder": "", "type": "temp"}
        prefix = PurePosixPath(str(node["inputs"]["filename_prefix"])).name
        name = f"{prefix}_{number:05}_.png"
        self._files[name] = job.request_id
        return {"filename": name, "subfolder": "", "type": "output"}

    def _status(self, request_id: str) -> Status | None:
        """Where a job is, None for one that is not known."""
        if request_id not in self._numbers:
            return None
        job = self._job(request_id)
        if job.outcome == "forgotten":
            return None
        return job.status(self._workshop.now())

    def _job(self, request_id: str) -> Job:
        job = self._workshop.jobs.find(request_id)
        if job is None:
            raise Declined(PlainTextResponse("404: Not Found", 404))
        return job

    def _has_image(self, path: str) -> bool:
        return self._workshop.shelf.get(key_of(path)) is not None

    def _stored(self, folder: str, name: str) -> bytes | None:
        return self._workshop.shelf.get(key_of(_path(folder, name)))


def refuse(status: int, message: str) -> Response:
    """A refusal of the server itself."""
    error = {"type": "no_prompt", "message": message, "details": message, "extra_info": {}}
    return Json({"error": error, "node_errors": {}}, status)


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _status(job: Job, event: str, why: str = "") -> dict[str, Any]:
    """The status of a run that failed in the sampler."""
    graph = job.payload["graph"]
    node = [*outputs_of(graph, ("KSampler",)), *graph][0]
    details = {"node_id": node, "node_type": graph[node]["class_type"], "exception_message": why}
    return {"status_str": "error", "completed": False, "messages": [[event, details]]}
