"""A provider that says something else about every job, and none of it is nice."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from starlette.responses import Response

from hostile.between import Asked, Between
from hostile.payloads import PAYLOADS, Payload
from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.replies import Json
from sandbox.running import Serve

Told = Callable[[str], Response]
"""An answer that says something."""


class Talk:
    """A provider that refuses, or fails, or goes on about every job in the words of one payload."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
        self.top = top
        self.between = Between(Sandbox(plain=True).app)
        url = serve(self.between)
        for name, key in (("FAL", "FAL_KEY"), ("AIMLAPI", "AIML_API_KEY")):
            monkeypatch.setenv(f"KONTEXT_{name}_BASE_URL", f"{url}/{name.lower()}")
            monkeypatch.setenv(key, "key")
        monkeypatch.setenv("KONTEXT_STATE_DIR", str(top / "state"))
        monkeypatch.chdir(top)
        self.ask_about(PAYLOADS)
        self.argv = ("generate", "-f", "rows.jsonl", "-d", "out", "-j", "32")

    def ask_about(self, payloads: Sequence[Payload]) -> set[int]:
        """Make a row for each of them; the numbers of those that are printed whole."""
        rows = "".join(f'{{"prompt": "job {each.number}"}}\n' for each in payloads)
        (self.top / "rows.jsonl").write_text(rows)
        return {each.number for each in payloads if not each.is_long}

    def refuse(self, told: Told) -> None:
        """Refuse every submit."""
        self.between.instead["submit"] = lambda asked: told(_payload(asked).text)

    def fail(self, told: Told) -> None:
        """Take every submit, under an id that is hostile itself, and fail in the end."""
        ids: dict[str, Payload] = {}

        def submit(asked: Asked) -> Response:
            payload = _payload(asked)
            ids[f"/{payload.number:03}x"] = payload
            return Json({"request_id": payload.text})

        def result(asked: Asked) -> Response:
            return told(next(p for end, p in ids.items() if asked.path.endswith(end[1:])).text)

        done = b'data: {"status": "COMPLETED"}\n\n'
        self.between.instead = {
            "submit": submit,
            "stream": lambda _asked: Response(done, media_type="text/event-stream"),
            "result": result,
            "status": lambda _asked: Json({"status": "COMPLETED"}),
        }


def _payload(asked: Asked) -> Payload:
    return PAYLOADS[int(asked.json["prompt"].split()[1])]


def plain(text: str) -> Response:
    return Response(text.encode("utf-8", "surrogatepass"), 400, None, "text/plain")


SAID: dict[str, Told] = {
    "detail": lambda text: Json({"detail": text}, 400),
    "details": lambda text: Json(
        {"detail": [{"loc": ["body", text], "msg": text, "type": text}]}, 422
    ),
    "error": lambda text: Json({"error": {"message": text, "type": text}}, 400),
    "object": lambda text: Json({"error": {text: text}}, 400),
    "text": plain,
}
