"""Writes how an image was made into it, between its verification and its publication."""

from pathlib import Path
from typing import NamedTuple

from kontext_cli.files.delivery import Delivery
from kontext_cli.files.part import PartFile
from kontext_cli.files.saved import VerifiedImage
from kontext_cli.job import Job


class WithProvenance(NamedTuple):
    """The image as it is to be published, the content of its sidecar if it gets one, and a notice
    where it could not carry what it was to carry."""

    image: VerifiedImage
    beside: bytes | None = None
    notice: str | None = None


def add_provenance(
    job: Job, part: PartFile, image: VerifiedImage, delivery: Delivery
) -> WithProvenance:
    """Write the metadata of the delivery into the part file of a verified image.

    An image that must keep its bytes gets a sidecar instead, if all was to be written. Raises
    OutputFault.
    """
    if delivery.metadata == "off" and not delivery.sidecar:
        return WithProvenance(image)
    from kontext_cli.metadata.embed import LeftAlone, embedded
    from kontext_cli.metadata.record import as_json, provenance_of, record_of

    folder = part.folder if delivery.is_local else _here()
    notice = None
    if delivery.metadata != "off":
        provenance = provenance_of(job, delivery.metadata, folder, (image.width, image.height))
        try:
            image = part.replace(image, embedded(part.content(), image.format, provenance))
        except LeftAlone as why:
            notice = f"images that {why} keep their bytes: {_instead(delivery)}"
    beside = None
    if delivery.has_sidecars and (
        delivery.sidecar or (notice is not None and delivery.metadata == "full")
    ):
        beside = as_json(record_of(job, folder), indent=2).encode() + b"\n"
    return WithProvenance(image, beside, notice)


def _here() -> Path:
    """The working folder, to which the record of an image elsewhere is relative."""
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return Path("/")


def _instead(delivery: Delivery) -> str:
    """What is done for an image that keeps its bytes."""
    if delivery.metadata == "full" and delivery.has_sidecars:
        return "how they were made is in NAME.SUFFIX.json beside them"
    if delivery.metadata == "full":
        return "how they were made is in the journal alone"
    return "they are not marked as made by a model"
