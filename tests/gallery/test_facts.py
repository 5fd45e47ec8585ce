"""The command line that a page offers for an image: a shell reads what was asked for."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import journals
from kontext_cli.errors import JobFailed
from kontext_cli.gallery.facts import command
from kontext_cli.gallery.spending import Spending, was_billed
from kontext_cli.job import Cost, Source, State
from processes import environment

BASH = shutil.which("bash")
PROMPTS = (
    "a red fox",
    'it\'s $HOME `id` "$(id)" \\ !!',
    "two\nlines",
    "-n 4",
    "\x1b[31m\x07 \u202e 'quoted' \\ \x00 end",
    "中文 🦊",
)


def words(line: str) -> list[str]:
    """The words of a command line as a shell reads them."""
    assert BASH is not None
    script = f'kontext() {{ printf "%s\\0" "$@"; }}; {line}'
    done = subprocess.run(
        [BASH, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout.split("\0")[:-1]


def job(**given: Any) -> Any:
    return journals.job(State.SAVED, **given)


@pytest.mark.skipif(BASH is None, reason="needs bash")
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_shell_reads_the_prompt(prompt: str) -> None:
    line = command(job(request={"prompt": prompt, "seed": 42}), Path("/here"))
    assert "\x1b" not in line
    asked = ["-p", "fal", "-m", "kontext-pro", "--seed", "42"]
    readable = prompt.replace("\0", "")  # no word of a command line holds it
    begun = [*asked, "--", readable] if prompt.startswith("-") else [readable, *asked]
    assert words(line) == ["generate", *begun]


def test_options_inputs_and_switches() -> None:
    edit = job(
        operation="edit",
        request={"prompt": "x", "images": ["in.png", "b"], "num_images": 2, "enhance_prompt": True},
        sources=(
            Source("/here/deep/in.png", "5" * 64),
            Source("/there/b.png", "5" * 64),
            Source("https://example.com/a.png?signature=secret", None),
            Source("-", "5" * 64),
        ),
    )
    line = command(edit, Path("/here"))
    assert line.startswith("kontext edit x -p fal -m kontext-pro -i deep/in.png -i ../there/b.png ")
    assert "secret" not in line
    assert line.endswith(" -i - --num-images 2 --seed 42 --enhance-prompt")


@pytest.mark.parametrize(
    ("state", "billed"),
    [(State.SAVED, True), (State.PLANNED, False), (State.RUNNING, True), (State.UNKNOWN, True)],
)
def test_what_counts_as_spent(state: State, billed: bool) -> None:
    assert was_billed(journals.job(state)) is billed


def test_the_sum_of_what_was_spent() -> None:
    spending = Spending()
    assert spending.text == ""
    saved = job(cost=Cost(0.08, "provider"))
    for each in (saved, saved, job(cost=Cost(0.04, "provider"))):
        spending.add(each)
    assert spending.text == "$0.12"
    refused = JobFailed("refused", billed="no")
    spending.add(journals.job(State.FAILED, cost=Cost(9, "estimate"), error=refused))
    spending.add(job(cost=Cost(0.01, "estimate")))
    assert spending.text == "about $0.13"
    spending.add(job(cost=Cost(None, "unknown")))
    assert spending.text == "at least $0.13"
