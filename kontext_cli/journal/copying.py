"""Copies a journal into another: from a file into a database, back, or from several into one."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from kontext_cli.errors import JournalFault, StillRunning
from kontext_cli.job import State
from kontext_cli.journal.codec import Row, answer_by
from kontext_cli.journal.store import Store
from kontext_cli.words import listed

_AT_ONCE = 1_000
"""Rows of a transaction, and in memory."""
_MOST_NAMED = 5
_COURSE = (State.QUEUED, State.RUNNING, State.READY, State.SAVED)
"""How a job goes on after its submit, where nothing goes wrong."""
_MOST_ATTEMPT = 2**31 - 1


class Difference(NamedTuple):
    """A job that is not in the target as it is in the source: its id, and its state in both.

    Without a state in the target it was left out, because its record is damaged.
    """

    id: str
    source: str
    target: str | None


class Copied(NamedTuple):
    """What a copy came to.

    ``jobs`` are those of the source, of which ``added`` were not in the target before and
    ``updated`` were at an earlier state there. ``apart`` are the ids of jobs whose row of a batch
    belongs to another job in the target: they are kept without it. ``sha256`` is the digest of all
    jobs that are alike in both.
    """

    jobs: int
    added: int
    updated: int
    apart: Sequence[str]
    differing: Sequence[Difference]
    sha256: str


class _Merged(NamedTuple):
    """What became of some rows."""

    added: int
    updated: int
    apart: Sequence[str]
    differing: Sequence[Difference]


Counted = Callable[[int, int, str], None]
"""Receives how many things are done, of how many, and what they are."""


def copy_journal(source: Store, target: Store, counted: Counted) -> Copied:
    """Copy all jobs of one journal, and what its batches spent, into another, and compare both.

    A copy that was interrupted goes on: jobs that are there are compared. One that differs is left
    as it is in the target, unless it certainly is an earlier state of the same job there: no
    request id is lost, and no job that may have been sent becomes one that was not.

    Raises StillRunning while other processes work on the source, and JournalFault.
    """
    _check_is_at_rest(source)
    with source.reading():
        total, budgets = source.table.count(), source.table.budgets()
    added = updated = done = 0
    apart: list[str] = []
    differing: list[Difference] = []
    for rows in _chunks(source):
        merged = target.write(partial(_merge, rows, target))
        added, updated = added + merged.added, updated + merged.updated
        apart += merged.apart
        differing += merged.differing
        done += len(rows)
        counted(done, total, "jobs copied")
    target.write(lambda: target.table.raise_budgets(budgets))
    unlike = {*apart, *(each.id for each in differing)}
    digest = _compared(source, target, unlike, lambda count: counted(count, total, "jobs compared"))
    return Copied(done, added, updated, apart, differing, digest)


def _check_is_at_rest(source: Store) -> None:
    with source.reading():
        living = {each for each in source.table.owners() if source.owners.is_alive(each)}
        rows = [row for row in source.table.open() if row.owner in living] if living else []
    if living:
        ids = [f"`{row.id}`" for row in rows]
        more = len(ids) - _MOST_NAMED
        names = listed(ids[:_MOST_NAMED] + ([f"{more:,} more"] if more > 0 else []))
        jobs = f": {names}" if names else ""
        raise StillRunning(
            f"another kontext is still at jobs of the journal that is to be copied{jobs}",
            hint="wait until it has ended, or stop it with Ctrl-C; nothing was copied",
        )


def _chunks(store: Store) -> Iterator[list[Row]]:
    """All rows in the order of their ids. Raises JournalFault."""
    last = ""
    while True:
        with store.reading(once=True):
            rows = store.table.after(last, _AT_ONCE)
        if not rows:
            return
        if rows[-1].id <= last:
            raise JournalFault(f"the journal is damaged: its job `{rows[-1].id}` is out of order")
        yield rows
        last = rows[-1].id


def _merge(rows: Sequence[Row], target: Store) -> _Merged:
    """Write rows that the target does not have, or that are further on, in a transaction of it."""
    there = target.table.of_ids([row.id for row in rows])
    new = [row for row in rows if row.id not in there and _is_sound(row)]
    apart = _add(new, target)
    updated = 0
    differing = []
    for row in rows:
        found = there.get(row.id)
        if found == row or (found is None and _is_sound(row)):
            continue
        if found is None:
            differing.append(Difference(row.id, row.state, None))
        elif found == row._replace(row=None):
            apart.append(row.id)
        elif _may_replace(found, row, target):
            target.table.put(row)
            updated += 1
            apart += [row.id] if found.row != row.row else []
        else:
            differing.append(Difference(row.id, row.state, found.state))
    return _Merged(len(new), updated, apart, differing)


def _add(rows: Sequence[Row], target: Store) -> list[str]:
    """Insert rows; the ids of those that are kept without their row of a batch, which is taken."""
    if target.table.add(rows) == len(rows):
        return []
    there = target.table.of_ids([row.id for row in rows])
    taken = [row for row in rows if row.id not in there]
    for row in taken:
        target.table.put(row)
    return [row.id for row in taken]


def _may_replace(there: Row, row: Row, target: Store) -> bool:
    is_owned = there.owner is not None and target.owners.is_alive(there.owner) is not False
    return not is_owned and _is_sound(row) and _is_earlier(there, row)


def _is_sound(row: Row) -> bool:
    """Whether each database can hold a row: ours are ASCII, and damage may have made anything."""
    texts = [value for value in row if isinstance(value, str)]
    return row.attempt <= _MOST_ATTEMPT and all(
        text.isascii() and "\0" not in text for text in texts
    )


def _is_earlier(there: Row, row: Row) -> bool:
    """Whether ``there`` certainly is an earlier state of the same job, so that nothing is lost with
    it: it was not sent yet, its submit was under way, or it went on since."""
    if there.created_at != row.created_at:
        return False
    if there.request_id is None and there.state == State.PLANNED:
        return True
    if row.request_id is None or row.state not in _COURSE:
        return False
    if there.request_id is None:  # that submit, or one before it
        return answer_by(there) <= answer_by(row)
    is_same = there.request_id == row.request_id and there.state in _COURSE
    return is_same and _COURSE.index(State(there.state)) < _COURSE.index(State(row.state))


def _compared(
    source: Store, target: Store, unlike: Collection[str], counted: Callable[[int], None]
) -> str:
    """The digest of all rows, but for those ``unlike`` in both. Raises JournalFault if the target
    does not have them."""
    ours, theirs = sha256(), sha256()
    count = 0
    for rows in _chunks(source):
        with target.reading(once=True):
            there = target.table.of_ids([row.id for row in rows])
        for row in rows:
            if row.id not in unlike:
                ours.update(_canonical(row))
                theirs.update(_canonical(there.get(row.id)))
        count += len(rows)
        counted(count)
    if ours.digest() != theirs.digest():
        raise JournalFault(
            "the copy is not what the journal is: one of them was changed meanwhile",
            hint="run it again: it compares what is there",
        )
    return ours.hexdigest()


def _canonical(row: Row | None) -> bytes:
    return f"{json.dumps(row)}\n".encode()
