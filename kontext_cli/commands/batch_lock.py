"""Which lock a batch uses, and what it says of the run."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lock_keeper import LockKeeper
from kontext_cli.batch.locked import Locked
from kontext_cli.batch.locked_row import check_ids, image_name, lock_id, row_made
from kontext_cli.batch.part import parse_shard
from kontext_cli.commands.flags import Flags
from kontext_cli.errors import LockFault, OutputFault, UsageError
from kontext_cli.files.hashes import Hashes
from kontext_cli.files.place import is_object
from kontext_cli.http.urls import is_url, unsigned
from kontext_cli.job import Job, State
from kontext_cli.lock import (
    Header,
    Lock,
    Places,
    check_belongs,
    check_row,
    encode_lock,
    lock_path,
    parse_lock,
    read_lock,
    shard_locks,
)
from kontext_cli.lock.gitattributes import is_merged_by_line, line_for
from kontext_cli.lock.places import EACH_NAME, shard_path
from kontext_cli.options import OPTIONS
from kontext_cli.settings.paths import cache_dir
from kontext_cli.settings.settings import WAYS, Settings
from kontext_cli.words import flag, listed

_KEPT = (*(row.name for row in OPTIONS if row.name != "metadata"), "name")
"""The flags that a lock keeps as the defaults of its rows."""
_MOST_NAMED = 10


class _Place(NamedTuple):
    """Where the lock of a run is, and the name of its prompts file, None for `--each`."""

    path: Path
    prompts_file: str | None


class BatchLock:
    """The lock of a run: what it knows, and where the run is written."""

    def __init__(
        self, flags: Flags, place: _Place, folder: Path, notice: Callable[[str], None]
    ) -> None:
        """``folder`` is the output folder. Raises LockFault and UsageError."""
        self._flags = flags = flags.without_defaults(_KEPT)
        self._folder = folder
        self._notice = notice
        self._prompts_file = place.prompts_file
        self._whole = place.path
        shard = None if flags.shard is None else parse_shard(flags.shard)
        self.path = place.path if shard is None else shard_path(place.path, shard)
        others = shard_locks(self._whole) if shard is None else [self.path]
        self._locks = [self._read(path) for path in (self._whole, *others) if _is_there(path)]
        self._unmerged = [path.name for path in others if path != self.path]
        self._places = Places(self.path)
        self._places.check_folder(folder)
        cache = cache_dir()
        self.hashes = Hashes(cache and cache / "hashes", os.path.realpath(self._whole))
        self.locked = Locked(
            self._locks,
            self._places,
            self.hashes,
            by_image=flags.each,
            make_edited=flags.forces_rows,
        )

    @classmethod
    def of(cls, flags: Flags, folder: Path, *, notice: Callable[[str], None]) -> "BatchLock | None":
        """The lock of a run with `--lock`, or of one that has a lock already.

        ``notice`` is called if it cannot be written for now. Raises UsageError where none can be
        kept, and LockFault for one that cannot be used.
        """
        place = _place(flags, folder)
        if place is None:
            return None
        shard = None if flags.shard is None else parse_shard(flags.shard)
        paths = [place.path] if shard is None else [place.path, shard_path(place.path, shard)]
        if not (flags.lock or any(map(_is_there, paths))):
            return None
        _check_images(flags)
        return cls(flags, place, folder, notice)

    def without_defaults(self, flags: Flags) -> Flags:
        """The flags without the defaults of `config.toml` that the lock would keep: it is for
        others, too."""
        dropped = sorted({*_KEPT} & {*flags.defaulted})
        if dropped:
            names = listed([flag(each) for each in dropped])
            self._notice(
                f"`{self.path.name}` is for others, too: your defaults are left out ({names})"
            )
        return flags.without_defaults(dropped)

    @property
    def provider(self) -> str | None:
        """The providers of the lock's rows, for a run to which nothing names one."""
        return self._default("provider")

    def model(self, providers: str) -> str | None:
        """The model of the lock's rows, for a run with their ``providers`` to which nothing names
        one."""
        is_same = (providers, self._flags.operation) == (self.provider, self._default("operation"))
        return self._default("model") if is_same else None

    def routed(self, settings: Settings) -> Settings:
        """The settings, with the ways of the lock's rows where none is set."""
        if self.provider is None:
            return settings
        ways = {way: found for way in WAYS if (found := self._default(way))}
        return settings.going(self.provider, ways | settings.ways(self.provider))

    def begin(self, defaults: Mapping[str, Any], settings: Settings, *, is_new: bool) -> None:
        """Begin a run with these defaults of its rows, and the settings' ways to ask providers: the
        first line says what they are.

        ``is_new``: the journal knows none of the files. Raises UsageError for a name that no lock
        can hold, LockFault for another prompt of all images.
        """
        flags = self._flags
        if is_new and flags.only is None and flags.limit is None:
            self.locked.read_ahead()
        given: dict[str, Any] = {
            "operation": flags.operation,
            **{name: defaults[name] for name in ("provider", "model")},
            **{name: each for name, each in flags.options.items() if each is not None},
            **{name: True for name in ("keep_flagged", "sidecar") if getattr(flags, name)},
            **{name: each for name in ("metadata", "name") if (each := getattr(flags, name))},
        }
        if flags.each:
            given["prompt"] = defaults["prompt"]
            self._check_prompt(given["prompt"])
        elif flags.images:
            given["images"] = [self._image(image) for image in flags.images]
        given |= settings.ways(given["provider"])
        folder = self._places.relative_folder(self._folder)
        self._header = Header(self._prompts_file, folder, given)
        try:
            parse_lock(encode_lock(self._header, ()), self.path)
        except (LockFault, UnicodeEncodeError) as fault:
            why = fault.details if isinstance(fault, LockFault) else ()
            raise UsageError(f"`{self.path.name}` cannot hold these flags", details=why) from None

    def notices(self, entries: Sequence[Entry]) -> list[str]:
        """What there is to say before anything is sent. Raises UsageError for an id that is kept
        for rows without one."""
        check_ids(entries)
        found = self.locked.notices
        if self._unmerged:
            names = listed([f"`{name}`" for name in self._unmerged])
            found.append(f"{names}: to unite them: kontext check --merge {self._named()}")
        found += _differences(self._locks, self._header)
        edited = [each for each in entries if each.reason == "file edited"]
        if edited:
            found.append(self._edited(edited))
        if self._flags.lock and self.path == self._whole and not is_merged_by_line(self._whole):
            found.append(
                f"so that branches merge, add `{line_for(self._whole)}` to `.gitattributes` "
                f"beside `{self._whole.name}`"
            )
        return found

    def knows(self, entry: Entry) -> bool:
        """Whether the lock needs nothing of a row that is skipped."""
        return entry.locked is not None or entry.job_id is None

    def keep(self, entry: Entry, job: Job) -> None:
        """Put a row into the lock whose job is saved, unless it is there already."""
        is_made = entry.step is not Step.SKIP or entry.job_id is not None
        if job.state is State.SAVED and job.files and job.digest == entry.digest and is_made:
            before = entry.locked.id if entry.locked else None
            try:
                row = row_made(entry, job, self._places)
                check_row(row)
            except UsageError as fault:
                self._notice(f"row {entry.row.index} is not in the lock: {fault.message}")
            else:
                self._keeper.put(row, instead_of=before)

    def _default(self, name: str) -> str | None:
        """A text in the first line of the lock, of that of a shard before that of all rows."""
        for lock in reversed(self._locks):
            if isinstance(found := lock.header.defaults.get(name), str):
                return found
        return None

    async def keep_writing(self) -> None:
        """Write the lock while rows end, until cancelled."""
        await self._keeper.keep()

    def write(self) -> None:
        """Write what the lock does not have yet. Raises StorageFault."""
        try:
            self._keeper.write()
        except LockFault as fault:
            raise OutputFault(
                f"cannot write `{self.path}`, which was changed meanwhile: {fault.message}",
                hint="once it is fixed, run the batch again, which adds what is missing",
                details=fault.details,
            ) from fault

    @cached_property
    def _keeper(self) -> LockKeeper:
        own = next((lock for lock in self._locks if lock.path == self.path), None)
        is_due = own is not None and own.header != self._header
        keeper = LockKeeper(self.path, self._header, self._notice, is_due=is_due)
        for row in self.locked.corrected:
            keeper.put(row)
        return keeper

    def _read(self, path: Path) -> Lock:
        lock = read_lock(path)
        check_belongs(lock, self._prompts_file)
        return lock

    def _image(self, image: str) -> str:
        return image if is_url(image) else self._places.relative(os.path.abspath(image))  # noqa: PTH100

    def _check_prompt(self, prompt: str) -> None:
        for lock in self._locks:
            if lock.header.defaults.get("prompt") != prompt:
                raise LockFault(
                    f"`{lock.path}` is of images with another prompt",
                    hint="choose another folder with -d",
                )

    def _edited(self, entries: Sequence[Entry]) -> str:
        is_one, named = len(entries) == 1, entries[:_MOST_NAMED]
        rows = "1 row was" if is_one else f"{len(entries):,} rows were"
        keep, make = ("keep it", "make it") if is_one else ("keep them", "make them")
        locked = quote(",".join(map(self._checked_as, named)))
        typed = quote(",".join(each.row.others.get("id", str(each.row.index)) for each in named))
        return (
            f"{rows} edited by hand and left alone; to {keep}: kontext check {self._named()} "
            f"--accept {locked}; to {make} anew: --force --only {typed}"
        )

    def _checked_as(self, entry: Entry) -> str:
        """What `check` calls a row."""
        return image_name(entry.images[0], self._places) if self._flags.each else lock_id(entry)

    def _named(self) -> str:
        """The file that `check` is given."""
        return quote(self._flags.prompts_files[0] if self._prompts_file else str(self._whole))


def _place(flags: Flags, folder: Path) -> _Place | None:
    """Where the lock of a run belongs; None where there is none, as for images made again."""
    if is_object(folder):
        if flags.lock:
            raise UsageError("--lock keeps images that are in a folder, not in a store")
        return None
    if flags.each:
        return _Place(folder / EACH_NAME, None)
    return _place_of_files(flags) if flags.prompts_files else None


def _place_of_files(flags: Flags) -> _Place | None:
    """The lock of the only prompts file; None where there is none and none is asked for."""
    names = flags.prompts_files
    if not names:  # images that are made again
        return None
    files = [Path(os.path.abspath(name)) for name in names if _is_file(name)]  # noqa: PTH100
    if len(names) > 1:
        there = [lock_path(file).name for file in files if _is_there(lock_path(file))]
        if flags.lock or there:
            raise UsageError(
                "a lock is of one prompts file, and there are several"
                + (f": `{there[0]}` is there" if there else ""),
                hint="run each prompts file by itself",
            )
        return None
    if not files:
        if flags.lock and names[0] != "-" and not Path(names[0]).exists():
            return None  # which is reported when it is read
        if flags.lock:
            raise UsageError(
                "--lock needs a prompts file: a lock is kept beside it",
                hint="save the prompts to a file, and give that with -f",
            )
        return None
    return _Place(lock_path(files[0]), files[0].name)


def _is_file(name: str) -> bool:
    return name != "-" and Path(name).is_file()


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  # which raises nothing


def _check_images(flags: Flags) -> None:
    """Raises UsageError for images of all rows that cannot be checked later."""
    if "-" in flags.images:
        raise UsageError(
            "a lock cannot name an image from standard input", hint="save it to a file"
        )
    for image in () if flags.each else flags.images:
        if is_url(image) and unsigned(image) != image:
            raise UsageError(
                f"the URL `{unsigned(image)}?…` may be signed, and a lock is for others to read",
                hint="save the image to a file, or name it in the rows",
            )


def _differences(locks: Sequence[Lock], header: Header) -> list[str]:
    """A notice if the defaults of the rows are no longer those of the lock."""
    if not locks or locks[-1].header == header:
        return []
    before = {**locks[-1].header.defaults, "output_dir": locks[-1].header.output_dir}
    now = {**header.defaults, "output_dir": header.output_dir}
    changed = [
        f"{flag(name)} was {_shown(before.get(name))}, is {_shown(now.get(name))}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    return [f"`{locks[-1].path.name}` has other defaults: {'; '.join(changed)}"]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not given" if value is None else str(value)
