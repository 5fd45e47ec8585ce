"""Files of real encoders, with what files carry; and what we wrote into one taken out again."""

import io
import re
import struct
import zlib
from typing import Any

from hypothesis import strategies as st
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

FOREIGN_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>image</dc:format>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
).encode()
_OURS = re.compile(
    rb'<rdf:Description rdf:about=""(?: xmlns:\w+="[^"]*")+>(?:(?!</rdf:Description>).)*'
    rb"<xmp:CreatorTool>kontext (?:(?!</rdf:Description>).)*</rdf:Description>",
    re.DOTALL,
)
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def pixels(data: bytes) -> list[bytes]:
    """The pixels of every frame, decoded."""
    with Image.open(io.BytesIO(data)) as image:
        return [frame.tobytes() for frame in ImageSequence.Iterator(image)]


@st.composite
def jpegs(draw: st.DrawFn) -> bytes:
    """A JPEG: baseline or progressive, with restart markers, profile, Exif, XMP, other segments."""
    mode = draw(st.sampled_from(["L", "RGB", "CMYK"]))
    image = _noise(mode, draw(st.tuples(*[st.integers(1, 40)] * 2)), draw(st.integers(0, 255)))
    options: dict[str, Any] = {"progressive": draw(st.booleans()), "optimize": draw(st.booleans())}
    if draw(st.booleans()):
        options["restart_marker_blocks"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        options["icc_profile"] = bytes(40)
    if draw(st.booleans()):
        exif = Image.Exif()
        exif[0x010F] = "maker"
        options["exif"] = exif
    if draw(st.booleans()):
        options["comment"] = draw(st.binary(max_size=30))
    if draw(st.booleans()):
        options["xmp"] = FOREIGN_XMP
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    data = out.getvalue()
    marks = st.sampled_from([0xE3, 0xE4, 0xEC, 0xED, 0xEF, 0xFE])
    contents = st.one_of(st.binary(max_size=30), st.just(bytes(65_000)))
    for marker, content in draw(st.lists(st.tuples(marks, contents), max_size=3)):
        data = data[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + data[2:]
    return data + draw(st.binary(max_size=10))


@st.composite
def pngs(draw: st.DrawFn) -> bytes:
    """A PNG of any colour type, still or moving, with texts, profile, Exif, XMP."""
    mode = draw(st.sampled_from(_MODES))
    size = draw(st.tuples(*[st.integers(1, 40)] * 2))
    image = _noise(mode, size, draw(st.integers(0, 255)))
    texts_of = PngInfo()
    for key, text in draw(st.lists(st.tuples(st.sampled_from(["Title", "prompt"]), texts))):
        texts_of.add_itxt(key, text.replace("\0", ""), zip=draw(st.booleans()))
    kind = draw(st.sampled_from(["none", "plain", "compressed"]))
    if kind != "none":
        texts_of.add_itxt("XML:com.adobe.xmp", FOREIGN_XMP.decode(), zip=kind == "compressed")
    options: dict[str, Any] = {"pnginfo": texts_of}
    if draw(st.booleans()):
        options["icc_profile"] = bytes(60)
    if mode in ("RGB", "RGBA") and draw(st.booleans()):
        options |= {"save_all": True, "append_images": [_noise(mode, size, 3)], "duration": 50}
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue() + draw(st.binary(max_size=10))


def mpo() -> bytes:
    """Two JPEGs in one file."""
    out = io.BytesIO()
    _noise("RGB", (16, 16), 1).save(
        out, "MPO", save_all=True, append_images=[_noise("RGB", (16, 16), 2)]
    )
    return out.getvalue()


def _noise(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    width, height = size
    plain = bytes((i * i * 31 + i * seed) % 251 for i in range(width * height * 3))
    image = Image.frombytes("RGB", size, plain)
    if mode == "I;16":
        return Image.frombytes("I;16", size, plain[: width * height * 2])
    return image.convert(mode)


def without_ours(data: bytes) -> bytes:
    """A file without what we wrote into it."""
    return _png(data) if data.startswith(b"\x89PNG") else _jpeg(data)


def _png(data: bytes) -> bytes:
    kept, position = [data[:8]], 8
    while data[position + 4 : position + 8] != b"IEND":
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind, content = data[position + 4 : position + 8], data[position + 8 : end - 4]
        rest = _OURS.sub(b"", content)
        if not content.startswith((b"parameters\0", b"kontext\0")) and (
            rest == content or b"<rdf:Description" in rest
        ):
            crc = struct.pack(">I", zlib.crc32(kind + rest))
            kept.append(struct.pack(">I", len(rest)) + kind + rest + crc)
        position = end
    return b"".join([*kept, data[position:]])


def _jpeg(data: bytes) -> bytes:
    kept, position = [data[:2]], 2
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        content = data[position + 4 : end]
        rest = _OURS.sub(b"", content)
        is_extended = content.startswith(b"http://ns.adobe.com/xmp/extension/")
        is_ours = is_extended or (content.startswith(b"Exif") and b"kontext" in content)
        if not is_ours and (rest == content or b"<rdf:Description" in rest):
            kept.append(data[position : position + 2] + struct.pack(">H", len(rest) + 2) + rest)
        position = end
    return b"".join([*kept, data[position:]])
