"""Records of jobs in flight, in a journal that does not do what it should."""

import asyncio

from journals import REQUEST_ID, job
from kontext_cli.engine.recorder import Recorder
from kontext_cli.job import Handle, Job, State


def test_a_request_id_is_printed_where_the_wait_for_the_journal_is_given_up() -> None:
    """A database that stands still neither writes nor fails."""

    async def never(_job: Job) -> None:
        await asyncio.Event().wait()

    async def give_up() -> None:
        kept = job(State.QUEUED, handle=Handle(REQUEST_ID), request_id=REQUEST_ID)
        keeping = asyncio.ensure_future(Recorder(never, notices.append).keep(kept))
        await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.wait([keeping])

    notices: list[str] = []
    asyncio.run(give_up())
    assert [f"kontext fetch {REQUEST_ID} -p fal" in notice for notice in notices] == [True]
