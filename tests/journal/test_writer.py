"""The journal of many jobs at once."""

import asyncio

import pytest

from journals import Place, job
from kontext_cli.errors import JobIdTaken
from kontext_cli.job import State
from kontext_cli.journal import Journal
from kontext_cli.journal.writer import Scribe


def test_what_was_recorded_is_there_when_it_returns(place: Place) -> None:
    jobs = [job(State.QUEUED) for _ in range(50)]

    async def work() -> None:
        with Journal.open(place) as journal, Journal.open(place) as other:
            scribe = Scribe(journal)

            async def record(number: int) -> None:
                await scribe.record(jobs[number])
                assert other.find(jobs[number].id).state is State.QUEUED

            await asyncio.gather(*map(record, range(len(jobs))))

    asyncio.run(work())


def test_a_job_is_written_as_it_was_when_it_was_given(place: Place) -> None:
    async def work() -> None:
        with Journal.open(place) as journal:
            scribe, it = Scribe(journal), job(State.QUEUED)
            queued = asyncio.ensure_future(scribe.record(it))
            await asyncio.sleep(0)
            it.state = State.RUNNING
            await queued
            assert journal.find(it.id).state is State.QUEUED

    asyncio.run(work())


def test_one_that_is_refused_takes_no_other_with_it(place: Place) -> None:
    async def work() -> None:
        with Journal.open(place) as journal:
            scribe = Scribe(journal)
            first, second = job(State.QUEUED), job(State.QUEUED)
            clash = job(State.QUEUED, id=first.id)
            ended = await asyncio.gather(
                *(scribe.record(each) for each in (first, clash, second)), return_exceptions=True
            )
            assert [type(each) for each in ended] == [type(None), JobIdTaken, type(None)]
            assert journal.find(second.id).id == second.id

    asyncio.run(work())


def test_who_is_canceled_while_it_waits_is_written_all_the_same(place: Place) -> None:
    async def work() -> None:
        with Journal.open(place) as journal:
            scribe, it = Scribe(journal), job(State.QUEUED)
            record = asyncio.ensure_future(scribe.record(it))
            await asyncio.sleep(0)
            record.cancel()
            with pytest.raises(asyncio.CancelledError):
                await record
            await scribe.settle()
            assert journal.find(it.id).state is State.QUEUED

    asyncio.run(work())


def test_an_attempt_that_is_there_is_not_taken_again(place: Place) -> None:
    """Whatever was seen: the job of a row is never stored beside the batch, and sent from there."""
    with Journal.open(place) as journal:
        first = job(State.FAILED, batch="b", row="1")
        journal.record(first)
        again = job(State.PLANNED, batch="b", row="1", attempt=1)
        assert journal.write([journal.taking(again, (first.id, "failed"))]) == [False]
        assert [each.id for each in journal.recent()] == [first.id]


def test_a_row_of_a_batch_is_taken_once_by_two_runs(place: Place) -> None:
    async def work() -> None:
        with Journal.open(place) as mine, Journal.open(place) as yours:
            scribes = [Scribe(mine), Scribe(yours)]
            jobs = [job(State.PLANNED, batch="b", row=str(n)) for n in range(40)]
            again = [job(State.PLANNED, batch="b", row=str(n)) for n in range(40)]
            took = await asyncio.gather(
                *(scribes[0].take(each, None) for each in jobs),
                *(scribes[1].take(each, None) for each in again),
            )
            assert [a + b for a, b in zip(took[:40], took[40:], strict=True)] == [1] * 40

    asyncio.run(work())
