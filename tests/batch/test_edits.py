"""Batches of edits: one instruction for every image, known by its image."""

import os
import sys
from pathlib import Path

import pytest

from batches import Desk, Ran
from pictures import picture

WINTER = "make it winter"


def each(desk: Desk, *images: str, argv: tuple[str, ...] = ("-d", "out")) -> Ran:
    """`edit "make it winter" --each` over these."""
    sources = [part for image in images for part in ("-i", image)]
    where = () if "-p" in argv else ("-p", "aimlapi")
    return desk("edit", WINTER, *sources, "--each", "--json", *where, *argv)


class TestAFolder:
    def test_makes_an_edit_of_each_picture_in_its_natural_order(self, desk: Desk) -> None:
        desk.images("pics/img-10.png", "pics/img-9.png", "pics/Img-1.JPG", "pics/.hidden.png")
        desk.write("pics/notes.txt", "no picture")
        ran = each(desk, "pics")
        assert ran.paths(desk.out) == ["Img-1-edit.jpg", "img-9-edit.jpg", "img-10-edit.jpg"]
        assert desk.accepted == {WINTER: 3}
        assert each(desk, "pics").counts == {"skipped": 3}

    @pytest.mark.parametrize("spelled", ["pics", "./pics", "../here/pics", "out/../pics"])
    def test_may_take_its_own_results_which_are_left_out_the_next_time(
        self, spelled: str, desk: Desk
    ) -> None:
        desk.images("pics/a.png", "pics/b.jpg", "out/x.png")
        assert each(desk, "pics", argv=("-d", spelled)).counts == {"saved": 2}
        for folder in ("pics", "../here/pics", str(desk.folder / "pics")):
            again = each(desk, folder, argv=("-d", spelled))
            assert (again.code, again.counts) == (0, {"skipped": 2})
        desk.images("pics/c.png")
        assert each(desk, "pics", argv=("-d", spelled)).counts == {"skipped": 2, "saved": 1}
        assert desk.accepted == {WINTER: 3}

    @pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
    def test_that_a_link_leads_to_may_take_its_own_results(self, desk: Desk) -> None:
        desk.images("pics/a.png")
        (desk.folder / "link").symlink_to("pics")
        each(desk, "link", argv=("-d", "pics"))
        assert each(desk, "link", argv=("-d", "pics")).counts == {"skipped": 1}

    def test_without_pictures_is_a_mistake(self, desk: Desk) -> None:
        desk.write("pics/notes.txt", "no picture")
        ran = each(desk, "pics")
        assert (ran.code, desk.posts) == (2, 0)
        assert "there are no images to edit" in ran.err

    def test_with_two_pictures_of_one_name_is_refused(self, desk: Desk) -> None:
        desk.images("pics/a.png", "pics/a.jpg", "pics/b.png")
        ran = each(desk, "pics")
        assert (ran.code, desk.posts) == (2, 0)
        [told] = ran.errors[0]["details"]
        assert told.startswith("image 2: it has the same file name as ")
        assert each(desk, "pics", argv=("-d", "out", "--name", "{index}-{stem}")).code == 0


class TestImages:
    def test_are_files_folders_and_urls_together(self, desk: Desk) -> None:
        desk.images("pics/a.png", "pics/b.png", "c.jpg")
        url = "https://example.com/d.png"
        ran = each(desk, "c.jpg", "pics", url, "pics/a.png")
        assert ran.paths(desk.out) == [f"{name}-edit.jpg" for name in "cabd"]
        assert each(desk, url, "pics", "c.jpg").counts == {"skipped": 4}

    def test_are_known_wherever_one_stands(self, desk: Desk) -> None:
        desk.images("pics/a.png")
        url = "https://example.com/d.png"
        each(desk, "pics/a.png", url)
        desk.stand_in(desk.folder / "pics")
        again = each(desk, "a.png", url, argv=("-d", str(desk.out)))
        assert (again.code, again.counts) == (0, {"skipped": 2})

    def test_that_are_one_under_two_names_are_edited_once(self, desk: Desk) -> None:
        desk.images("a.png", "b.png")
        spellings = ("b.png", "a.png", "./a.png", str(desk.folder / "a.png"), "../here/a.png")
        each(desk, *spellings, argv=("-d", "out", "--name", "{index}"))
        assert desk.accepted == {WINTER: 2}

    def test_and_the_instruction_make_a_row(self, desk: Desk) -> None:
        desk.images("a.png")
        each(desk, "a.png")
        argv = ("edit", "make it night", "-i", "a.png", "--each", "-p", "aimlapi", "--json")
        assert desk(*argv, "-d", "night").reasons == ["new"]
        assert desk(*argv, "-d", "out").code == 8
        assert desk(*argv, "-d", "out", "--exists", "number").reasons == ["new"]
        desk.may_be_accepted(2, "make it night")

    def test_that_change_replace_their_own_picture(self, desk: Desk) -> None:
        desk.images("pics/a.png", "pics/b.png")
        before = each(desk, "pics")
        desk.write("pics/a.png", picture("png", (90, 30), "red"))
        after = each(desk, "pics")
        assert (after.code, after.reasons) == (0, ["changed: images", "saved"])
        assert desk.files() == ["a-edit.jpg", "b-edit.jpg"]
        sums = [ran.jobs[0]["files"][0]["sha256"] for ran in (before, after)]
        assert sums[0] != sums[1]
        assert each(desk, "pics").counts == {"skipped": 2}

    def test_that_are_only_touched_are_the_same(self, desk: Desk) -> None:
        desk.images("a.png")
        each(desk, "a.png")
        os.utime(desk.folder / "a.png", (1, 1))
        assert each(desk, "a.png").reasons == ["saved"]

    def test_that_change_while_an_edit_was_touched_leave_it_and_are_numbered(
        self, desk: Desk
    ) -> None:
        desk.images("pics/a.png")
        each(desk, "pics", argv=("-d", "pics"))
        desk.write("pics/a-edit.jpg", picture("jpeg", (50, 50), "red"))
        desk.write("pics/a.png", picture("png", (90, 30), "red"))
        changed = each(desk, "pics", argv=("-d", "pics"))
        assert (changed.code, changed.reasons) == (0, ["changed: images"])
        assert desk.files("pics") == ["a-edit-2.jpg", "a-edit.jpg", "a.png"]
        assert each(desk, "pics", argv=("-d", "pics")).counts == {"skipped": 1}

    def test_that_are_asked_for_otherwise_are_made_again(self, desk: Desk) -> None:
        desk.images("a.png")
        each(desk, "a.png")
        desk.may_be_accepted(2, WINTER)
        ran = each(desk, "a.png", argv=("-d", "out", "--seed", "7", "-a", "1:1"))
        found = ran.reasons[0].removeprefix("changed: ").split(", ")
        assert "aspect_ratio" in found
        assert desk.files() == ["a-edit.jpg"]

    def test_that_are_no_pictures_are_told_together(self, desk: Desk) -> None:
        desk.images("a.png")
        desk.write("text.png", "hello")
        ran = each(desk, "a.png", "text.png", "none.png")
        assert (ran.code, desk.posts) == (8, 0)
        told = ran.errors[0]["details"]
        assert [line.split(" ")[:2] for line in told] == [["image", "2:"], ["image", "3:"]]

    def test_too_large_go_to_the_storage_of_the_provider(self, desk: Desk) -> None:
        large = picture("png", (64, 48)) + bytes(2_600_000)
        desk.write("pics/a.png", large)
        ran = each(desk, "pics", argv=("-d", "out", "-p", "fal"))
        assert (ran.code, ran.counts) == (0, {"saved": 1})
        [entry] = desk.ledger.entries
        assert entry.payload["image_url"].startswith("http")


class TestTheInstruction:
    def test_may_come_from_standard_input(self, desk: Desk) -> None:
        desk.images("a.png")
        argv = ("edit", "-", "-i", "a.png", "--each", "-d", "out", "-p", "aimlapi", "--json")
        desk(*argv, stdin=b"make it winter\n")
        assert desk.accepted == {WINTER: 1}

    @pytest.mark.parametrize("prompt", ["", "  "])
    def test_cannot_be_empty(self, prompt: str, desk: Desk) -> None:
        desk.images("a.png")
        ran = desk("edit", prompt, "-i", "a.png", "--each", "-p", "aimlapi")
        assert (ran.code, desk.posts) == (2, 0)
        assert "the prompt is empty" in ran.err


def test_rows_of_a_file_are_known_by_the_content_of_their_images(desk: Desk) -> None:
    desk.images("a.png", "b.png")
    desk.write("p.jsonl", [{"prompt": "x", "images": "a.png"}, {"prompt": "x", "images": "b.png"}])
    argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
    assert desk(*argv).counts == {"saved": 2}
    Path("a.png").rename("c.png")
    desk.write("p.jsonl", [{"prompt": "x", "images": "b.png"}, {"prompt": "x", "images": "c.png"}])
    assert desk(*argv).counts == {"skipped": 2}
    desk.write("c.png", picture("png", (33, 99)))
    assert desk(*argv).reasons == ["saved", "new"]


def test_rows_with_an_id_replace_their_picture_when_an_image_changes(desk: Desk) -> None:
    desk.images("a.png")
    desk.write("p.jsonl", [{"id": "x", "prompt": "x", "images": "a.png"}])
    argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "aimlapi", "--json")
    desk(*argv)
    desk.write("a.png", picture("png", (33, 99)))
    assert desk(*argv).reasons == ["changed: images"]
    assert desk.files() == ["x.jpg"]
