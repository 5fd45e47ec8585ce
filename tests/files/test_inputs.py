"""Input images: which sources are taken, and what of them is sent."""

import hashlib
import io
import os
import random
from base64 import b64decode
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files import inputs
from kontext_cli.files.inputs import load_images
from kontext_cli.images import shrinking
from kontext_cli.images.inputs import InputImage
from kontext_cli.sizes import MOST_INPUT_BYTES
from samples import image_file

ORIENTATION = 0x0112


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def load(*sources: str | Path, inline: int = 10_000_000, stdin: bytes | None = None) -> Any:
    def stream() -> BinaryIO:
        assert stdin is not None, "standard input was not given"
        return io.BytesIO(stdin)

    return load_images(
        [str(source) for source in sources], inline_bytes=inline, provider="fal", stdin=stream
    )


def one(source: str | Path, **options: Any) -> InputImage:
    (image,) = load(source, **options)
    assert isinstance(image, InputImage)
    return image


def fault(source: str | Path, **options: Any) -> str:
    with pytest.raises(InputFault) as caught:
        load(source, **options)
    assert caught.value.exit_code == 8
    return caught.value.message


def sent(image: InputImage) -> bytes:
    assert image.url is None
    head, _, body = image.uri.partition(",")
    assert head == f"data:{image.media_type};base64"
    assert b64decode(body, validate=True) == image.content
    return image.content


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """An image that no compression makes small."""
    pixels = random.Random(1).randbytes(size[0] * size[1] * len(mode))
    return Image.frombytes(mode, size, pixels)


def encoded(image: Image.Image, kind: str = "png", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "stem"),
        [
            ("https://example.com/a/photo.final.png?sig=x", "photo.final"),
            ("HTTPS://example.com/My%20Cat.jpg", "My Cat"),
            ("https://example.com:8443", "image"),
            ("https://example.com/", "image"),
            ("https://[::1]/x", "x"),
        ],
    )
    def test_is_passed_on_as_it_is(self, url: str, stem: str) -> None:
        assert one(url) == InputImage(source=url, stem=stem, url=url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/a.png",
            "ftp://example.com/a.png",
            "S3://bucket/a.png",
            "file:///etc/passwd",
            "file:/etc/passwd",
            "DATA:image/png;base64,AAAA",
        ],
    )
    def test_another_scheme_is_refused(self, url: str) -> None:
        with pytest.raises(UsageError, match="https only"):
            load(url)

    @pytest.mark.parametrize(
        "url",
        [
            "https:",
            "https:///a.png",
            "https://:443/a.png",
            "https://example.com/a b.png",
            "https://example.com/a\n.png",
            "https://example.com/\u202ea.png",
            "https://example.com/\udc80.png",
            "https://example.com:port/a.png",
            "https://example.com:0/a.png",
            "https://[::1/a.png",
            "https://example.com/" + "a" * 8192,
        ],
    )
    def test_what_is_none_is_refused(self, url: str) -> None:
        with pytest.raises(UsageError) as caught:
            load(url)
        assert len(caught.value.message) < 200

    @settings(deadline=None)
    @given(st.text())
    def test_whatever_follows_the_scheme(self, rest: str) -> None:
        try:
            url = one("https://" + rest).url
        except UsageError:
            url = None
        assert url in {None, "https://" + rest}


class TestFile:
    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif"])
    def test_is_sent_byte_for_byte(self, tmp_path: Path, kind: str) -> None:
        data = image_file(kind)
        path = tmp_path / "my.photo.xyz"
        path.write_bytes(data)
        image = one(path, inline=len(data))
        assert sent(image) == data
        assert image == InputImage(
            source=str(path),
            stem="my.photo",
            content=data,
            media_type=f"image/{kind}",
            sha256=hashlib.sha256(data).hexdigest(),
            size=(64, 48),
        )
        assert repr(data) not in repr(image)

    @pytest.mark.parametrize("name", ["C:x.png", "IMG-10:22.png", "2025-01-01T10:22.png"])
    def test_a_colon_makes_no_url(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path(name).write_bytes(image_file())
        assert one(name).media_type == "image/jpeg"

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (b"", "is empty"),
            (b"hello", "is text: `hello`"),
            (b"\0\0\0\x1cftypavif\0", "is an AVIF image that does not decode"),
            (image_file("bmp"), "is a BMP image"),
            (image_file("jpeg")[:-100], "is a JPEG that is cut short"),
            (image_file("png")[:-20], "is a PNG that is cut short"),
        ],
    )
    def test_what_is_no_image_is_told(self, tmp_path: Path, data: bytes, told: str) -> None:
        path = tmp_path / "x"
        path.write_bytes(data)
        assert fault(path) == f"`{path}` {told}"

    def test_what_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        assert fault(tmp_path) == f"cannot read `{tmp_path}`: it is a folder"
        assert fault(tmp_path / "x") == f"cannot read `{tmp_path / 'x'}`: No such file or directory"
        assert "no file has such a name" in fault("a\0b")
        with pytest.raises(UsageError):
            load("")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
    def test_a_pipe_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputFault) as caught:
            load(tmp_path / "pipe")
        assert caught.value.hint == "pipe it in, and write `-` for it"

    def test_too_large_a_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "big.png"
        with path.open("wb") as stream:
            stream.truncate(MOST_INPUT_BYTES + 1)
        assert fault(path) == f"`{path}` is larger than 50 MiB"

    def test_too_long_a_side_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "long.png"
        Image.new("1", (14_143, 1)).save(path)
        assert "14143×1 pixels, more than 14142 pixels a side" in fault(path)

    def test_the_first_that_fails_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(image_file())
        assert f"`{tmp_path / 'b'}`" in fault(tmp_path / "b", stdin=b"")
        with pytest.raises(InputFault, match=r"/b`"):
            load(tmp_path / "a", tmp_path / "b", tmp_path / "c")


class TestStandardInput:
    def test_is_read(self) -> None:
        image = one("-", stdin=image_file("png"))
        assert (image.source, image.stem, image.media_type) == ("-", "stdin", "image/png")
        assert sent(image) == image_file("png")

    def test_is_named_in_words(self) -> None:
        assert fault("-", stdin=b"") == "standard input is empty"

    def test_may_come_in_small_pieces(self, tmp_path: Path) -> None:
        class Slow(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, 100))

        (image,) = load_images(
            ["-"], inline_bytes=10_000, provider="fal", stdin=lambda: Slow(image_file())
        )
        assert sent(image) == image_file()

    def test_is_read_no_further_than_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inputs, "MOST_INPUT_BYTES", 2 * 2**20)
        endless = io.BytesIO(bytes(3 * 2**20))
        with pytest.raises(InputFault, match="larger than 2 MiB"):
            load_images(["-"], inline_bytes=1, provider="fal", stdin=lambda: endless)
        assert endless.tell() == 2 * 2**20 + 1

    def test_a_terminal_is_refused(self) -> None:
        with pytest.raises(UsageError, match="terminal"):
            load_images(["-"], inline_bytes=1, provider="fal", stdin=Terminal)

    def test_serves_one_image_only(self) -> None:
        with pytest.raises(UsageError, match="one of the images"):
            load("-", "-")


class TestShrinking:
    def write(self, folder: Path, data: bytes) -> Path:
        path = folder / "photo.png"
        path.write_bytes(data)
        return path

    def test_what_is_too_large_is_sent_smaller_with_a_notice(self, tmp_path: Path) -> None:
        data = encoded(noise((1600, 1200)))
        path = self.write(tmp_path, data)
        image = one(path, inline=1_000_000)
        copy = opened(sent(image))
        assert (copy.format, copy.mode, copy.size) == ("JPEG", "RGB", (1173, 880))
        assert image.size == copy.size
        assert image.media_type == "image/jpeg"
        assert len(sent(image)) <= 1_000_000
        assert image.sha256 == hashlib.sha256(data).hexdigest()
        assert image.notice == (
            f"`{path}` is 5.8 MB, more than fal takes inline; "
            f"sent as 1173×880 JPEG, {len(sent(image)) / 1e6:.1f} MB"
        )

    def test_nothing_is_enlarged(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, encoded(noise((200, 100))))
        assert one(path, inline=30_000).size == (200, 100)

    def test_the_pixels_become_fewer_where_quality_does_not_suffice(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, encoded(noise((400, 400))))
        image = one(path, inline=20_000)
        assert image.size is not None
        assert len(sent(image)) <= 20_000
        assert image.size[0] < 400

    def test_what_fits_in_no_form_is_refused(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, encoded(noise((400, 400))))
        assert fault(path, inline=500).endswith("and no smaller copy fits what fal takes inline")

    def test_several_share_what_there_is(self, tmp_path: Path) -> None:
        data = encoded(noise((100, 100)))
        first, second = self.write(tmp_path, data), tmp_path / "second.png"
        second.write_bytes(image_file())
        url = "https://example.com/a.png"
        assert one(first, inline=len(data)).notice is None
        shrunk, fits, _ = load(first, second, url, inline=len(data))
        assert "more than fal takes inline for each of 2 images" in shrunk.notice
        assert len(sent(shrunk)) <= len(data) // 2
        assert fits.notice is None
        _, alone = load(url, first, inline=len(data))
        assert alone.notice is None

    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
    def test_the_orientation_is_applied(self, tmp_path: Path, kind: str) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        data = encoded(noise((200, 100)), kind, exif=exif)
        image = one(self.write(tmp_path, data), inline=8_000)
        width, height = opened(sent(image)).size
        assert width < height

    @pytest.mark.parametrize("colours", ["RGBA", "P"])
    def test_what_is_transparent_becomes_white(self, tmp_path: Path, colours: str) -> None:
        drawing = noise((64, 64), "RGBA")
        drawing.putalpha(0)
        if colours == "P":
            drawing = noise((64, 64), "L").convert("P")
            drawing.info["transparency"] = bytes(256)
        image = one(self.write(tmp_path, encoded(drawing)), inline=2_000)
        white = Image.new("RGB", (64, 64), "white")
        assert ImageChops.difference(opened(sent(image)), white).getbbox() is None

    def test_sixteen_bits_keep_their_brightness(self, tmp_path: Path) -> None:
        pixels = random.Random(1).randbytes(64 * 64)
        grey = b"".join(bytes([byte % 16, 0x80]) for byte in pixels)
        deep = encoded(Image.frombytes("I;16", (64, 64), grey))
        image = one(self.write(tmp_path, deep), inline=len(deep) - 1)
        assert opened(sent(image)).getpixel((32, 32)) == (128, 128, 128)

    def test_the_colour_profile_is_kept(self, tmp_path: Path) -> None:
        data = encoded(noise((100, 100)), icc_profile=b"a profile")
        image = one(self.write(tmp_path, data), inline=20_000)
        assert opened(sent(image)).info["icc_profile"] == b"a profile"

    def test_a_profile_for_other_colours_is_not(self, tmp_path: Path) -> None:
        data = encoded(noise((100, 100), "L"), icc_profile=b"a profile")
        image = one(self.write(tmp_path, data), inline=9_000)
        assert "icc_profile" not in opened(sent(image)).info

    def test_damaged_metadata_is_no_fault(self, tmp_path: Path) -> None:
        data = encoded(noise((100, 100)), "jpeg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
        assert one(self.write(tmp_path, data), inline=5_000).notice

    def test_whatever_pillow_raises_is_a_fault_of_the_input(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> NoReturn:
            raise MemoryError

        path = self.write(tmp_path, encoded(noise((100, 100))))
        monkeypatch.setattr(shrinking, "encode_jpeg", fail)
        assert "no smaller copy" in fault(path, inline=5_000)
