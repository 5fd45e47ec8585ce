"""`kontext check` of many images, beside a bare hash of their bytes.

`python benchmarks/checking.py IMAGES` prints it; nothing is sent.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from clients import PROGRAM
from measures import Run, run
from rows import environ_of
from table import Goal, Row, Section, number

_SIZE = 100_000
_FIRST = Goal(2)
_AGAIN = Goal(2, unit="s")
_HASH = """
import hashlib, pathlib
for path in pathlib.Path("images").iterdir():
    hashlib.sha256(path.read_bytes()).hexdigest()
"""


def measure(images: int = 10_000) -> Section:
    """Images of 100 kB, which are the images of the rows of one prompts file. Raises Failed."""
    with _batch(images) as folder:
        bare = _run(folder, sys.executable, "-c", _HASH)
        first = _run(folder, *PROGRAM, "check", "cards.jsonl")
        again = _run(folder, *PROGRAM, "check", "cards.jsonl")
    what = f"`check` of {images:,} images of 100 kB"
    seconds, peer = number(first.wall, "s"), f"{number(bare.wall, 's')} bare hash"
    ratio = first.wall / bare.wall
    return Section(
        [
            Row(f"{what}, for the first time", seconds, peer, ratio, "×", _FIRST),
            Row(f"{what}, again", number(again.wall, "s"), "", again.wall, "s", _AGAIN),
        ]
    )


@contextmanager
def _batch(images: int) -> Iterator[Path]:
    """A folder with a prompts file, its lock, and the images of all rows."""
    with TemporaryDirectory(prefix="kontext-check-") as name:
        folder = Path(name)
        script = str(Path(__file__).with_name("locked_rows.py"))
        _run(folder, sys.executable, script, str(images), str(_SIZE))
        yield folder


def _run(folder: Path, *argv: str) -> Run:
    return run(list(argv), environ=environ_of(folder), folder=folder, timeout=600)


def main(images: int) -> None:
    """Print the figures."""
    for row in measure(images).rows:
        print(*row.cells(), sep="  ")


if __name__ == "__main__":
    main(int(sys.argv[1]))
