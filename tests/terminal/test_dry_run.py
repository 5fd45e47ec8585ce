"""`--dry-run` on a terminal: a table that fits, and nothing that would not come true."""

import re
import sys
from pathlib import Path

import pytest

from kontext_cli.terminal.cells import width_of
from processes import kontext_here
from screens import on_screen

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
ROWS = """\
{"id": "fox", "prompt": "a red fox in the snow\\n\\twith a very long description of its fur"}
{"id": "owl", "prompt": "an owl", "model": "kontext-max", "output": "night/owl.png"}
{"prompt": "灯台と霧の中の小さな船、夜明けの海、静かな波、遠い鐘の音"}
"""
DRY = ("-p", "fal", "-d", "out", "--dry-run")
PLAIN = {"NO_COLOR": "1"}


@posix
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_table_of_rows_fits_the_window(tmp_path: Path, columns: int) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS, encoding="utf-8")
    argv = ("generate", "-f", "rows.jsonl", *DRY)
    done = on_screen(*argv, cwd=tmp_path, columns=columns, environ=PLAIN)
    assert done.code == 0
    _, heading, fox, owl, last, total = done.lines
    assert max(map(width_of, done.lines)) <= columns
    assert heading.split()[0] == "row"
    assert [row.split()[0] for row in (fox, owl, last)] == ["fox", "owl", "3"]
    assert "~$0.08" in owl
    assert "an owl" in owl
    assert total == "3 rows, 3 to make: about $0.16"


@posix
def test_a_long_id_leaves_room_for_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"id": "fox{"x" * 70}", "prompt": "a red fox"}}')
    done = on_screen("generate", "-f", "rows.jsonl", *DRY, cwd=tmp_path, environ=PLAIN)
    assert max(map(width_of, done.lines)) <= 80
    assert re.match(r"foxx+…  ~\$0\.04  a red fox ", done.lines[2])


@posix
def test_what_is_the_same_for_all_rows_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a fox\na hen\n")
    done = on_screen("generate", "-f", "rows.txt", *DRY, cwd=tmp_path, columns=200, environ=PLAIN)
    assert done.lines == [
        f"fal, kontext-pro, into {tmp_path / 'out'}",
        "row    cost  prompt  files",
        "  1  ~$0.04  a fox   1-a-fox.jpg",
        "  2  ~$0.04  a hen   2-a-hen.jpg",
        "2 rows, 2 to make: about $0.08",
    ]


@posix
def test_rows_that_differ_say_what_is_done_and_why(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a fox\n")
    argv = ("generate", "-f", "rows.txt", "-p", "sandbox", "-d", "out", "--batch", "b")
    assert kontext_here(*argv, cwd=tmp_path).returncode == 0
    (tmp_path / "rows.txt").write_text("a fox\na hen\n")
    done = on_screen(*argv, "--dry-run", cwd=tmp_path, environ=PLAIN)
    assert done.lines[1].split() == ["row", "to", "do", "because", "cost", "prompt", "files"]
    assert re.search(r"^ +1  skip   saved  ", done.lines[2])
    assert re.search(r"^ +2  make   new  ", done.lines[3])


def test_a_drawn_seed_is_only_named(tmp_path: Path) -> None:
    for argv in (("a fox",), ("a fox", "--name", "{slug}-{seed}-{job}")):
        out = kontext_here(
            "generate", *argv, "-p", "fal", "--dry-run", cwd=tmp_path
        ).stdout.decode()
        assert '"seed": "<seed>"' in out
        assert "file: a-fox-<seed>" in out
        assert not re.search(r"\d{7}", out)


def test_a_seed_that_was_given_is_shown(tmp_path: Path) -> None:
    argv = ("generate", "a fox", "-p", "fal", "--seed", "1234567", "--dry-run")
    out = kontext_here(*argv, cwd=tmp_path).stdout.decode()
    assert '"seed": 1234567' in out
    assert "file: a-fox-1234567.jpg" in out


def test_drawn_seeds_of_rows_are_only_named(tmp_path: Path) -> None:
    rows = '{"prompt": "a fox"}\n{"prompt": "a hen", "seed": 7654321}\n'
    (tmp_path / "rows.jsonl").write_text(rows)
    argv = ("generate", "-f", "rows.jsonl", *DRY, "--name", "{slug}-{seed}")
    fox, hen, _ = kontext_here(*argv, cwd=tmp_path).stdout.decode().splitlines()
    assert fox.endswith("a-fox-<seed>.jpg")
    assert hen.endswith("a-hen-7654321.jpg")
