"""What was spent as tables, or separated by tabs for programs."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from kontext_cli.journal.spending import By, CostSource, Group, united, usd_of
from kontext_cli.terminal.cells import flat, wrapped
from kontext_cli.terminal.style import BOLD, DIM, NONE, Line, Piece
from kontext_cli.terminal.table import Cell, Column, Row, is_for_people, tabbed, table, window_width
from kontext_cli.words import dollars

Tables = Mapping[By, Mapping[str | None, Group]]

_HEADINGS: dict[By, str] = {"day": "local day"}
_MOST = 7
"""Rows of a table that is shown in brief."""


def spending_lines(tables: Tables, total: Group, *, is_brief: bool) -> Iterator[Line]:
    """What was spent, for standard output: one table below the other on a terminal, else a line for
    each source of a group's costs. Nothing where nothing was spent."""
    if not any(tables.values()):
        return
    if is_for_people():
        yield from _tables(tables, total, is_brief=is_brief)
    else:
        yield from _values({**tables, "total": {None: total}})


def _values(tables: Tables) -> Iterator[str]:
    """Group, key, jobs, US dollars, source, and the part that may not have been billed."""
    for by, groups in tables.items():
        for key, group in groups.items():
            for source, each in group.items():
                usd, in_doubt = (
                    "" if source == "unknown" else f"{round(amount, 6):.12g}"
                    for amount in (each.usd, each.in_doubt)
                )
                yield tabbed([by, key or "", str(each.jobs), usd, source, in_doubt])


def _tables(tables: Tables, total: Group, *, is_brief: bool) -> Iterator[Line]:
    """The tables with the same columns, and what these mean."""
    width = window_width()
    columns, cells = zip(*_columns(total), strict=True)
    first, *rows = _rows(tables, total, cells, is_brief=is_brief)
    key, *others = columns
    yield from table([key._replace(heading=first[0].text), *others], rows, width)
    for note in _notes(total, shortened=is_brief and any(map(_is_long, tables.values()))):
        for line in wrapped(note, width):
            yield [Piece(line, DIM)]


_Of = Callable[[Group], str]


def _columns(total: Group) -> Iterator[tuple[Column, _Of]]:
    """The columns that tell something, each with what stands there for a group."""
    yield Column("", least=12), lambda _group: ""
    yield Column("jobs", right=True), lambda group: f"{_jobs(group):,}"
    yield Column("cost", right=True), _cost
    if _usd(total, "provider") and _usd(total, "estimate"):
        yield Column("reported", rank=3, right=True), lambda group: _amount(_usd(group, "provider"))
        yield (
            Column("estimated", rank=4, right=True),
            lambda group: _amount(_usd(group, "estimate")),
        )
    if _in_doubt(total):
        yield Column("in doubt", rank=1, right=True), lambda group: _amount(_in_doubt(group))
    if "unknown" in total:
        yield Column("no price", rank=2, right=True), _unpriced


def _rows(tables: Tables, total: Group, cells: tuple[_Of, ...], *, is_brief: bool) -> Iterator[Row]:
    """The rows of all tables: each has its heading in a row of its own."""

    def row(key: str, group: Group, style: str = NONE) -> Row:
        return [Cell(flat(key), style), *(Cell(of(group), style) for of in cells[1:])]

    blank = [Cell("")] * len(cells)
    for by, groups in tables.items():
        if set(groups) == {None} and by == "batch" and is_brief:
            continue
        yield [Cell(_HEADINGS.get(by, by), DIM), *blank[1:]]
        shown = _MOST if is_brief and _is_long(groups) else len(groups)
        for key, group in islice(groups.items(), shown):
            yield row(key or ("no batch" if by == "batch" else "?"), group)
        if rest := [*groups.values()][shown:]:
            yield row(f"{len(rest)} more", united(rest), DIM)
        yield blank
    yield row("total", total, BOLD)


def _is_long(groups: Mapping[str | None, Group]) -> bool:
    return len(groups) > _MOST + 1


def _notes(total: Group, *, shortened: bool) -> Iterator[str]:
    """What the signs and columns mean, with the sums: there may be no room for a column."""
    if shortened:
        yield "all rows: `kontext cost --by day`, or by provider, model or batch"
    reported, estimated = _usd(total, "provider"), _usd(total, "estimate")
    if reported and estimated:
        yield f"{dollars(reported)} reported by providers, {dollars(estimated)} estimated (~)"
    elif estimated:
        yield "~ estimated from the prices of `kontext models`"
    if in_doubt := _in_doubt(total):
        yield f"in doubt: {dollars(in_doubt)} of the total may not have been billed"
    if "unknown" in total:
        count = total["unknown"].jobs
        yield f"? the price of {'1 job' if count == 1 else f'{count:,} jobs'} is not known"


def _cost(group: Group) -> str:
    """`$0.04`, `~$0.04` if any of it is an estimate, `$0.04 + ?` if not all jobs have a price."""
    usd, is_partial = usd_of(group), "unknown" in group
    if not usd:
        return "?" if is_partial else "free"
    sign = "~" if _usd(group, "estimate") else ""
    return f"{sign}{dollars(usd)}{' + ?' if is_partial else ''}"


def _jobs(group: Group) -> int:
    return sum(each.jobs for each in group.values())


def _usd(group: Group, source: CostSource) -> float:
    return round(group[source].usd, 6) if source in group else 0.0


def _in_doubt(group: Group) -> float:
    return round(sum(each.in_doubt for each in group.values()), 6)


def _unpriced(group: Group) -> str:
    return f"{group['unknown'].jobs:,}" if "unknown" in group else ""


def _amount(usd: float) -> str:
    return dollars(usd) if usd else ""
