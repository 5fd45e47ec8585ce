"""Replicate as the sandbox emulates it, beyond what its own clients ask for (`tests/engines`)."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kontext_cli.sizes import RATIO_SIZES
from samples import image_file
from sandbox.clients import Clock, client, opened
from sandbox.running import Running, StartSandbox

SUBMIT = "/v1/models/black-forest-labs/flux-kontext-pro/predictions"
NOT_FOUND = {
    "title": "Not found",
    "detail": "The requested resource could not be found.",
    "status": 404,
}


@pytest.fixture
def api(running: Running) -> Iterator[httpx2.Client]:
    """A client of a sandbox whose jobs are done at once."""
    with client(f"{running.url}/replicate", "Bearer secret") as http:
        yield http


def body(prompt: str = "a fox", **fields: Any) -> dict[str, Any]:
    return {"input": {"prompt": prompt, "output_format": "jpg", **fields}}


def form(*parts: bytes, boundary: str = "b") -> dict[str, Any]:
    """A form of several parts as a request."""
    mark = f"--{boundary}".encode()
    content = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    kind = f'multipart/form-data; boundary="{boundary}"'
    return {"content": content, "headers": {"content-type": kind}}


def file_part(content: bytes, name: bytes = b"content", filename: bytes = b"a.png") -> bytes:
    head = b'Content-Disposition: form-data; name="%s"; filename="%s"' % (name, filename)
    return head + b"\r\nContent-Type: image/png\r\n\r\n" + content


def test_a_reply_that_waits_has_the_output_while_it_is_processing(api: httpx2.Client) -> None:
    reply = api.post(SUBMIT, json=body(), headers={"prefer": "wait=5"})
    made = reply.json()
    assert (reply.status_code, made["status"]) == (201, "processing")
    assert api.get(f"/v1/predictions/{made['id']}").json() == {**made, "status": "succeeded"}


def test_a_reply_that_waits_for_too_short_is_without_the_output(sandbox: StartSandbox) -> None:
    running = sandbox(latency=60.0, clock=Clock())
    with client(f"{running.url}/replicate", "Bearer secret") as http:
        made = http.post(SUBMIT, json=body(), headers={"prefer": "wait=0"}).json()
    assert (made["status"], made["output"]) == ("starting", None)


@pytest.mark.parametrize("preferred", [{}, {"prefer": "respond-async"}, {"prefer": "wait=x"}])
def test_a_reply_that_does_not_wait_is_of_a_job_that_starts(
    api: httpx2.Client, preferred: dict[str, str]
) -> None:
    made = api.post(SUBMIT, json=body(), headers=preferred).json()
    assert (made["status"], made["output"], made["started_at"]) == ("starting", None, None)
    own = f"{api.base_url}v1/predictions/{made['id']}"
    assert made["urls"] == {
        "get": own,
        "cancel": f"{own}/cancel",
        "web": f"https://replicate.com/p/{made['id']}",
    }


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({}, "- input is required\n"),
        ({"input": []}, "- input is required\n"),
        ({"input": {}}, "- input: prompt is required\n"),
        (body(aspect_ratio="7:1"), "- input.aspect_ratio: aspect_ratio must be one of"),
        (body(safety_tolerance="2"), "- input.safety_tolerance: Input should be a valid integer"),
    ],
)
def test_what_is_not_valid(api: httpx2.Client, sent: Any, detail: str) -> None:
    reply = api.post(SUBMIT, json=sent)
    assert (reply.status_code, reply.json()["title"]) == (422, "Input validation failed")
    assert reply.json()["detail"].startswith(detail)


def test_a_refusal_says_in_its_body_how_long_to_wait(api: httpx2.Client) -> None:
    reply = api.post(SUBMIT, json=body("x [fault:429]"))
    assert (reply.headers["retry-after"], reply.json()["retry_after"]) == ("1", 1)


@pytest.mark.parametrize(
    "path", ["/v1/models/a/b/predictions", "/v1/predictions", "/v1/predictions/x/cancel", "/x"]
)
def test_other_places(api: httpx2.Client, path: str) -> None:
    assert api.post(path, json=body()).json() == NOT_FOUND


def test_a_job_of_another_provider_is_not_found(api: httpx2.Client, running: Running) -> None:
    with client(f"{running.url}/fal", "Key secret") as http:
        made = http.post("/fal-ai/flux-pro/kontext/text-to-image", json={"prompt": "x"}).json()
    assert api.get(f"/v1/predictions/{made['request_id']}").status_code == 404


@pytest.mark.parametrize(("scheme", "code"), [("Token", 201), ("Key", 401), ("Basic", 401)])
def test_schemes_of_the_token(running: Running, scheme: str, code: int) -> None:
    with client(f"{running.url}/replicate", f"{scheme} secret") as http:
        assert http.post(SUBMIT, json=body()).status_code == code


def test_a_file_is_read_byte_by_byte(api: httpx2.Client) -> None:
    image = image_file("png", (420, 180))
    data = image + b"\r\n--c\r\n\r\n\0\xff--b"
    reply = api.post("/v1/files", **form(file_part(data), boundary="bb"))
    assert (reply.status_code, reply.json()["size"]) == (201, len(data))
    assert reply.json()["name"] == "a.png"


@pytest.mark.parametrize(
    "sent",
    [
        {"content": b"x"},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}},
        form(),
        form(b"no head"),
        form(file_part(b"x", name=b"other")),
        form(file_part(b"x", filename=b"")),
        form(file_part(b"x"), b'Content-Disposition: form-data; name="metadata"\r\n\r\n{'),
    ],
)
def test_forms_that_are_none(api: httpx2.Client, sent: dict[str, Any]) -> None:
    assert api.post("/v1/files", **sent).status_code == 422


def test_an_upload_decides_on_the_shape(api: httpx2.Client) -> None:
    file = api.post("/v1/files", **form(file_part(image_file("png", (420, 180))))).json()
    assert api.get(f"/v1/files/{file['id']}").json() == file
    made = api.post(SUBMIT, json=body(input_image=file["urls"]["get"])).json()
    done = api.get(f"/v1/predictions/{made['id']}").json()
    with client("") as http:
        assert opened(http.get(done["output"]).content).size == RATIO_SIZES["21:9"]
