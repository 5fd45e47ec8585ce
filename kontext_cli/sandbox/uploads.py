"""fal's uploads of inputs, by the protocols of its JavaScript and of its Python client.

The JavaScript client requests a signed URL and PUTs the bytes to it; the Python client requests a
token and POSTs them.
"""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kontext_cli.sandbox.fal import check_key, refuse
from kontext_cli.sandbox.replies import Declined, Json, key_of, origin, read_body, read_object
from kontext_cli.sandbox.workshop import Workshop

_MAX_UPLOAD = 50 * 1024 * 1024
_TOKEN_LIFE = timedelta(hours=1)


class Uploads:
    """The upload URLs and tokens that were issued, and what was uploaded with them."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._open: set[str] = set()
        self._tokens: set[str] = set()

    def asking(self) -> list[Route]:
        """The routes that issue upload URLs and tokens, on fal's host."""
        return [
            Route("/storage/upload/initiate", self.initiate, methods=["POST"]),
            Route("/storage/auth/token", self.token, methods=["POST"]),
        ]

    def routes(self) -> list[Route]:
        """The routes of uploads and downloads, among the files."""
        place = "/uploads/{upload}/{name}"
        return [
            Route("/upload", self.post, methods=["POST"]),
            Route(place, self.put, methods=["PUT"]),
            Route(place, self.get, methods=["GET"]),
        ]

    async def initiate(self, request: Request) -> Response:
        """Issue a signed URL to PUT the bytes to, and the URL to use as an input afterwards."""
        check_key(request)
        asked = await read_object(request, self._workshop.max_body, refuse)
        upload = uuid4().hex
        self._open.add(upload)
        file_url = _url(request, upload, str(asked.get("file_name") or ""))
        return Json({"upload_url": f"{file_url}?signature={upload}", "file_url": file_url})

    async def put(self, request: Request) -> Response:
        """Accept the bytes of one upload URL, once."""
        upload = request.path_params["upload"]
        if upload not in self._open or request.query_params.get("signature") != upload:
            return PlainTextResponse("signature mismatch", 403)
        data = await read_body(request, _MAX_UPLOAD, refuse)
        self._open.discard(upload)
        self._workshop.shelf.put(upload, data)
        return Response(status_code=200)

    async def token(self, request: Request) -> Response:
        """Issue a token for uploads."""
        check_key(request)
        token = secrets.token_urlsafe()
        self._tokens.add(token)
        reply = {
            "token": token,
            "token_type": "Bearer",
            "base_url": origin(request),
            # with an offset and not a Z, which Python could not read before 3.11
            "expires_at": (datetime.now(UTC) + _TOKEN_LIFE).isoformat(timespec="seconds"),
        }
        return Json(reply)

    async def post(self, request: Request) -> Response:
        """Accept the bytes of an upload with a token."""
        if key_of(request, "Bearer") not in self._tokens:
            raise Declined(refuse(401, "The token is not valid"))
        data = await read_body(request, _MAX_UPLOAD, refuse)
        upload = uuid4().hex
        self._workshop.shelf.put(upload, data)
        name = request.headers.get("x-fal-file-name", "")
        return Json({"access_url": _url(request, upload, name)})

    async def get(self, request: Request) -> Response:
        """The bytes as they were uploaded."""
        upload = request.path_params["upload"]
        data = self._workshop.shelf.get(upload) if upload.isalnum() else None
        if data is None:
            return PlainTextResponse("not found", 404)
        return Response(data, media_type="application/octet-stream")


def _url(request: Request, upload: str, name: str) -> str:
    plain = PurePosixPath(name).name
    if plain in {"", ".."}:
        plain = "file"
    return f"{origin(request)}/files/uploads/{upload}/{quote(plain, errors='replace')}"
