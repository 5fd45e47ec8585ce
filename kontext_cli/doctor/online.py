"""Ask each provider whether it takes the key, and each server what it is. Nothing is submitted."""

import asyncio
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from kontext_cli.doctor.finding import Finding
from kontext_cli.errors import KeyFault, KontextError, Unreachable
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.deadlines import Deadline
from kontext_cli.http.transport import Transport
from kontext_cli.http.urls import host_of
from kontext_cli.providers.base import Provider
from kontext_cli.providers.failure import failure

_SECONDS = 10.0
_SKEW = 60.0
"""Seconds by which a clock may be wrong: certificates and signed URLs allow for some minutes."""


class Asked(NamedTuple):
    """The finding about one provider, and how far its clock is ahead of ours, in seconds."""

    finding: Finding
    ahead: float | None = None


async def ask_all(
    providers: Sequence[tuple[Provider, str | None]], trace: Callable[[str], None] | None
) -> list[Finding]:
    """Ask the providers at once, each with its key; then compare our clock with theirs."""
    asked = await asyncio.gather(*(_asked(*each, trace) for each in providers))
    return [*(each.finding for each in asked), *_clock([each.ahead for each in asked])]


async def _asked(provider: Provider, key: str | None, trace: Callable[[str], None] | None) -> Asked:
    call = provider.probe()
    if call is None:
        text = "this key cannot be checked without paying for an image"
        return Asked(Finding(provider.name, text))
    began = time.monotonic()
    try:
        async with Deadline(_SECONDS):
            reply = await _reply(provider, call, key, trace)
    except TimeoutError:
        late = Unreachable(f"{provider.title} did not answer within {_SECONDS:g} s")
        return Asked(Finding.of(provider.name, late))
    except KontextError as error:
        return Asked(Finding.of(provider.name, error))
    took = time.monotonic() - began
    return Asked(_judged(provider, call, reply, key, took), _ahead(reply))


async def _reply(
    provider: Provider, call: Call, key: str | None, trace: Callable[[str], None] | None
) -> Reply:
    """The answer to one request. Raises KontextError."""
    headers = provider.headers(key) if key else {}
    async with Transport(
        provider.title,
        (provider.probe_base,),
        headers,
        if_unreachable=provider.if_unreachable,
        trace=trace,
    ) as transport:
        transport.submits_once = True
        return await transport.ask(call)


def _judged(provider: Provider, call: Call, reply: Reply, key: str | None, took: float) -> Finding:
    """What an answer says: any but a refusal of the key leaves it open whether it is valid."""
    where = f"{host_of(call.url)}, {1000 * took:.0f} ms"
    try:
        if not provider.needs_base_url and not reply.ok:
            raise failure(provider, reply, submitted=False)
        said = provider.probed(reply)
    except KeyFault as fault:
        return Finding.of(provider.name, fault)
    except KontextError as error:
        if provider.needs_base_url:
            return Finding.of(provider.name, error)
        text = f"whether the key is valid is not known: {error.message}"
        return Finding(provider.name, text, "note", error.hint)
    what = said or ("the key is valid" if key else "it answers")
    return Finding(provider.name, f"{what} ({where})")


def _ahead(reply: Reply) -> float | None:
    """How many seconds the clock of a server is ahead of ours; None where it names no time."""
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp() - time.time()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _clock(ahead: Sequence[float | None]) -> list[Finding]:
    """Our clock, by the median of those of the servers."""
    known = sorted(each for each in ahead if each is not None)
    if not known:
        return []
    off = known[len(known) // 2]
    if abs(off) <= _SKEW:
        return [Finding("clock", "it agrees with those of the servers")]
    side = "behind" if off > 0 else "ahead of"
    text = f"it is {abs(off):,.0f} s {side} those of the servers: certificates may look expired"
    return [Finding("clock", text, "note", "set it, or let the system do that (NTP)")]
