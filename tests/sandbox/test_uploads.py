"""Uploads by fal's two protocols: what is told, who may, and names that are no names."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clients import Queue, client
from sandbox.running import Running


def test_what_an_upload_is_told(running: Running) -> None:
    with client(f"{running.url}/fal", "Key secret") as http:
        token = http.post("/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    with client(token["base_url"], f"{token['token_type']} {token['token']}") as http:
        headers = {"content-type": "image/png", "x-fal-file-name": "in.png"}
        reply = http.post("/files/upload", content=b"bytes", headers=headers)
    assert sorted(token) == ["base_url", "expires_at", "token", "token_type"]
    assert (token["token_type"], token["base_url"]) == ("Bearer", running.url)
    left = datetime.fromisoformat(token["expires_at"]) - datetime.now(UTC)
    assert timedelta() < left < timedelta(days=1)
    assert (reply.status_code, list(reply.json())) == (200, ["access_url"])
    assert reply.json()["access_url"].endswith("/in.png")


@pytest.mark.parametrize("authorization", ["", "Key secret", "Bearer secret"])
def test_an_upload_needs_a_token_that_was_given_out(running: Running, authorization: str) -> None:
    with client(running.url, authorization) as http:
        assert http.post("/files/upload", content=b"bytes").status_code == 401
        if not authorization.startswith("Key"):
            assert http.post("/fal/storage/auth/token", json={}).status_code == 401


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("in.png", "in.png"),
        ("a b?#.png", "a%20b%3F%23.png"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        (None, "file"),
        ("f\u00fcchsin.png", "f%C3%BCchsin.png"),
        ("\ud800.png", "%3F.png"),
    ],
)
def test_a_name_is_only_the_end_of_a_url(queue: Queue, name: str | None, shown: str) -> None:
    reply = queue.http.post(
        "/storage/upload/initiate", content=json.dumps({"file_name": name}).encode()
    )
    place = reply.json()
    assert place["file_url"].rpartition("/")[2] == shown
    with client("") as bare:
        assert bare.put(place["upload_url"], content=b"bytes").status_code == 200
        assert bare.get(place["file_url"]).content == b"bytes"
