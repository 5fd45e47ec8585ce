"""Jobs that are followed by what their queue tells by itself, and by asking where that fails."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.cli.main import run
from kontext_cli.sandbox.app import Sandbox
from sandbox.running import Serve

END = "/status/stream"


def asked(emulated: Sandbox) -> Counter[str]:
    """How often each kind of request came."""
    return Counter(seen.path.rpartition("/")[2] for seen in emulated.ledger.requests)


def generate(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, prompt: str) -> int:
    monkeypatch.setenv("KONTEXT_FAL_BASE_URL", f"{url}/fal")
    monkeypatch.setenv("FAL_KEY", "k")
    return run(["generate", prompt, "-p", "fal", "-d", str(folder)])


def test_a_job_is_not_asked_about(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    emulated = Sandbox(latency=0.1, plain=True)
    assert generate(monkeypatch, tmp_path, serve(emulated.app), "a fox") == 0
    assert asked(emulated)["stream"] == 1
    assert asked(emulated)["status"] == 0
    told = capsys.readouterr().err
    assert "queued at fal" in told
    assert "running at fal" in told


class Broken:
    """A queue whose stream goes wrong in one way."""

    def __init__(self, emulated: Sandbox, how: str) -> None:
        self._app = emulated.app
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
def test_one_whose_stream_fails_is_asked_about(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    emulated = Sandbox(plain=True)
    assert generate(monkeypatch, tmp_path, serve(Broken(emulated, how)), "a fox") == 0
    assert asked(emulated)["status"] >= 1
    assert emulated.ledger.accepted("a fox") == 1


@pytest.mark.parametrize("fault", ["failed", "refused", "flagged"])
def test_how_a_job_ended_is_told_by_its_result(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    emulated = Sandbox(plain=True)
    code = generate(monkeypatch, tmp_path, serve(emulated.app), f"a fox [fault:{fault}]")
    assert code == (4 if fault == "failed" else 5)
    assert asked(emulated)["status"] == 0
