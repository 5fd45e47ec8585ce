"""What is printed about the program is true: each example in the README runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kontext_cli
from pictures import picture
from processes import MACHINE, RightHere, environment

ROOT = Path(kontext_cli.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands(example: str) -> list[list[str]]:
    """The command lines of an example that has nothing but runs of the program, if it is one."""
    words = [list(shlex.shlex(line, posix=True, punctuation_chars=True)) for line in lines(example)]
    plain = all(each[0] == "kontext" and not set("|<>;&$") & set("".join(each)) for each in words)
    return [shlex.split(line, comments=True)[1:] for line in lines(example)] if plain else []


def lines(example: str) -> list[str]:
    return [line for line in example.splitlines() if line]


@pytest.mark.parametrize("example", EXAMPLES)
def test_readme_example(
    tmp_path: Path, sandbox: Callable[..., Any], right_here: RightHere, example: str
) -> None:
    server = sandbox(plain=True)
    for name in ("house.jpg", "duck.png", "shirt.jpg"):
        (tmp_path / name).write_bytes(picture(name.replace("jpg", "jpeg").split(".")[1]))
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{MACHINE['PATH']}",
        "FAL_KEY": "key",
        "AIML_API_KEY": "key",
        "CHAINHUB_API_KEY": "key",
    }
    for name in ("fal", "aimlapi", "chainhub"):
        environ[f"KONTEXT_{name.upper()}_BASE_URL"] = f"{server.url}/{name}"
    for argv in commands(example):
        done = right_here(*argv, cwd=tmp_path, environ=environ)
        assert done.returncode == 0, done.stderr
    if not commands(example):
        check_script(example, tmp_path, environ)


def check_script(example: str, folder: Path, environ: dict[str, str]) -> None:
    """See that what needs a shell runs in one."""
    if shutil.which("bash") is None:
        pytest.skip("the example is for a POSIX shell")
    script = "set -euo pipefail\n" + example.replace("…", "key")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_has_an_example_for_each_provider() -> None:
    for name in ("fal", "aimlapi", "chainhub", "sandbox"):
        assert any(f"-p {name}" in example for example in EXAMPLES)


def test_every_file_the_readme_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_tells_every_exit_code() -> None:
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"):
        assert f"| {code} |" in README
