"""Random weights in the shape of SDXS-512, the smallest model that stable-diffusion.cpp loads.

Names and shapes are those that its loader asks for. The values are drawn once for each size of a
layer, and scaled so that what goes through stays of one size: images differ with their seeds.
"""

import json
import random
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from math import prod
from pathlib import Path
from typing import NamedTuple

_BLOCK = 2**14
_SEED = 7


class Tensor(NamedTuple):
    """One tensor: values about ``mean``, which differ by ``spread``."""

    name: str
    shape: tuple[int, ...]
    mean: float
    spread: float

    @property
    def size(self) -> int:
        """Its bytes: two for each value."""
        return 2 * prod(self.shape)


def write(path: Path) -> None:
    """Write the weights as safetensors, 883 MB."""
    tensors = list(_model())
    header, start = {}, 0
    for tensor in tensors:
        place = [start, start + tensor.size]
        header[tensor.name] = {"dtype": "F16", "shape": tensor.shape, "data_offsets": place}
        start += tensor.size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            values = _values(tensor.mean, tensor.spread)
            whole, rest = divmod(tensor.size, len(values))
            for _ in range(whole):
                file.write(values)
            file.write(values[:rest])


@cache
def _values(mean: float, spread: float) -> bytes:
    """A number of values that is no multiple of any width, so that no two rows are alike."""
    draw = random.Random(_SEED)
    count = _BLOCK - 3
    return struct.pack(f"<{count}e", *(draw.gauss(mean, spread) for _ in range(count)))


def _model() -> Iterator[Tensor]:
    yield from _text_encoder("cond_stage_model.transformer.text_model")
    yield from _denoiser("model.diffusion_model")
    blocks = (1, 3, 4, 5, 7, 8, 9, 11, 12, 13)
    yield from _coder("tae.encoder.layers", (3, 4), blocks, (2, 6, 10), 14)
    blocks = (2, 3, 4, 7, 8, 9, 12, 13, 14, 17)
    yield from _coder("tae.decoder.layers", (4, 3), blocks, (6, 11, 16), 18)


def _text_encoder(top: str) -> Iterator[Tensor]:
    yield Tensor(f"{top}.embeddings.token_embedding.weight", (49408, 768), 0, 0.5)
    yield Tensor(f"{top}.embeddings.position_embedding.weight", (77, 768), 0, 0.1)
    for number in range(12):
        layer = f"{top}.encoder.layers.{number}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from _linear(f"{layer}.self_attn.{name}", 768, 768)
        yield from _norm(f"{layer}.layer_norm1", 768)
        yield from _norm(f"{layer}.layer_norm2", 768)
        yield from _linear(f"{layer}.mlp.fc1", 768, 3072)
        yield from _linear(f"{layer}.mlp.fc2", 3072, 768)
    yield from _norm(f"{top}.final_layer_norm", 768)


def _denoiser(top: str) -> Iterator[Tensor]:
    down, up = f"{top}.input_blocks", f"{top}.output_blocks"
    yield from _linear(f"{top}.time_embed.0", 320, 1280)
    yield from _linear(f"{top}.time_embed.2", 1280, 1280)
    yield from _conv(f"{down}.0.0", 4, 320)
    yield from _residual(f"{down}.1.0", 320, 320)
    yield from _conv(f"{down}.3.0.op", 320, 320)
    yield from _residual(f"{down}.4.0", 320, 640)
    yield from _attention(f"{down}.4.1", 640)
    yield from _conv(f"{down}.6.0.op", 640, 640)
    yield from _residual(f"{down}.7.0", 640, 1280)
    yield from _attention(f"{down}.7.1", 1280)
    widths = ((2560, 1280), (1920, 1280), None, (1920, 640), (960, 640), None, (960, 320))
    for number, width in enumerate((*widths, (640, 320))):
        if width is None:
            continue
        yield from _residual(f"{up}.{number}.0", *width)
        if width[1] > 320:
            yield from _attention(f"{up}.{number}.1", width[1])
    yield from _conv(f"{up}.2.1.conv", 1280, 1280)
    yield from _conv(f"{up}.5.2.conv", 640, 640)
    yield from _norm(f"{top}.out.0", 320)
    yield from _conv(f"{top}.out.2", 320, 4)


def _residual(name: str, inner: int, outer: int) -> Iterator[Tensor]:
    yield from _norm(f"{name}.in_layers.0", inner)
    yield from _conv(f"{name}.in_layers.2", inner, outer)
    yield from _linear(f"{name}.emb_layers.1", 1280, outer)
    yield from _norm(f"{name}.out_layers.0", outer)
    yield from _conv(f"{name}.out_layers.3", outer, outer)
    if inner != outer:
        yield from _conv(f"{name}.skip_connection", inner, outer, side=1)


def _attention(name: str, width: int) -> Iterator[Tensor]:
    block = f"{name}.transformer_blocks.0"
    yield from _norm(f"{name}.norm", width)
    yield from _conv(f"{name}.proj_in", width, width, side=1)
    yield from _conv(f"{name}.proj_out", width, width, side=1)
    for attention, context in (("attn1", width), ("attn2", 768)):
        for part, wide in (("to_q", width), ("to_k", context), ("to_v", context)):
            yield _matrix(f"{block}.{attention}.{part}.weight", (width, wide), wide)
        yield from _linear(f"{block}.{attention}.to_out.0", width, width)
    yield from _linear(f"{block}.ff.net.0.proj", width, 8 * width)
    yield from _linear(f"{block}.ff.net.2", 4 * width, width)
    for number in (1, 2, 3):
        yield from _norm(f"{block}.norm{number}", width)


def _coder(
    top: str, ends: tuple[int, int], blocks: Sequence[int], plain: Sequence[int], last: int
) -> Iterator[Tensor]:
    """The encoder of images, or the decoder: some layers of either have no values."""
    yield from _conv(f"{top}.0", ends[0], 64)
    for number in blocks:
        for part in (0, 2, 4):
            yield from _conv(f"{top}.{number}.conv.{part}", 64, 64)
    for number in plain:
        yield _matrix(f"{top}.{number}.weight", (64, 64, 3, 3), 64 * 9)
    yield from _conv(f"{top}.{last}", 64, ends[1])


def _linear(name: str, inner: int, outer: int) -> Iterator[Tensor]:
    yield _matrix(f"{name}.weight", (outer, inner), inner)
    yield Tensor(f"{name}.bias", (outer,), 0, 0.01)


def _conv(name: str, inner: int, outer: int, *, side: int = 3) -> Iterator[Tensor]:
    yield _matrix(f"{name}.weight", (outer, inner, side, side), inner * side * side)
    yield Tensor(f"{name}.bias", (outer,), 0, 0.01)


def _norm(name: str, width: int) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (width,), 1, 0.05)
    yield Tensor(f"{name}.bias", (width,), 0, 0.01)


def _matrix(name: str, shape: tuple[int, ...], inputs: int) -> Tensor:
    return Tensor(name, shape, 0, round((1 / inputs) ** 0.5, 4))
