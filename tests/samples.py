"""Small images for tests."""

from io import BytesIO

from PIL import Image


def image_file(kind: str = "jpeg", size: tuple[int, int] = (64, 48), colour: str = "teal") -> bytes:
    """The bytes of a plain image in one of Pillow's formats."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()
