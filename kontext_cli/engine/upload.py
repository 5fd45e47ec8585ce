"""Input images too large for a request: to the provider's storage, their URL in their place."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call
from kontext_cli.http.transport import Transport
from kontext_cli.providers.base import Storage

_INLINE = "data:"


class InlineImage(NamedTuple):
    """A data URI in a payload; ``size`` is in raw bytes."""

    url: str

    @property
    def size(self) -> int:
        """Four characters of base64 carry three bytes."""
        return (len(self.url) - self.url.index(",") - 1) * 3 // 4

    @property
    def media_type(self) -> str:
        """What its head says that it is."""
        return self.url[len(_INLINE) :].partition(";")[0]

    def content(self) -> bytes:
        """The bytes of the image."""
        return b64decode(self.url.partition(",")[2])


def inline_images(call: Call) -> list[InlineImage]:
    """Every image that a call carries within itself."""
    values = (call.json or {}).values()
    strings = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [
        InlineImage(each)
        for each in strings
        if isinstance(each, str) and each.startswith(_INLINE) and ";base64," in each[:64]
    ]


def too_large(call: Call, inline_bytes: int) -> list[InlineImage]:
    """The images of a call that are more than their share of what may go inline."""
    images = inline_images(call)
    share = inline_bytes // max(len(images), 1)
    return [image for image in images if image.size > share]


async def upload(
    call: Call,
    images: Sequence[InlineImage],
    provider: Storage,
    transport: Transport,
    tell: Callable[[str], None],
) -> Call:
    """Put ``images`` into the provider's storage; the call with their URLs instead.

    Raises KontextError where the storage refuses or cannot be reached; nothing was submitted.
    """
    urls: dict[str, str] = {}
    for image in images:
        if image.url not in urls:
            tell(f"uploading an input image, {image.size / 1e6:.1f} MB")
            urls[image.url] = await _stored(image, provider, transport)
    return replace(call, json={key: _with(value, urls) for key, value in (call.json or {}).items()})


async def _stored(image: InlineImage, provider: Storage, transport: Transport) -> str:
    place = provider.place(await transport.ask(provider.ask_for_place(image.media_type)))
    for url in (place.upload_url, place.file_url):
        if not transport.reach.may_download(url):
            raise UnexpectedReply(f"{provider.name} names a place for the image that is not https")
    reply = await transport.put(place.upload_url, image.content(), image.media_type)
    if not reply.ok:
        raise UnexpectedReply(f"{provider.name}'s storage answered {reply.status} to an upload")
    return place.file_url


def _with(value: Any, urls: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_with(each, urls) for each in value]
    return urls.get(value, value) if isinstance(value, str) else value
