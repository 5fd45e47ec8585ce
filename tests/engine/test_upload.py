"""Large input images at fal itself: which host sees what."""

from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.errors import KontextError, RejectedKey, UnexpectedReply
from kontext_cli.http.call import Call, Part, Reply
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job, State
from kontext_cli.providers.base import Place
from kontext_cli.providers.fal import Fal
from runs import KEY, planned, run
from samples import image_file
from scripted import Answer, Scripted

INITIATE = "POST https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3"
PLACE = "https://v3.fal.media/signed/in.png"
STORED = "https://v3.fal.media/files/in.png"
JOB = "https://queue.fal.run/fal-ai/flux-pro/requests/r1"
RESULT = "https://v3.fal.media/out.jpeg"
LARGE = b"x" * 2_600_000


def edit(tmp_path: Path, **changes: Any) -> tuple[Job, Scripted]:
    image = InputImage(source="a.png", stem="a", content=LARGE, media_type="image/png")
    script = Scripted(
        {
            INITIATE: {"upload_url": f"{PLACE}?sig=1", "file_url": STORED},
            f"PUT {PLACE}?sig=1": b"",
            "POST https://queue.fal.run/fal-ai/flux-pro/kontext": {"request_id": "r1"},
            f"GET {JOB}/status?logs=1": {"status": "COMPLETED"},
            f"GET {JOB}": {"images": [{"url": RESULT}]},
            f"GET {RESULT}": image_file(),
            **changes,
        }
    )
    job = run(planned("fal", {"prompt": "x", "seed": 1}, tmp_path, images=[image]), script)
    return job, script


def test_the_key_goes_to_the_initiate_call_and_not_to_the_place(tmp_path: Path) -> None:
    job, script = edit(tmp_path)
    assert job.state is State.SAVED
    initiate, put, submit = script.requests[:3]
    assert initiate.headers["authorization"] == f"Key {KEY}"
    assert initiate.json == {"content_type": "image/png", "file_name": "input.png"}
    assert "authorization" not in put.headers
    assert put.headers["content-type"] == "image/png"
    assert put.body == LARGE
    assert submit.json["image_url"] == STORED
    assert script.unused() == []


def test_uploads_are_tried_again(tmp_path: Path) -> None:
    place = {"upload_url": f"{PLACE}?sig=1", "file_url": STORED}
    busy = Answer(b"<html>busy</html>", 503)
    changes = {INITIATE: [busy, place], f"PUT {PLACE}?sig=1": [busy, busy, b""]}
    job, _ = edit(tmp_path, **changes)
    assert job.state is State.SAVED


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({INITIATE: Answer({"detail": "no"}, 401)}, RejectedKey),
        ({INITIATE: {"upload_url": None}}, UnexpectedReply),
        ({INITIATE: {"upload_url": "http://10.0.0.1/x", "file_url": STORED}}, UnexpectedReply),
        ({INITIATE: {"upload_url": PLACE, "file_url": "ftp://x/y"}}, UnexpectedReply),
        ({f"PUT {PLACE}?sig=1": Answer(b"signature mismatch", 403)}, UnexpectedReply),
    ],
)
def test_an_upload_that_fails_submits_nothing(
    tmp_path: Path, changes: dict[str, Any], error: type[KontextError]
) -> None:
    job, script = edit(tmp_path, **changes)
    assert type(job.error) is error
    assert (job.state, job.error.billed) == (State.FAILED, "no")
    assert not [seen for seen in script.requests if "queue.fal.run" in seen.url]


class Files(Fal):
    """A provider that stores images itself, by a multipart form, and gives them names."""

    def upload(self, content: bytes, media_type: str) -> Call:
        image = Part("content", content, "input.png", media_type)
        url = f"{self.base_url}/files"
        return Call("upload", "POST", url, parts=(Part("type", b"input"), image))

    def stored(self, reply: Reply) -> Place:
        return Place(str(reply.object["name"]))


def test_an_image_goes_into_the_storage_of_the_provider_by_a_form(tmp_path: Path) -> None:
    image = InputImage(source="a.png", stem="a", content=LARGE, media_type="image/png")
    script = Scripted(
        {
            "POST https://queue.fal.run/files": [Answer(b"busy", 503), {"name": "in.png"}],
            "POST https://queue.fal.run/fal-ai/flux-pro/kontext": {"request_id": "r1"},
            f"GET {JOB}/status?logs=1": {"status": "COMPLETED"},
            f"GET {JOB}": {"images": [{"url": RESULT}]},
            f"GET {RESULT}": image_file(),
        }
    )
    plan = planned("fal", {"prompt": "x"}, tmp_path, images=[image], provider=Files())
    assert run(plan, script, provider=Files()).state is State.SAVED
    _, form, submit = script.requests[:3]
    assert form.headers["authorization"] == f"Key {KEY}"
    assert form.headers["content-length"] == str(len(form.body))
    head = f"Content-Type: {form.headers['content-type']}\r\n\r\n".encode()
    fields = message_from_bytes(head + form.body).get_payload()
    assert isinstance(fields, list)
    kind, content = fields
    assert isinstance(kind, Message)
    assert isinstance(content, Message)
    assert kind["Content-Disposition"] == 'form-data; name="type"'
    assert kind.get_payload(decode=True) == b"input"
    assert content["Content-Disposition"] == 'form-data; name="content"; filename="input.png"'
    assert (content.get_content_type(), content.get_payload(decode=True)) == ("image/png", LARGE)
    assert submit.json["image_url"] == "in.png"
