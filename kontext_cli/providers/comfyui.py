"""One's own ComfyUI: a workflow is filled with the request, and queued.

It runs the shipped workflows for Kontext, or the user's own. `dialects` has the sources.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli.errors import JobFailed, UnexpectedReply, UsageError
from kontext_cli.http.call import Call, Part, Reply
from kontext_cli.job import Operation
from kontext_cli.providers.base import Place, Storage, neutral_name
from kontext_cli.providers.dialects.comfy_queue import ComfyQueue
from kontext_cli.providers.dialects.kontext_workflows import (
    EDIT,
    EDIT_SIZED,
    GENERATE,
    MOST_IMAGES,
)
from kontext_cli.providers.dialects.workflows import USUAL_INPUTS, Workflow
from kontext_cli.providers.failure import short
from kontext_cli.providers.options import (
    SIZE,
    Endpoint,
    ImageField,
    Option,
    Price,
    as_kontext_size,
    with_sides,
)
from kontext_cli.sizes import ASPECT_RATIOS

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_FOLDER = "kontext"
_LONGEST_VERSION = 40
_OPTIONS = (
    Option("prompt"),
    Option("aspect_ratio", SIZE, choices=ASPECT_RATIOS, encode=as_kontext_size),
    Option("seed", least=0),
    Option("guidance_scale", least=0, most=20),
    Option("steps", least=1, most=50),
)
_GENERATE, _EDIT = "kontext-dev/generate", "kontext-dev/edit"


def _names(images: "Sequence[InputImage]") -> dict[str, list[str]]:
    """The images by their names on the server."""
    return {"images": [image.uri for image in images]}


class OwnWorkflow(NamedTuple):
    """A workflow of the user's: its file, and what it is for."""

    name: str
    operation: Operation
    workflow: Workflow

    @property
    def endpoint(self) -> Endpoint:
        """Its id changes with its content: a changed workflow is a changed request."""
        content = json.dumps([self.workflow.graph, self.workflow.places], sort_keys=True)
        digest = sha256(content.encode()).hexdigest()[:12]
        places = self.workflow.places
        sized = {"aspect_ratio"} if {"width", "height"} <= places.keys() else set()
        most = len(places.get("images", ()))
        return Endpoint(
            f"{self.name}@{digest}",
            self.name.removesuffix(".json"),
            self.operation,
            tuple(row for row in _OPTIONS if row.field in {*places, *sized}),
            ImageField(1, most, _names) if self.operation == "edit" else None,
            format="png",
        )


class Comfyui(ComfyQueue, Storage):
    """One's own ComfyUI. All input images are uploaded: its nodes load them by name."""

    name = "comfyui"
    home = "http://127.0.0.1:8188"
    needs_base_url = True
    runs_workflows = True
    fetches_urls = False
    probe_path = "/system_stats"
    inline_bytes = 0
    # One job runs at a time; another one waits, so that the card has no pause.
    jobs = 2
    default_model = "kontext-dev"
    endpoints: tuple[Endpoint, ...] = (
        Endpoint(_GENERATE, "kontext-dev", "generate", _OPTIONS, format="png"),
        Endpoint(
            _EDIT, "kontext-dev", "edit", _OPTIONS, ImageField(1, MOST_IMAGES, _names), format="png"
        ),
    )
    prices = (Price("kontext-dev", usd=0.0, dated="2026-11-29"),)
    _own: Mapping[str, OwnWorkflow] = {}

    def with_workflows(self, own: Sequence[OwnWorkflow], *, alone: bool) -> None:
        """Run these in place of the shipped ones; ``alone`` are they that there are."""
        self._own = {each.endpoint.id: each for each in own}
        taken = {each.operation for each in own}
        rest = [row for row in type(self).endpoints if not alone and row.operation not in taken]
        self.endpoints = (*(each.endpoint for each in own), *rest)

    def headers(self, key: str) -> Mapping[str, str]:
        """None: it has no keys."""
        return {}

    def default_for(self, operation: Operation) -> str:
        rows = (row for row in self.endpoints if row.operation == operation)
        return next(rows, self.endpoints[0]).model

    def price(self, model: str) -> Price | None:
        return super().price(model) or Price(model, usd=0.0, dated="")

    def probed(self, reply: Reply) -> str:
        """The version of ComfyUI."""
        system = reply.object.get("system")
        version = system.get("comfyui_version") if isinstance(system, dict) else None
        if not isinstance(version, str):
            raise self._not_comfy(JobFailed, reply)
        return f"ComfyUI {short(version, _LONGEST_VERSION)}"

    def advice(self, operation: Operation, field: str) -> str | None:
        """The line of the map by which a workflow of the user's own takes an option, or images."""
        names = ("width", "height") if field == "aspect_ratio" else (field,)
        if not self._own or not USUAL_INPUTS.keys() >= {*names}:
            return None
        own = next(iter(self._own.values()))
        own = next((each for each in self._own.values() if each.operation == operation), own)
        if field == "images" and operation == "generate":
            return f"{own.name} has places for images: `kontext edit`"
        lines = ", ".join(own.workflow.line(name) for name in names)
        return f"if {own.name} has a place for it, say where: [providers.comfyui.map] {lines}"

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        values = with_sides(payload)
        own = self._own.get(endpoint)
        if own is not None:
            return self.graph_call(own.workflow.filled(values))
        if endpoint not in (_GENERATE, _EDIT):
            raise UsageError(f"comfyui has no workflow `{endpoint}`")
        edit = EDIT_SIZED if "width" in values else EDIT
        return self.graph_call((edit if endpoint == _EDIT else GENERATE).filled(values))

    def upload(self, content: bytes, media_type: str) -> Call:
        """The call that stores an image by the hash of its content: a second upload of the same
        image adds nothing."""
        name = neutral_name(media_type, sha256(content).hexdigest()[:32])
        parts = (
            Part("image", content, name, media_type),
            Part("subfolder", _FOLDER.encode()),
            Part("type", b"input"),
        )
        return Call("upload", "POST", f"{self.base_url}/upload/image", parts=parts)

    def stored(self, reply: Reply) -> Place:
        """Read the answer: the name by which a node loads the image."""
        name, folder = reply.object.get("name"), reply.object.get("subfolder")
        if not reply.ok or not isinstance(name, str) or not name:
            raise self._not_comfy(UnexpectedReply, reply)
        return Place(f"{folder}/{name}" if folder else name)


PROVIDER = Comfyui
