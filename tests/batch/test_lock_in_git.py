"""Branches of a repository with prompts, images and their lock, merged by git itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from batch.locks import Machine, notices, row
from world import World

START = [row(name) for name in ("b", "d", "f", "h")]


@pytest.fixture
def here(world: World) -> Machine:
    """A repository with a few rows, their images and the lock."""
    machine = Machine(world)
    machine.git("init", "-q", "-b", "main")
    machine.file(".gitattributes").write_text("/cards.lock merge=union\n/cards.jsonl merge=union\n")
    machine.rows(*START)
    assert notices(machine.run("--lock")) == []
    commit(machine)
    return machine


def commit(machine: Machine) -> None:
    machine.git("add", "-A")
    machine.git("commit", "-q", "-m", "Change the cards")


def branch(machine: Machine, name: str, *rows: dict[str, Any]) -> None:
    """Have these rows on a branch of their own, made by a machine that has nothing else."""
    machine.git("checkout", "-q", "-b", name, "main")
    machine.rows(*rows)
    machine.run()
    commit(machine)
    machine.git("checkout", "-q", "main")


def clone(machine: Machine) -> Machine:
    there = Machine(machine.world, "clone")
    there.git("clone", "-q", str(machine.folder), ".")
    return there


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["a"], ["i"]),
        (["c"], ["c2"]),
        (["c"], ["e"]),
        (["a", "a1", "i"], ["a0", "a2", "j", "k"]),
        (["z"], ["y", "~x"]),
    ],
    ids=str,
)
def test_branches_that_add_rows_merge(
    here: Machine, ours: Sequence[str], theirs: Sequence[str]
) -> None:
    branch(here, "ours", *START, *map(row, ours))
    branch(here, "theirs", *START, *map(row, theirs))
    here.git("merge", "-q", "--no-edit", "ours")
    here.git("merge", "-q", "--no-edit", "theirs")
    posts = here.world.posts
    there = clone(here)
    again = there.run()
    assert (again.code, again.counts) == (0, {"skipped": 4 + len(ours) + len(theirs)})
    assert here.world.posts == posts
    assert there.git("status", "--porcelain") == ""


def test_a_branch_that_changes_and_one_that_adds_merge(here: Machine) -> None:
    branch(here, "changes", row("b"), row("d", "another d"), *START[2:])
    branch(here, "adds", *START, row("e"))
    here.git("merge", "-q", "--no-edit", "changes")
    here.git("merge", "-q", "--no-edit", "adds")
    here.rows(row("b"), row("d", "another d"), *START[2:], row("e"))
    again = clone(here)
    again.file("cards.jsonl").write_bytes(here.file("cards.jsonl").read_bytes())
    assert again.run().counts == {"skipped": 5}
    assert sorted(again.locked()) == ["b", "d", "e", "f", "h"]


def test_a_row_that_both_changed_is_that_of_the_image_that_was_chosen(here: Machine) -> None:
    for name in ("ours", "theirs"):
        branch(here, name, row("b"), row("d", f"{name} d"), *START[2:])
    here.git("merge", "-q", "--no-edit", "ours")
    here.git("merge", "-q", "--no-edit", "theirs", code=1)
    assert here.git("diff", "--name-only", "--diff-filter=U").split() == ["out/d.jpg"]
    here.rows(row("b"), row("d", "theirs d"), *START[2:])
    before = here.run("--dry-run")
    assert (before.code, "none of them fits" in before.err) == (2, True)
    here.git("checkout", "--theirs", "out/d.jpg")
    commit(here)
    there = clone(here)
    again = there.run()
    assert (again.code, again.counts) == (0, {"skipped": 4})
    assert "several lines of `d`" in notices(again)[0]
    assert sorted(there.locked()) == ["b", "d", "f", "h"]


def test_without_the_line_a_conflict_is_told_with_the_way_out(here: Machine) -> None:
    here.file(".gitattributes").write_text("/cards.jsonl merge=union\n")
    commit(here)
    branch(here, "ours", *START, row("x"))
    branch(here, "theirs", *START, row("y"))
    here.git("merge", "-q", "--no-edit", "ours")
    here.git("merge", "-q", "theirs", code=1)
    ran = here.run()
    assert ran.code == 2
    assert "has the marks of a merge conflict, in line " in ran.err
    lines = here.file("cards.lock").read_text().splitlines()
    kept = [line for line in lines if line.startswith("{")]
    here.file("cards.lock").write_text("\n".join(kept))
    assert here.run().counts == {"skipped": 6}


def test_an_image_that_git_checked_out_is_not_edited(here: Machine) -> None:
    here.rows(row("b", "another b"), *START[1:])
    here.run()
    commit(here)
    here.git("checkout", "-q", "HEAD~1", "--", "cards.jsonl", "cards.lock", "out")
    assert here.run().counts == {"skipped": 4}
    here.git("checkout", "-q", "HEAD", "--", "cards.jsonl", "cards.lock", "out")
    assert here.run().counts == {"skipped": 4}
