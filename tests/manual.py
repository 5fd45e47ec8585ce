"""Follow a page of the manual as a reader does: every command of its ```sh blocks, in one session.

A plain run of the program is made within this process, which takes a tenth of the time; what needs
a shell runs in one.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest

import kontext_cli
from processes import MACHINE, environment
from world import World

ROOT = Path(kontext_cli.__file__).parents[1]
PAGES = (
    *("README.md", "docs/tutorial.md"),
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/how-to/*.md")),
)
"""The pages whose commands are to be followed."""
ELSEWHERE = tuple(f"docs/how-to/{name}.md" for name in ("many-machines", "providers", "stores"))
"""Those that tests of their own follow, as they take servers or an environment."""

_SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_BASE_URL = re.compile(r"export KONTEXT_\w+_BASE_URL=")
"""Not followed: an emulated server stands in for the reader's own."""
_EXPORT = re.compile(r"export (\w+)=([\w./-]+)$")
_ASSIGNMENT = re.compile(r"(\w+)=\$\((kontext [^$()]*)\)$", re.MULTILINE)
_INSTALLED = "pip install "
"""What the environment of the tests has already."""


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """The blocks of commands of a page."""
    return _SHELL.findall(page)


def follow(page: str, world: World) -> None:
    """Type all commands of a page. A comment `# exit code N` says how the command ends."""
    for prompt in re.findall(r'"([^"\n]+)"', page):
        world.may_be_accepted(page.count(f'"{prompt}"'), prompt)
    for block in blocks(page):
        _Session(world).type(block.replace("\\\n", ""))


class _Session:
    """The commands of one block, with its variables."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._variables: dict[str, str] = {}

    def type(self, block: str) -> None:
        if "$" in _ASSIGNMENT.sub("", re.sub(r'"\$\w+"', "", _COMMENT.sub("", block))):
            in_a_shell(block, self._world)
            return
        for line in filter(None, block.splitlines()):
            self._line(line)

    def _line(self, line: str) -> None:
        command = Template(_COMMENT.sub("", line).rstrip()).safe_substitute(self._variables)
        code = _EXIT_CODE.search(line)
        if found := _EXPORT.match(command):
            self._world.set(**{found[1]: found[2]})
        elif found := _ASSIGNMENT.match(command):
            self._variables[found[1]] = self._run(found[2], 0).strip()
        elif command.startswith("cd "):
            self._world.cwd /= command.removeprefix("cd ")
        elif _is_plain(command):
            self._run(command, int(code[1] if code else 0))
        elif not command.startswith(_INSTALLED) and not _BASE_URL.match(command):
            in_a_shell(command, self._world)

    def _run(self, command: str, code: int) -> str:
        done = self._world.run(*shlex.split(command)[1:])
        assert done.code == code, f"{command}\n{done.err}"
        return done.out.decode(errors="replace")


def in_a_shell(script: str, world: World) -> None:
    """Run commands in bash, with the program and the settings of the world."""
    if shutil.which("bash") is None:
        pytest.skip("the page has commands for a POSIX shell")
    program = f"{Path(sys.executable).parent}{os.pathsep}{MACHINE['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=world.cwd,
        env=environment({**world.environ, "PATH": program}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"


def _is_plain(command: str) -> bool:
    """Whether it is a run of the program that needs no shell."""
    unquoted = re.sub(r"""'[^']*'|"[^"$]*\"""", "", command)
    return command.startswith("kontext ") and not set("|<>;&$*(){}") & set(unquoted)
