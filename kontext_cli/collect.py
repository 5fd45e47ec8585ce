"""The last stretch of a job: its pictures, from where the provider has them to where they go."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from kontext_cli.delivery import Delivery
from kontext_cli.errors import Moderated
from kontext_cli.inline import inline_picture
from kontext_cli.job import File, Job, Output
from kontext_cli.outputs import PartFile, Picture
from kontext_cli.transport import Transport


async def collect(
    job: Job,
    outputs: Sequence[Output],
    delivery: Delivery,
    transport: Transport,
    *,
    keep_flagged: bool,
    saved: Callable[[Job], Awaitable[None]],
) -> None:
    """Save every picture that may be saved and is not yet, side by side; one that fails stops no
    other.

    ``saved`` is told after each file is in place. Raises the first KontextError among them, and
    Moderated where pictures were left out as flagged.
    """
    have = {file.number for file in job.files}
    numbered = list(enumerate(outputs, start=1))
    wanted = [(n, output) for n, output in numbered if keep_flagged or not output.flagged]

    async def save(number: int, output: Output) -> None:
        file = await _save(output, number, delivery, transport)
        if file is not None:
            job.files = tuple(sorted((*job.files, file), key=lambda each: each.number))
            await saved(job)

    saving = [save(number, output) for number, output in wanted if number not in have]
    for ended in await asyncio.gather(*saving, return_exceptions=True):
        if ended is not None:
            raise ended
    if len(wanted) < len(numbered):
        raise _flagged(job.provider, len(numbered) - len(wanted), len(numbered))


async def _save(
    output: Output, number: int, delivery: Delivery, transport: Transport
) -> File | None:
    with PartFile.create(delivery.folder(number)) as part:

        async def check(announced: int | None) -> Picture:
            return await asyncio.to_thread(part.verify, announced or output.bytes)

        inline = inline_picture(output)
        if inline is not None:
            part.write(inline)
            picture = await check(None)
        else:
            picture = await transport.download(output.url or "", part, check)
        return await asyncio.to_thread(delivery.deliver, part, picture, number)


def _flagged(provider: str, flagged: int, all_of_them: int) -> Moderated:
    what = "the picture" if all_of_them == 1 else f"{flagged} of {all_of_them} pictures"
    return Moderated(
        f"{provider} flagged {what} as unsafe; not saved",
        hint="change the prompt, or save it all the same with --keep-flagged",
        billed="yes",
    )
