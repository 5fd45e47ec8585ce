"""`kontext check`: does what is on disk agree with a prompts file and its lock?"""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from kontext_cli.batch.agreement import Agreement
from kontext_cli.batch.amending import accept, prune
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.remembered import image_sizes, no_stdin, order_of, source_of, ways_of
from kontext_cli.errors import InputFault, KontextError, LockFault, UsageError
from kontext_cli.files.hashes import Hashes
from kontext_cli.lock import (
    Lock,
    check_belongs,
    lock_path,
    read_lock,
    shard_locks,
    shard_of,
    unite,
)
from kontext_cli.lock.places import EACH_NAME, SUFFIX
from kontext_cli.settings.paths import cache_dir, from_home
from kontext_cli.settings.settings import Settings, known_provider
from kontext_cli.terminal.annotations import Annotations, annotate
from kontext_cli.terminal.check import (
    Report,
    accepted_line,
    accepted_record,
    annotation_of,
    counts_of,
    difference_lines,
    difference_record,
    message_lines,
    pruned_lines,
    pruned_record,
    report_record,
    united_lines,
    united_record,
)
from kontext_cli.terminal.output import on_actions
from kontext_cli.terminal.records import error_record
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.style import Line
from kontext_cli.terminal.text import error_lines
from kontext_cli.words import listed

EXIT_CODE = 12
"""For differences."""


class Wanted(NamedTuple):
    """What is to be done before the comparison: rows to ``accept``, left-overs to ``prune``, or
    only to ``merge`` the locks of shards."""

    accept: Sequence[str] = ()
    prune: bool = False
    merge: bool = False


class _Opened(NamedTuple):
    """A lock, with the paths from the working directory of itself and of its prompts file, None for
    `edit --each`."""

    lock: Lock
    path: str
    prompts: str | None


class _Outcome(NamedTuple):
    """What there is to say about one file: what was done, the differences left, and errors."""

    report: Report | None = None
    done: Sequence[Mapping[str, Any]] = ()
    text: Sequence[str] = ()
    messages: Sequence[str] = ()
    errors: Sequence[KontextError] = ()

    @property
    def exit_code(self) -> int:
        if self.errors:
            return self.errors[0].exit_code
        return EXIT_CODE if self.report and self.report.differences else 0


def run_check(files: Sequence[str], wanted: Wanted) -> Result:
    """Compare prompts files, or their locks, with what is on disk.

    Raises KontextError for what is wrong with the only file; with several, it stops no other.
    """
    if wanted.accept and len(files) > 1:
        raise UsageError("--accept is for the rows of one file")
    if wanted.merge and (wanted.accept or wanted.prune):
        raise UsageError("--merge cannot be used with --accept and --prune: run it before")
    settings = Settings.load(os.environ)
    outcomes = []
    for file in dict.fromkeys(map(from_home, files)):
        try:
            outcomes.append(_outcome(file, wanted, settings))
        except KontextError as error:
            if len(files) == 1:
                raise
            outcomes.append(_Outcome(errors=[error]))
    notices = _annotate(outcomes) if on_actions() else []
    codes = [each.exit_code for each in outcomes]
    return Result(
        next((code for code in codes if code not in (0, EXIT_CODE)), max(codes)),
        text=chain.from_iterable(map(_text, outcomes)),
        records=chain.from_iterable(map(_records, outcomes)),
        messages=[*chain.from_iterable(map(_messages, outcomes)), *notices],
        errors=[line for each in outcomes for error in each.errors for line in error_lines(error)],
    )


def _text(outcome: _Outcome) -> Iterator[Line]:
    yield from outcome.text
    if outcome.report:
        yield from difference_lines(outcome.report)


def _messages(outcome: _Outcome) -> Iterator[str]:
    yield from outcome.messages
    if outcome.report and (outcome.report.differences or not outcome.errors):
        yield from message_lines(outcome.report)


def _records(outcome: _Outcome) -> Iterator[Mapping[str, Any]]:
    yield from outcome.done
    if outcome.report:
        for each in outcome.report.differences:
            yield difference_record(outcome.report, each)
        yield report_record(outcome.report, outcome.exit_code)
    yield from map(error_record, outcome.errors)


def _annotate(outcomes: Sequence[_Outcome]) -> list[str]:
    """Annotate the differences, and write the job summary; notices of what could not be written."""
    notices = []
    for outcome in outcomes:
        for error in outcome.errors:
            annotate(error.details)
        if outcome.report is None:
            continue
        annotations = Annotations()
        for each in outcome.report.differences:
            annotations.add(annotation_of(outcome.report, each))
        title = f"kontext check {outcome.report.name}"
        unwritten = annotations.close(title, counts_of(outcome.report), stop=None)
        notices += [f"notice: {unwritten}"] if unwritten else []
    return notices


def _outcome(file: str, wanted: Wanted, settings: Settings) -> _Outcome:
    _check_no_folder(file)
    if wanted.merge:
        return _merged(file, settings)
    return _compared(_opened(file), wanted, settings)


def _opened(file: str) -> _Opened:
    """The lock of a prompts file, or the lock itself. Raises KontextError."""
    if file == "-":
        raise UsageError("`kontext check` needs a prompts file, or its lock")
    if Path(file).suffix == SUFFIX and os.path.lexists(file):
        lock = read_lock(Path(file))
        return _Opened(lock, file, _prompts_of(lock, file))
    path = str(lock_path(Path(file)))
    if not os.path.lexists(path):
        raise _no_lock(file)
    lock = read_lock(Path(path))
    check_belongs(lock, Path(file).name)
    return _Opened(lock, path, file)


def _check_no_folder(file: str) -> None:
    if Path(file).is_dir():
        raise UsageError(
            f"`{file or '.'}` is a folder",
            hint=f"name its lock: kontext check {quote(str(Path(file) / EACH_NAME))}",
        )


def _no_lock(file: str) -> KontextError:
    path = Path(file)
    if shard_locks(lock_path(path)):
        return UsageError(
            f"`{file}` has only locks of shards",
            hint=f"unite them: kontext check --merge {quote(file)}",
        )
    if not os.path.lexists(path):
        return InputFault(f"cannot read `{file}`: there is no such file")
    return UsageError(
        f"`{file}` has no lock", hint=f"write one: kontext generate -f {quote(file)} --lock"
    )


def _prompts_of(lock: Lock, file: str) -> str | None:
    """The prompts file of a lock that was named. Raises KontextError where it has none."""
    name = lock.header.prompts_file
    if name is None:
        return None
    prompts = os.path.join(os.path.dirname(file), name)  # noqa: PTH118, PTH120
    whole = lock_path(Path(prompts))
    if shard_of(whole, lock.path):
        raise UsageError(
            f"`{file}` is the lock of a shard",
            hint=f"unite those of all shards: kontext check --merge {quote(prompts)}",
        )
    if not (whole.exists() and whole.samefile(lock.path)):
        raise LockFault(
            f"`{file}` is the lock of `{name}`, and should have the name `{whole.name}`",
            hint="rename it; where the prompts file was renamed, correct its first line",
        )
    if not os.path.lexists(prompts):
        raise InputFault(
            f"`{prompts}` is missing, of which `{file}` is the lock", hint="restore it"
        )
    return prompts


def _compared(opened: _Opened, wanted: Wanted, settings: Settings) -> _Outcome:
    """Compare one lock, once what the user wants is done."""
    folder = cache_dir()
    with Hashes(folder and folder / "hashes", os.path.realpath(opened.path)) as hashes:
        entries = _entries(opened, settings, hashes)
        agreement = Agreement(opened.lock, entries, hashes)
        done, messages = _amended(agreement, wanted, opened.path)
        if done:
            agreement = Agreement(read_lock(opened.lock.path), entries, hashes)
        differences = agreement.differences()
    report = Report(
        prompts=opened.prompts or "",
        lock=opened.path,
        header=opened.lock.header,
        rows=len(entries),
        images=sum(len(row.files) for row in agreement.lock.rows),
        differences=differences,
    )
    messages += [f"notice: {text}" for text in [*agreement.notices, *_unmerged(opened)]]
    return _Outcome(report, done, (), messages, agreement.faults)


def _unmerged(opened: _Opened) -> Iterator[str]:
    """What there is to say about locks of shards, which runs read and this comparison does not."""
    if names := [f"`{path.name}`" for path in shard_locks(opened.lock.path)]:
        merge = f"kontext check --merge {quote(opened.prompts or opened.path)}"
        yield f"{listed(names)} {'is' if len(names) == 1 else 'are'} not united with it: {merge}"


def _entries(opened: _Opened, settings: Settings, hashes: Hashes) -> list[Entry]:
    """All rows as they are now; the images of the lock, and those of the rows, are hashed."""
    lock = opened.lock
    hashes.read(image_sizes(lock))
    source = source_of(lock, opened.prompts)
    order = order_of(lock, source)
    settings = settings.going(order.defaults["provider"], ways_of(lock))
    planner = Planner(
        order,
        open_provider=lambda name: settings.offered(known_provider(name)),
        stdin=no_stdin,
        sha256_of=hashes.sha256,
    )
    hashes.read((file, None) for file in planner.input_files(source))
    return planner.undecided(source)


def _amended(
    agreement: Agreement, wanted: Wanted, lock: str
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Change the lock as the user wants it; what was done, for programs and for people."""
    records: list[Mapping[str, Any]] = []
    lines: list[str] = []
    if wanted.accept:
        for row in accept(agreement, wanted.accept):
            records.append(accepted_record(row))
            lines.append(accepted_line(row, lock))
    if wanted.prune:
        pruned = prune(agreement)
        records.append(pruned_record(pruned))
        lines += pruned_lines(pruned, lock)
    return records, lines


def _merged(file: str, settings: Settings) -> _Outcome:
    """Unite the locks of shards; rows of shards without a lock are differences."""
    path = _whole(Path(file))
    united = unite(path)
    record, lines = united_record(str(path), united), [*united_lines(united)]
    outcome = _Outcome(None, [record], [str(path)], lines)
    if not united.missing:
        return outcome
    compared = _compared(_opened(str(path)), Wanted(), settings)
    report = compared.report and compared.report._replace(
        differences=[each for each in compared.report.differences if each.kind == "new"]
    )
    return outcome._replace(report=report)


def _whole(path: Path) -> Path:
    """The lock of all rows: of a prompts file, of itself or of one of its shards."""
    if path.suffix != SUFFIX:
        return lock_path(path)
    if not os.path.lexists(path):
        return path
    name = read_lock(path).header.prompts_file
    return path.with_name(EACH_NAME) if name is None else lock_path(path.with_name(name))
