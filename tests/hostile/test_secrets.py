"""A key is in the request that carries it and nowhere else, whatever is answered.

Servers tell back what they were sent: in error bodies, in logs, in pages, in redirects. After each
run the streams and every file are searched (`Watched.check`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from hostile.between import Asked, Kind
from hostile.watched import FLAGS, KEYS, SOON, TOLD_ALL, Watched, making, noise
from soaking import soaked

Told = Callable[[Asked], Response]


def words(asked: Asked) -> str:
    """What a talkative server says."""
    return f"bad request with headers {{'authorization': '{asked.authorization}'}}"


def detail(status: int, **headers: str) -> Told:
    return lambda asked: JSONResponse({"detail": words(asked)}, status, headers)


def details(status: int, kind: str = "value_error") -> Told:
    def tell(asked: Asked) -> Response:
        row = {"loc": ["header", asked.authorization], "msg": words(asked), "type": kind}
        return JSONResponse({"detail": [row]}, status)

    return tell


def error(status: int, kind: str = "new_api_error") -> Told:
    return lambda asked: JSONResponse({"error": {"message": words(asked), "type": kind}}, status)


def strange(status: int) -> Told:
    """An error in a shape of its own, that is told as it came."""
    return lambda asked: JSONResponse({"error": {"request": dict(asked.headers)}}, status)


def text(status: int, **headers: str) -> Told:
    return lambda asked: Response(words(asked), status, headers, "text/plain")


def page(status: int) -> Told:
    return lambda asked: Response(f"<html><b>{words(asked)}", status, None, "text/html")


def in_headers(status: int) -> Told:
    def tell(asked: Asked) -> Response:
        kind = asked.authorization
        headers = {"x-fal-error-type": kind, "www-authenticate": kind, "x-inference-id": kind}
        return JSONResponse({"error_type": kind, "detail": "no"}, status, headers)

    return tell


def at_the_edge(status: int) -> Told:
    """Words so long that they are cut in the middle of the key."""
    return lambda asked: JSONResponse({"detail": "x" * 480 + asked.authorization}, status)


def elsewhere(status: int) -> Told:
    def tell(asked: Asked) -> Response:
        key = asked.authorization.replace(" ", "%20")
        target = f"https://user:pass@other.example/{key}?key={key}#{key}"
        return Response(status_code=status, headers={"location": target})

    return tell


@dataclass(frozen=True)
class Case:
    """A talkative answer to one kind of request; codes are those that it may lead to."""

    name: str
    told: Told
    codes: tuple[int, ...]
    kind: Kind = "submit"
    again: bool = False
    """Whether it is asked for again and again."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


REFUSALS = [
    Case("400", detail(400), (4,)),
    Case("401", detail(401), (3,)),
    Case("402", error(402), (3,)),
    Case("403", details(403), (3,)),
    Case("403 for moderation", details(403, "content_policy_violation"), (5,)),
    Case("404", strange(404), (4,)),
    Case("409", text(409), (11,)),
    Case("422", details(422), (4,)),
    Case("429", detail(429, **{"retry-after": "0"}), (6,), again=True),
    Case("500", error(500), (11,)),
    Case("502", page(502), (11,)),
    Case("503", detail(503, **{"retry-after": "0"}), (6, 11), again=True),
    Case("a success in words", text(200), (11,)),
    Case("a success that is a page", page(200), (11,)),
    Case("a success without an id", in_headers(200), (4, 11)),
    Case("headers", in_headers(400), (4,)),
    Case("the edge", at_the_edge(400), (4,)),
    Case("a redirect", elsewhere(307), (11,)),
]


EACH_REFUSAL = [(provider, case) for case in REFUSALS for provider in KEYS]


@pytest.mark.parametrize(("provider", "case"), soaked(EACH_REFUSAL[::4], EACH_REFUSAL), ids=str)
@pytest.mark.parametrize("flags", FLAGS)
def test_a_submit_whose_answer_tells_the_key_back(
    watched: Watched, provider: str, case: Case, flags: tuple[str, ...]
) -> None:
    watched.between.instead["submit"] = case.told
    soon = SOON if case.again else ()
    ran = watched.run(
        *making(provider, watched.folder), "x", "-p", provider, "-o", "x.jpg", *soon, *flags
    )
    assert ran.code in case.codes, ran.err
    assert KEYS[provider][1].value in watched.between.asked[-1].authorization


FOLLOW_UPS = [
    Case("401", detail(401), (3,), "status"),
    Case("404", detail(404), (0, 4, 7), "status"),
    Case("a page", page(200), (0, 4, 7), "status", again=True),
    Case("a redirect", elsewhere(302), (6,), "status"),
    Case("422", details(422), (4,), "result"),
    Case("500", detail(500), (4,), "result"),
    Case("403", strange(403), (3,), "result"),
    Case("no image", in_headers(200), (4,), "result"),
    Case("a redirect", elsewhere(308), (6,), "result"),
    Case("401", detail(401), (3,), "cancel"),
]
TRIED_AGAIN = [
    Case("500", text(500), (6, 7), "status", again=True),
    Case("502", page(502), (6, 7), "result", again=True),
    Case("500", strange(500), (6,), "cancel", again=True),
]
"""What takes seconds until it is given up."""


@pytest.mark.parametrize("case", soaked(FOLLOW_UPS[1::2], FOLLOW_UPS + TRIED_AGAIN), ids=str)
@pytest.mark.parametrize("provider", soaked(["fal"], ["fal", "chainhub"]))
def test_a_follow_up_whose_answer_tells_the_key_back(
    watched: Watched, provider: str, case: Case
) -> None:
    soon = SOON if case.again else ()
    ways = [("fetch", *soon), ("status",), ("status", "--watch", *soon)]
    for way in [("cancel",)] if case.kind == "cancel" else soaked(ways[:1], ways):
        watched.between.clear()
        job = watched.run("generate", "x", "-p", provider, "--no-wait").out.decode().strip()
        watched.between.instead = {"stream": page(404), case.kind: case.told}
        assert watched.run(*way, job, *TOLD_ALL).code in case.codes
        told = [asked for asked in watched.between.asked if asked.kind == case.kind]
        assert told or soon, "the time may be over before it was asked"
        assert all(KEYS[provider][1].value in asked.authorization for asked in told)


def talkative(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
    """A good answer with the headers of its request in it."""
    logs = [{"message": words(asked)}, {"message": asked.authorization}]
    result = body.get("result")
    return {
        **body,
        **({"result": {**result, "prompt": words(asked)}} if isinstance(result, dict) else {}),
        "logs": logs,
        "headers": dict(asked.headers),
        "timings": {"inference": 1.0, asked.authorization: words(asked)},
        "prompt": words(asked),
    }


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize("flags", FLAGS)
def test_a_success_that_tells_the_key_back(
    watched: Watched, provider: str, flags: tuple[str, ...]
) -> None:
    kinds: tuple[Kind, ...] = ("submit", "status", "stream", "result")
    watched.between.rewrite = dict.fromkeys(kinds, talkative)
    make = making(provider, watched.folder)
    ran = watched.run(*make, "x", "-p", provider, "-o", "x.jpg", *flags)
    assert ran.code == 0, ran.err


def test_an_answer_that_is_kept_for_later_has_no_key_in_it(watched: Watched) -> None:
    watched.between.rewrite["submit"] = talkative
    watched.between.instead["media"] = text(400)
    ran = watched.run("generate", "x", "-p", "aimlapi", "-o", "x.jpg")
    assert ran.code == 6
    assert list((watched.state / "answers").iterdir())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("place", detail(401)),
        ("place", details(422)),
        ("place", elsewhere(302)),
        ("place", in_headers(200)),
        ("upload", text(403)),
        ("upload", elsewhere(302)),
    ],
)
def test_an_upload_whose_answer_tells_the_key_back(
    watched: Watched, kind: Kind, told: Told
) -> None:
    noise(watched.folder)
    watched.between.instead[kind] = told
    ran = watched.run("edit", "x", "-i", "noise.png", "-p", "fal", *TOLD_ALL)
    assert ran.code != 0
    assert kind in watched.between.kinds()
    sent = [asked for asked in watched.between.asked if asked.kind == "upload"]
    assert not any(asked.authorization for asked in sent)


@pytest.mark.parametrize("case", [REFUSALS[0], REFUSALS[1], REFUSALS[4]], ids=str)
@pytest.mark.parametrize("flags", FLAGS)
def test_a_batch_whose_answers_tell_the_key_back(
    watched: Watched, case: Case, flags: tuple[str, ...]
) -> None:
    watched.set(GITHUB_ACTIONS="true")
    watched.write("here/rows.txt", "one\ntwo\nthree\n")
    watched.between.instead["submit"] = case.told
    ran = watched.run("generate", "-f", "rows.txt", "-p", "aimlapi", "-d", "out", *flags)
    assert ran.code in case.codes
    assert (watched.top / "summary.md").exists()
