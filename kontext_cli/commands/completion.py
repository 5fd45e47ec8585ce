"""`kontext completion`: print the completion script for a shell."""

import sys
from io import TextIOWrapper
from pathlib import Path

from kontext_cli.terminal.result import Result

FILES = {
    "bash": "kontext.bash",
    "zsh": "_kontext",
    "fish": "kontext.fish",
    "powershell": "kontext.ps1",
}


def completion_script(shell: str) -> Result:
    """The completion script for a shell."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(newline="\n")  # bash on Windows does not accept CRLF
    return Result(text=[script_of(shell).removesuffix("\n")])


def script_of(shell: str) -> str:
    """The text of that file."""
    return (_folder() / FILES[shell]).read_text(encoding="ascii")


def _folder() -> Path:
    """The directory of the scripts: in the installed package, else at the top of the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "completions"
    return installed if installed.is_dir() else package.parent / "completions"
