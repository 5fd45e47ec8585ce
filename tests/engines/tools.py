"""Tools that check files, or make something of them."""

import subprocess
from pathlib import Path

from engines.runner import ROOT
from processes import environment


def check(*words: object, cwd: Path = ROOT) -> str:
    """Run a tool, which must find nothing wrong; what it prints."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
