"""Locks in git: branches are merged, and `kontext check` says what is right."""

import os
from collections.abc import Sequence
from pathlib import Path

from commands.locked import (
    CARDS,
    FOX,
    OWL,
    WOLF,
    changed,
    check,
    found,
    lock_of,
    make,
    rows,
    wolf,
)
from repositories import git
from world import World


class TestGit:
    def repository(self, world: World) -> Path:
        make(world)
        (world.folder / ".gitattributes").write_text("/cards.lock merge=union\n")
        git(world.folder, "init", "-q", "-b", "main")
        self.commit(world)
        return world.folder

    def commit(self, world: World) -> None:
        git(world.folder, "add", "-A")
        git(world.folder, "commit", "-q", "-m", "x")

    def run(self, world: World, after: Sequence[object]) -> None:
        rows(*after)(world)
        argv = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi")
        assert world.run(*argv).code == 0
        self.commit(world)

    def test_branches_that_add_neighbours(self, world: World) -> None:
        folder = self.repository(world)
        for branch, place in {"one": 0, "two": len(CARDS)}.items():
            git(folder, "checkout", "-q", "-b", branch, "main")
            row = {"id": f"gnu-{branch}", "prompt": f"a gnu {branch}"}
            self.run(world, [*CARDS[:place], row, *CARDS[place:]])
        git(folder, "merge", "-q", "-m", "x", "one")
        assert found(world) == []
        assert len(list(lock_of(world).rows)) == 6

    def test_branches_that_change_one_row(self, world: World) -> None:
        folder = self.repository(world)
        world.may_be_accepted(3, "a hen")
        for branch, seed in {"one": 1, "two": 2}.items():
            git(folder, "checkout", "-q", "-b", branch, "main")
            self.run(world, changed(CARDS, "hen", seed=seed))
        git(folder, "merge", "-q", "-m", "x", "-X", "ours", "one")
        done = check(world)
        assert done.code == 0, "ours are in the prompts file and on disk"
        assert "notice: row `hen` has 2 lines in `cards.lock`; line " in done.err
        rows(*changed(CARDS, "hen", seed=3))(world)
        done = check(world)
        assert done.code == 2
        assert "are of one row, `hen`, and none of them fits" in done.err
        assert "hint: keep the images that are there with --accept hen" in done.err
        assert check(world, "--accept", "hen").code == 0
        assert len(list(lock_of(world).rows)) == 4

    def test_a_line_that_came_back(self, world: World) -> None:
        folder = self.repository(world)
        git(folder, "checkout", "-q", "-b", "one")
        rows(FOX, OWL, WOLF)(world)
        assert check(world, "--prune").code == 0
        self.commit(world)
        git(folder, "checkout", "-q", "main")
        world.may_be_accepted(2, "a red fox")
        self.run(world, changed(CARDS, "fox", seed=8))
        git(folder, "merge", "-q", "-m", "x", "one")
        assert found(world) == [("left over", "hen")]
        assert check(world, "--prune").code == 0
        assert {"fox", "owl", wolf(world)} == {row.id for row in lock_of(world).rows}

    def test_a_clone_with_another_umask(self, world: World) -> None:
        folder = self.repository(world)
        clone = world.top / "clone"
        before = os.umask(0o077)
        try:
            git(world.top, "clone", "-q", str(folder), str(clone))
        finally:
            os.umask(before)
        done = world.run("check", "cards.jsonl", cwd=clone, environ={"KONTEXT_STATE_DIR": "none"})
        assert done.code == 0, done.err
