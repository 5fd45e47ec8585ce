"""What is told of submits that came too soon."""

import pytest

from kontext_cli.errors import Unreachable
from kontext_cli.http.transport import Submission
from sockets import Conversation, a_call, in_time, transport, wire

ACCEPTED = b'{"request_id": "r1"}'


async def submit(
    *answers: tuple[int, str | None], blocking: bool = False
) -> tuple[int, list[str | float | None]]:
    """The last status, and what happened before: seconds told, and the waits that followed."""
    rest = list(answers)
    told: list[str | float | None] = []

    async def say(talk: Conversation) -> None:
        status, retry_after = rest.pop(0)
        headers = [f"retry-after: {retry_after}"] if retry_after else []
        body = ACCEPTED if status == 200 else b'{"detail": "no"}'
        await talk.answer(body, status=status, headers=headers)

    async def sleep(_seconds: float) -> None:
        told.append("wait")

    async with wire(say) as server:
        there = transport(server.url, sleep=sleep, throttled=told.append)
        async with there:
            call = a_call(server.url, "submit")
            reply = await there.submit(call, Submission(), blocking=blocking)
    assert rest == []
    return reply.status, told


def test_each_refusal_is_told_before_the_wait() -> None:
    answers = submit((429, "7"), (429, None), (503, "soon"), (503, "99"), (200, None))
    expected = [7.0, "wait", None, "wait", None, "wait", 30.0, "wait"]
    assert in_time(answers) == (200, expected)


@pytest.mark.parametrize("status", [200, 400, 402, 408, 500, 502])
def test_other_answers_are_not_told(status: int) -> None:
    assert in_time(submit((status, "7"))) == (status, [])


def test_a_503_behind_a_blocking_call_is_no_refusal() -> None:
    assert in_time(submit((503, "7"), blocking=True)) == (503, [])
    assert in_time(submit((429, "7"), (200, None), blocking=True)) == (200, [7.0, "wait"])


def test_the_last_refusal_is_told_too() -> None:
    told: list[float | None] = []

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(b"{}", status=429)) as server,
            transport(server.url, throttled=told.append) as there,
        ):
            with pytest.raises(Unreachable):
                await there.submit(a_call(server.url, "submit"), Submission(), blocking=False)

    in_time(work())
    assert told == [None] * 5


def test_polls_that_come_too_soon_are_not_told() -> None:
    told: list[float | None] = []
    answers = [429, 503, 200]

    async def work() -> None:
        async def say(talk: Conversation) -> None:
            await talk.answer(b"{}", status=answers.pop(0))

        async with wire(say) as server, transport(server.url, throttled=told.append) as there:
            await there.ask(a_call(server.url))

    in_time(work())
    assert told == []
