"""Tests against heavy peers and servers: `make engines` runs them, in an environment of its own.

What they need beyond the other tests is the dependency group `engines`. A test whose peer cannot be
had on a machine is skipped, with its name: `pytest.importorskip`, or a `skipif` with a reason.
"""

from collections.abc import Iterator

import pytest

from engines.buckets import Bucket, bucket_of, s3_server
from world import World


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The URL of a server of S3; one for all tests, as runs in one process keep their clients."""
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, world: World) -> Bucket:
    """A new bucket, which the runs of the world reach."""
    return bucket_of(world, endpoint)
