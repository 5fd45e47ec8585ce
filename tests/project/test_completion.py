"""`kontext completion`, and the files that `make completions` writes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from completions.writer.scripts import ROOT, written
from kontext_cli.cli import completion as cli
from kontext_cli.cli.main import program, run
from kontext_cli.commands import completion
from processes import HEAVY, MACHINE, environment, imported, kontext

SCRIPTS = {shell: ROOT / "completions" / name for shell, name in completion.FILES.items()}


WRITTEN = written(program())


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_the_file_is_current(path: Path) -> None:
    assert path.read_text(encoding="ascii") == WRITTEN[path], "run `make completions`"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_very_file_is_printed(tmp_path: Path, shell: str) -> None:
    done = kontext("completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == SCRIPTS[shell].read_bytes()
    assert done.stderr == b""


def test_printing_stays_light() -> None:
    assert not imported("completion", "zsh") & HEAVY


@pytest.mark.parametrize("argv", [["tcsh"], [], ["BASH"]])
def test_an_unknown_shell(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", *argv]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("error: ")
    assert all(shell in streams.err for shell in SCRIPTS)


PAGE = (ROOT / "docs/how-to/completions.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
ASKED = {
    "bash": ("-ic", "complete -p kontext", "complete -F _kontext kontext"),
    "zsh": ("-ic", "print $_comps[kontext]", "_kontext"),
    "fish": ("-c", "complete -C 'kontext gen'", "generate\tMake an image from a prompt"),
}
"""How a new shell says that it has loaded the script, and what it says."""


@pytest.mark.parametrize("name", ASKED)
def test_the_lines_of_the_page_make_a_new_shell_complete(tmp_path: Path, name: str) -> None:
    program = shutil.which(name)
    if program is None or os.name == "nt":
        pytest.skip(f"no {name} here")
    lines = BLOCKS["sh" if name == "bash" else name]
    flag, question, answer = ASKED[name]
    path = f"{Path(sys.executable).parent}{os.pathsep}{MACHINE['PATH']}"
    environ = {**environment({"PATH": path, "ZDOTDIR": None}), "HOME": str(tmp_path)}
    environ = {key: value for key, value in environ.items() if not key.startswith("XDG_")}
    said = [
        subprocess.run(
            [program, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        ).stdout
        for arguments in (("-c", lines), (flag, question))
    ]
    assert said == ["", f"{answer}\n"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_without_compinit_is_helped(tmp_path: Path) -> None:
    done = subprocess.run(
        ["zsh", "-f", "-c", f". {SCRIPTS['zsh']}"],
        env=environment({"HOME": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "autoload -Uz compinit && compinit" in done.stderr


def test_the_page_and_the_help_have_the_same_lines() -> None:
    [lines] = re.findall(r"Examples:\n(.*?)\n\n", cli.EXAMPLES, re.DOTALL)
    for line in lines.splitlines():
        assert line.partition(" #")[0].strip() in PAGE


def test_the_man_page_has_every_exit_code_and_variable() -> None:
    page = (ROOT / "completions/kontext.1").read_text(encoding="ascii").replace("\\-", "-")
    for term in (
        "0",
        "11",
        "130, 143, 129",
        "CHAINHUB_API_KEY",
        "FAL_KEY, FAL_KEY_ID, FAL_KEY_SECRET",
    ):
        assert f"\n\\fB{term}\\fR\n" in page
    assert "KONTEXT_CONFIG_DIR" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_the_man_page_is_sound() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(ROOT / "completions/kontext.1")],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert "KONTEXT(1)" in done.stdout
    assert "kontext completion" in re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout)
