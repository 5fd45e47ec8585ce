"""Pictures that come inside a reply: data URIs and base64."""

import binascii
from base64 import b64decode
from urllib.parse import unquote_to_bytes

from kontext_cli.errors import BadMedia
from kontext_cli.job import Output


def is_remote(output: Output) -> bool:
    """Whether an output has to be downloaded, and is not in the reply itself."""
    return output.b64 is None and output.url is not None and output.url[:5].lower() != "data:"


def inline_picture(output: Output) -> bytes | None:
    """The bytes of a picture that is in the reply itself, None where it has to be downloaded.

    Raises BadMedia where they cannot be decoded.
    """
    if output.b64 is not None:
        return _decoded(output.b64.rpartition(",")[2].encode("ascii", "replace"))
    if output.url is None or is_remote(output):
        return None
    head, comma, data = output.url[5:].partition(",")
    if not comma:
        raise BadMedia("the picture in the reply is cut short", billed="yes")
    try:
        raw = unquote_to_bytes(data)
    except UnicodeEncodeError:
        raise BadMedia("the picture in the reply is not valid", billed="yes") from None
    return _decoded(raw) if head.lower().endswith(";base64") else raw


def _decoded(encoded: bytes) -> bytes:
    try:
        return b64decode(b"".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadMedia("the picture in the reply is not valid base64", billed="yes") from None
