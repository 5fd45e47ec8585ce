"""What the emulated ComfyUI takes: a few of its own nodes, and the files that Kontext needs."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from kontext_cli.sandbox.orders import Order, Size

Graph = Mapping[str, Mapping[str, Any]]
HasImage = Callable[[str], bool]
"""Whether an image of this name was uploaded."""

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "UNETLoader": ("unet_name", "weight_dtype"),
    "DualCLIPLoader": ("clip_name1", "clip_name2", "type"),
    "VAELoader": ("vae_name",),
    "CLIPTextEncode": ("text", "clip"),
    "ConditioningZeroOut": ("conditioning",),
    "FluxGuidance": ("conditioning", "guidance"),
    "FluxKontextImageScale": ("image",),
    "ImageStitch": ("image1", "direction", "match_image_size", "spacing_width", "spacing_color"),
    "ReferenceLatent": ("conditioning",),
    "VAEEncode": ("pixels", "vae"),
    "VAEDecode": ("samples", "vae"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "EmptyImage": ("width", "height", "batch_size", "color"),
    "KSampler": (
        *("model", "seed", "steps", "cfg", "sampler_name", "scheduler"),
        *("positive", "negative", "latent_image", "denoise"),
    ),
    "LoadImage": ("image",),
    "SaveImage": ("images", "filename_prefix"),
    "PreviewImage": ("images",),
}
"""The nodes that it has, with the inputs that each needs."""
_OUTPUTS = ("SaveImage", "PreviewImage")
_TEXT_ENCODERS = ("clip_l.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors")
_FILES: Mapping[str, tuple[str, ...]] = {
    "unet_name": ("flux1-dev-kontext_fp8_scaled.safetensors",),
    "clip_name1": _TEXT_ENCODERS,
    "clip_name2": _TEXT_ENCODERS,
    "vae_name": ("ae.safetensors", "pixel_space"),
}
_MOST_SIDE = 4096
"""Pixels; ComfyUI itself takes 16384."""
_UPLOADS = "http://comfyui.localhost/files/uploads"


class ComfyOrder(Order):
    """What a graph asks for."""

    seed: int = 0
    width: int | None = None
    height: int | None = None
    images: Annotated[list[str], Field(default_factory=list)]

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(f"{_UPLOADS}/{key_of(name)}/image" for name in self.images)

    @property
    def asked_size(self) -> Size | None:
        return (self.width, self.height) if self.width and self.height else None


COMFYUI: dict[str, type[Order]] = {"prompt": ComfyOrder}


def key_of(name: str) -> str:
    """The name under which an uploaded image is kept."""
    return sha256(name.encode(errors="replace")).hexdigest()[:32]


def problem(graph: Graph, has_image: HasImage) -> dict[str, Any] | None:
    """The body of the refusal of a graph none of whose outputs can be made, None for any other."""
    for name, node in graph.items():
        if not _is_node(node):
            what = "Cannot execute because a node is missing the class_type property."
            return _invalid("invalid_prompt", what, f"Node ID '#{name}'")
        if node["class_type"] not in _REQUIRED:
            what = f"Cannot execute because node {node['class_type']} does not exist."
            return _invalid("invalid_prompt", what, f"Node ID '#{name}'")
    if not outputs_of(graph):
        return _invalid("prompt_no_outputs", "Prompt has no outputs", "")
    if sound_outputs(graph, has_image):
        return None
    what = "Prompt outputs failed validation"
    faults = node_errors(graph, has_image)
    return _invalid("prompt_outputs_failed_validation", what, "", faults)


def sound_outputs(graph: Graph, has_image: HasImage) -> list[str]:
    """The outputs without a fault in the nodes that lead to them."""
    faulty = node_errors(graph, has_image)
    return [name for name in outputs_of(graph) if not faulty.keys() & _leading_to(graph, [name])]


def node_errors(graph: Graph, has_image: HasImage) -> dict[str, Any]:
    """The faults of the nodes that lead to an output, by their ids."""
    outputs = outputs_of(graph)
    return {
        name: {"errors": errors, "dependent_outputs": outputs, "class_type": node["class_type"]}
        for name, node in _leading_to(graph, outputs).items()
        if (errors := list(_errors(node, has_image)))
    }


def outputs_of(graph: Graph, kinds: tuple[str, ...] = _OUTPUTS) -> list[str]:
    """The ids of the nodes of some kinds that show or save images."""
    return [name for name, node in graph.items() if node["class_type"] in kinds]


def asked(graph: Graph) -> dict[str, Any]:
    """What a valid graph asks for: the fields of its order."""
    nodes = _leading_to(graph, outputs_of(graph)).values()
    fields: dict[str, Any] = {"prompt": ""}
    fields["images"] = [
        str(node["inputs"]["image"]) for node in nodes if node["class_type"] == "LoadImage"
    ]
    for node in nodes:
        for name, value in node["inputs"].items():
            if name in ("width", "height", "seed") and isinstance(value, int):
                fields[name] = value
            if node["class_type"] == "CLIPTextEncode" and name == "text":
                fields["prompt"] = str(value)
    return fields


def _is_node(node: object) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def _is_link(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _leading_to(graph: Graph, outputs: list[str]) -> dict[str, Mapping[str, Any]]:
    """The nodes that some outputs need, in the order of the graph."""
    needed: set[str] = set()
    waiting = [*outputs]
    while waiting:
        name = waiting.pop()
        if name not in needed and name in graph:
            needed.add(name)
            values = graph[name]["inputs"].values()
            waiting += [value[0] for value in values if _is_link(value)]
    return {name: node for name, node in graph.items() if name in needed}


def _errors(node: Mapping[str, Any], has_image: HasImage) -> Iterator[dict[str, Any]]:
    inputs = node["inputs"]
    for name in _REQUIRED[node["class_type"]]:
        if name not in inputs:
            yield _error("required_input_missing", "Required input is missing", name, name)
    for name, files in _FILES.items():
        if name in inputs and inputs[name] not in files:
            details = f"{name}: '{inputs[name]}' not in {list(files)}"
            yield _error("value_not_in_list", "Value not in list", details, name)
    for name in ("width", "height"):
        value = inputs.get(name, 1)
        if not isinstance(value, int) or not 1 <= value <= _MOST_SIDE:
            what = f"Value {value} bigger than max of {_MOST_SIDE}"
            yield _error("value_bigger_than_max", what, name, name)
    if node["class_type"] == "LoadImage" and not has_image(str(inputs.get("image"))):
        details = f"image - Invalid image file: {inputs.get('image')}"
        what = "Custom validation failed for node"
        yield _error("custom_validation_failed", what, details, "image")


def _error(kind: str, message: str, details: str, name: str) -> dict[str, Any]:
    more = {"input_name": name}
    return {"type": kind, "message": message, "details": details, "extra_info": more}


def _invalid(
    kind: str, message: str, details: str, nodes: dict[str, Any] | None = None
) -> dict[str, Any]:
    error = {"type": kind, "message": message, "details": details, "extra_info": {}}
    return {"error": error, "node_errors": nodes or {}}
