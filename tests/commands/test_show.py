"""`kontext show` on terminals of several kinds, and elsewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.Image import Exif

from processes import PROGRAM, RightHere, environment, kontext_here
from samples import image_file
from terminal.images_drawn import GRAPHICS, block_image, iterm_images, kitty_images, opened
from terminal.windows import on_window

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
KITTY = {"TERM": "xterm-kitty"}
ITERM = {"TERM_PROGRAM": "iTerm.app"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, and a file that is none."""
    (tmp_path / "teal.jpg").write_bytes(image_file("jpeg", (400, 200)))
    (tmp_path / "red.png").write_bytes(image_file("png", (100, 300), "red"))
    (tmp_path / "note.txt").write_text("to do")
    return tmp_path


def plain(sent: str) -> list[str]:
    """What is left to read without the images."""
    return [
        line.strip()
        for line in re.sub(r"\x1b\[[\d;]*[A-Zm]|\x1b[78]|[▀\r]", "", GRAPHICS.sub("", sent)).split(
            "\n"
        )
        if line.strip()
    ]


def test_an_image_on_any_terminal(folder: Path) -> None:
    seen = on_window("show", "teal.jpg", cwd=folder)
    image = block_image(seen.sent)
    assert image.size == (80, 40)
    assert _is_near(image.getpixel((40, 20)), (0, 128, 128))
    assert plain(seen.sent) == ["teal.jpg  400×200 JPEG"]
    assert seen.code == 0


def test_an_image_in_kitty(folder: Path) -> None:
    seen = on_window("show", "red.png", cwd=folder, cell=(10, 20), environ=KITTY)
    [(keys, image)] = kitty_images(seen.sent)
    assert (keys["c"], keys["r"]) == ("10", "15")
    assert image.size == (100, 300)
    assert image.getpixel((50, 50)) == (255, 0, 0)
    assert plain(seen.sent) == ["red.png  100×300 PNG"]


def test_an_image_in_iterm_is_the_file_itself(folder: Path) -> None:
    seen = on_window("show", "teal.jpg", cwd=folder, cell=(10, 20), environ=ITERM)
    [(keys, data)] = iterm_images(seen.sent)
    assert data == (folder / "teal.jpg").read_bytes()
    assert (keys["width"], keys["height"]) == ("40", "10")


@pytest.mark.parametrize("kind", ["webp", "gif", "turned", "large"])
def test_what_iterm_may_not_show_is_sent_as_a_copy(folder: Path, kind: str) -> None:
    _write(folder / "image", kind)
    seen = on_window("show", "image", cwd=folder, environ=ITERM)
    [(_, data)] = iterm_images(seen.sent)
    copy = opened(data)
    assert copy.format == "JPEG"
    assert copy.size == ((48, 64) if kind == "turned" else copy.size)
    assert len(data) < 2**20


def test_transparency_is_white(folder: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(folder / "clear.png")
    image = block_image(on_window("show", "clear.png", cwd=folder).sent)
    assert image.getcolors() == [(64, (255, 255, 255))]


def test_several_side_by_side(folder: Path) -> None:
    seen = on_window("show", "teal.jpg", "red.png", cwd=folder)
    image = block_image(seen.sent)
    assert image.size == (56, 44)  # 39 with a gap of 2, and 15
    assert _is_near(image.getpixel((20, 40)), (0, 128, 128))
    assert image.getpixel((20, 2)) == (0, 0, 0)
    assert image.getpixel((45, 2)) == (255, 0, 0)
    assert plain(seen.sent)[-1].split() == [
        "teal.jpg",
        "400×200",
        "JPEG",
        "red.png",
        "100×300",
        "PNG",
    ]


@pytest.mark.parametrize(("count", "rows"), [(3, [3]), (4, [2, 2]), (5, [3, 2]), (7, [3, 3, 1])])
def test_rows_are_of_equal_length(folder: Path, count: int, rows: Sequence[int]) -> None:
    seen = on_window("show", *["red.png"] * count, cwd=folder)
    assert [line.count("red.png") for line in plain(seen.sent)] == rows


def test_more_than_fit_go_on_below(folder: Path) -> None:
    seen = on_window("show", *["red.png"] * 5, "--width", "30", cwd=folder)
    assert [line.count("red.png") for line in plain(seen.sent)] == [2, 2, 1]


@pytest.mark.parametrize("environ", [KITTY, ITERM], ids=str)
def test_several_as_pixels_side_by_side(folder: Path, environ: dict[str, str]) -> None:
    seen = on_window("show", "teal.jpg", "red.png", cwd=folder, environ=environ)
    assert len(re.findall(r"\x1b\[(?:1|42)G\x1b7", seen.sent)) == 2


@pytest.mark.parametrize("columns", [1, 2, 7, 19, 20, 41, 300])
def test_any_window_and_any_width(folder: Path, columns: int) -> None:
    for options in ((), ("--width", "3"), ("--width", "500")):
        seen = on_window("show", "teal.jpg", "red.png", *options, cwd=folder, size=(columns, 9))
        lines = re.sub(r"\x1b\[[\d;]*m", "", seen.sent).split("\n")
        assert seen.code == 0
        assert max(map(len, lines)) <= columns


def test_a_wide_window_does_not_keep_them_apart(folder: Path) -> None:
    seen = on_window("show", "teal.jpg", "red.png", cwd=folder, size=(300, 12))
    assert block_image(seen.sent).size == (40 + 2 + 7, 20)


def test_cells_that_are_not_twice_as_high_as_wide(folder: Path) -> None:
    image = block_image(on_window("show", "teal.jpg", cwd=folder, cell=(10, 25)).sent)
    assert image.size == (80, 32)


def test_what_is_no_image_does_not_hide_the_others(folder: Path) -> None:
    seen = on_window("show", "note.txt", "gone.png", "red.png", cwd=folder)
    assert seen.code == 8
    assert plain(seen.sent) == [
        "red.png  100×300 PNG",
        "error: `note.txt` is text, not a JPEG, PNG, WebP or GIF image",
        "error: cannot read `gone.png`: No such file or directory",
    ]


def test_a_folder_is_for_the_gallery(folder: Path) -> None:
    done = kontext_here("show", ".", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == b"error: `.` is a folder\nhint: kontext gallery . -o gallery.html\n"


def test_a_pipe_gets_an_image_only_if_told_how(folder: Path) -> None:
    done = kontext_here("show", "teal.jpg", cwd=folder, TERM="xterm-256color")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"hint: --preview blocks" in done.stderr
    told = kontext_here(
        "show", "teal.jpg", "--preview", "blocks", cwd=folder, COLORTERM="truecolor"
    )
    assert block_image(told.stdout.decode()).size == (80, 40)


def test_standard_output_that_is_closed_or_full(folder: Path) -> None:
    command = shlex.join([*PROGRAM, "show", "teal.jpg", "--preview", "blocks"])
    for where in (">&-", "> /dev/full") if Path("/dev/full").exists() else (">&-",):
        done = subprocess.run(
            ["sh", "-c", f"{command} {where}"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 8
        assert done.stderr.startswith(b"error: ")


@pytest.mark.parametrize(
    ("term", "encoding", "argv"),
    [
        ("dumb", "utf-8", ()),
        ("xterm", "ascii", ()),
        ("xterm", "ascii", ("--preview", "blocks")),
    ],
)
def test_a_terminal_without_images(
    folder: Path, term: str, encoding: str, argv: Sequence[str]
) -> None:
    there = {"TERM": term}
    seen = on_window("show", "red.png", *argv, cwd=folder, encoding=encoding, environ=there)
    notice, caption = plain(seen.sent)
    assert notice.startswith("notice: this terminal cannot show images")
    assert caption.startswith("red.png  100")
    assert seen.code == 0


def test_names_are_shown_as_text_and_cut_to_their_column(folder: Path) -> None:
    name = "\x1b[2J" + "長" * 40 + ".png"
    (folder / name).write_bytes(image_file("png"))
    seen = on_window("show", name, "red.png", cwd=folder)
    [line] = plain(seen.sent)
    assert line.startswith("\\x1b[2J長")
    assert "長…長長長.png   red.png" in line
    assert "\x1b[2J" not in seen.sent


@pytest.mark.parametrize(
    ("environ", "config", "argv", "drawn"),
    [
        ({"KONTEXT_PREVIEW": "kitty"}, "", (), "kitty"),
        ({}, 'preview = "kitty"', (), "kitty"),
        ({}, 'preview = "off"', (), "blocks"),
        ({"KONTEXT_PREVIEW": "kitty"}, 'preview = "kitty"', ("--preview", "auto"), "blocks"),
        ({"KONTEXT_PREVIEW": "iterm"}, "", ("--preview", "blocks"), "blocks"),
    ],
)
def test_flag_before_variable_before_config(
    folder: Path, environ: dict[str, str | None], config: str, argv: Sequence[str], drawn: str
) -> None:
    (folder / "config.toml").write_text(config)
    where: dict[str, str | None] = {"KONTEXT_CONFIG_DIR": str(folder), **environ}
    sent = on_window("show", "red.png", *argv, cwd=folder, environ=where).sent
    assert ("\x1b_G" in sent, "▀" in sent) == (drawn == "kitty", drawn == "blocks")


def test_values_that_are_none(right_here: RightHere, folder: Path) -> None:
    values = b"auto, kitty, iterm, blocks, off"
    done = right_here("show", "red.png", cwd=folder, environ={"KONTEXT_PREVIEW": "sixel"})
    assert done.returncode == 2
    assert values in done.stderr
    (folder / "config.toml").write_text('model = "x"\npreview = "sixel"\n')
    done = right_here("show", "red.png", cwd=folder, environ={"KONTEXT_CONFIG_DIR": str(folder)})
    assert done.returncode == 2
    assert b"config.toml:2: `preview` should be one of " + values in done.stderr
    done = right_here("show", "red.png", "--preview", "sixel", cwd=folder)
    assert done.returncode == 2
    assert b"blocks" in done.stderr


def _is_near(colour: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(a - b) < 8 for a, b in zip(colour, wanted, strict=True))


def _write(path: Path, kind: str) -> None:
    if kind == "large":
        path.write_bytes(image_file("png") + bytes(5 * 2**20))
    elif kind == "turned":
        exif = Exif()
        exif[0x0112] = 6
        out = BytesIO()
        Image.new("RGB", (64, 48), "teal").save(out, "jpeg", exif=exif)
        path.write_bytes(out.getvalue())
    else:
        path.write_bytes(image_file(kind))
