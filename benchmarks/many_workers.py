"""Rows a second through the journal, by workers that share it: SQLite, and PostgreSQL beside it.

`python benchmarks/many_workers.py WORKERS ROWS IN_FLIGHT` prints one measurement of each.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory, mkdtemp

from measures import Failed, in_turn, notes
from scripts import running
from table import Row, Section, number, ratio

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
_WORKERS = (1, 8, 32)
_ROWS = 3_200
"""Of all workers together."""
_IN_FLIGHT = 40

Journals = Mapping[str, Callable[[], str]]
"""Makes an empty journal of each kind; its location."""


def measure(rounds: int) -> Section:
    """Some numbers of workers, at each kind of journal in turn."""
    section = Section()
    with journals(section.notes.append) as kinds:
        for workers in _WORKERS:
            _add(section, workers, kinds, rounds)
    return section


def _add(section: Section, workers: int, kinds: Journals, rounds: int) -> None:
    def contestant(new: Callable[[], str]) -> Callable[[int], float]:
        return lambda _: rows_a_second(new(), workers, _ROWS // workers, _IN_FLIGHT)

    series = in_turn(rounds, {kind: contestant(new) for kind, new in kinds.items()})
    found = {kind: each.median(lambda value: value) for kind, each in series.items()}
    what = f"rows through the journal by {workers} worker{'s' * (workers > 1)}"
    base = found[SQLITE]
    section.rows.append(Row(what, number(base, "/s"), "", base, "/s"))
    if POSTGRESQL in found:
        value = found[POSTGRESQL]
        peer = f"{number(base, '/s')} {SQLITE}"
        section.rows.append(
            Row(f"{what}, {POSTGRESQL}", number(value, "/s"), peer, ratio(value, base))
        )
    section.notes += notes(series)


@contextmanager
def journals(note: Callable[[str], None]) -> Iterator[Journals]:
    """The kinds of journals that can be had here; ``note`` is called with what is missing."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="kontext-bench-"))
        kinds: dict[str, Callable[[], str]] = {SQLITE: lambda: mkdtemp(dir=folder)}
        try:
            kinds[POSTGRESQL] = stack.enter_context(_database())
        except Failed as why:
            note(f"the journal in {POSTGRESQL}: {why}")
        yield kinds


@contextmanager
def _database() -> Iterator[Callable[[], str]]:
    """Makes an empty database on a server that runs meanwhile; its URL. Raises Failed."""
    with running("database.py") as server:
        if (said := server.line()) != "ready":
            raise Failed(said)

        def new() -> str:
            server.poke()
            return server.line()

        yield new


def rows_a_second(journal: str, workers: int, rows: int, in_flight: int) -> float:
    """So many rows by each of the workers, which begin together. Raises Failed."""
    with ExitStack() as stack:
        writing = [
            stack.enter_context(running("journal_rows.py", journal, worker * rows, rows, in_flight))
            for worker in range(workers)
        ]
        if any(worker.line() != "ready" for worker in writing):
            raise Failed("a worker could not open the journal")
        began = time.monotonic()
        for worker in writing:
            worker.poke()
        codes = [worker.wait() for worker in writing]
        seconds = time.monotonic() - began
    if any(codes):
        raise Failed("a worker failed")
    return workers * rows / seconds


def main(workers: int, rows: int, in_flight: int) -> None:
    """Print the figures."""
    with journals(print) as kinds:
        for kind, new in kinds.items():
            figure = rows_a_second(new(), workers, rows // workers, in_flight)
            print(f"{kind}: {figure:.0f} rows/s by {workers} workers")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
