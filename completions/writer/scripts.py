"""Completion scripts and the man page, written from the command tree by `make completions`."""

from pathlib import Path

import typer

import kontext_cli
from completions.writer import bash, fish, man, powershell, zsh
from completions.writer.tree import tree

ROOT = Path(kontext_cli.__file__).parents[1]


def scripts(app: typer.Typer) -> dict[str, str]:
    """The completion scripts, by their file names."""
    root = tree(app)
    return {
        "kontext.bash": bash.script(root),
        "_kontext": zsh.script(root),
        "kontext.fish": fish.script(root),
        "kontext.ps1": powershell.script(root),
    }


def written(app: typer.Typer) -> dict[Path, str]:
    """Every file that is written into the checkout."""
    files = {ROOT / "completions" / name: text for name, text in scripts(app).items()}
    return {**files, ROOT / "completions" / "kontext.1": man.page(tree(app))}
