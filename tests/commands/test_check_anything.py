"""Prompts files and images changed in any order: `kontext check` names exactly what differs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commands.locked import title
from fuzz.examples import fuzzed
from kontext_cli.batch.locked_row import row_now
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.remembered import no_stdin, order_of, source_of
from kontext_cli.commands.check import Wanted, run_check
from kontext_cli.lock import Header, Lock, LockedFile, Places, lock_path, read_lock, write_lock
from kontext_cli.providers import provider_class
from samples import image_file

IDS = ("ant", "bat", "cat", "~dog", "é€ 1", "fox'es")
DEFAULTS = {"operation": "generate", "provider": "fal", "model": "kontext-pro"}
HEADER = Header("cards.jsonl", "out", DEFAULTS)
COLOURS = ("red", "green", "blue")

image = cache(lambda colour: image_file(size=(8, 8), colour=colour))
Row = Mapping[str, Any]


@dataclass
class Repository:
    """The rows as they are now and as they were made, and the images on disk, by id."""

    folder: Path
    now: dict[str, Row] = field(default_factory=dict)
    made: dict[str, Row] = field(default_factory=dict)
    disk: dict[str, bytes] = field(default_factory=dict)
    locked: dict[str, bytes] = field(default_factory=dict)

    @property
    def prompts(self) -> Path:
        return self.folder / "cards.jsonl"

    def place(self, row_id: str) -> Path:
        return self.folder / "out" / f"{IDS.index(row_id)}.jpg"

    def write(self) -> None:
        """Put rows and images where they belong."""
        self.prompts.write_text("".join(f"{json.dumps(row)}\n" for row in self.now.values()))
        for row_id in IDS:
            self.place(row_id).unlink(missing_ok=True)
            if row_id in self.disk:
                self.place(row_id).write_bytes(self.disk[row_id])

    def run(self) -> None:
        """Make an image of each row, as a run does."""
        self.write()
        path = lock_path(self.prompts)
        lock = Lock(path, HEADER, {})
        source = source_of(lock, str(self.prompts))
        planner = Planner(
            order_of(lock, source), open_provider=lambda _: provider_class("fal")(), stdin=no_stdin
        )
        rows = []
        for entry in planner.undecided(source):
            row_id = entry.row.others["id"]
            data = self.disk[row_id] = self.locked[row_id] = image(COLOURS[0])
            name = f"out/{self.place(row_id).name}"
            files = (LockedFile(name, sha256(data).hexdigest(), len(data), 8, 8),)
            rows.append(row_now(entry, Places(path))._replace(seed=7, files=files))
        self.made = dict(self.now)
        write_lock(path, HEADER, rows)
        self.write()

    def expected(self) -> list[tuple[str, str]]:
        return sorted((kind, row_id) for row_id in IDS for kind in self._differences(row_id))

    def _differences(self, row_id: str) -> Iterator[str]:
        now, made = self.now.get(row_id), self.made.get(row_id)
        if made is None:
            yield from ["new"] if now else []
            return
        if now is None:
            yield "left over"
            return
        if now["prompt"] != made["prompt"]:
            yield "prompt changed"
        for name in ("seed", "aspect_ratio"):
            if now.get(name) != made.get(name):
                yield f"option changed: {name}"
        if row_id not in self.disk:
            yield "missing"
        elif self.disk[row_id] != self.locked[row_id]:
            yield "edited by hand"

    def accept(self, row_id: str) -> None:
        self.made[row_id], self.locked[row_id] = self.now[row_id], self.disk[row_id]

    def prune(self) -> None:
        for row_id in self.made.keys() - self.now.keys():
            if self.disk.get(row_id, self.locked[row_id]) == self.locked[row_id]:
                del self.made[row_id]
                self.disk.pop(row_id, None)

    def check(self, *accept: str, prune: bool = False) -> list[tuple[str, str]]:
        """The differences that are found, when this was done."""
        result = run_check([str(self.prompts)], Wanted(accept, prune))
        records = [each for each in result.records if each["type"] == "difference"]
        assert result.exit_code == (12 if records else 0)
        return sorted((title(each), each["id"]) for each in records)

    def check_files(self) -> None:
        """See that everything on disk is as it should be."""
        for row_id in IDS:
            path = self.place(row_id)
            assert (path.read_bytes() if path.exists() else None) == self.disk.get(row_id)
        rows = {row.id: row for row in read_lock(lock_path(self.prompts)).rows}
        assert rows.keys() == self.made.keys()
        for row_id, row in rows.items():
            assert row.files[0].sha256 == sha256(self.locked[row_id]).hexdigest()


ids = st.sampled_from(IDS)
rows = st.fixed_dictionaries(
    {"prompt": st.sampled_from(["a", "b"])},
    optional={
        "seed": st.sampled_from([1, 2]),
        "aspect_ratio": st.sampled_from(["16:9", "3:2"]),
    },
)
tables = st.dictionaries(ids, rows, min_size=1)
changes = st.lists(
    st.tuples(st.just("row"), ids, st.none() | rows)
    | st.tuples(st.just("image"), ids, st.none() | st.sampled_from(COLOURS)),
    max_size=4,
)


def change(repository: Repository, what: str, row_id: str, value: Any) -> None:
    now, disk = repository.now, repository.disk
    if what == "image" and value is None:
        disk.pop(row_id, None)
    elif what == "image":
        disk[row_id] = image(value)
    elif value is not None:
        now[row_id] = {"id": row_id, **value}
    elif len(now) > 1:  # a prompts file has a row
        now.pop(row_id, None)


@fuzzed(60)
@given(tables, changes, st.randoms())
def test_what_differs_is_found_and_nothing_else_is_touched(
    before: dict[str, Row], edits: list[tuple[str, str, Any]], random: Any
) -> None:
    with TemporaryDirectory() as folder:
        repository = Repository(Path(folder))
        (repository.folder / "out").mkdir()
        repository.now = {row_id: {"id": row_id, **row} for row_id, row in before.items()}
        repository.run()
        assert repository.check() == []
        for edit in edits:
            change(repository, *edit)
        order = [*repository.now]
        random.shuffle(order)
        repository.now = {row_id: repository.now[row_id] for row_id in order}
        repository.write()
        assert repository.check() == repository.expected()
        there = [each for each in order if each in repository.made and each in repository.disk]
        if there:
            repository.accept(there[0])
            assert repository.check(there[0]) == repository.expected()
            repository.check_files()
        repository.prune()
        assert repository.check(prune=True) == repository.expected()
        repository.check_files()
