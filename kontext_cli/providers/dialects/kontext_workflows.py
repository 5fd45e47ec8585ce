"""Workflows for FLUX.1 Kontext [dev] in ComfyUI, made of its own nodes.

Source: the types of the nodes as the server lists them (0.3.64). The names of the files are those
of its template `flux_kontext_dev_basic`, as are the 20 steps and the guidance of 2.5.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.providers.dialects.workflows import Input, Workflow

MOST_IMAGES = 4

_MODEL = "flux1-dev-kontext_fp8_scaled.safetensors"
_TEXT_ENCODERS = ("clip_l.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors")
_VAE = "ae.safetensors"
_PLACES = {
    "prompt": (Input("prompt", "text"),),
    "images": tuple(Input(f"image_{number}", "image") for number in range(1, MOST_IMAGES + 1)),
    "seed": (Input("sampler", "seed"),),
    "width": (Input("size", "width"),),
    "height": (Input("size", "height"),),
    "steps": (Input("sampler", "steps"),),
    "guidance_scale": (Input("guidance", "guidance"),),
}

Node = Mapping[str, Any]


def _node(kind: str, **inputs: Any) -> Node:
    """A node; a text that begins with `@` links an input to the first output of another one."""
    linked = {
        name: [value[1:], 0] if isinstance(value, str) and value.startswith("@") else value
        for name, value in inputs.items()
    }
    return {"class_type": kind, "inputs": linked}


def _stitched(number: int) -> Node:
    """The images so far with the next one to their right; without it, they stay as they are."""
    before = "@image_1" if number == 2 else f"@stitched_{number - 1}"
    return _node(
        "ImageStitch",
        image1=before,
        image2=f"@image_{number}",
        direction="right",
        match_image_size=True,
        spacing_width=0,
        spacing_color="white",
    )


def _workflow(first: Mapping[str, Node], *, guided_by: str, size_of: str) -> Workflow:
    """A workflow that samples, by the conditioning of one node, a latent of the size of another."""
    graph = {
        **first,
        "model": _node("UNETLoader", unet_name=_MODEL, weight_dtype="default"),
        "text_encoders": _node(
            "DualCLIPLoader",
            clip_name1=_TEXT_ENCODERS[0],
            clip_name2=_TEXT_ENCODERS[1],
            type="flux",
        ),
        "vae": _node("VAELoader", vae_name=_VAE),
        "prompt": _node("CLIPTextEncode", text="", clip="@text_encoders"),
        "no_prompt": _node("ConditioningZeroOut", conditioning="@prompt"),
        "guidance": _node("FluxGuidance", conditioning=guided_by, guidance=2.5),
        "sampler": _node(
            "KSampler",
            model="@model",
            positive="@guidance",
            negative="@no_prompt",
            latent_image=size_of,
            seed=0,
            steps=20,
            cfg=1.0,
            sampler_name="euler",
            scheduler="simple",
            denoise=1.0,
        ),
        "decoded": _node("VAEDecode", samples="@sampler", vae="@vae"),
        "saved": _node("SaveImage", images="@decoded", filename_prefix="kontext"),
    }
    places = {name: inputs for name, inputs in _PLACES.items() if inputs[0].node in graph}
    return Workflow(graph, places)


_SIZE = {"size": _node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1)}
_INPUTS = {
    **{place.node: _node("LoadImage", image="") for place in _PLACES["images"]},
    **{f"stitched_{number}": _stitched(number) for number in range(2, MOST_IMAGES + 1)},
    "scaled": _node("FluxKontextImageScale", image=f"@stitched_{MOST_IMAGES}"),
    "encoded": _node("VAEEncode", pixels="@scaled", vae="@vae"),
    "reference": _node("ReferenceLatent", conditioning="@prompt", latent="@encoded"),
}

GENERATE = _workflow(_SIZE, guided_by="@prompt", size_of="@size")
"""An image of some size."""
EDIT = _workflow(_INPUTS, guided_by="@reference", size_of="@encoded")
"""An edit of one to four images, side by side, in that size of Kontext's that is nearest to their
shape."""
EDIT_SIZED = _workflow({**_INPUTS, **_SIZE}, guided_by="@reference", size_of="@size")
"""An edit in a size that was asked for."""
