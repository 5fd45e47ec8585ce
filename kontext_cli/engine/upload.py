"""Upload input images that are too large for a request to the provider's storage."""

from collections.abc import Callable, Sequence

from kontext_cli.errors import UnexpectedReply, Unreachable
from kontext_cli.http.deadlines import Deadline
from kontext_cli.http.transport import Transport
from kontext_cli.images.inputs import InputImage
from kontext_cli.providers.base import Storage
from kontext_cli.providers.prepare import Draft

Log = Callable[[str], None]


async def upload_large(draft: Draft, transport: Transport, log: Log, *, timeout: float) -> Draft:
    """Upload the images of a draft that exceed their share of what its provider takes inline.

    Raises as `upload`, and Unreachable where it takes more than ``timeout`` seconds.
    """
    images = draft.local_images
    share = draft.provider.inline_bytes // max(len(images), 1)
    large = [image for image in images if len(image.content or b"") > share]
    try:
        async with Deadline(timeout):
            return await upload(draft, large, transport, log)
    except TimeoutError:
        name = draft.provider.name
        raise Unreachable(f"the upload to {name} took more than {timeout:g} s") from None


async def upload(
    draft: Draft, images: Sequence[InputImage], transport: Transport, log: Log
) -> Draft:
    """Upload ``images``, each content once; the draft with their URLs instead.

    Raises KontextError where the storage refuses or cannot be reached; nothing was submitted.
    """
    storage = draft.provider
    if not isinstance(storage, Storage):
        return draft
    urls: dict[bytes, str] = {}
    for image in images:
        if image.content is not None and image.content not in urls:
            log(f"uploading an input image, {len(image.content) / 1e6:.1f} MB")
            media_type = image.media_type or "application/octet-stream"
            urls[image.content] = await _stored(image.content, media_type, storage, transport)
    return draft.with_urls(urls)


async def _stored(content: bytes, media_type: str, storage: Storage, transport: Transport) -> str:
    place = storage.stored(await transport.ask(storage.upload(content, media_type)))
    if place.upload_url is None:
        return place.url
    if not transport.reach.may_download(place.url):
        raise UnexpectedReply(f"{storage.name} returned a URL for the image that is not https")
    reply = await transport.put(place.upload_url, content, media_type)
    if not reply.ok:
        raise UnexpectedReply(f"{storage.name}'s storage answered {reply.status} to an upload")
    return place.url
