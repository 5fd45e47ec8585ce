"""Buckets for tests: moto answers as S3 does, over HTTP."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from world import World

BUCKET = "s3://pictures"
"""The bucket of the fixture."""


@contextmanager
def s3_server() -> Iterator[str]:
    """The URL of a server of S3; where there is none, the test is skipped."""
    servers: Any = pytest.importorskip("moto.server")
    server = servers.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs each request
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_client(endpoint: str) -> Any:
    """The client of Amazon's, which takes any name of an object."""
    boto3: Any = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


class Bucket:
    """A bucket as anybody sees it."""

    def __init__(self, endpoint: str, name: str) -> None:
        self._calls: Any = pytest.importorskip("obstore")
        from_url: Any = pytest.importorskip("obstore.store").from_url
        self._store = from_url(
            f"s3://{name}",
            endpoint=endpoint,
            access_key_id="test",
            secret_access_key="test",
            client_options={"allow_http": True},
        )

    @classmethod
    def new(cls, endpoint: str, name: str) -> "Bucket":
        """An empty bucket."""
        s3_client(endpoint).create_bucket(Bucket=name)
        found = cls(endpoint, name)
        for key in found.keys:
            found.remove(key)
        return found

    @property
    def keys(self) -> list[str]:
        """The names of all objects."""
        return sorted(each["path"] for some in self._calls.list(self._store) for each in some)

    def read(self, key: str) -> bytes:
        return bytes(self._calls.get(self._store, key).bytes())

    def write(self, key: str, content: bytes) -> None:
        self._calls.put(self._store, key, content)

    def type_of(self, key: str) -> str:
        return str(self._calls.get(self._store, key).attributes["Content-Type"])

    def remove(self, key: str) -> None:
        self._calls.delete(self._store, key)


def bucket_of(world: World, endpoint: str) -> Bucket:
    """A new bucket, which the runs of a world reach by `AWS_ENDPOINT_URL` alone."""
    found = Bucket.new(endpoint, BUCKET.removeprefix("s3://"))
    world.unset("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    world.unset("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    world.set(AWS_ENDPOINT_URL=endpoint)
    return found
