"""`kontext completion`: print the completion script for a shell."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

from kontext_cli.terminal.output import to_stdout

EXAMPLES = """\b
Examples:
  kontext completion bash > ~/.local/share/bash-completion/completions/kontext
  kontext completion zsh > ~/.zfunc/_kontext  (a directory in your fpath)
  kontext completion fish > ~/.config/fish/completions/kontext.fish
  kontext completion powershell >> $PROFILE
"""

FILES = {
    "bash": "kontext.bash",
    "zsh": "_kontext",
    "fish": "kontext.fish",
    "powershell": "kontext.ps1",
}


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(help="The shell."),
    ],
) -> None:
    """Print the completion script for a shell."""
    script = (_folder() / FILES[shell]).read_text(encoding="ascii")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(newline="\n")  # bash on Windows does not accept CRLF
    to_stdout(script.removesuffix("\n"))


def _folder() -> Path:
    """The directory of the scripts: in the installed package, else at the top of the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "completions"
    return installed if installed.is_dir() else package.parent / "completions"
