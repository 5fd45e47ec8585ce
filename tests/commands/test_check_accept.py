"""`kontext check --accept` and `--prune`: what they change, and that they change nothing else."""

import json
import re

import pytest

from commands.locked import (
    CARDS,
    FOX,
    HEN,
    LOCK,
    changed,
    check,
    edit_image,
    found,
    lines_of,
    lock_of,
    make,
    rows,
    state_of,
)
from world import World


class TestAccept:
    def test_takes_the_image_as_it_is(self, world: World) -> None:
        make(world)
        data = edit_image(world.out / "owl.jpg")
        edit_image(world.out / "hen.jpg")
        before, old = state_of(world.folder), {row.id: row for row in lock_of(world).rows}
        done = check(world, "--accept", "owl")
        assert done.code == 12, "the hen is still edited"
        assert "accepted: row owl: out/owl.jpg (70×50)\n" in done.err
        now = {row.id: row for row in lock_of(world).rows}
        [file] = now["owl"].files
        assert (file.bytes, file.width, file.height) == (len(data), 70, 50)
        assert {**now, "owl": now["owl"]._replace(files=old["owl"].files)} == old
        assert {**state_of(world.folder), LOCK: before[LOCK]} == before
        assert check(world, "--accept", "hen").code == 0

    def test_takes_the_row_as_it_is_now(self, world: World) -> None:
        make(world)
        rows(*changed(CARDS, "fox", prompt="a blue fox", seed=None))(world)
        edit_image(world.out / "fox.jpg")
        assert check(world, "--accept", "fox").code == 0
        assert found(world) == []
        before = world.posts
        argv = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi")
        assert world.run(*argv).code == 0
        assert world.posts == before, "it is not made again"

    def test_several_at_once(self, world: World) -> None:
        make(world)
        for name in ("fox", "owl", "hen", "4-a-wolf"):
            edit_image(world.out / f"{name}.jpg")
        done = check(world, "--accept", "fox, owl", "--accept", "hen", "--accept", "4", "--json")
        assert done.code == 0
        assert [each["type"] for each in done.records] == [*["accepted"] * 4, "check"]
        assert done.records[0]["files"][0]["width"] == 70

    def test_an_id_may_have_a_comma(self, world: World) -> None:
        make(world, [{"id": "a,b", "prompt": "a fox"}, {"id": "a", "prompt": "an owl"}])
        for path in world.out.iterdir():
            edit_image(path)
        assert check(world, "--accept", "a,b").code == 12
        assert found(world) == [("edited by hand", "a")]

    @pytest.mark.parametrize("damage", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 no image"])
    def test_refuses_what_is_no_image(self, world: World, damage: bytes) -> None:
        make(world)
        edit_image(world.out / "hen.jpg")
        (world.out / "owl.jpg").write_bytes(damage)
        before = state_of(world.folder)
        done = check(world, "--accept", "hen,owl")
        assert done.code == 8
        assert "owl.jpg` cannot be accepted: it is " in done.err
        assert state_of(world.folder) == before

    def test_refuses_an_image_that_was_cut(self, world: World) -> None:
        make(world)
        data = edit_image(world.out / "owl.jpg")
        (world.out / "owl.jpg").write_bytes(data[:-40])
        assert check(world, "--accept", "owl").code == 8

    @pytest.mark.parametrize(
        ("name", "code", "words"),
        [
            ("owll", 2, "hint: did you mean `owl`?"),
            ("99", 2, "hint: give rows by id or number"),
            ("bat", 2, "row `bat` is not in `cards.lock`: it has no image yet"),
            ("fox", 8, "fox.jpg`: No such file"),
        ],
    )
    def test_refuses_rows_without_an_image(
        self, world: World, name: str, code: int, words: str
    ) -> None:
        make(world)
        (world.out / "fox.jpg").unlink()
        rows(*CARDS, {"id": "bat", "prompt": "a bat"})(world)
        done = check(world, "--accept", name)
        assert done.code == code
        assert words in done.err

    def test_is_for_one_file(self, world: World) -> None:
        make(world)
        assert world.run("check", "cards.jsonl", LOCK, "--accept", "fox").code == 2


class TestPrune:
    def test_removes_lines_and_images_that_nobody_edited(self, world: World) -> None:
        make(world)
        rows(FOX)(world)
        edit_image(world.out / "owl.jpg")
        before = state_of(world.folder)
        done = check(world, "--prune")
        assert done.code == 12
        assert [line.split("\t")[:2] for line in done.lines] == [["left over", "owl"]]
        assert done.err.splitlines()[:-1] == [
            f"removed from cards.lock: hen, {wolf_of(before)}",
            "removed: out/hen.jpg",
            "removed: out/4-a-wolf.jpg",
            "notice: kept out/owl.jpg: somebody edited it",
        ]
        after = state_of(world.folder)
        gone = {"out/hen.jpg", "out/4-a-wolf.jpg"}
        assert after == {
            name: data for name, data in before.items() if name not in gone | {LOCK}
        } | {LOCK: after[LOCK]}
        assert [line.get("id") for line in lines_of(world.folder / LOCK)] == [None, "fox", "owl"]

    def test_keeps_all_images_of_a_row_of_which_one_was_edited(self, world: World) -> None:
        make(world, [FOX, {"id": "hen", "prompt": "a hen", "num_images": 2}])
        rows(FOX)(world)
        edit_image(world.out / "hen-2.jpg")
        before = state_of(world.folder)
        assert check(world, "--prune").code == 12
        assert state_of(world.folder) == before

    def test_removes_all_lines_of_a_row(self, world: World) -> None:
        """Of two branches that changed it, and a third one that removed it."""
        make(world, [FOX, HEN])
        lock = world.folder / LOCK
        head, fox, hen = lock.read_text("utf-8").splitlines()
        other = hen.replace('"sha256":"', '"sha256":"0000').replace('"bytes":', '"bytes":1')
        other = re.sub('("sha256":"0000.{60})....', r"\1", other)
        lock.write_text("\n".join([head, fox, other, hen]) + "\n", "utf-8")
        rows(FOX)(world)
        assert len(found(world)) == 2
        assert check(world, "--prune").code == 0
        assert world.files("out") == ["fox.jpg"]

    def test_keeps_what_other_rows_need(self, world: World) -> None:
        make(world, [FOX, HEN])
        lock = world.folder / LOCK
        head, fox, hen = lock.read_text().splitlines()
        shared = fox.replace('"id":"fox"', '"id":"gone"')
        lock.write_text("\n".join([head, fox, shared, hen]) + "\n")
        before = state_of(world.folder)
        done = check(world, "--prune")
        assert (done.code, found(world)) == (0, [])
        assert {**before, LOCK: b""} == {**state_of(world.folder), LOCK: b""}

    def test_keeps_the_input_of_another_row(self, world: World) -> None:
        world.images("house.jpg")
        world.write("cards.jsonl", [{"id": "a", "prompt": "red", "images": ["house.jpg"]}])
        argv = ("edit", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
        assert world.run(*argv).code == 0
        world.write("cards.jsonl", [{"id": "b", "prompt": "blue", "images": ["out/a.jpg"]}])
        assert check(world, "--prune").code == 12
        assert (world.out / "a.jpg").exists()
        assert found(world) == [("new", "b")]

    def test_removes_the_sidecar_as_well(self, world: World) -> None:
        make(world, [FOX, HEN], "--sidecar")
        rows(FOX)(world)
        assert check(world, "--prune").code == 0
        assert world.files("out") == ["fox.jpg", "fox.jpg.json"]

    def test_removes_the_last_row(self, world: World) -> None:
        make(world, [FOX])
        world.write("cards.jsonl", "")
        assert check(world).code == 12
        assert check(world, "--prune").code == 0
        assert not (world.out / "fox.jpg").exists()

    def test_does_nothing_where_nothing_is_left_over(self, world: World) -> None:
        make(world)
        edit_image(world.out / "owl.jpg")
        before = state_of(world.folder)
        assert check(world, "--prune").code == 12
        assert state_of(world.folder) == before

    def test_lines_without_images(self, world: World) -> None:
        make(world)
        rows(FOX)(world)
        for name in ("owl", "hen", "4-a-wolf"):
            (world.out / f"{name}.jpg").unlink()
        assert check(world, "--prune").code == 0
        assert [row.id for row in lock_of(world).rows] == ["fox"]


def wolf_of(state: dict[str, bytes]) -> str:
    ids = [str(json.loads(line).get("id", "")) for line in state[LOCK].splitlines()]
    return next(each for each in ids if each.startswith("~"))
