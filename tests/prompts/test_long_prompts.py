"""Prompts that are too long are told with their true length, wherever they come from."""

import json
from pathlib import Path

import pytest

from processes import RightHere

LENGTH = 10_000_000
TOLD = "the prompt has 10,000,000 characters; at most 32,768 are allowed"


def test_on_standard_input(right_here: RightHere, tmp_path: Path) -> None:
    argv = ("generate", "-", "-p", "sandbox", "--dry-run")
    ran = right_here(*argv, cwd=tmp_path, stdin=b"x" * LENGTH)
    assert (ran.returncode, ran.stderr.decode()) == (2, f"error: {TOLD}\n")


def test_in_a_prompts_file(right_here: RightHere, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps([{"id": "x", "prompt": "x" * LENGTH}]))
    ran = right_here("generate", "-f", "p.json", "-p", "sandbox", "--dry-run", cwd=tmp_path)
    assert (ran.returncode, f"p.json:1: row x: {TOLD}\n" in ran.stderr.decode()) == (2, True)


@pytest.mark.parametrize("size", [2**26, 2**26 + 1])
def test_what_is_longer_than_can_be_counted_is_told_so(
    right_here: RightHere, tmp_path: Path, size: int
) -> None:
    ran = right_here("generate", "-", "-p", "sandbox", "--dry-run", cwd=tmp_path, stdin=b"x" * size)
    told = ran.stderr.decode()
    assert ran.returncode == 2
    assert ("larger than 64 MiB" in told) == (size > 2**26)
