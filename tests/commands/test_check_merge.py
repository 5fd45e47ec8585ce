"""Shards on machines of their own, and one lock of all rows."""

import shutil
from pathlib import Path

import pytest

from commands.locked import CARDS, FOX, LOCK, check, edit_image, found, lock_of, make, rows
from world import World

SEEDED = [{**row, "seed": number} for number, row in enumerate([*CARDS, *CARDS[3:]], start=1)]
RUN = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "sandbox", "--lock")


def on_a_machine(world: World, name: str, *argv: str) -> Path:
    """Run the batch in a folder and with a state of its own; the folder."""
    folder = world.top / name
    folder.mkdir()
    shutil.copy(world.folder / "cards.jsonl", folder)
    state = {"KONTEXT_STATE_DIR": str(world.top / f"{name}-state")}
    done = world.run(*RUN, *argv, cwd=folder, environ=state)
    assert done.code == 0, done.err
    return folder


def collect(world: World, folders: list[Path]) -> None:
    for folder in folders:
        shutil.copytree(folder, world.folder, dirs_exist_ok=True)


@pytest.mark.parametrize("shards", [1, 4, 9])
def test_the_bytes_are_those_of_one_machine(world: World, shards: int) -> None:
    world.write("cards.jsonl", SEEDED)
    one = on_a_machine(world, "one")
    parts = [f"{number}/{shards}" for number in range(1, shards + 1)]
    machines = [
        on_a_machine(world, f"machine-{number}", "--shard", part)
        for number, part in enumerate(parts)
    ]
    collect(world, machines)
    done = check(world, "--merge")
    assert (done.code, done.lines) == (0, [LOCK])
    assert (world.folder / LOCK).read_bytes() == (one / LOCK).read_bytes()
    assert [name for name in world.files() if name.endswith(".lock")] == [LOCK]
    assert found(world) == []


def test_rows_of_a_shard_that_is_missing_are_named(world: World) -> None:
    world.write("cards.jsonl", SEEDED)
    machines = [on_a_machine(world, str(number), "--shard", f"{number}/2") for number in (1, 2)]
    collect(world, machines[:1])
    done = check(world, "--merge", "--json")
    merged, *differences, summary = done.records
    assert merged == {
        "schema": 1,
        "type": "merged",
        "lock": LOCK,
        "shards": ["cards.1of2.lock"],
        "missing": ["2/2"],
    }
    assert done.code == summary["exit_code"] == 12
    assert {each["difference"] for each in differences} == {"new"}
    assert len(differences) == len(SEEDED) - len(list(lock_of(world).rows))
    assert "notice: no lock was there of shard 2/2" in done.err
    collect(world, machines[1:])
    assert check(world, "--merge").code == 0
    assert found(world) == []


@pytest.mark.parametrize("file", ["cards.jsonl", LOCK])
def test_locks_of_shards_are_named_until_they_are_united(world: World, file: str) -> None:
    world.write("cards.jsonl", SEEDED)
    collect(world, [on_a_machine(world, str(n), "--shard", f"{n}/2") for n in (1, 2)])
    done = check(world, file=file)
    assert (done.code, f"`{file}` has only locks of shards" in done.err) == (2, True)
    assert world.run(*RUN, "--force", "--limit", "1").code == 0
    done = check(world, file=file)
    assert done.code == 12
    assert (
        "notice: `cards.1of2.lock` and `cards.2of2.lock` are not united with it: "
        "kontext check --merge cards.jsonl\n"
    ) in done.err


def test_a_shard_without_rows_is_not_missed(world: World) -> None:
    world.write("cards.jsonl", [{**FOX}])
    machines = [on_a_machine(world, str(number), "--shard", f"{number}/3") for number in (1, 2, 3)]
    collect(world, machines)
    assert check(world, "--merge").code == 0


def test_images_may_be_elsewhere(world: World) -> None:
    world.write("cards.jsonl", SEEDED)
    for number in (1, 2):
        folder = on_a_machine(world, str(number), "--shard", f"{number}/2")
        shutil.copy(folder / f"cards.{number}of2.lock", world.folder)
    assert check(world, "--merge").code == 0
    assert {kind for kind, _ in found(world)} == {"missing"}


def test_changed_rows_take_the_place_of_those_there(world: World) -> None:
    make(world)
    world.write("cards.jsonl", [{**FOX, "seed": 9}, *CARDS[1:]])
    world.may_be_accepted(2, "a red fox")
    for number in (1, 2):
        argv = ("-p", "aimlapi", "--shard", f"{number}/2")
        assert world.run(*RUN[:5], *argv).code == 0
    done = check(world, "--merge")
    assert done.code == 0
    assert found(world) == []
    assert [row.seed for row in lock_of(world).rows if row.id == "fox"] == [9]


def test_what_is_named(world: World) -> None:
    world.write("cards.jsonl", SEEDED)
    collect(world, [on_a_machine(world, "1", "--shard", "1/1")])
    done = check(world)
    assert done.code == 2
    assert "hint: unite them: kontext check --merge cards.jsonl" in done.err
    done = check(world, file="cards.1of1.lock")
    assert done.code == 2
    assert "hint: unite those of all shards: kontext check --merge cards.jsonl" in done.err
    assert check(world, "--merge", file="cards.1of1.lock").lines == [LOCK]
    assert check(world, "--merge", file="cards.jsonl").code == 2
    assert check(world, "--merge", file="none.lock").code == 2


def test_is_not_mixed_with_changes(world: World) -> None:
    make(world)
    edit_image(world.out / "fox.jpg")
    rows(FOX)(world)
    for argv in (("--accept", "fox"), ("--prune",)):
        assert check(world, "--merge", *argv).code == 2
