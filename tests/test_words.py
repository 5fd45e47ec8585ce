"""Which word was meant by another: a slip of the fingers, never a guess."""

import pytest

from kontext_cli.sizes import ASPECT_RATIOS, meant_ratio
from kontext_cli.words import nearest, seconds_text

COMMANDS = ("generate", "edit", "status", "fetch", "cancel", "forget", "models", "auth")
FLAGS = ("--seed", "--exists", "--quiet", "--only", "--output", "--output-dir", "--enhance-prompt")


@pytest.mark.parametrize(
    ("typed", "words", "meant"),
    [
        ("genrate", COMMANDS, "generate"),
        ("gneerate", COMMANDS, "generate"),
        ("gen", COMMANDS, "generate"),
        ("Generate", COMMANDS, "generate"),
        ("auht", COMMANDS, "auth"),
        ("canel", COMMANDS, "cancel"),
        ("model", COMMANDS, "models"),
        ("a", COMMANDS, None),
        ("fox", COMMANDS, None),
        ("red", COMMANDS, None),
        ("create", COMMANDS, None),
        ("--sed", FLAGS, "--seed"),
        ("--seeds", FLAGS, "--seed"),
        ("--out", FLAGS, "--output"),
        ("--output_dir", FLAGS, "--output-dir"),
        ("--outputdir", FLAGS, "--output-dir"),
        ("--outputs-all", FLAGS, "--output"),
        ("--steps", FLAGS, None),
        ("--size", FLAGS, None),
        ("--open", FLAGS, None),
        ("--negative-prompt", FLAGS, None),
        ("-", FLAGS, None),
        ("", FLAGS, None),
    ],
)
def test_nearest(typed: str, words: tuple[str, ...], meant: str | None) -> None:
    assert nearest(typed, words) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *((ratio, (ratio, True)) for ratio in ASPECT_RATIOS),
        ("16x9", ("16:9", True)),
        ("16/9", ("16:9", True)),
        ("1024x1024", ("1:1", True)),
        ("1024 × 768", ("4:3", True)),
        ("1536x1024", ("3:2", True)),
        ("1792x1024", ("16:9", True)),
        ("1.78", ("16:9", True)),
        ("square_hd", ("1:1", True)),
        ("portrait_4_3", ("3:4", True)),
        ("landscape-16-9", ("16:9", True)),
        ("Landscape", ("3:2", True)),
        ("5:4", ("4:3", False)),
        ("1:100", ("9:21", False)),
        ("0x0", None),
        ("1x0", None),
        ("portrait_0_0", None),
        ("0.0", None),
        ("1024", None),
        ("auto", None),
        ("", None),
    ],
)
def test_the_meant_ratio(typed: str, meant: tuple[str, bool] | None) -> None:
    assert meant_ratio(typed) == meant


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.98196, "3"), (600.0, "600"), (1.0, "1"), (0.25, "0.2"), (0.05, "0.05")]
)
def test_seconds_are_rounded(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
