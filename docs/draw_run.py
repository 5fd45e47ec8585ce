"""Draw `run.svg`, the picture in the README, from a real run: `make picture`."""

import os
import shlex
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COMMANDS = (
    "kontext generate 'a lighthouse in fog' -p sandbox --seed 7",
    "kontext edit 'make it winter' -i a-lighthouse-in-fog-7.jpg -p sandbox -q",
    "kontext generate 'a red fox' -p chainhub --seed 7",
)


def main() -> None:
    """Run the commands in an empty folder, and draw what they print."""
    console = Console(record=True, width=88, file=StringIO())
    with TemporaryDirectory() as folder:
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            for line in output(command, folder):
                console.print(Text(line, style=style(line)))
    console.save_svg(str(HERE / "run.svg"), title="kontext", unique_id="run")


def output(command: str, folder: str) -> list[str]:
    """The lines that a command prints, on both streams."""
    argv = [sys.executable, "-m", "kontext_cli", *shlex.split(command)[1:]]
    environ = {**os.environ, "CHAINHUB_API_KEY": "none"}
    done = subprocess.run(  # noqa: S603
        argv,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def style(line: str) -> str:
    """Results stand out, talk stands back."""
    if line.startswith("error:"):
        return "red"
    return "cyan" if line.endswith(".jpg") else "dim"


if __name__ == "__main__":
    main()
