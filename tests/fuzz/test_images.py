"""Images in every state of repair, as inputs and as what a provider made."""

import io
import struct
import warnings
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from fuzz.album import FOREIGN, INPUTS, OUTPUTS, ROOMY, SIZE, as_input, as_output
from fuzz.examples import fuzzed
from kontext_cli.errors import InputFault, ProviderError
from kontext_cli.files.saved import VerifiedImage
from kontext_cli.images.inputs import InputImage

GIFS = {name for name in INPUTS if "gif" in name}


def sent(image: InputImage) -> bytes:
    """What a provider gets of an input image."""
    return b64decode(image.uri.partition(",")[2])


def size_of(
    found: InputImage | InputFault | VerifiedImage | ProviderError,
) -> tuple[int, int] | None:
    """The size of what passed; None of what is refused, in words that can be printed."""
    if isinstance(found, InputFault | ProviderError):
        assert found.message.isprintable()
        return None
    return found.size if isinstance(found, InputImage) else (found.width, found.height)


def first_frame(gif: bytes) -> bytes:
    with Image.open(io.BytesIO(gif)) as image:
        return image.tobytes()


@contextmanager
def no_remarks() -> Iterator[None]:
    """See that no library says anything to the user of its own accord."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        yield
    assert remarks == []


class TestWhole:
    @pytest.mark.parametrize("name", INPUTS)
    def test_every_kind_passes(self, name: str, tmp_path: Path) -> None:
        image = as_input(INPUTS[name], tmp_path)
        assert isinstance(image, InputImage)
        assert image.size == SIZE
        assert sent(image) == INPUTS[name]
        assert size_of(as_output(INPUTS[name], tmp_path)) == (SIZE if name in OUTPUTS else None)

    @fuzzed(50)
    @given(name=st.sampled_from(sorted(INPUTS)), more=st.binary(min_size=1, max_size=40))
    @example("gif", b";\0;")
    @example("jpeg", b"\xff\xd8\xff\xd9")
    @example("png", b"IEND")
    def test_bytes_after_the_end_change_nothing(
        self, tmp_path: Path, name: str, more: bytes
    ) -> None:
        assert size_of(as_input(INPUTS[name] + more, tmp_path)) == SIZE
        if name in OUTPUTS:
            assert size_of(as_output(OUTPUTS[name] + more, tmp_path)) == SIZE

    @pytest.mark.parametrize("name", INPUTS)
    def test_every_kind_can_be_made_smaller(self, name: str, tmp_path: Path) -> None:
        image = as_input(INPUTS[name] + bytes(ROOMY), tmp_path, most=2000)
        assert isinstance(image, InputImage)
        assert image.media_type == "image/jpeg"
        assert len(sent(image)) <= 2000
        assert Image.open(io.BytesIO(sent(image))).size == image.size == SIZE

    @pytest.mark.parametrize("name", FOREIGN)
    def test_what_no_provider_takes_is_converted(self, name: str, tmp_path: Path) -> None:
        image = as_input(FOREIGN[name], tmp_path)
        assert isinstance(image, InputImage)
        assert image.notice
        assert Image.open(io.BytesIO(sent(image))).size == image.size == SIZE
        assert size_of(as_output(FOREIGN[name], tmp_path)) is None


class TestCut:
    @pytest.mark.parametrize("name", sorted(set(INPUTS) - {"two jpegs in one"} - GIFS))
    def test_at_every_byte_is_no_input(self, name: str, tmp_path: Path) -> None:
        """Whatever number of bytes came: one fewer than all is too few."""
        data = INPUTS[name]
        cuts = [data[:length] for length in range(len(data))]
        assert [len(cut) for cut in cuts if size_of(as_input(cut, tmp_path))] == []

    @pytest.mark.parametrize("name", sorted(GIFS))
    def test_before_the_end_of_the_first_frame_is_no_input(self, name: str, tmp_path: Path) -> None:
        """A GIF that lacks only its trailer, or later frames, has all that an edit uses."""
        data = INPUTS[name]
        pixels = first_frame(data)
        found = [as_input(data[:length], tmp_path) for length in range(len(data))]
        passed = [first_frame(sent(image)) for image in found if isinstance(image, InputImage)]
        assert passed == [pixels] * len(passed)
        assert isinstance(found[len(INPUTS["gif"]) // 2], InputFault)

    @pytest.mark.parametrize("name", ["avif", "avif with alpha"])
    def test_at_every_byte_is_nothing_to_convert(self, name: str, tmp_path: Path) -> None:
        data = FOREIGN[name]
        cuts = [data[:length] for length in range(len(data))]
        assert [len(cut) for cut in cuts if size_of(as_input(cut, tmp_path))] == []

    @pytest.mark.parametrize("name", sorted(set(OUTPUTS) - {"two jpegs in one"}))
    def test_at_every_byte_is_no_output(self, name: str, tmp_path: Path) -> None:
        data = OUTPUTS[name]
        cuts = [data[:length] for length in range(len(data))]
        assert [len(cut) for cut in cuts if size_of(as_output(cut, tmp_path))] == []

    def test_in_the_first_of_two_images(self, tmp_path: Path) -> None:
        """The first is the image; what follows it are bytes after its end."""
        data = INPUTS["two jpegs in one"]
        first = data.index(b"\xff\xd9") + 2
        assert size_of(as_output(data[:first], tmp_path)) == SIZE
        for length in range(first):
            assert size_of(as_input(data[:length], tmp_path)) is None
            assert size_of(as_output(data[:length], tmp_path)) is None


@st.composite
def damaged(draw: st.DrawFn, names: list[str]) -> bytes:
    """An image with some bits flipped, and bytes changed, put in or left out."""
    data = bytearray((INPUTS | FOREIGN)[draw(st.sampled_from(names))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
            case 1:
                data[at : at + 4] = struct.pack(">I", draw(st.integers(0, 2**32 - 1)))
            case _:
                data[at : at + 1] = bytes([data[at] ^ 1 << draw(st.integers(0, 7))])
    return bytes(data)


class TestDamaged:
    @fuzzed(75)
    @given(data=damaged(sorted(INPUTS)), most=st.sampled_from([ROOMY, 600, 60]))
    def test_an_input_is_refused_or_an_image(self, tmp_path: Path, data: bytes, most: int) -> None:
        with no_remarks():
            image = as_input(data, tmp_path, most)
        size = size_of(image)
        assert size is None or min(size) >= 1
        if isinstance(image, InputImage):
            assert len(sent(image)) <= most
            assert sent(image) == data or image.notice

    @fuzzed(75)
    @given(data=damaged(sorted(FOREIGN)), most=st.sampled_from([ROOMY, 600, 60]))
    def test_a_foreign_input_is_refused_or_converted(
        self, tmp_path: Path, data: bytes, most: int
    ) -> None:
        with no_remarks():
            image = as_input(data, tmp_path, most)
        size = size_of(image)
        assert size is None or min(size) >= 1
        if isinstance(image, InputImage):
            assert image.notice
            assert len(sent(image)) <= most

    @fuzzed(75)
    @given(data=damaged(sorted(OUTPUTS)), announced=st.none() | st.none() | st.integers())
    @example(OUTPUTS["png"], 0)
    @example(OUTPUTS["png"], len(OUTPUTS["png"]))
    def test_an_output_is_refused_or_an_image(
        self, tmp_path: Path, data: bytes, announced: int | None
    ) -> None:
        with no_remarks():
            size = size_of(as_output(data, tmp_path, announced))
        assert size is None or min(size) >= 1
        assert size is None or announced in (None, len(data))

    @pytest.mark.parametrize("name", ["png", "palette png", "16-bit png", "animated png"])
    def test_every_flipped_bit_of_a_png_is_found(self, name: str, tmp_path: Path) -> None:
        """Each of its chunks has a checksum."""
        whole = OUTPUTS[name]
        accepted = []
        for bit in range(len(whole) * 8):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            if size_of(as_output(bytes(data), tmp_path)):
                accepted.append(bit)
        assert accepted == []

    @fuzzed(50)
    @given(data=st.binary(max_size=80))
    def test_any_bytes_are_no_image(self, tmp_path: Path, data: bytes) -> None:
        assert size_of(as_input(data, tmp_path)) is None
        assert size_of(as_output(data, tmp_path)) is None
