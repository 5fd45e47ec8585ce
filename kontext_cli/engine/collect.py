"""Save the images of a job: from the reply or its URLs to their files."""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote_to_bytes

from kontext_cli.engine.provenance import add_provenance
from kontext_cli.errors import BadMedia, Moderated, WrongFormat
from kontext_cli.files.delivery import Delivery
from kontext_cli.files.part import PartFile
from kontext_cli.http.redaction import without_quotes_of
from kontext_cli.http.transport import Transport
from kontext_cli.http.urls import abridged
from kontext_cli.job import File, Job, Output


async def collect(
    job: Job,
    outputs: Sequence[Output],
    delivery: Delivery,
    transport: Transport,
    *,
    keep_flagged: bool,
    saved: Callable[[Job], Awaitable[None]],
    notice: Callable[[str], None],
) -> None:
    """Save every image that is not saved yet, concurrently; one that fails stops no other.

    ``saved`` is called after each file but the last: when it is in place, or is not an image we
    can save. Such a file is marked in ``job.outputs``, and not downloaded again. The caller records
    the job after the last one. ``notice`` is called where an image cannot carry what it is to
    carry. Raises the first KontextError among them, WrongFormat where files
    are marked, and Moderated where images were left out as flagged.
    """
    have = {file.number for file in job.files}
    numbered = list(enumerate(outputs, start=1))
    wanted = [(n, output) for n, output in numbered if keep_flagged or not output.flagged]

    left = {n: output for n, output in wanted if n not in have and not output.rejected}

    async def save(number: int, output: Output) -> None:
        try:
            file = await _save(job, output, number, delivery, transport, notice)
            if file is not None:
                job.files = tuple(sorted((*job.files, file), key=lambda each: each.number))
        except WrongFormat as error:
            _reject(job, number, error)
        finally:
            del left[number]
        if left:
            await saved(job)

    saving = [save(number, output) for number, output in left.items()]
    for ended in await asyncio.gather(*saving, return_exceptions=True):
        if ended is not None:
            raise ended
    rejected = [output for output in job.outputs if output.rejected]
    if rejected:
        raise _wrong_format(job.id, rejected)
    if len(wanted) < len(numbered):
        raise _flagged(job.provider, len(numbered) - len(wanted), len(numbered))


async def _save(
    job: Job,
    output: Output,
    number: int,
    delivery: Delivery,
    transport: Transport,
    notice: Callable[[str], None],
) -> File | None:
    with PartFile.create(delivery.folder(number)) as part:

        def deliver(announced: int | None) -> tuple[File | None, str | None]:
            image, beside, why_not = add_provenance(job, part, part.verify(announced), delivery)
            return delivery.deliver(part, image, number, beside), why_not

        async def check(announced: int | None) -> File | None:
            file, why_not = await asyncio.to_thread(deliver, announced)
            if why_not:
                notice(why_not)
            return file

        inline = inline_image(output)
        if inline is None:
            return await transport.download(output.url or "", part, check)
        part.write(inline)
        return await check(None)


def _reject(job: Job, number: int, error: WrongFormat) -> None:
    outputs = list(job.outputs)
    output = outputs[number - 1]
    # The message quotes the file, which may quote its own signed URL.
    reason = without_quotes_of(output.url or "", error.message)
    outputs[number - 1] = output._replace(rejected=reason)
    job.outputs = tuple(outputs)


def _wrong_format(job_id: str, rejected: Sequence[Output]) -> WrongFormat:
    urls = [output.url for output in rejected if output.url and is_remote(output)]
    shown = [abridged(url) for url in urls]
    message = "; ".join(dict.fromkeys(output.rejected or "" for output in rejected))
    hint = None
    if urls:
        message = f"{message} ({', '.join(shown)})"
        hint = "it is paid: download it from there; it is not fetched again"
    if shown != urls:
        hint = f"it is paid: `kontext status {job_id} --json` has the URL to download it from"
    return WrongFormat(message, hint=hint)


def _flagged(provider: str, flagged: int, all_of_them: int) -> Moderated:
    what = "the image" if all_of_them == 1 else f"{flagged} of {all_of_them} images"
    return Moderated(
        f"{provider} flagged {what} as unsafe; not saved",
        hint="change the prompt, or save it anyway with --keep-flagged",
        billed="yes",
    )


def is_remote(output: Output) -> bool:
    """Whether an output has to be downloaded, because it is not in the reply itself."""
    return output.b64 is None and output.url is not None and output.url[:5].lower() != "data:"


def inline_image(output: Output) -> bytes | None:
    """The bytes of an image that is in the reply itself, None where it has to be downloaded.

    Raises BadMedia where they cannot be decoded.
    """
    if output.b64 is not None:
        return _decoded(output.b64.rpartition(",")[2].encode("ascii", "replace"))
    if output.url is None or is_remote(output):
        return None
    head, comma, data = output.url[5:].partition(",")
    if not comma:
        raise BadMedia("the image in the reply is cut short")
    try:
        raw = unquote_to_bytes(data)
    except UnicodeEncodeError:
        raise BadMedia("the image in the reply is not valid") from None
    return _decoded(raw) if head.lower().endswith(";base64") else raw


def _decoded(encoded: bytes) -> bytes:
    try:
        return b64decode(b"".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadMedia("the image in the reply is not valid base64") from None
