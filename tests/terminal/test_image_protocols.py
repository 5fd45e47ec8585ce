"""Images as escape sequences: read back, they are the images; which one a terminal gets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kontext_cli.terminal.image_protocols import (
    Drawn,
    blocks,
    has_true_colour,
    iterm,
    kitty,
    protocol_of,
    side_by_side,
)
from terminal.images_drawn import block_image, iterm_images, kitty_images

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
XTERM = {"TERM": "xterm-256color"}


@st.composite
def images(draw: st.DrawFn) -> Image.Image:
    """Small images: of a few colours, so that neighbours are equal, or of any."""
    width, height = draw(SIZES)
    few = draw(st.binary(min_size=1, max_size=4))
    count = 3 * width * height
    data = (few * count)[:count] if draw(st.booleans()) else draw(st.randoms()).randbytes(count)
    return Image.frombytes("RGB", (width, height), data)


@given(images())
def test_kitty_draws_every_pixel(image: Image.Image) -> None:
    drawn = kitty(image.tobytes(), image.size, 7, 5)
    [(keys, there)] = kitty_images(drawn.sequence)
    assert (keys["a"], keys["f"], keys["C"], keys["c"], keys["r"]) == ("T", "24", "1", "7", "5")
    assert there.tobytes() == image.tobytes()
    assert there.size == image.size


def test_kitty_gets_a_large_image_in_pieces() -> None:
    noise = Image.effect_noise((300, 300), 99).convert("RGB")
    drawn = kitty(noise.tobytes(), noise.size, 30, 15)
    [(_, there)] = kitty_images(drawn.sequence)
    assert there.tobytes() == noise.tobytes()
    assert drawn.sequence.count("\x1b_G") > 20


@given(images())
def test_blocks_draw_every_pixel(image: Image.Image) -> None:
    drawn = blocks(image.tobytes(), image.size, true_colour=True)
    there = block_image("\n".join(drawn.lines))
    assert (drawn.columns, drawn.rows) == (image.width, (image.height + 1) // 2)
    assert there.crop((0, 0, *image.size)).tobytes() == image.tobytes()


@given(images())
def test_blocks_set_back_what_they_set(image: Image.Image) -> None:
    for true_colour in (True, False):
        for line in blocks(image.tobytes(), image.size, true_colour=true_colour).lines:
            assert line.endswith("▀\x1b[m")
            assert re.sub(r"\x1b\[[\d;]*m", "", line) == "▀" * image.width


def test_below_an_odd_row_is_the_background() -> None:
    [line] = blocks(bytes((1, 2, 3)), (1, 1), true_colour=True).lines
    assert line == "\x1b[38;2;1;2;3;49m▀\x1b[m"


@pytest.mark.parametrize(
    ("colour", "number"),
    [
        ((0, 0, 0), 16),
        ((255, 255, 255), 231),
        ((255, 0, 0), 196),
        ((130, 130, 130), 244),
        ((10, 8, 9), 232),
        ((95, 135, 175), 67),
    ],
)
def test_the_nearest_of_256_colours(colour: tuple[int, int, int], number: int) -> None:
    [line] = blocks(bytes(colour) * 2, (1, 2), true_colour=False).lines
    assert line == f"\x1b[38;5;{number};48;5;{number}m▀\x1b[m"


def test_iterm_gets_the_file() -> None:
    drawn = iterm(b"any bytes", 12, 8)
    [(keys, data)] = iterm_images(drawn.sequence)
    assert data == b"any bytes"
    assert (keys["inline"], keys["width"], keys["height"]) == ("1", "12", "8")


def test_blocks_side_by_side_stand_on_their_captions() -> None:
    low, high = Drawn(2, 1, ["LL"]), Drawn(1, 2, ["H", "h"])
    assert side_by_side([low, high], 4, "one two") == "    H\nLL  h\none two"


def test_pixels_side_by_side_are_drawn_in_the_room_made_for_them() -> None:
    low, high = Drawn(2, 1, sequence="LOW"), Drawn(2, 3, sequence="HIGH")
    assert side_by_side([low, high], 4, "one two") == (
        "\n\n\none two\x1b[1A\x1b[1G\x1b7LOW\x1b8\x1b[1B\r\x1b[3A\x1b[5G\x1b7HIGH\x1b8\x1b[3B\r"
    )
    assert side_by_side([low], 4) == "\x1b[1G\x1b7LOW\x1b8\r"


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({**XTERM, "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({**XTERM, "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({**XTERM, "KONSOLE_VERSION": "230800"}, "kitty"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({**XTERM, "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({**XTERM, "TERM_PROGRAM": "mintty"}, "iterm"),
        ({**XTERM, "TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1"}, "iterm"),
        ({**XTERM, "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({**XTERM, "WEZTERM_PANE": "0"}, "iterm"),
        ({"TERM": "wezterm"}, "iterm"),
        (XTERM, "blocks"),
        ({"TERM": "linux"}, "blocks"),
        ({"WT_SESSION": "6c5e"}, "blocks"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, "blocks"),
        ({"TERM": "xterm-kitty", "STY": "1.tty"}, "blocks"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app", "ZELLIJ": "0"}, "blocks"),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({}, None),
    ],
)
def test_the_protocol_of_a_terminal(environ: dict[str, str], protocol: str | None) -> None:
    assert protocol_of(environ, "utf-8") == protocol
    assert protocol_of(environ, "ascii") is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"COLORTERM": "truecolor"}, True),
        ({"COLORTERM": "24bit"}, True),
        ({"WT_SESSION": "6c5e"}, True),
        ({"TERM": "xterm-direct"}, True),
        ({"TERM": "alacritty"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"COLORTERM": "truecolor", "STY": "1.tty"}, False),
    ],
)
def test_the_colours_of_a_terminal(environ: dict[str, str], expected: bool) -> None:
    assert has_true_colour(environ) is expected
