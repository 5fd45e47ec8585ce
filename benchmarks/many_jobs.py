"""Batches by each client: wall time, CPU time, memory, and how these grow with the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from clients import OFFICIAL, OURS, Ground, Many, latency, present, prompt
from measures import Failed, Run, Series, in_turn
from table import Goal, Row, Section, ms, number, ratio

IN_FLIGHT = 50
ROWS = 300
SIZES = (100, 1_000, 10_000)
_MB = 1e6
_AT_MOST_ONCE = 1_000
"""From this number of rows on, a batch is run only once."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a batch of so many rows costs one client: seconds per job, bytes in all."""

    client: str
    rows: int
    wall: float
    cpu: float
    peak: float


def measure(ground: Ground, rounds: int) -> Section:
    """300 jobs at 50 in flight, each batch in a new folder."""

    def contestant(client: str) -> Callable[[int], Many]:
        def once(_: int) -> Many:
            with ground.folder() as folder:
                return _batch(ground, client, ROWS, folder)

        return once

    series = in_turn(rounds, {name: contestant(name) for name in present(OURS, OFFICIAL)})
    ours, peer = series[OURS], series.get(OFFICIAL, Series())
    wall, their_wall = (each.median(lambda many: many.run.wall) for each in (ours, peer))
    cpu, their_cpu = (each.median(lambda many: many.cpu_per_job) for each in (ours, peer))
    polls, their_polls = (each.median(_polls) for each in (ours, peer))
    late, their_late = (each.median(_to_download) for each in (ours, peer))
    ideal = sum(latency(row) for row in range(ROWS)) / IN_FLIGHT
    what = f"{ROWS} jobs at {IN_FLIGHT} in flight"
    rows = [
        Row(
            what,
            ms(wall),
            f"{ms(their_wall)} {OFFICIAL}",
            ratio(wall, their_wall),
            goal=Goal(0.9),
        ),
        Row(what, ms(wall), f"{ms(ideal)} ideal", ratio(wall, ideal), goal=Goal(stretch=1.3)),
        Row(
            "CPU time per job",
            ms(cpu),
            f"{ms(their_cpu)} {OFFICIAL}",
            ratio(cpu, their_cpu),
            goal=Goal(1.0),
        ),
        Row(
            "status requests per job",
            number(polls, ""),
            f"{number(their_polls, '')} {OFFICIAL}",
            ratio(polls, their_polls),
        ),
        Row(
            "image of one of them ready to start of download",
            ms(late),
            f"{ms(their_late)} {OFFICIAL}",
            ratio(late, their_late),
        ),
    ]
    return Section(rows, _notes(series))


def sizes(
    ground: Ground, rounds: int, wanted: Sequence[int], *, with_peer: bool
) -> tuple[Section, list[Size]]:
    """Batches of growing size, and the largest of them run again when all of it is done."""
    section = Section()
    measured: list[Size] = []
    again: Run | None = None
    for rows in wanted:
        for client in present(OURS, OFFICIAL) if with_peer else [OURS]:
            try:
                size, again_now = _size(ground, client, rows, rounds, last=rows == wanted[-1])
            except Failed as error:
                section.notes.append(f"{client}, {rows:,} rows: {error}")
            else:
                measured.append(size)
                again = again_now or again
    section.rows = _growth(measured, wanted, again)
    return section, measured


def _size(
    ground: Ground, client: str, rows: int, rounds: int, *, last: bool
) -> tuple[Size, Run | None]:
    again = None
    series: Series[Many] = Series()
    for _ in range(1 if rows > _AT_MOST_ONCE else rounds):
        with ground.folder() as folder:
            series.results.append(_batch(ground, client, rows, folder))
            if last and client == OURS:
                again = _batch(ground, client, rows, folder).run
    wall, cpu, peak = (
        series.median(measure) or 0.0
        for measure in (
            lambda many: many.wall_per_job,
            lambda many: many.cpu_per_job,
            lambda many: many.run.peak,
        )
    )
    return Size(client, rows, wall, cpu, peak), again


def _batch(ground: Ground, client: str, rows: int, folder: Path) -> Many:
    """A batch in a folder; of one that was run there before, only what is missing."""
    prompts, images = folder / "prompts.txt", folder / "images"
    images.mkdir(exist_ok=True)
    prompts.write_text("".join(f"{prompt(row)}\n" for row in range(rows)), encoding="utf-8")
    return ground.many(client, prompts, images, in_flight=IN_FLIGHT, state=folder / "state")


def _growth(measured: Sequence[Size], wanted: Sequence[int], again: Run | None) -> list[Row]:
    """How the largest batch compares with the second largest."""
    ours = {size.rows: size for size in measured if size.client == OURS}
    smaller, larger = wanted[-2:]
    small, large = ours.get(smaller), ours.get(larger)
    what = f"{larger:,} rows: "
    peak = large.peak / _MB if large else None
    base = small.peak / _MB if small else None
    wall = large.wall if large else None
    other = small.wall if small else None
    at = f"at {smaller:,} rows"
    return [
        Row(f"{what}peak memory", number(peak, "MB"), "", peak, "MB", Goal(150, unit="MB")),
        Row(
            f"{what}peak memory",
            number(peak, "MB"),
            f"{number(base, 'MB')} {at}",
            ratio(peak, base),
            goal=Goal(1.2),
        ),
        Row(
            f"{what}wall time per row",
            ms(wall),
            f"{ms(other)} {at}",
            ratio(wall, other),
            goal=Goal(1.2),
        ),
        Row(
            f"{what}re-run when all rows are finished",
            ms(again.wall if again else None),
            "",
            again.wall if again else None,
            "s",
            Goal(2, unit="s"),
        ),
    ]


def _polls(many: Many) -> float:
    return sum(record.polls for record in many.records) / many.rows


def _to_download(many: Many) -> float:
    return median(
        record.download_begun - record.ready
        for record in many.records
        if record.download_begun is not None
    )


def _notes(series: dict[str, Series[Many]]) -> list[str]:
    return [f"{name}: {each.failed}" for name, each in series.items() if each.failed]
