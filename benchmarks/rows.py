"""Many rows without a provider: planned, and run again when all of them are saved.

`python benchmarks/rows.py ROWS` prints both; nothing is sent.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from clients import PROGRAM
from measures import Run, run

_WORDS = "red fox hen owl ship tower garden storm winter ink river glass lamp moss under in over"
_NO_PROVIDER = "http://127.0.0.1:9"
_MB = 1e6


def plan(rows: int) -> tuple[float, float]:
    """The seconds and the most megabytes of a dry run with `--json`. Raises Failed."""
    with _batch(rows) as folder:
        return _figures(_kontext(rows, folder, "--dry-run", "--json"))


def again(rows: int) -> tuple[float, float]:
    """The seconds and the most megabytes of a run of rows that are all saved. Raises Failed."""
    with _batch(rows) as folder:
        saving = [sys.executable, str(Path(__file__).with_name("saved_rows.py"))]
        run(saving, environ=environ_of(folder), folder=folder, timeout=_timeout(rows))
        return _figures(_kontext(rows, folder))


@contextmanager
def _batch(rows: int) -> Iterator[Path]:
    """A folder with a prompts file."""
    with TemporaryDirectory(prefix="kontext-rows-") as name:
        folder, random, words = Path(name), Random(rows), _WORDS.split()
        with (folder / "prompts.txt").open("w", encoding="utf-8") as file:
            for _ in range(rows):
                file.write(" ".join(random.choices(words, k=random.randint(8, 20))) + "\n")
        yield folder


def _kontext(rows: int, folder: Path, *flags: str) -> Run:
    argv = [*PROGRAM, "generate", "-p", "fal", "-f", "prompts.txt", "-d", "images", *flags]
    return run(argv, environ=environ_of(folder), folder=folder, timeout=_timeout(rows))


def _figures(ran: Run) -> tuple[float, float]:
    return ran.wall, ran.peak / _MB


def _timeout(rows: int) -> float:
    return 60 + 0.01 * rows


def environ_of(folder: Path) -> dict[str, str]:
    """The environment of the program: a home of its own, and a provider that is not there."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FAL_KEY": "benchmark",
        "KONTEXT_FAL_BASE_URL": _NO_PROVIDER,
        "KONTEXT_STATE_DIR": str(folder / "state"),
        "KONTEXT_CONFIG_DIR": str(folder / "config"),
    }


def main(rows: int) -> None:
    """Print the figures."""
    for name, measure in (("planned", plan), ("run again", again)):
        seconds, megabytes = measure(rows)
        print(f"{rows:,} rows {name}: {seconds:.1f} s, {megabytes:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]))
