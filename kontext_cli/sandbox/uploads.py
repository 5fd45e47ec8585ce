"""fal's upload of inputs: ask for a place, put the bytes there (as its JavaScript client does)."""

from pathlib import PurePosixPath
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kontext_cli.sandbox.fal import check_key, refuse
from kontext_cli.sandbox.replies import origin, read_body, read_object
from kontext_cli.sandbox.workshop import Workshop

_MAX_UPLOAD = 50 * 1024 * 1024


class Uploads:
    """Places that were given out, and what was put there."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._open: set[str] = set()

    def asking(self) -> Route:
        """The route that gives out places, on fal's host."""
        return Route("/storage/upload/initiate", self.initiate, methods=["POST"])

    def routes(self) -> list[Route]:
        """The places themselves, among the files."""
        place = "/uploads/{upload}/{name}"
        return [
            Route(place, self.put, methods=["PUT"]),
            Route(place, self.get, methods=["GET"]),
        ]

    async def initiate(self, request: Request) -> Response:
        """Give out a place: the signed URL to put the bytes to, and the one to name afterwards."""
        check_key(request)
        asked = await read_object(request, self._workshop.max_body, refuse)
        upload = uuid4().hex
        self._open.add(upload)
        name = PurePosixPath(str(asked.get("file_name", "file"))).name
        file_url = f"{origin(request)}/files/uploads/{upload}/{name}"
        return JSONResponse({"upload_url": f"{file_url}?signature={upload}", "file_url": file_url})

    async def put(self, request: Request) -> Response:
        """Take the bytes, once."""
        upload = request.path_params["upload"]
        if upload not in self._open or request.query_params.get("signature") != upload:
            return PlainTextResponse("signature mismatch", 403)
        data = await read_body(request, _MAX_UPLOAD, refuse)
        self._open.discard(upload)
        self._workshop.shelf.put(upload, data)
        return Response(status_code=200)

    async def get(self, request: Request) -> Response:
        """The bytes as they were put."""
        upload = request.path_params["upload"]
        data = self._workshop.shelf.get(upload) if upload.isalnum() else None
        if data is None:
            return PlainTextResponse("not found", 404)
        return Response(data, media_type="application/octet-stream")
