"""fal's storage for input images: ask for a place, PUT the bytes there, send their URL.

Source: fal's JavaScript client (`storage/upload/initiate`).
"""

from abc import abstractmethod

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.providers.base import Place, Storage, neutral_name
from kontext_cli.providers.failure import failure


class FalStorage(Storage):
    """A provider with fal's storage."""

    @property
    @abstractmethod
    def storage_url(self) -> str:
        """The base of the storage's own calls."""

    def upload(self, content: bytes, media_type: str) -> Call:
        """The call that asks for a place, under a neutral file name."""
        return Call(
            "upload",
            "POST",
            f"{self.storage_url}/storage/upload/initiate?storage_type=fal-cdn-v3",
            json={"content_type": media_type, "file_name": neutral_name(media_type)},
        )

    def stored(self, reply: Reply) -> Place:
        """Read the answer: a signed URL to PUT to, and the URL of the stored file."""
        if not reply.ok:
            raise failure(self, reply, submitted=False)
        upload_url, file_url = reply.object.get("upload_url"), reply.object.get("file_url")
        if not isinstance(upload_url, str) or not isinstance(file_url, str):
            raise UnexpectedReply(f"{self.name} named no place for the input image")
        return Place(file_url, upload_url)
