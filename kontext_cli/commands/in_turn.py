"""One job at the servers of a pool, in turn."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf

from kontext_cli.commands.session import Session
from kontext_cli.engine.endings import none_left, was_not_taken
from kontext_cli.engine.engine import Engine
from kontext_cli.errors import KontextError, Unreachable
from kontext_cli.http.retry import TRIES, Patience
from kontext_cli.job import Job
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import Draft


async def run_in_turn(
    job: Job,
    draft: Draft,
    servers: Sequence[Provider],
    session: Session,
    run: Callable[[Engine, Draft], Awaitable[None]],
) -> None:
    """Run a job at the first server that takes it: where that can be asked, at the one with the
    fewest jobs. All are tried again for as long as one would be.

    The error of the job then says what was tried.
    """
    if servers[0].load() is not None:
        servers = await _by_load(servers, session)
    patience = Patience()
    request, seed = job.request, job.seed
    while True:
        tried: list[KontextError] = []
        for server in servers:
            async with session.engine(server) as engine:
                engine.submit_once()
                job.error = job.finished_at = None
                job.request, job.seed = request, seed
                await run(engine, draft.at(server))
            if job.error is None or not was_not_taken(job):
                return
            tried.append(job.error)
        job.error = none_left(tried)
        wait = patience.next_wait()
        if wait is None or not isinstance(job.error, Unreachable):
            return
        again = f"again in {wait:.1f} s, {patience.tries} of {TRIES}"
        session.report.notice(f"no server of {job.provider} takes the job, {again}")
        await asyncio.sleep(wait)


async def _by_load(servers: Sequence[Provider], session: Session) -> list[Provider]:
    """The servers in the order of how many jobs each has; those that do not say come last."""

    async def load(server: Provider) -> float:
        async with session.engine(server) as engine:
            engine.submit_once()
            found = await engine.load()
            return inf if found is None else found

    loads = await asyncio.gather(*map(load, servers))
    order = sorted(range(len(servers)), key=loads.__getitem__)
    return [servers[index] for index in order]
