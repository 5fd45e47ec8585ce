"""A request id belongs to one job: a provider that gives it to a second one is not believed."""

from typing import Any

from batches import Desk


class Repeating:
    """Answers every submit as it answered the first."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._first: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        answer: list[Any] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        self._first = self._first or answer
        for message in self._first:
            await send(message)


def test_two_jobs_never_share_a_request_id(desk: Desk) -> None:
    desk.stand_behind(Repeating)
    ran = desk.batch(desk.prompts("a", "b", "c"), "-p", "fal")
    assert desk.accepted.total() == 3
    assert ran.counts == {"saved": 1, "unknown": 2}
    assert len({job["request_id"] for job in ran.jobs}) == 2  # one id, and none
    unknown = [job["error"] for job in ran.jobs if job["state"] == "unknown"]
    assert {error["billed"] for error in unknown} == {"maybe"}
    assert all("request id of another job" in error["message"] for error in unknown)
    again = desk.batch("prompts.txt", "-p", "fal")
    assert desk.accepted.total() == 3
    assert again.counts == {"skipped": 1, "unknown": 2}
