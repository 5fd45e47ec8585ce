"""Batches by each client: wall time, CPU time, memory, and how these grow with the rows."""

from collections.abc import Callable, Mapping
from statistics import median

from clients import OFFICIAL, OURS, Ground, Many, latency, present, prompt
from measures import Series, in_turn, notes
from single_job import over_https
from table import Goal, Row, Section, against, count, ms, number, ratio

IN_FLIGHT = 50
ROWS = 300
_MB = 1e6


def measure(ground: Ground, rounds: int) -> Section:
    """300 jobs at 50 in flight, each batch in a new folder."""
    series = _in_turn(ground, rounds)
    wall = _medians(series, lambda many: many.run.wall)
    cpu = _medians(series, lambda many: many.cpu_per_job)
    ideal = sum(latency(row) for row in range(ROWS)) / IN_FLIGHT
    what = f"{ROWS} jobs at {IN_FLIGHT} in flight"
    section = Section(notes=notes(series))
    section.rows = [
        against(what, wall, goal=Goal(0.7, stretch=0.6)),
        Row(
            what,
            ms(wall[OURS]),
            f"{ms(ideal)} ideal",
            ratio(wall[OURS], ideal),
            goal=Goal(1.6, stretch=1.4),
        ),
        against("CPU time per job", cpu, goal=Goal(0.55, stretch=0.4)),
        against("status requests per job", _medians(series, _polls), show=count),
        against("image of one of them ready to start of download", _medians(series, _to_download)),
    ]
    section.keep("batch wall time", wall)
    section.keep("batch CPU time", cpu)
    return section


def secure(ground: Ground, rounds: int) -> Section:
    """The same over https."""
    with over_https(ground) as there:
        series = _in_turn(there, rounds)
    rows = [
        against(f"{ROWS} jobs over https", _medians(series, lambda many: many.run.wall)),
        against("CPU time per job over https", _medians(series, lambda many: many.cpu_per_job)),
    ]
    return Section(rows, [f"over https: {note}" for note in notes(series)])


def sizes(ground: Ground, rounds: int, smaller: int, larger: int) -> Section:
    """How a large batch, which is run once, compares with a smaller one. Raises Failed."""
    small = Series([_batch(ground, OURS, smaller) for _ in range(rounds)])
    large = Series([_batch(ground, OURS, larger)])
    what, at = f"{larger:,} rows: ", f"at {smaller:,} rows"
    peak, base = (each.median(lambda many: many.run.peak / _MB) for each in (large, small))
    wall, other = (each.median(lambda many: many.wall_per_job) for each in (large, small))
    memory = number(peak, "MB")
    return Section(
        [
            Row(f"{what}peak memory", memory, "", peak, "MB", Goal(65, stretch=50, unit="MB")),
            Row(
                f"{what}peak memory",
                memory,
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
        ]
    )


def _in_turn(ground: Ground, rounds: int) -> dict[str, Series[Many]]:
    def contestant(client: str) -> Callable[[int], Many]:
        return lambda _: _batch(ground, client, ROWS)

    return in_turn(rounds, {name: contestant(name) for name in present(OURS, OFFICIAL)})


def _batch(ground: Ground, client: str, rows: int) -> Many:
    """A batch in a new folder. Raises Failed."""
    with ground.folder() as folder:
        prompts, images = folder / "prompts.txt", folder / "images"
        images.mkdir()
        prompts.write_text("".join(f"{prompt(row)}\n" for row in range(rows)), encoding="utf-8")
        return ground.many(client, prompts, images, in_flight=IN_FLIGHT, state=folder / "state")


def _medians(
    series: Mapping[str, Series[Many]], of: Callable[[Many], float | None]
) -> dict[str, float | None]:
    absent: dict[str, float | None] = dict.fromkeys((OURS, OFFICIAL))
    return absent | {name: each.median(of) for name, each in series.items()}


def _polls(many: Many) -> float:
    return sum(record.polls for record in many.records) / many.rows


def _to_download(many: Many) -> float:
    return median(
        record.download_begun - record.ready
        for record in many.records
        if record.download_begun is not None
    )
