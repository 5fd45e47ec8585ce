"""What bytes are taken for, and that nothing but a whole image passes."""

import io
import os
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from kontext_cli.images.decoding import decode, other_kind, prove, sniff
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.images.structure import Format
from samples import image_file

FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp", "gif")


def noise(kind: Format, **options: bool | int) -> bytes:
    """An image that compresses badly, so that cuts fall into its pixels."""
    pixels = random.Random(kind).randbytes(40 * 30 * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (40, 30), pixels).save(out, kind, **options)
    return out.getvalue()


WHOLE = {kind: noise(kind) for kind in FORMATS}
PROGRESSIVE = noise("jpeg", progressive=True)


def check(data: bytes, *, most_side: int | None = None) -> Format:
    kind, _ = decode(data, formats=FORMATS, most_pixels=10_000, most_side=most_side)
    return kind


def reason(data: bytes) -> str:
    with pytest.raises(NotAnImage) as caught:
        check(data)
    return caught.value.reason


def outcome(data: bytes) -> str:
    """The format of an image, or what it is instead."""
    try:
        return check(data)
    except NotAnImage as error:
        return error.reason


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", FORMATS)
def test_whole_images_pass(kind: Format) -> None:
    assert sniff(WHOLE[kind]) == kind
    assert check(WHOLE[kind]) == kind


@pytest.mark.parametrize("kind", FORMATS)
def test_bytes_after_the_end_are_allowed(kind: Format) -> None:
    assert check(WHOLE[kind] + b"trailing \xff\xd8 bytes") == kind


@pytest.mark.parametrize("kind", FORMATS)
def test_only_the_formats_asked_for_pass(kind: Format) -> None:
    with pytest.raises(NotAnImage):
        decode(WHOLE[kind], formats=set(FORMATS) - {kind}, most_pixels=10_000)


@pytest.mark.parametrize("data", [WHOLE["jpeg"], PROGRESSIVE, WHOLE["png"], WHOLE["webp"]])
def test_every_cut_is_refused(data: bytes) -> None:
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    for length in (*range(0, len(data), 41), *range(len(data) - 40, len(data))):
        reason(data[:length])


def test_a_cut_is_called_one() -> None:
    assert reason(WHOLE["jpeg"][:-1]) == "a JPEG that is cut short"
    assert reason(WHOLE["png"][:-1]) == "a PNG that is cut short"
    assert reason(WHOLE["webp"][:-1]) == "a WebP image that does not decode"


def test_the_end_of_a_preview_is_not_the_end() -> None:
    preview = image_file(size=(8, 8))
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    data = WHOLE["jpeg"][:2] + segment + WHOLE["jpeg"][2:]
    assert check(data) == "jpeg"
    assert reason(data[:-2]) == "a JPEG that is cut short"


def test_damage_is_called_so() -> None:
    data = bytearray(WHOLE["png"])
    data[len(data) // 2] ^= 0xFF
    assert reason(bytes(data)) == "a PNG that is damaged"


def png_of_rows(mode: str, rows: int) -> bytes:
    """A PNG of 5×9 white pixels with a proper end, whose data hold so many of its rows."""
    bits, colours, samples = PNG_MODES[mode]
    row = b"\0" + b"\xff" * ((5 * bits * samples + 7) // 8)
    header = struct.pack(">IIBBBBB", 5, 9, bits, colours, 0, 0, 0)
    palette = chunk(b"PLTE", b"\xff" * 3 * 256) if colours == 3 else b""
    pixels = chunk(b"IDAT", zlib.compress(row * rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + pixels + chunk(b"IEND", b"")


PNG_MODES = {
    "1": (1, 0, 1),
    "L": (8, 0, 1),
    "I;16": (16, 0, 1),
    "RGB": (8, 2, 3),
    "RGB 16": (16, 2, 3),
    "P": (8, 3, 1),
    "LA": (8, 4, 2),
    "RGBA": (8, 6, 4),
    "RGBA 16": (16, 6, 4),
}
"""Bits a sample, colour type, samples a pixel."""


@pytest.mark.parametrize("mode", PNG_MODES)
def test_a_png_whose_data_end_early_is_cut_short_however_it_ends(mode: str) -> None:
    assert check(png_of_rows(mode, 9)) == "png"
    assert check(png_of_rows(mode, 10)) == "png"
    for rows in (1, 5, 8):
        assert reason(png_of_rows(mode, rows)) == "a PNG that is cut short"


def test_a_png_whose_last_rows_are_black_is_whole() -> None:
    black = io.BytesIO()
    Image.new("RGB", (5, 9)).save(black, "png")
    assert check(black.getvalue()) == "png"


def interlaced(pixels: bytes) -> bytes:
    """A PNG of 5×3 grey pixels in Adam7's order, six of whose seven passes are not empty."""
    header = struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1)
    packed = zlib.compress(pixels)
    data = chunk(b"IDAT", packed[:9]) + chunk(b"IDAT", b"") + chunk(b"IDAT", packed[9:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def test_an_interlaced_png_needs_all_of_its_passes() -> None:
    passes = [(1, 1), (1, 1), (0, 0), (1, 1), (1, 3), (2, 2), (1, 5)]  # rows and columns of each
    pixels = b"".join(b"\0" + b"\xff" * columns for rows, columns in passes for _ in range(rows))
    assert check(interlaced(pixels)) == "png"
    for length in range(1, len(pixels)):
        assert reason(interlaced(pixels[:length])).startswith("a PNG that ")


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(NotAnImage) as caught:
        decode(png_claiming(50_000, 50_000), formats=["png"], most_pixels=64_000_000)
    assert caught.value.reason == "a PNG of 50000×50000 pixels, more than 64 megapixels"


def test_the_limits_themselves_are_allowed() -> None:
    assert decode(WHOLE["png"], formats=FORMATS, most_pixels=1200, most_side=40)[0] == "png"
    with pytest.raises(NotAnImage):
        decode(WHOLE["png"], formats=FORMATS, most_pixels=1199)


def test_odd_metadata_is_passed_over_without_a_warning() -> None:
    no_frames = chunk(b"acTL", struct.pack(">II", 0, 0))
    data = WHOLE["png"]
    assert check(data[:33] + no_frames + data[33:]) == "png"


def test_a_long_side_is_refused() -> None:
    with pytest.raises(NotAnImage, match="40×30 pixels, more than 39 pixels a side"):
        check(WHOLE["gif"], most_side=39)


def test_no_pixels_is_no_image() -> None:
    reason(png_claiming(0, 10))
    assert reason(b"") == "empty"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP image"),
        (b"\0\0\0\x1cftypavif\0", "an AVIF image"),
        (b"\0\0\0\x1cftypheic\0", "a HEIC image"),
        (b"\0\0\0\x1cftypisom\0", "an MP4 video"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"II*\0", "a TIFF image"),
        (b"<?xml version='1.0'?>\n<svg>", "an SVG image: `<?xml version='1.0'?> <svg>`"),
        (b"<?xml version='1.0'?><Error>", "an XML document: `<?xml version='1.0'?><Error>`"),
        (b'\n{"detail": 1}', 'JSON: `{"detail": 1}`'),
        (b"\n<!DOCTYPE HTML>\n<title>", "an HTML page: `<!DOCTYPE HTML> <title>`"),
        ("prêt `x`".encode(), "text: `pr\\xc3\\xaat 'x'`"),
        (b"\x1b[2J", "no image of a known format: `\\x1b[2J`"),
        (b"a" * 100, f"text: `{'a' * 60}…`"),
    ],
)
def test_what_it_really_is(data: bytes, told: str) -> None:
    assert other_kind(data).reason == told


@settings(max_examples=150, deadline=None)
@given(
    data=st.sampled_from([*WHOLE.values(), PROGRESSIVE]),
    damage=st.lists(st.tuples(st.integers(0), st.binary(max_size=6)), min_size=1, max_size=4),
    cut=st.integers(0) | st.none(),
)
def test_damaged_images_are_refused_in_one_way(
    data: bytes, damage: list[tuple[int, bytes]], cut: int | None
) -> None:
    for place, patch in damage:
        at = place % len(data)
        data = data[:at] + patch + data[at + len(patch) :]
    data = data if cut is None else data[: cut % len(data)]
    assert outcome(data).isprintable()


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A JPEG that was cut, lost or gained bytes, or in which some were changed to others."""
    start, end = sorted(dice.sample(range(3, len(data)), 2))
    changed = bytes(each ^ dice.choice((0, 0, 0, 1, 64, 255)) for each in data[start : start + 8])
    marker = bytes((0xFF, dice.randrange(256)))
    return dice.choice(
        (
            data[:start],
            data[:start] + b"\xff\xd9",
            data[:start] + data[end:],
            data[:start] + dice.randbytes(9) + data[start:],
            data[:start] + changed + data[start + 8 :],
            data[:start] + marker + data[start + 2 :],
        )
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_blocks": 2}],
    ids=lambda options: next(iter(options), "plain"),
)
def test_a_proof_refuses_what_a_full_decode_refuses(options: dict[str, bool | int]) -> None:
    def by_decoding(data: bytes) -> tuple[int, int] | str:
        try:
            return decode(data, formats=FORMATS, most_pixels=10_000)[1].size
        except NotAnImage as error:
            return error.reason

    def by_proof(data: bytes) -> tuple[int, int] | str:
        try:
            return prove(data, formats=FORMATS, most_pixels=10_000)[1]
        except NotAnImage as error:
            return error.reason

    whole, dice = noise("jpeg", **options), random.Random(7)
    files = [whole, *(damaged(whole, dice) for _ in range(100))]
    results = list(map(by_decoding, files))
    assert list(map(by_proof, files)) == results
    assert 20 < sum(isinstance(each, str) for each in results) < 90


@settings(deadline=None)
@given(st.sampled_from([b"", b"<html>", b"{", b"\xff\xd8\xff", b"GIF89a"]), st.binary())
def test_hostile_bytes_are_told_in_plain_characters(head: bytes, rest: bytes) -> None:
    assert reason(head + rest).replace("…", "").isascii()


class TestReadRegular:
    def test_reads_up_to_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"12345")
        assert read_regular(path, most=5) == b"12345"
        with pytest.raises(NotAnImage, match="larger than"):
            read_regular(path, most=4)

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError):
            read_regular(tmp_path, most=5)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
    def test_a_pipe_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="no regular file"):
            read_regular(tmp_path / "pipe", most=5)
