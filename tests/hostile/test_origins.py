"""A key goes to its provider and to nobody else, wherever answers point; and what signs the URL of
an image is printed nowhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from hostile.between import Asked, Between, Kind
from hostile.canary import SIGNATURE, Search
from hostile.watched import FLAGS, SOON, TOLD_ALL, Watched, making, noise
from runs import planned
from runs import run as carry
from samples import image_file
from sandbox.running import Serve
from scripted import Scripted
from soaking import soaked

Shape = Callable[[str], Response]
"""An answer that points to another URL."""


def redirect(status: int) -> Shape:
    return lambda url: Response(status_code=status, headers={"location": url})


def spelled(form: str) -> Shape:
    """A redirect whose target is written in an odd way."""

    def point(url: str) -> Response:
        host, _, path = url.removeprefix("http://").partition("/")
        target = form.format(host=host, port=host.partition(":")[2], path=path)
        return Response(status_code=302, headers={"location": target})

    return point


def beside(**headers: str) -> Shape:
    """Another way to say that something is elsewhere, with a status of its own."""
    status = int(headers.pop("status", "200"))
    named = {name.replace("_", "-"): form for name, form in headers.items()}

    def point(url: str) -> Response:
        told = {name: form.format(url=url) for name, form in named.items()}
        return JSONResponse({"url": url, "status_url": url}, status, told)

    return point


SHAPES: dict[str, Shape] = {
    "301": redirect(301),
    "302": redirect(302),
    "303": redirect(303),
    "307": redirect(307),
    "308": redirect(308),
    "300": redirect(300),
    "no scheme": spelled("//{host}/{path}"),
    "user": spelled("http://user:pass@{host}/{path}"),
    "another name": spelled("http://localhost:{port}/{path}"),
    "backslashes": spelled("http:\\\\{host}\\{path}"),
    "upper case": spelled("HTTP://{host}/{path}"),
    "refresh": beside(refresh="0; url={url}"),
    "created": beside(status="201", location="{url}", content_location="{url}"),
    "another service": beside(alt_svc='http/1.1="{url}"', link="<{url}>; rel=canonical"),
    "use a proxy": beside(status="305", location="{url}"),
    "see a proxy": beside(status="407", proxy_authenticate='Basic realm="x"', location="{url}"),
}
EXCHANGES: list[tuple[str, Kind]] = [
    ("fal", "submit"),
    ("fal", "status"),
    ("fal", "stream"),
    ("fal", "result"),
    ("fal", "cancel"),
    ("fal", "place"),
    ("fal", "upload"),
    ("fal", "media"),
    ("chainhub", "submit"),
    ("chainhub", "status"),
    ("chainhub", "result"),
    ("chainhub", "media"),
    ("aimlapi", "submit"),
    ("aimlapi", "media"),
    ("bfl", "submit"),
    ("bfl", "status"),
    ("bfl", "media"),
    ("replicate", "submit"),
    ("replicate", "status"),
    ("replicate", "cancel"),
    ("replicate", "place"),
    ("replicate", "media"),
    ("together", "submit"),
    ("openai", "list"),
    ("openai", "submit"),
    ("huggingface", "submit"),
    ("huggingface", "status"),
    ("huggingface", "result"),
    ("huggingface", "cancel"),
    ("huggingface", "media"),
]


class Stranger(Between):
    """Somebody else's server: it takes whatever it is sent, and has an image for everyone."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.instead = dict.fromkeys(KINDS, lambda _asked: IMAGE)
        await super().__call__(scope, receive, send)


KINDS: tuple[Kind, ...] = ("submit", "status", "stream", "result", "cancel", "place")
KINDS += ("upload", "media", "list", "other")
IMAGE = Response(image_file("jpeg"), media_type="image/jpeg")


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture
def foreign(stranger: Stranger, serve: Serve) -> str:
    """The base URL of another origin."""
    return serve(stranger)


def pointing(shape: Shape, foreign: str) -> Callable[[Asked], Response]:
    """Answers that point to the same path elsewhere."""
    return lambda asked: shape(f"{foreign}{asked.path}")


def commands(
    provider: str, kind: Kind, number: int, make: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """What leads to such an exchange; ``make`` is the command that makes an image."""
    name = ("-p", provider, "-o", f"{number}.jpg")
    if kind in ("place", "upload"):
        return [("edit", "x", "-i", "noise.png", *name)]
    if kind in ("status", "cancel"):
        return [(*make, f"{number}", *name, "--no-wait"), (kind, "{job}")]
    return [(*make, "x", *name)]


SUCCESSES = ("refresh", "created", "another service")


def shapes(provider: str, kind: Kind) -> list[str]:
    """The shapes for an exchange; a success without an image is asked for again for too long."""
    fitting = [name for name in SHAPES if kind != "media" or name not in SUCCESSES]
    number = EXCHANGES.index((provider, kind))
    return soaked([fitting[number % len(fitting)]], fitting)


@pytest.mark.parametrize(("provider", "kind"), EXCHANGES)
def test_no_key_arrives_where_an_answer_points(
    watched: Watched, stranger: Stranger, foreign: str, provider: str, kind: Kind
) -> None:
    noise(watched.folder)
    make = making(provider, watched.folder)
    for number, name in enumerate(shapes(provider, kind)):
        watched.between.instead[kind] = pointing(SHAPES[name], foreign)
        job = ""
        for argv in commands(provider, kind, number, make):
            ran = watched.run(*(each.format(job=job) for each in argv))
            job = ran.out.decode().strip()
        assert kind in watched.between.kinds()
        watched.between.clear()
        assert stranger.asked == [] or kind == "media", name
    told = {str(number): asked.wire for number, asked in enumerate(stranger.asked)}
    assert Search().in_streams(told) == []
    assert not any(asked.authorization for asked in stranger.asked)


HOSTS = [
    "{foreign}",
    "http://user@{host}",
    "http://own.example@{host}",
    "//{host}",
    "{foreign}/fal",
    "http://{own}@{host}/fal",
    "http://{host}\\@{own}/fal",
    "http://{own}.{host}",
    "https://queue.fal.run@{host}",
    "https://queue.fal.run:443@{host}",
    "HTTP://LOCALHOST:{port}",
    "http://{own}/fal/../..//{host}",
    "http://{own}/bfl/../..//{host}",
]


QUEUES = ("fal", "chainhub", "bfl", "huggingface")
EACH_HOST = [(provider, base) for base in HOSTS for provider in QUEUES]


@pytest.mark.parametrize(("provider", "base"), soaked(EACH_HOST[::7], EACH_HOST))
def test_no_key_arrives_where_a_submit_says_that_the_job_is(
    watched: Watched, stranger: Stranger, foreign: str, provider: str, base: str
) -> None:
    host = foreign.removeprefix("http://")
    own = watched.url.removeprefix("http://")
    make = making(provider, watched.folder)
    app = "flux-kontext" if provider == "huggingface" else "flux-pro"
    base = base.format(foreign=foreign, host=host, port=host.partition(":")[2], own=own)

    def point(_asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
        name = body.get("request_id", body.get("id"))
        job = f"{base}/fal-ai/{app}/requests/{name}"
        urls = {"status_url": f"{job}/status", "response_url": job, "cancel_url": f"{job}/cancel"}
        return {**body, **urls, "polling_url": f"{base}/v1/get_result?id={name}"}

    watched.between.rewrite["submit"] = point
    ran = watched.run(*make, "x", "-p", provider, "-o", "x.jpg")
    job = watched.run(*make, "[fault:stuck] x", "-p", provider, "--no-wait").out.decode()
    watched.run("cancel", job.strip())
    assert stranger.asked == []
    assert ran.code == 0, ran.err


def test_an_upload_goes_where_the_reply_says_and_no_key_with_it(
    watched: Watched, stranger: Stranger, foreign: str
) -> None:
    noise(watched.folder)

    def point(_asked: Asked, _body: dict[str, Any]) -> dict[str, Any]:
        place = f"{foreign}/files/x.png"
        return {"upload_url": f"{place}?signature={SIGNATURE.value}", "file_url": place}

    watched.between.rewrite["place"] = point
    watched.between.instead["other"] = lambda _asked: Response()
    ran = watched.run("edit", "x", "-i", "noise.png", "-p", "fal", *TOLD_ALL)
    assert ran.code == 0, ran.err
    (put,) = (asked for asked in stranger.asked if asked.method == "PUT")
    assert (put.path, put.headers["content-type"]) == ("/files/x.png", "image/png")
    assert not any(asked.authorization for asked in stranger.asked)
    assert Search(SIGNATURE).in_streams({"out": ran.out, "err": ran.err.encode()}) == []


def signed(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
    """A result whose images have URLs that open them for whoever has them."""
    secret = SIGNATURE.value

    def sign(image: dict[str, Any]) -> dict[str, Any]:
        query = f"X-Amz-Signature={secret}&X-Amz-Credential={secret}%2Fx&token={secret}"
        return {**image, "url": f"{image['url']}?{query}#{secret}"}

    return {**body, "images": [sign(image) for image in body["images"]]}


def rebuilt(url: str) -> Callable[[Asked, dict[str, Any]], dict[str, Any]]:
    """A result whose image is somewhere else."""

    def build(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "images": [{"url": url.format(secret=SIGNATURE.value)}]}

    return build


def refused(status: int) -> Callable[[Asked], Response]:
    return lambda asked: Response(f"{asked.path}?{asked.query}", status)


def on_its_way(asked: Asked) -> Response | None:
    """A redirect to another signed URL, once."""
    if "again" in asked.query:
        return None
    target = f"{asked.path}?again&X-Goog-Signature={SIGNATURE.value}"
    return Response(status_code=302, headers={"location": target})


RESULT: dict[str, Kind] = {"fal": "result", "chainhub": "result", "aimlapi": "submit"}
MEDIA: dict[str, tuple[Callable[[Asked], Response | None] | None, int]] = {
    "saved": (None, 0),
    "redirected": (on_its_way, 0),
    "gone": (refused(404), 4),
    "forbidden": (refused(403), 4),
    "refused": (refused(400), 6),
}


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.parametrize("provider", soaked(["fal"], list(RESULT)))
def test_a_signature_is_printed_nowhere(watched: Watched, provider: str, media: str) -> None:
    instead, code = MEDIA[media]
    watched.between.rewrite[RESULT[provider]] = signed
    if instead:
        watched.between.instead["media"] = instead
    search = Search(SIGNATURE)
    for number, flags in enumerate(FLAGS):
        ran = watched.run("generate", "x", "-p", provider, "-o", f"{number}.jpg", *flags)
        assert ran.code == code, ran.err
        assert search.in_streams({"out": ran.out, "err": ran.err.encode()}) == []
    for argv in (("status",), ("fetch", "--json", "--debug")):
        ran = watched.run(*argv)
        assert search.in_streams({"out": ran.out, "err": ran.err.encode()}) == []
    assert SIGNATURE.value in watched.between.asked[-1].query
    assert search.in_files(watched.state) != [], "the journal has it, or nobody could go on"


NOWHERE = [
    "http://192.0.2.1/a.png?X-Amz-Signature={secret}",
    "https://192.0.2.1/a.png?X-Amz-Signature={secret}",
    "https://user:{secret}@192.0.2.1/a.png",
    "https://{secret}@192.0.2.1/a.png",
    "https://[::1/{secret}?token={secret}",
    "https://10.0.0.1/{secret}?token={secret}",
    "file:///{secret}",
    "ftp://192.0.2.1/{secret}",
    "{secret}",
    "/a.png?token={secret}",
    "data:image/png;base64,{secret}",
    "data:{secret}",
]


@pytest.mark.parametrize("url", soaked(NOWHERE[::2], NOWHERE))
def test_a_url_that_leads_nowhere_is_not_quoted(watched: Watched, url: str) -> None:
    watched.between.rewrite["result"] = rebuilt(url)
    search = Search(SIGNATURE)
    for flags in FLAGS:
        ran = watched.run("generate", "x", "-p", "fal", "-o", "x.jpg", *flags)
        assert ran.code == 4, ran.err
        assert search.in_streams({"out": ran.out, "err": ran.err.encode()}) == []


INPUTS = [
    "http://files.example/house.jpg?X-Amz-Signature={secret}",
    "https://user:{secret}@files.example/a b.jpg",
    "https://files.example/a b.jpg?token={secret}",
    "https://files.example:0/a.jpg?token={secret}",
    "ftp://user:{secret}@files.example/a.jpg",
    "data:image/png,{secret}",
]


@pytest.mark.parametrize("url", INPUTS)
def test_the_url_of_an_input_is_refused_without_what_signs_it(watched: Watched, url: str) -> None:
    image = url.format(secret=SIGNATURE.value)
    rows = watched.write("rows.jsonl", json.dumps({"prompt": "x", "images": [image]}))
    watched.own.add(rows)
    search = Search(SIGNATURE)
    for argv in (("-i", image), ("-i", image, "--each"), ("-f", str(rows))):
        prompt = () if "-f" in argv else ("x",)
        ran = watched.run("edit", *prompt, *argv, "-p", "fal", *TOLD_ALL)
        assert ran.code == 2, ran.err
        assert search.in_streams({"out": ran.out, "err": ran.err.encode()}) == []


SIGNED = f"https://files.example/house.jpg?token={SIGNATURE.value}#{SIGNATURE.value}"
EDIT = ("edit", "x", "-p", "fal", "-i")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ((*EDIT, SIGNED, "--dry-run"), 0),
        ((*EDIT, SIGNED, "--each", "-d", "out", "--dry-run"), 0),
        ((*EDIT, SIGNED, "--each", "-d", "out", "--no-wait"), 0),
        (("edit", "[fault:stuck] x", *EDIT[2:], SIGNED, "--each", "-d", "out", *SOON), 7),
        ((*EDIT, SIGNED, "--debug"), 0),
        ((*EDIT, "a.jpg", SIGNED), 2),
        ((*EDIT, "a.jpg", SIGNED, "--json"), 2),
        (("generate", "-f", SIGNED, "-p", "fal"), 8),
        (("status", SIGNED), 2),
    ],
    ids=lambda value: " ".join(value).replace(SIGNED, "URL") if isinstance(value, tuple) else "",
)
def test_what_signs_the_url_of_an_input_is_not_told(
    watched: Watched, argv: tuple[str, ...], code: int
) -> None:
    ran = watched.run(*argv)
    assert Search(SIGNATURE).in_streams({"out": ran.out, "err": ran.err.encode()}) == []
    assert ran.code == code, ran.err
    if "--dry-run" in argv and "--each" not in argv:
        assert '"https://files.example/house.jpg?(left out)"' in ran.out.decode()
    if SOON[0] in argv:
        assert "'https://files.example/house.jpg?(left out)'" in ran.err


def test_a_file_that_tells_its_own_url_back_is_not_quoted(tmp_path: Path) -> None:
    base = "https://queue.fal.run/fal-ai/flux-pro"
    url = f"https://files.example/a.png?token={SIGNATURE.value}"
    said = f"GET /a.png?token={SIGNATURE.value} HTTP/1.1".encode()
    script = Scripted(
        {
            f"POST {base}/kontext/text-to-image": {"request_id": "r1"},
            f"GET {base}/requests/r1/status?logs=1": {"status": "COMPLETED"},
            f"GET {base}/requests/r1": {"images": [{"url": url}]},
            f"GET {url}": said,
        }
    )
    job = carry(planned("fal", {"prompt": "x"}, tmp_path), script)
    assert (str(job.state), script.unused()) == ("failed", [])
    assert SIGNATURE.found_in(f"{job.error} {job.error and job.error.hint}".encode()) == []


def test_what_is_told_of_a_reply_has_no_url_in_it(watched: Watched) -> None:
    watched.between.rewrite["result"] = signed
    ran = watched.run("generate", "x", "-p", "fal", "--json")
    record = json.loads(ran.out)
    assert set(record["reply"]) == {"prompt", "timings"}
    assert b"http" not in ran.out
