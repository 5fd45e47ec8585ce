"""What providers may answer: right, nearly right, and nonsense of every kind.

``answers`` draws an answer of any of these, ``failures`` one of 4xx or 5xx.
"""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from kontext_cli.http.call import Reply
from samples import image_file

REQUEST_ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
JOB = f"https://queue.fal.run/fal-ai/flux-pro/requests/{REQUEST_ID}"
MEDIA = "https://v3.fal.media/a.jpg"
WHOLE = tuple(image_file(kind, size=(4, 3)) for kind in ("jpeg", "png", "webp", "gif"))
HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"


@dataclass(frozen=True)
class Raw:
    """A piece of JSON as it stands in the text: what `json.dumps` does not write."""

    text: str


def encoded(value: Any) -> str:
    """A value as JSON, with its raw pieces."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return (
            f"{{{','.join(f'{json.dumps(key)}:{encoded(each)}' for key, each in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{','.join(map(encoded, value))}]"
    return json.dumps(value)


def nested(depth: int) -> Raw:
    """A list in a list in a list."""
    return Raw("[" * depth + "]" * depth)


odd = st.sampled_from(
    [
        *("1e999", "-1e999", "1e-400", "-0", "-0.0", "NaN", "-Infinity"),
        *("1" + "0" * 400, "9" * 5000),
        *('"\\ud800"', '"\\u0000"', '"\\u001b[2J"', '"\\u202egpj.exe"', '"' + "a" * 3000 + '"'),
    ]
).map(Raw)
words = st.sampled_from(
    [
        *("IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "completed", "pending", "error"),
        *("starting", "processing", "succeeded", "failed", "canceled", "aborted", "NSFW (E005)"),
        *("Pending", "Ready", "Request Moderated", "Content Moderated", "Error", "Task not found"),
        *("content_policy_violation", "client_cancelled", "insufficient balance", "still running"),
        *(REQUEST_ID, "..", ".", "a/../b?c#d", "r1", "0", "1", "true", "data:,", "\ud800", "\0"),
    ]
)
urls = st.sampled_from(
    [
        *(MEDIA, "", "/a.jpg", "//evil.example/a.jpg", "file:///etc/passwd", "https://["),
        *("https://169.254.169.254/latest", "https://127.1/", "https://[::1]/", "http://x"),
        *("https://user:secret@v3.fal.media/", "https://v3.fal.media\\@evil.example/"),
        *("https://localhost/", "https://\0/"),
        *(f"{JOB}", f"{JOB}/status", f"{JOB}/../../x", f"{JOB}/%2e%2e/x", f"{JOB}?x=1#y"),
        *(JOB.replace("queue.fal.run", "evil.example"), f"https://evil.example/{REQUEST_ID}"),
        *("data:image/png;base64,", "data:image/png;base64,AA=A", "data:;base64,\ud800", "data:x"),
        *("data:image/jpeg;base64," + b64encode(each).decode() for each in WHOLE),
        *("data:image/png," + "".join(f"%{byte:02x}" for byte in WHOLE[1]), "data:,%zz%"),
    ]
)
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
) | (odd | words | urls | st.integers(1, 1200).map(nested))
junk = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def maybe(likely: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what belongs in a place, and anything else."""
    return likely | likely | junk


def some(**likely: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these keys, each with what belongs there or anything else."""
    return st.fixed_dictionaries({}, optional={key: maybe(each) for key, each in likely.items()})


base64 = st.sampled_from([*(b64encode(each).decode() for each in WHOLE), "AA=A", "é", "", "x,AA=="])
images = some(
    url=urls,
    b64_json=base64,
    image_base64=base64,
    file_size=st.integers(-1, 2**70),
    content_type=words,
    width=st.integers(),
)
details = some(
    loc=st.lists(words | st.integers(), max_size=3), msg=words, type=words, input=junk, ctx=junk
)
objects = some(
    status=words,
    request_id=words,
    status_url=urls,
    response_url=urls,
    cancel_url=urls,
    queue_position=st.integers(-1, 10),
    logs=st.lists(maybe(some(message=words)), max_size=3) | st.text(),
    images=st.lists(maybe(images), max_size=6),
    data=st.lists(maybe(images), max_size=3),
    output=some(choices=st.lists(maybe(images), max_size=3)) | urls | st.lists(urls, max_size=5),
    id=words,
    data_removed=st.booleans(),
    started_at=words,
    metrics=some(predict_time=st.floats(0, 100) | odd),
    urls=some(get=urls, cancel=urls),
    retry_after=st.floats(-1, 1e9) | odd,
    has_nsfw_concepts=st.lists(st.booleans(), max_size=4),
    seed=st.integers(),
    prompt=words,
    timings=some(inference=st.floats(0, 100) | odd),
    meta=some(usage=some(usd_spent=st.floats(-1, 10) | odd | words)),
    detail=words | st.lists(maybe(details), max_size=3),
    error=words | details,
    error_type=words,
    message=words,
    upload_url=urls,
    file_url=urls,
    polling_url=urls,
    result=some(sample=urls, seed=st.integers(), prompt=words, error=words),
    details=details,
    progress=st.floats(-1, 2) | odd,
    cost=st.floats(-1, 10) | odd,
)
"""Of every key that an adapter looks at."""

json_bodies = st.one_of(objects, objects, objects, junk).map(lambda value: encoded(value).encode())
bodies = st.one_of(
    json_bodies,
    json_bodies,
    st.builds(lambda body, cut: body[: cut % (len(body) + 1)], json_bodies, st.integers(0)),
    st.sampled_from(
        [*WHOLE, *(each[:-9] for each in WHOLE), HTML, b"", b"OK", b"null", b"\xff\xfe{"]
    ),
    st.binary(max_size=40),
)
refusals = st.sampled_from(
    [
        *(400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 422, 425, 429, 451, 499, 500, 502, 503),
        *(504, 520, 599, 600, 999),
    ]
)
statuses = st.just(200) | st.sampled_from([201, 202, 204, 206, 300, 301, 302, 304, 307]) | refusals
waits = st.sampled_from(
    [
        *("0", "1", "-1", "1e9", "nan", "inf", "soon", "", "²", "9" * 5000),
        "Sat, 21 Nov 2026 12:00:09 GMT",
    ]
)
latin = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12).map(
    str.strip
)
urls_in_latin = urls.map(lambda url: url.encode(errors="replace").decode("latin-1"))
headers = st.fixed_dictionaries(
    {},
    optional={
        "retry-after": waits | latin,
        "date": waits | latin,
        "x-fal-error-type": latin | st.just("content_policy_violation"),
        "x-fal-billable-units": latin | st.just("0"),
        "x-aimlapi-usd-spent": latin | st.sampled_from(["0.05", "1e999", "nan", "-1", "9" * 5000]),
        "content-type": latin
        | st.sampled_from(["application/json; charset=utf-7", "text/html", "image/jpeg", ";;="]),
        "content-encoding": latin
        | st.sampled_from(["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", ","]),
        "content-length": latin | st.sampled_from(["0", "5", "-1", "9" * 5000, "²", "1, 2"]),
        "location": latin | urls_in_latin | st.just("https://vxn--.fal.media/a.jpg"),
        "set-cookie": latin
        | st.sampled_from(["a=b", "=", "a=b; expires=x; max-age=" + "9" * 5000]),
    },
)


@dataclass(frozen=True)
class Answer:
    """One answer of a server: status, body, headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def reply(self) -> Reply:
        """As an adapter is handed it."""
        return Reply(self.status, self.headers, self.body)


answers = st.builds(Answer, statuses, bodies, headers)
failures = st.builds(Answer, refusals, bodies, headers)
