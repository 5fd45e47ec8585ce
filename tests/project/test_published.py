"""What is printed about the program is true: each example in the README runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kontext_cli
from kontext_cli.providers import NAMES
from processes import MACHINE, environment
from repositories import GIT, IDENTITY
from world import World

ROOT = Path(kontext_cli.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = SHELL.findall(README)


def commands(example: str) -> list[list[str]]:
    """The command lines of an example that has nothing but runs of the program, if it is one."""
    words = [list(shlex.shlex(line, posix=True, punctuation_chars=True)) for line in lines(example)]
    plain = all(each[0] == "kontext" and not set("|<>;&$") & set("".join(each)) for each in words)
    return [shlex.split(line, comments=True)[1:] for line in lines(example)] if plain else []


def lines(example: str) -> list[str]:
    return [line for line in example.splitlines() if line]


@pytest.mark.parametrize("example", EXAMPLES)
def test_readme_example(world: World, example: str) -> None:
    world.may_be_accepted(2, "a lighthouse in fog")  # an example runs it at two providers
    world.images("house.jpg", "duck.png", "shirt.jpg")
    for argv in commands(example):
        done = world.run(*argv)
        assert done.code == 0, done.err
    if not commands(example):
        check_script(example, world)


def check_script(example: str, world: World) -> str:
    """See that what needs a shell runs in one; what it prints."""
    if shutil.which("bash") is None:
        pytest.skip("the example is for a POSIX shell")
    program = f"{Path(sys.executable).parent}{os.pathsep}{MACHINE['PATH']}"
    script = "set -euo pipefail\n" + example.replace("…", "key")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=world.folder,
        env=environment({**world.environ, "PATH": program}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_the_page_on_ci_is_one_session_in_a_shell(world: World) -> None:
    world.set(**IDENTITY)
    blocks = SHELL.findall((ROOT / "docs" / "ci.md").read_text(encoding="utf-8"))
    out = check_script("".join(blocks), world)
    assert out.count("exit code 12") == 2
    made = [job.request["prompt"] for job in world.kept()]
    assert len(made) == len(set(made)) == 5


def test_the_readme_has_an_example_for_each_provider() -> None:
    for name in NAMES:
        assert any(f"-p {name}" in example for example in EXAMPLES)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/ci.md",
        "docs/scale.md",
        "docs/how-to/providers.md",
        "examples/README.md",
        "examples/ci/README.md",
    ],
)
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_the_readme_tells_every_exit_code() -> None:
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"):
        assert f"| {code} |" in README
