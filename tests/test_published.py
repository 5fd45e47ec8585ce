"""What is printed about the program is true: each example in the README runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kontext_cli
from pictures import picture
from processes import MACHINE, environment

ROOT = Path(kontext_cli.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the examples are for a POSIX shell")
@pytest.mark.parametrize("example", EXAMPLES)
def test_readme_example(tmp_path: Path, sandbox: Callable[..., Any], example: str) -> None:
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
    script = "set -euo pipefail\n" + example.replace("…", "key")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
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
