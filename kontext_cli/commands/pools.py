"""Open the servers of a batch."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from kontext_cli.batch.pace import Pace, within_descriptors
from kontext_cli.batch.pool import Pool, Server
from kontext_cli.commands.session import Session
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.follow import Watch
from kontext_cli.providers import Name
from kontext_cli.settings.settings import Settings

_LOOK_SECONDS = 2.0


def open_pool(name: Name, settings: Settings, jobs: int | None) -> Pool:
    """The servers of a provider, each with its limit of jobs in flight, ``jobs`` if given."""
    providers = settings.servers(name)
    most = within_descriptors(settings.jobs(name, jobs) * len(providers)) // len(providers)
    in_pool = len(providers) > 1
    return Pool([Server(each, Pace(max(most, 1)), in_pool=in_pool) for each in providers])


@asynccontextmanager
async def engines_of(
    pools: Iterable[Pool], session: Session, watch: Watch
) -> AsyncIterator[Mapping[Server, Engine]]:
    """An engine for each server. Where there are several, a submit is sent once: the next one is
    tried sooner."""
    async with AsyncExitStack() as stack:
        engines: dict[Server, Engine] = {}
        for pool in pools:
            for server in pool.servers:
                engine = await stack.enter_async_context(
                    session.engine(server.provider, watch=watch, throttled=server.pace.throttled)
                )
                if not pool.is_one:
                    engine.submit_once()
                engines[server] = engine
        looking = [asyncio.ensure_future(_look(*each)) for each in engines.items()]
        try:
            yield engines
        finally:
            for each in looking:
                each.cancel()
            await asyncio.gather(*looking, return_exceptions=True)


async def _look(server: Server, engine: Engine) -> None:
    """Keep knowing how many jobs of others a server of a pool has, where it can be asked."""
    while server.in_pool and server.provider.load() is not None:
        server.others = max((await engine.load() or 0) - server.in_flight, 0)
        await asyncio.sleep(_LOOK_SECONDS)
