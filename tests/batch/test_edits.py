"""Batches of edits: one instruction for every image, known by its image."""

import os
import sys
from pathlib import Path

import pytest

from samples import image_file
from world import Ran, World

WINTER = "make it winter"


def each(world: World, *images: str, argv: tuple[str, ...] = ("-d", "out")) -> Ran:
    """`edit "make it winter" --each` over these."""
    sources = [part for image in images for part in ("-i", image)]
    where = () if "-p" in argv else ("-p", "aimlapi")
    return world.run("edit", WINTER, *sources, "--each", "--json", *where, *argv)


class TestAFolder:
    def test_makes_an_edit_of_each_image_in_its_natural_order(self, world: World) -> None:
        world.images("pics/img-10.png", "pics/img-9.png", "pics/Img-1.JPG", "pics/.hidden.png")
        world.write("pics/notes.txt", "no image")
        ran = each(world, "pics")
        assert ran.paths(world.out) == ["Img-1-edit.jpg", "img-9-edit.jpg", "img-10-edit.jpg"]
        assert world.accepted == {WINTER: 3}
        assert each(world, "pics").counts == {"skipped": 3}

    @pytest.mark.parametrize("spelled", ["pics", "./pics", "../here/pics", "out/../pics"])
    def test_may_take_its_own_results_which_are_left_out_the_next_time(
        self, spelled: str, world: World
    ) -> None:
        world.images("pics/a.png", "pics/b.jpg", "out/x.png")
        assert each(world, "pics", argv=("-d", spelled)).counts == {"saved": 2}
        for folder in ("pics", "../here/pics", str(world.folder / "pics")):
            again = each(world, folder, argv=("-d", spelled))
            assert (again.code, again.counts) == (0, {"skipped": 2})
        world.images("pics/c.png")
        assert each(world, "pics", argv=("-d", spelled)).counts == {"skipped": 2, "saved": 1}
        assert world.accepted == {WINTER: 3}

    @pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
    def test_that_a_link_leads_to_may_take_its_own_results(self, world: World) -> None:
        world.images("pics/a.png")
        (world.folder / "link").symlink_to("pics")
        each(world, "link", argv=("-d", "pics"))
        assert each(world, "link", argv=("-d", "pics")).counts == {"skipped": 1}

    def test_without_images_is_a_mistake(self, world: World) -> None:
        world.write("pics/notes.txt", "no image")
        ran = each(world, "pics")
        assert (ran.code, world.posts) == (2, 0)
        assert "there are no images to edit" in ran.err

    def test_with_two_images_of_one_name_is_refused(self, world: World) -> None:
        world.images("pics/a.png", "pics/a.jpg", "pics/b.png")
        ran = each(world, "pics")
        assert (ran.code, world.posts) == (2, 0)
        [told] = ran.errors[0]["details"]
        assert told.startswith("image 2: it has the same file name as ")
        assert each(world, "pics", argv=("-d", "out", "--name", "{index}-{stem}")).code == 0


class TestImages:
    def test_are_files_folders_and_urls_together(self, world: World) -> None:
        world.images("pics/a.png", "pics/b.png", "c.jpg")
        url = "https://example.com/d.png"
        ran = each(world, "c.jpg", "pics", url, "pics/a.png")
        assert ran.paths(world.out) == [f"{name}-edit.jpg" for name in "cabd"]
        assert each(world, url, "pics", "c.jpg").counts == {"skipped": 4}

    def test_are_known_wherever_one_stands(self, world: World) -> None:
        world.images("pics/a.png")
        url = "https://example.com/d.png"
        each(world, "pics/a.png", url)
        world.cwd = world.folder / "pics"
        again = each(world, "a.png", url, argv=("-d", str(world.out)))
        assert (again.code, again.counts) == (0, {"skipped": 2})

    def test_that_are_one_under_two_names_are_edited_once(self, world: World) -> None:
        world.images("a.png", "b.png")
        spellings = ("b.png", "a.png", "./a.png", str(world.folder / "a.png"), "../here/a.png")
        each(world, *spellings, argv=("-d", "out", "--name", "{index}"))
        assert world.accepted == {WINTER: 2}

    def test_and_the_instruction_make_a_row(self, world: World) -> None:
        world.images("a.png")
        each(world, "a.png")
        argv = ("edit", "make it night", "-i", "a.png", "--each", "-p", "aimlapi", "--json")
        assert world.run(*argv, "-d", "night").reasons == ["new"]
        assert world.run(*argv, "-d", "out").code == 8
        assert world.run(*argv, "-d", "out", "--exists", "number").reasons == ["new"]
        world.may_be_accepted(2, "make it night")

    def test_that_change_replace_their_own_image(self, world: World) -> None:
        world.images("pics/a.png", "pics/b.png")
        before = each(world, "pics")
        world.write("pics/a.png", image_file("png", (90, 30), "red"))
        after = each(world, "pics")
        assert (after.code, after.reasons) == (0, ["changed: images", "saved"])
        assert world.files("out") == ["a-edit.jpg", "b-edit.jpg"]
        sums = [ran.jobs[0]["files"][0]["sha256"] for ran in (before, after)]
        assert sums[0] != sums[1]
        assert each(world, "pics").counts == {"skipped": 2}

    def test_that_are_only_touched_are_the_same(self, world: World) -> None:
        world.images("a.png")
        each(world, "a.png")
        os.utime(world.folder / "a.png", (1, 1))
        assert each(world, "a.png").reasons == ["saved"]

    def test_that_change_while_an_edit_was_touched_leave_it_and_are_numbered(
        self, world: World
    ) -> None:
        world.images("pics/a.png")
        each(world, "pics", argv=("-d", "pics"))
        world.write("pics/a-edit.jpg", image_file("jpeg", (50, 50), "red"))
        world.write("pics/a.png", image_file("png", (90, 30), "red"))
        changed = each(world, "pics", argv=("-d", "pics"))
        assert (changed.code, changed.reasons) == (0, ["changed: images"])
        assert world.files("pics") == ["a-edit-2.jpg", "a-edit.jpg", "a.png"]
        assert each(world, "pics", argv=("-d", "pics")).counts == {"skipped": 1}

    def test_that_are_asked_for_otherwise_are_made_again(self, world: World) -> None:
        world.images("a.png")
        each(world, "a.png")
        world.may_be_accepted(2, WINTER)
        ran = each(world, "a.png", argv=("-d", "out", "--seed", "7", "-a", "1:1"))
        found = ran.reasons[0].removeprefix("changed: ").split(", ")
        assert "aspect_ratio" in found
        assert world.files("out") == ["a-edit.jpg"]

    def test_that_are_no_images_are_told_together(self, world: World) -> None:
        world.images("a.png")
        world.write("text.png", "hello")
        ran = each(world, "a.png", "text.png", "none.png")
        assert (ran.code, world.posts) == (8, 0)
        told = ran.errors[0]["details"]
        assert [line.split(" ")[:2] for line in told] == [["image", "2:"], ["image", "3:"]]

    def test_too_large_go_to_the_storage_of_the_provider(self, world: World) -> None:
        large = image_file("png", (64, 48)) + bytes(2_600_000)
        world.write("pics/a.png", large)
        ran = each(world, "pics", argv=("-d", "out", "-p", "fal"))
        assert (ran.code, ran.counts) == (0, {"saved": 1})
        [entry] = world.ledger.entries
        assert entry.payload["image_url"].startswith("http")


class TestTheInstruction:
    def test_may_come_from_standard_input(self, world: World) -> None:
        world.images("a.png")
        argv = ("edit", "-", "-i", "a.png", "--each", "-d", "out", "-p", "aimlapi", "--json")
        world.run(*argv, stdin=b"make it winter\n")
        assert world.accepted == {WINTER: 1}

    @pytest.mark.parametrize("prompt", ["", "  "])
    def test_cannot_be_empty(self, prompt: str, world: World) -> None:
        world.images("a.png")
        ran = world.run("edit", prompt, "-i", "a.png", "--each", "-p", "aimlapi")
        assert (ran.code, world.posts) == (2, 0)
        assert "the prompt is empty" in ran.err


def test_rows_of_a_file_are_known_by_the_content_of_their_images(world: World) -> None:
    world.images("a.png", "b.png")
    world.write("p.jsonl", [{"prompt": "x", "images": "a.png"}, {"prompt": "x", "images": "b.png"}])
    argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
    assert world.run(*argv).counts == {"saved": 2}
    Path("a.png").rename("c.png")
    world.write("p.jsonl", [{"prompt": "x", "images": "b.png"}, {"prompt": "x", "images": "c.png"}])
    assert world.run(*argv).counts == {"skipped": 2}
    world.write("c.png", image_file("png", (33, 99)))
    assert world.run(*argv).reasons == ["saved", "new"]


def test_rows_with_an_id_replace_their_image_when_an_image_changes(world: World) -> None:
    world.images("a.png")
    world.write("p.jsonl", [{"id": "x", "prompt": "x", "images": "a.png"}])
    argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
    world.run(*argv)
    world.write("a.png", image_file("png", (33, 99)))
    assert world.run(*argv).reasons == ["changed: images"]
    assert world.files("out") == ["x.jpg"]
