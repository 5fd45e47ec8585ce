"""`kontext gallery`: what is on the page and on the sheet, and what it leaves alone."""

import html
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import pytest
from PIL import Image

from keyboard import CTRL_C, at_keyboard
from samples import image_file
from world import World

ODD = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '" onerror="alert(1)',
    "javascript:alert(1)",
    "it's $title & ${tiles} \x1b[31m\u202e ünï 中文",
)
"""Prompts that would do something if they were markup, a template or a terminal's."""


def entries(page: Path) -> list[dict[str, Any]]:
    """The data for the script of a page."""
    found = re.search(
        r'<script type="application/json" id="entries">(.*?)</script>',
        page.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found is not None
    records: list[dict[str, Any]] = json.loads(found[1])
    return records


def prompts(page: Path) -> list[str]:
    """The prompts as a browser reads them."""
    found = re.findall(r'<figcaption><p dir="auto">(.*?)</p>', page.read_text("utf-8"), re.DOTALL)
    return [html.unescape(each) for each in found]


def links(page: Path, what: str) -> list[Path]:
    """The files that a page links to, by the attribute."""
    found = re.findall(rf'<figure.*?{what}="([^"#]*)"', page.read_text(encoding="utf-8"))
    return [page.parent / unquote(html.unescape(each)) for each in found]


def made(world: World, *argv: str) -> Path:
    done = world.run("gallery", *argv)
    assert done.code == 0, done.err
    return world.folder / done.lines[0]


def test_the_last_batch_in_the_order_of_its_rows(world: World) -> None:
    world.batch(world.prompts("an owl"), "--batch", "first")
    world.write("b.txt", "a red fox\na wolf [fault:failed]\na bear [fault:flagged]\na deer\n")
    world.batch("b.txt", "-d", "b", "--batch", "second", "-p", "fal")
    page = made(world, "-o", "page.html")
    assert prompts(page) == [
        *("a red fox", "a wolf [fault:failed]", "a bear [fault:flagged]", "a deer")
    ]
    text = page.read_text(encoding="utf-8")
    assert "<title>second</title>" in text
    counts = (
        '2 images · <span class="bad">1 failed</span> · <span class="bad">1 moderated</span>'
        " · about $0.12"
    )
    assert counts in text
    assert "<b>failed</b>" in text
    assert "flagged the image as unsafe" in text
    assert [path.name for path in links(page, "href")] == ["1-a-red-fox.jpg", "4-a-deer.jpg"]
    assert all(path.is_file() for path in [*links(page, "href"), *links(page, "src")])
    assert prompts(made(world, "--batch", "first", "-o", "first.html")) == ["an owl"]


def test_the_command_makes_the_same_again(world: World) -> None:
    world.serve(plain=False)
    world.write("rows.jsonl", [{"prompt": "it's a -n 3 $HOME fox", "aspect_ratio": "16:9"}])
    world.batch("rows.jsonl", "-p", "fal", "-m", "kontext-max")
    (entry,) = entries(made(world, "-o", "page.html"))
    assert entry["command"].startswith("kontext generate 'it'\"'\"'s a -n 3 $HOME fox' -p fal -m")
    world.may_be_accepted(2, "it's a -n 3 $HOME fox")
    again = world.run(*shlex.split(entry["command"])[1:], "-o", "again.jpg")
    assert again.code == 0, again.err
    (first,) = (world.folder / "out").glob("*.jpg")
    assert (world.folder / "again.jpg").read_bytes() == first.read_bytes()


def test_an_image_with_a_record_is_replayed(world: World) -> None:
    world.write("rows.jsonl", [{"prompt": "a fox", "id": "-a fox"}, {"prompt": "b", "id": "b"}])
    world.batch("rows.jsonl", "--metadata", "full")
    world.prompts("a wolf")
    world.batch("prompts.txt", "--sidecar")
    world.set(KONTEXT_STATE_DIR=str(world.top / "other"))
    page = made(world, "out", "-o", "out/page.html")
    commands = [entry["command"] for entry in entries(page)]
    assert commands == [
        "kontext replay 1-a-wolf.jpg",
        "kontext replay './-a fox.jpg'",
        "kontext replay b.jpg",
    ]
    again = world.run(*shlex.split(commands[1])[1:], "--dry-run", cwd=world.out)
    assert again.code == 0, again.err


def test_a_prompt_that_begins_with_a_dash(world: World) -> None:
    world.batch(world.prompts("-o lost.png"))
    (entry,) = entries(made(world, "-o", "page.html"))
    assert entry["command"].endswith("-- '-o lost.png'")


def test_what_prompts_hold_stays_text(world: World) -> None:
    world.write("rows.jsonl", [{"prompt": prompt} for prompt in ODD])
    world.batch("rows.jsonl")
    page = made(world, "-o", "page.html")
    text = page.read_text(encoding="utf-8")
    assert prompts(page) == list(ODD)
    assert len(re.findall("<script", text)) == 2
    assert "<img src=x" not in text
    assert "\x1b" not in entries(page)[-1]["command"]


def test_nothing_on_the_page_comes_from_elsewhere(world: World) -> None:
    world.batch(world.prompts("a red fox"))
    text = made(world, "-o", "page.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src 'self' file: data:; script-src 'sha")
    assert "unsafe" not in policy[1]
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    assert "style=" not in text


def test_a_folder_without_a_journal(world: World) -> None:
    world.images("in/img-10.png", "in/img-9.png", "in/a b#%ü.jpg", "in/deep/er.jpg", "in/.no.jpg")
    world.write("in/notes.txt", "x")
    page = made(world, "in", "-o", "page.html")
    assert prompts(page) == ["a b#%ü.jpg", "img-9.png", "img-10.png", "er.jpg"]
    assert all(path.is_file() for path in links(page, "href"))
    assert [entry["command"] for entry in entries(page)] == [""] * 4
    assert [fact[0] for fact in entries(page)[0]["facts"]] == ["Size", "File"]


def test_a_folder_whose_images_the_journal_knows(world: World) -> None:
    world.serve(plain=False)
    world.batch(world.prompts("a red fox", "a wolf", "a deer"), "--name", "{index}")
    (world.out / "1.jpg").rename(world.folder / "moved.jpg")
    (world.out / "2.jpg").write_bytes(image_file(size=(30, 20)))
    page = made(world, "out", "moved.jpg", "-o", "page.html")
    assert prompts(page) == ["2.jpg", "a deer", "a red fox"]


def test_an_edit_has_its_input_beside_it(world: World) -> None:
    world.images("house.jpg", "duck.png")
    world.run(
        "edit", "make it winter", "-i", "house.jpg", "-i", "duck.png", "-o", "edit.jpg", "-p", "fal"
    )
    page = made(world, "edit.jpg", "house.jpg", "-o", "page.html")
    edit, plain = entries(page)
    assert (edit["before"], plain["before"]) == ("house.jpg", "")
    assert " -i house.jpg -i duck.png" in edit["command"]
    assert page.read_text(encoding="utf-8").count("before / after</span>") == 1
    world.images("house.jpg.png")
    (world.folder / "house.jpg.png").replace(world.folder / "house.jpg")
    changed, _ = entries(made(world, "edit.jpg", "house.jpg", "-o", "page.html"))
    assert changed["before"] == ""


def test_a_page_in_one_file(world: World) -> None:
    world.images("house.jpg")
    world.run("edit", "make it winter", "-i", "house.jpg", "-p", "fal")
    page = made(world, "house-edit.jpg", "-o", "page.html", "--inline")
    assert sorted(world.files()) == ["house-edit.jpg", "house.jpg", "page.html"]
    text = page.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:,|data:image/jpeg;base64,|#i1")', text) == []
    (entry,) = entries(page)
    assert entry["before"].startswith("data:image/jpeg;base64,")
    assert not entry["image"]


def test_unchanged_thumbnails_are_kept_and_stale_ones_removed(world: World) -> None:
    world.images("in/a.png", "in/b.png", "in/c.png")
    made(world, "in", "-o", "page.html")
    folder = world.folder / "page-files"
    world.write("page-files/notes.jpg", "mine")
    foreign = f"{'0' * 20}-1x1.jpg"
    world.write(f"page-files/{foreign}", "mine")
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    world.write("in/b.png", image_file("png", (90, 50)))
    (world.folder / "in/c.png").unlink()
    made(world, "in", "-o", "page.html")
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    kept = before.keys() & after.keys()
    assert {"notes.jpg", foreign} < kept
    assert len(kept) == 3
    assert all(before[name] == after[name] for name in kept)
    assert len(after) == 4


def test_missing_and_damaged_files_are_shown_as_such(world: World) -> None:
    world.images("a.png")
    world.write("torn.png", image_file("png", (300, 300))[:200])
    world.write("text.jpg", "no image")
    done = world.run("gallery", "a.png", "torn.png", "text.jpg", "gone.png", "-o", "page.html")
    assert done.code == 0
    assert "3 files are missing or damaged, and shown as such" in done.err
    text = (world.folder / "page.html").read_text(encoding="utf-8")
    for reason in ("a PNG that is cut short", "the file is text<", "there is no such file"):
        assert reason in text
    assert "no image" not in text  # of a link, it may be what nobody is to see
    assert '1 image · <span class="bad">3 missing or damaged</span>' in text


def test_where_nothing_can_be_read_nothing_is_written(world: World) -> None:
    world.write("text.jpg", "no image")
    (world.folder / "empty").mkdir()
    for argv, says in (
        (["text.jpg", "gone.png"], "text.jpg`: the file is text; nor 1 other file"),
        (["gone"], "gone`: there is no such file"),
        (["empty"], "there is no image in `empty`"),
    ):
        for name in ("page.html", "sheet.png"):
            done = world.run("gallery", *argv, "-o", name)
            assert done.code == 8
            assert says in done.err
    assert world.files() == ["text.jpg"]


def test_files_of_others_are_not_replaced(world: World) -> None:
    world.images("a.png")
    for name in ("page.html", "sheet.png", "sheet.jpg"):
        content = image_file() if name != "page.html" else b"<!doctype html><p>mine"
        path = world.write(name, content)
        done = world.run("gallery", "a.png", "-o", name)
        assert done.code == 8
        assert "was not made by `kontext gallery`" in done.err
        assert path.read_bytes() == content
        path.unlink()
        assert world.run("gallery", "a.png", "-o", name).code == 0
        assert world.run("gallery", "a.png", "-o", name).code == 0


def test_a_thumbnail_folder_that_is_a_link_is_left_alone(world: World) -> None:
    world.images("a.png", "other/b.png")
    (world.folder / "page-files").symlink_to(world.folder / "other")
    done = world.run("gallery", "a.png", "-o", "page.html")
    assert done.code == 8
    assert [path.name for path in (world.folder / "other").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "needs -o"),
        (["-o", "page.pdf"], "should end in .html"),
        (["-o", "-"], "should end in .html"),
        (["-o", "page.html"], "the journal has no batch"),
        (["-o", "page.html", "--batch", "x"], "no batch `x`"),
        (["a", "-o", "page.html", "--batch", "x"], "not both"),
        (["a", "-o", "page.html", "--columns", "3"], "for a contact sheet"),
        (["a", "-o", "sheet.png", "--inline"], "for a page"),
        (["a", "-o", "sheet.png", "--label", "id,age"], "--label has no `age`"),
    ],
)
def test_what_cannot_be_asked_for(world: World, argv: list[str], says: str) -> None:
    done = world.run("gallery", *argv)
    assert done.code == 2
    assert says in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_leaves_no_half_page(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(image_file(size=(1024, 1024)))
    for number in range(1, 2000):
        (folder / f"{number}.jpg").hardlink_to(folder / "0.jpg")
    (tmp_path / "page.html").write_bytes(b"")
    argv = ("gallery", "in", "-o", "page.html")
    code, shown = at_keyboard(*argv, cwd=tmp_path, after=b"/2,000 images", keys=CTRL_C)
    assert code == 130
    assert b"\r\x1b[Kgallery: " in shown
    assert (tmp_path / "page.html").read_bytes() == b""
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_names_that_no_url_holds_as_they_are(world: World) -> None:
    names = ["a b.png", "c#d?e%.png", "f:g.png", "'\"<i>.png"]
    if sys.platform == "linux":
        (world.folder / os.fsdecode(b"\xff\xfe.png")).write_bytes(image_file("png"))
    world.images(*names)
    page = made(world, ".", "-o", "my pa#ge.html")
    found = re.findall(r'<figure.*?(?:href|src)="([^"#]*)"', page.read_text(encoding="utf-8"))
    assert all(":" not in each for each in found)
    hrefs = [os.fsdecode(unquote_to_bytes(html.unescape(each))) for each in found]
    assert {*names} < {*hrefs}
    assert all((world.folder / each).is_file() for each in hrefs)
    assert all(path.is_file() for path in links(page, "src"))


def test_a_row_that_was_made_again_is_shown_once(world: World) -> None:
    world.write("rows.jsonl", [{"id": "fox", "prompt": "a red fox"}])
    world.batch("rows.jsonl", "-p", "fal")
    world.write("rows.jsonl", [{"id": "fox", "prompt": "a grey fox"}])
    world.batch("rows.jsonl", "-p", "fal")
    page = made(world, "-o", "page.html")
    assert prompts(page) == ["a grey fox"]
    assert "1 image · about $0.08<" in page.read_text(encoding="utf-8")


def test_json(world: World) -> None:
    world.images("a.png")
    done = world.run("gallery", "a.png", "gone.png", "-o", "page.html", "--json")
    assert done.records == [
        {
            "schema": 1,
            "type": "gallery",
            "path": str(world.folder / "page.html"),
            "images": 1,
            "without_image": 0,
            "missing": 1,
        }
    ]


def test_a_contact_sheet(world: World) -> None:
    world.serve(plain=False)
    world.write(
        "rows.jsonl", [{"id": f"r{n}", "prompt": f"{prompt} 🦊"} for n, prompt in enumerate(ODD)]
    )
    world.batch("rows.jsonl")
    sheet = made(world, "-o", "sheet.png", "--columns", "2", "--label", "id,prompt")
    with Image.open(sheet) as image:
        width, height = image.size
        assert image.info["Software"] == "kontext gallery"
    assert width == 12 + 2 * 332
    assert height == 12 + 3 * (332 + 2 * 21)
    bare = made(world, "-o", "bare.jpg", "--columns", "2", "--label", "")
    with Image.open(bare) as image:
        assert image.size == (width, 12 + 3 * 332)


def test_a_sheet_that_would_be_too_large(world: World) -> None:
    world.images("a.png")
    names = [f"gone-{number}.png" for number in range(900)]
    done = world.run("gallery", "a.png", *names, "-o", "sheet.png", "--columns", "1")
    assert done.code == 2
    assert "--columns" in done.err
    assert world.run("gallery", "a.png", *names[:600], "-o", "sheet.png").code == 0
