"""What images carry, and that nothing else of them changes."""

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fuzz.examples import fuzzed
from kontext_cli.job import FileFormat
from kontext_cli.metadata.embed import LeftAlone, embedded
from kontext_cli.metadata.layout import chunk, segment
from kontext_cli.metadata.record import Provenance
from metadata.encoded import FOREIGN_XMP, jpegs, mpo, pixels, pngs, texts, without_ours
from samples import image_file

MARK = Provenance(
    "http://cv.iptc.org/x/trainedAlgorithmicMedia", "kontext-pro (fal)", "kontext 1.2.3"
)
LONG = "Ж❄𝕏 a\r\nline & <b> " * 5461
"""100 KB, of every width of UTF-8."""
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
OURS = "{https://pypi.org/project/kontext-cli/ns/1.0/}"


def full(prompt: str) -> Provenance:
    return MARK._replace(
        prompt=prompt,
        parameters=f"{prompt}\nSeed: 7",
        record=json.dumps({"prompt": prompt}, ensure_ascii=False),
    )


def kind_of(data: bytes) -> FileFormat:
    return "png" if data.startswith(b"\x89PNG") else "jpeg"


def values(packet: bytes) -> dict[str, str]:
    """The properties of an XMP packet, by the reader of the standard library."""
    root = ET.fromstring(packet.decode())
    return {each.tag: each.text or "" for row in root.iter(f"{RDF}Description") for each in row}


def segments(data: bytes, head: bytes) -> Iterator[bytes]:
    """The contents of the APP1 segments that begin so, without the beginning."""
    position = 2
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] == 0xE1 and data.startswith(head, position + 4):
            yield data[position + 4 + len(head) : end]
        position = end


def check_added(data: bytes, provenance: Provenance) -> None:
    written = embedded(data, kind_of(data), provenance)
    assert pixels(written) == pixels(data)
    is_restored = without_ours(written) == data != written
    assert is_restored


def carried(data: bytes) -> dict[str, str]:
    """All that the XMP of a file says, put together again where it is extended."""
    if kind_of(data) == "png":
        with Image.open(io.BytesIO(data)) as image:
            texts = dict(image.text)  # type: ignore[attr-defined]
        return {**values(texts.pop("XML:com.adobe.xmp").encode()), **texts}
    [main] = segments(data, b"http://ns.adobe.com/xap/1.0/\0")
    found = values(main)
    extended = b""
    for piece in segments(data, b"http://ns.adobe.com/xmp/extension/\0"):
        assert piece[:32].decode() == found["{http://ns.adobe.com/xmp/note/}HasExtendedXMP"]
        assert int.from_bytes(piece[36:40], "big") == len(extended)
        extended += piece[40:]
    return {**found, **(values(extended) if extended else {})}


@fuzzed(150)
@given(data=st.one_of(jpegs(), pngs()), prompt=texts, is_full=st.booleans())
def test_only_what_is_ours_is_added(data: bytes, prompt: str, is_full: bool) -> None:
    check_added(data, full(prompt) if is_full else MARK)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("prompt", [LONG, "x" * 65_000, "x" * 40_000], ids=len)
def test_so_it_is_with_long_prompts(kind: FileFormat, prompt: str) -> None:
    check_added(image_file(kind), full(prompt))


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_mark_says_that_a_model_made_it_and_not_how(kind: FileFormat) -> None:
    assert carried(embedded(image_file(kind), kind, MARK)) == {
        f"{IPTC}DigitalSourceType": MARK.source_type,
        f"{IPTC}AISystemUsed": MARK.system,
        "{http://ns.adobe.com/xap/1.0/}CreatorTool": MARK.tool,
    }


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("prompt", ["a fox", "лиса ❄ 🦊 𝕏", 'a\r\n\tb <c> & "d" ]]>', LONG])
def test_all_of_a_prompt_survives(kind: FileFormat, prompt: str) -> None:
    found = carried(embedded(image_file(kind), kind, full(prompt)))
    assert found[f"{IPTC}AIPromptInformation"] == prompt
    record = found["kontext"] if kind == "png" else found[f"{OURS}Record"]
    assert json.loads(record) == {"prompt": prompt}
    if kind == "png":
        assert found["parameters"] == f"{prompt}\nSeed: 7"


def test_what_xml_cannot_hold_is_whole_in_the_record() -> None:
    odd = "a\x01\x7f\ufffe\uffffb\0"
    found = carried(embedded(image_file(), "jpeg", full(odd)))
    assert json.loads(found[f"{OURS}Record"]) == {"prompt": odd}
    assert found[f"{IPTC}AIPromptInformation"] == "a\ufffd\x7f\ufffd\ufffdb\ufffd"


@pytest.mark.parametrize(("length", "has_comment"), [(100, True), (32_000, True), (33_000, False)])
def test_a_comment_that_does_not_fit_is_left_out(length: int, has_comment: bool) -> None:
    written = embedded(image_file(), "jpeg", full("x" * length))
    with Image.open(io.BytesIO(written)) as image:
        exif = image.getexif()
        comment = exif.get_ifd(0x8769).get(0x9286)
    assert exif[0x0131] == "kontext 1.2.3"
    if has_comment:
        assert comment == b"UNICODE\0" + f"{'x' * length}\nSeed: 7".encode("utf-16-be")
    else:
        assert comment is None
        assert exif[0x010E] == "x" * length


class TestProviders:
    def test_xmp_is_merged_into_theirs(self) -> None:
        data = b"\xff\xd8" + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + FOREIGN_XMP)
        found = carried(embedded(data + image_file()[2:], "jpeg", full("a fox")))
        assert found["{http://purl.org/dc/elements/1.1/}format"] == "image"
        assert found[f"{IPTC}AISystemUsed"] == MARK.system

    def test_what_theirs_says_already_stands(self) -> None:
        said = FOREIGN_XMP.replace(
            b"<dc:format>image</dc:format>",
            b'<x:DigitalSourceType xmlns:x="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">theirs'
            b"</x:DigitalSourceType>",
        )
        data = b"\xff\xd8" + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + said)
        found = carried(embedded(data + image_file()[2:], "jpeg", MARK))
        assert found[f"{IPTC}DigitalSourceType"] == "theirs"

    def test_exif_and_profile_are_kept(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "maker"
        out = io.BytesIO()
        Image.new("RGB", (9, 9)).save(out, "JPEG", exif=exif, icc_profile=b"profile")
        with Image.open(io.BytesIO(embedded(out.getvalue(), "jpeg", full("a fox")))) as image:
            assert image.getexif()[0x010F] == "maker"
            assert image.info["icc_profile"] == b"profile"

    def test_parameters_of_a_server_stand(self) -> None:
        png = image_file("png")
        theirs = chunk(b"tEXt", b"parameters\0a cat\nSteps: 4, Sampler: Euler")
        found = carried(embedded(png[:33] + theirs + png[33:], "png", full("a fox")))
        assert found["parameters"] == "a cat\nSteps: 4, Sampler: Euler"


def jumbf(number: int) -> bytes:
    return segment(0xEB, b"JP\0\x01" + number.to_bytes(4, "big") + b"\0\0\0\x20jumb" + bytes(20))


class TestLeftAlone:
    JPEG, PNG = image_file("jpeg"), image_file("png")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (JPEG[:2] + jumbf(1) + JPEG[2:], "C2PA"),
            (JPEG[:20] + jumbf(1) + jumbf(2) + JPEG[20:], "C2PA"),
            (JPEG[:-2] + jumbf(1) + JPEG[-2:], "C2PA"),
            (PNG[:33] + chunk(b"caBX", b"\0\0\0\x10jumb") + PNG[33:], "C2PA"),
            (PNG[:-12] + chunk(b"caBX", b"\0\0\0\x10jumb") + PNG[-12:], "C2PA"),
            (mpo(), "several images"),
            (PNG[:8] + chunk(b"CgBI", bytes(4)) + PNG[8:], "unusual"),
            (JPEG[:2] + b"junk" + JPEG[2:], "unusual"),
            (JPEG[:20] + b"\xff\xe4\0\x01" + JPEG[20:], "unusual"),
            (JPEG[:20] + b"\xff\xe4\xff\xff" + JPEG[20:40], "unusual"),
            (JPEG[:2], "unusual"),
            (PNG[:40], "unusual"),
        ],
    )
    def test_signed_and_odd_files(self, data: bytes, why: str) -> None:
        with pytest.raises(LeftAlone, match=why):
            embedded(data, kind_of(data), full("a fox"))

    @pytest.mark.parametrize("kind", ["jpeg", "png"])
    def test_a_manifest_that_lies_elsewhere_counts(self, kind: FileFormat) -> None:
        packet = FOREIGN_XMP.replace(
            b"<dc:format>image</dc:format>",
            b'<d:provenance xmlns:d="http://purl.org/dc/terms/">https://x.example/m.c2pa'
            b"</d:provenance>",
        )
        data = image_file(kind)
        if kind == "png":
            text = b"XML:com.adobe.xmp" + bytes(5) + packet
            data = data[:33] + chunk(b"iTXt", text) + data[33:]
        else:
            text = b"http://ns.adobe.com/xap/1.0/\0" + packet
            data = data[:2] + segment(0xE1, text) + data[2:]
        with pytest.raises(LeftAlone, match="C2PA"):
            embedded(data, kind, MARK)

    def test_webp(self) -> None:
        with pytest.raises(LeftAlone, match="WebP"):
            embedded(image_file("webp"), "webp", MARK)

    @fuzzed(100)
    @given(data=st.binary(max_size=200), kind=st.sampled_from(["jpeg", "png"]))
    def test_anything_at_all_is_written_or_left_alone(self, data: bytes, kind: FileFormat) -> None:
        head = b"\xff\xd8" if kind == "jpeg" else b"\x89PNG\r\n\x1a\n"
        with suppress(LeftAlone):
            assert len(embedded(head + data, kind, full("a fox"))) > len(data)
