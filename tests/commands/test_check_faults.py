"""What `kontext check` says of locks and prompts files that are damaged, missing or foreign."""

import json
import os
import shutil
from collections.abc import Callable

import pytest

from commands.locked import (
    CARDS,
    FOX,
    LOCK,
    NO_LINKS,
    check,
    edit_image,
    found,
    make,
    rows,
    state_of,
)
from world import World


class TestBadInput:
    def test_without_a_lock(self, world: World) -> None:
        world.write("cards.jsonl", CARDS)
        done = check(world)
        assert done.code == 2
        assert done.err == (
            "error: `cards.jsonl` has no lock\n"
            "hint: write one: kontext generate -f cards.jsonl --lock\n"
        )
        assert check(world, file="nothing.jsonl").code == 8
        assert check(world, file="nothing.lock").code == 8
        assert check(world, file="-").code == 2
        assert world.run("check").code == 2

    def test_a_folder(self, world: World) -> None:
        world.out.mkdir()
        done = check(world, file="out")
        assert done.code == 2
        assert "hint: name its lock: kontext check out/kontext.lock" in done.err

    @pytest.mark.parametrize("folder", [".", "..", "/", ""])
    @pytest.mark.parametrize("flags", [[], ["--merge"]])
    def test_a_folder_without_a_name(self, world: World, folder: str, flags: list[str]) -> None:
        done = check(world, *flags, file=folder)
        assert done.code == 2
        assert f"error: `{folder or '.'}` is a folder" in done.err

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_a_lock_that_is_a_pipe_is_not_waited_for(self, world: World) -> None:
        world.write("cards.jsonl", CARDS)
        os.mkfifo(world.folder / LOCK)
        assert check(world).code == 8

    def test_without_a_prompts_file(self, world: World) -> None:
        make(world)
        (world.folder / "cards.jsonl").unlink()
        done = check(world, file=LOCK)
        assert done.code == 8
        assert "`cards.jsonl` is missing, of which `cards.lock` is the lock" in done.err

    def test_of_another_prompts_file(self, world: World) -> None:
        make(world)
        world.write("other.jsonl", CARDS)
        shutil.copy(world.folder / LOCK, world.folder / "other.lock")
        for file in ("other.jsonl", "other.lock"):
            done = check(world, file=file)
            assert done.code == 2
            assert "`other.lock` is the lock of `cards.jsonl`" in done.err

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda _text: "", "no line has `kontext_lock`, as the first one should"),
            (lambda text: text[:-20], "line 5: invalid JSON"),
            (
                lambda text: text.replace('"kontext_lock":1', '"kontext_lock":2'),
                "newer version of kontext, and is left as it is",
            ),
            (
                lambda text: text.replace("out/owl", "../owl"),
                "line 4: the path `../owl.jpg` leaves the folder of the lock",
            ),
            (
                lambda text: text.replace("out/owl", "/etc/owl"),
                "line 4: the path `/etc/owl.jpg` leaves the folder of the lock",
            ),
            (
                lambda text: text.replace("out/owl", "..\\\\owl"),
                "line 4: the path `..\\owl.jpg` leaves the folder of the lock",
            ),
            (
                lambda text: text.replace('\n{"id":"hen"', '\n<<<<<<< HEAD\n{"id":"hen"'),
                "has the marks of a merge conflict, in line 3",
            ),
        ],
    )
    def test_a_lock_that_is_damaged(
        self, world: World, damage: Callable[[str], str], words: str
    ) -> None:
        make(world)
        path = world.folder / LOCK
        path.write_text(damage(path.read_text("utf-8")), "utf-8")
        before = state_of(world.folder)
        for argv in ([], ["--accept", "fox"], ["--prune"]):
            done = check(world, *argv)
            assert done.code == 2
            assert words in done.err
        assert state_of(world.folder) == before

    def test_line_ends_of_windows(self, world: World) -> None:
        make(world)
        for path in (world.folder / "cards.jsonl", world.folder / LOCK):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert found(world) == []
        edit_image(world.out / "owl.jpg")
        assert check(world, "--accept", "owl").code == 0
        assert b"\r" not in (world.folder / LOCK).read_bytes()

    @NO_LINKS
    def test_a_link_out_of_the_folder(self, world: World) -> None:
        make(world)
        secret = world.top / "secret.jpg"
        (world.out / "owl.jpg").rename(secret)
        (world.out / "owl.jpg").symlink_to(secret)
        for argv in ([], ["--accept", "owl"], ["--prune"]):
            done = check(world, *argv)
            assert done.code == 2
            assert "`out/owl.jpg` is a link out of the folder" in done.err
        rows(FOX)(world)
        assert check(world, "--prune").code == 2
        assert secret.exists()
        assert (world.out / "hen.jpg").exists(), "nothing is removed"

    @NO_LINKS
    def test_a_link_within_the_folder(self, world: World) -> None:
        make(world)
        (world.out / "owl.jpg").rename(world.folder / "large.jpg")
        (world.out / "owl.jpg").symlink_to("../large.jpg")
        assert found(world) == []

    @NO_LINKS
    def test_an_image_that_cannot_be_read(self, world: World) -> None:
        make(world)
        (world.out / "owl.jpg").unlink()
        (world.out / "owl.jpg").symlink_to("owl.jpg")
        edit_image(world.out / "hen.jpg")
        done = check(world, "--json")
        assert done.code == 8
        assert [each["type"] for each in done.records] == ["difference", "check", "error"]
        assert "error: cannot read `out/owl.jpg`: Too many levels of symbolic links" in done.err

    def test_all_mistakes_of_the_prompts_file(self, world: World) -> None:
        make(world)
        world.write("cards.jsonl", [{"prompt": ""}, {"id": "x"}])
        done = check(world)
        assert done.code == 2
        assert "cards.jsonl:1: the prompt is empty" in done.err
        assert "cards.jsonl:2: row x: the prompt is missing" in done.err

    def test_an_id_that_only_a_lock_gives(self, world: World) -> None:
        make(world)
        rows(*CARDS, {"id": "~0123456789ab-1", "prompt": "x"})(world)
        done = check(world)
        assert done.code == 2
        assert "`~0123456789ab-1` has the form of those that a lock gives to rows" in done.err

    @pytest.mark.parametrize(
        "header",
        [
            {"operation": "paint"},
            {"provider": "nobody"},
            {"provider": None},
            {"images": "x"},
            {"colour": "red"},
            {"seed": "red"},
        ],
    )
    def test_flags_that_no_run_has(self, world: World, header: dict[str, object]) -> None:
        make(world)
        path = world.folder / LOCK
        first, *lines = path.read_text("utf-8").splitlines()
        head = json.loads(first)
        head["defaults"] = {
            name: value
            for name, value in {**head["defaults"], **header}.items()
            if value is not None
        }
        path.write_text("\n".join([json.dumps(head), *lines]), "utf-8")
        assert check(world).code == 2
