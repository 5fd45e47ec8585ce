"""Uploads a second to object storage, beside bare puts by the library that does them.

`python benchmarks/uploads.py` prints them.
"""

from collections.abc import Callable

from measures import Failed, in_turn, notes
from scripts import running
from table import Row, Section, number, ratio

_IMAGES = 300
_OURS, _BARE = "ours", "bare"


def measure(rounds: int) -> Section:
    """Images of 150 kB, by all threads of one process. Raises Failed."""
    with running("bucket.py") as server:
        endpoint = server.line()
        if "://" not in endpoint:
            raise Failed(f"there is no server of S3: {endpoint}")

        def contestant(kind: str) -> Callable[[int], float]:
            return lambda number: _uploads(endpoint, kind, number)

        series = in_turn(rounds, {kind: contestant(kind) for kind in (_OURS, _BARE)})
    ours, bare = (series[kind].median(lambda value: value) for kind in (_OURS, _BARE))
    return Section(
        [
            Row(
                "images uploaded to S3 a second, verified",
                number(ours, "/s"),
                f"{number(bare, '/s')} bare puts",
                ratio(ours, bare),
            )
        ],
        notes(series),
    )


def _uploads(endpoint: str, kind: str, number: int) -> float:
    """How many a second."""
    there = {"AWS_ENDPOINT_URL": endpoint}
    argv = (endpoint, f"{kind}-{number}", _IMAGES, kind)
    with running("uploading.py", *argv, environ=there) as script:
        seconds = script.line()
        if script.wait():
            raise Failed(f"the uploads failed: {kind}")
    return _IMAGES / float(seconds)


if __name__ == "__main__":
    for row in measure(3).rows:
        print(*row.cells(), sep="  ")
