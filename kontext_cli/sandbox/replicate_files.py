"""Replicate's files: inputs that are uploaded before a prediction refers to them by URL."""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox.multipart import Field, fields
from kontext_cli.sandbox.replicate import check_key, refuse
from kontext_cli.sandbox.replies import Declined, Json, origin, read_body
from kontext_cli.sandbox.workshop import Workshop

_MAX_FILE = 100 * 1024 * 1024
_KEPT_SECONDS = 24 * 3600


class ReplicateFiles:
    """The files, under the prefix of the API."""

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """The routes of uploads, and of what is known of one."""
        return [
            Route("/v1/files", self.create, methods=["POST"]),
            Route("/v1/files/{file_id}", self.get, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Keep the `content` of a form."""
        check_key(request)
        body = await read_body(request, _MAX_FILE, refuse)
        form = fields(request.headers.get("content-type", ""), body)
        if "content" not in form:
            return refuse(422, "- content is required\n")
        file = form["content"]
        if not file.filename:
            return refuse(422, "- filename is required\n")
        file_id = uuid4().hex
        described = self._described(request, file_id, file, _metadata(form.get("metadata")))
        self._workshop.shelf.put(file_id, file.content)
        self._workshop.shelf.put(f"{file_id}.file", json.dumps(described).encode())
        return Json(described, 201)

    async def get(self, request: Request) -> Response:
        """What is known of a file."""
        check_key(request)
        file_id = request.path_params["file_id"]
        kept = self._workshop.shelf.get(f"{file_id}.file") if file_id.isalnum() else None
        if kept is None:
            return refuse(404, "The requested resource could not be found.")
        return Json(json.loads(kept))

    def _described(
        self, request: Request, file_id: str, file: Field, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        sha256 = hashlib.sha256(file.content).hexdigest()
        now = time.time()
        return {
            "id": file_id,
            "name": file.filename,
            "content_type": file.media_type or "application/octet-stream",
            "size": len(file.content),
            "etag": sha256[:32],
            "checksums": {"sha256": sha256},
            "metadata": metadata,
            "created_at": _time(now),
            "expires_at": _time(now + _KEPT_SECONDS),
            "urls": {"get": f"{origin(request)}{self._prefix}/v1/files/{file_id}"},
        }


def _metadata(field: Field | None) -> dict[str, Any]:
    try:
        given = json.loads(field.content) if field else {}
    except (ValueError, RecursionError) as error:
        raise Declined(refuse(422, "- metadata must be valid JSON\n")) from error
    return given if isinstance(given, dict) else {}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
