"""Git repositories of tests, with git itself, and nothing of the machine's configuration."""

import os
import shutil
import subprocess
from pathlib import Path

from processes import environment

GIT = shutil.which("git")
IDENTITY = {
    "GIT_AUTHOR_NAME": "someone",
    "GIT_AUTHOR_EMAIL": "someone@example.com",
    "GIT_COMMITTER_NAME": "someone",
    "GIT_COMMITTER_EMAIL": "someone@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}
"""What git needs to know before it commits."""


def git(folder: Path, *words: str, code: int = 0) -> str:
    """What a command of git prints, which must exit with ``code``."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=environment({**IDENTITY}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


class Repository:
    """A work tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def init(cls, folder: Path) -> "Repository":
        """Make a new repository of what lies in a folder, with its first commit."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch", "main")
        made.commit("first")
        return made

    def clone(self, folder: Path) -> "Repository":
        """A fresh clone; one that is there is brought to the same state."""
        made = Repository(folder)
        if (folder / ".git").exists():
            made.git("fetch", "--quiet", "origin")
            made.git("reset", "--quiet", "--hard", "origin/main")
            made.git("clean", "--quiet", "-fdx")
        else:
            self.git("clone", "--quiet", str(self.folder), str(folder))
        return made

    def git(self, *words: str) -> str:
        """What a command of git prints."""
        return git(self.folder, *words)

    def commit(self, message: str) -> None:
        """Commit all that is in the work tree."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
