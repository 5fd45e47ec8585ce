"""Jobs that are followed by the event stream of their queue, and by polling where that fails."""

from collections import Counter
from typing import Any

import pytest

from world import Ran, World

END = "/status/stream"


def asked(world: World) -> Counter[str]:
    """How often each kind of request came."""
    return Counter(seen.path.rpartition("/")[2] for seen in world.ledger.requests)


def generate(world: World, prompt: str) -> Ran:
    return world.run("generate", prompt, "-p", "fal")


def test_a_job_is_not_asked_about(world: World) -> None:
    world.serve(latency=0.1)
    done = generate(world, "a fox")
    assert done.code == 0
    assert asked(world)["stream"] == 1
    assert asked(world)["status"] == 0
    assert "queued at fal" in done.err
    assert "running at fal" in done.err


class Broken:
    """A queue whose stream goes wrong in one way."""

    def __init__(self, app: Any, how: str) -> None:
        self._app = app
        self._how = how

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(END):
            await self._app(scope, receive, send)
            return
        media_type = b"text/html" if self._how == "a page" else b"text/event-stream"
        status = 405 if self._how == "refused" else 200
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", media_type)],
            }
        )
        body = b"" if self._how == "ends early" else b'data: {"status": 7}\n\ndata: nonsense'
        await send({"type": "http.response.body", "body": body, "more_body": False})


@pytest.mark.parametrize("how", ["refused", "a page", "ends early", "nonsense"])
def test_one_whose_stream_fails_is_asked_about(world: World, how: str) -> None:
    world.stand_behind(lambda app: Broken(app, how))
    assert generate(world, "a fox").code == 0
    assert asked(world)["status"] >= 1
    assert world.accepted["a fox"] == 1


@pytest.mark.parametrize("fault", ["failed", "refused", "flagged"])
def test_how_a_job_ended_is_told_by_its_result(world: World, fault: str) -> None:
    assert generate(world, f"a fox [fault:{fault}]").code == (4 if fault == "failed" else 5)
    assert asked(world)["status"] == 0
