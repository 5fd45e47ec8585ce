"""The program in a place of its own, with eyes on all that could carry a secret out of it."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from forking import kontext
from hostile.between import Between
from hostile.canary import (
    AIMLAPI,
    BFL,
    CHAINHUB,
    COUNTED,
    FAL,
    HUGGINGFACE,
    OPENAI,
    REPLICATE,
    TOGETHER,
    Search,
)
from kontext_cli.cli.main import run
from kontext_cli.sandbox.app import Sandbox
from samples import image_file
from sandbox.running import Serve
from soaking import soaked

KEYS = {"fal": ("FAL_KEY", FAL), "aimlapi": ("AIML_API_KEY", AIMLAPI)}
TOLD_ALL = ("--debug", "--json")
FLAGS: list[tuple[str, ...]] = soaked([TOLD_ALL], [(), ("--debug",), ("--json",), TOLD_ALL])
"""What decides how much is told; all of it in the short form, where most can go wrong."""
SOON = ("--timeout", "0.2")
"""What would be tried again and again is given up: the test has seen enough."""
MOST_BODY = 20_000
"""Bytes of a submit: an image that takes more is uploaded."""
KEYS |= {"chainhub": ("CHAINHUB_API_KEY", CHAINHUB)}
KEYS |= {"bfl": ("BFL_API_KEY", BFL)}
KEYS |= {"replicate": ("REPLICATE_API_TOKEN", REPLICATE)}
KEYS |= {"together": ("TOGETHER_API_KEY", TOGETHER), "huggingface": ("HF_TOKEN", HUGGINGFACE)}
KEYS |= {"openai": ("KONTEXT_OPENAI_API_KEY", OPENAI)}


NOTHING_MORE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Ran:
    """What one run came to."""

    code: int
    out: bytes
    err: str


class Watched:
    """Folders, keys for every provider, and a sandbox behind each, with something in between.

    After each run its streams and all files are searched for the keys.
    """

    def __init__(
        self,
        top: Path,
        monkeypatch: pytest.MonkeyPatch,
        serve: Serve,
        capture: pytest.CaptureFixture[bytes],
        search: Search,
    ) -> None:
        self.top = top
        self.folder = top / "here"
        self.config = top / "config"
        self.state = top / "state"
        self._scratch = top / "tmp"
        for folder in (self.folder, self._scratch):
            folder.mkdir()
        self._monkeypatch = monkeypatch
        self._capture = capture
        self.search = search
        self.own = {self.config / "credentials.toml"}
        """Files that may hold a key, because it was put there."""
        self.sandbox = Sandbox(plain=True, max_body=MOST_BODY)
        self.between = Between(self.sandbox.app)
        self.url = serve(self.between)
        monkeypatch.chdir(self.folder)
        monkeypatch.setattr(tempfile, "tempdir", str(self._scratch))
        self.set(
            KONTEXT_CONFIG_DIR=str(self.config),
            KONTEXT_STATE_DIR=str(self.state),
            TMPDIR=str(self._scratch),
            GITHUB_STEP_SUMMARY=str(top / "summary.md"),
        )
        for name, (variable, key) in KEYS.items():
            self.set(**{f"KONTEXT_{name.upper()}_BASE_URL": f"{self.url}/{name}"})
            self.set(**{variable: key.value})

    def set(self, **environ: str) -> None:
        """Set variables of the environment."""
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)

    def unset(self, *names: str) -> None:
        """Forget variables of the environment."""
        for name in names:
            self._monkeypatch.delenv(name, raising=False)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file below the top folder."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def store(self, content: str | bytes) -> None:
        """Write `credentials.toml` as it is given."""
        self.write("config/credentials.toml", content).chmod(0o600)

    def run(self, *argv: str, stdin: bytes = b"") -> Ran:
        """A run in this process, searched."""
        stream = self.top / "stdin"
        stream.write_bytes(stdin)
        with stream.open() as text, self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", text)
            code = run(argv)
        stream.unlink()
        out, err = self._capture.readouterr()
        self.check(argv, out, err)
        return Ran(code, out, err.decode())

    def process(
        self, *argv: str, stdin: bytes = b"", environ: Mapping[str, str] = NOTHING_MORE
    ) -> Ran:
        """A run in a process of its own, with more in its environment, searched."""
        done = kontext(*argv, cwd=self.folder, stdin=stdin, **environ)
        self.check(argv, done.stdout, done.stderr)
        return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def hits(self, out: bytes = b"", err: bytes = b"") -> list[str]:
        """Where the keys are seen now."""
        return [
            *self.search.in_streams({"standard output": out, "standard error": err}),
            *self.search.in_files(self.top, but=self.own),
        ]

    def check(self, argv: Any, out: bytes, err: bytes) -> None:
        """See that no key got out."""
        COUNTED["runs"] += 1
        assert self.hits(out, err) == [], (argv, out, err.decode(errors="replace"))


def making(provider: str, folder: Path) -> tuple[str, ...]:
    """A command that makes an image, but for its prompt: some providers only edit."""
    if provider != "huggingface":
        return ("generate",)
    (folder / "small.png").write_bytes(image_file("png", (64, 48)))
    return ("edit", "-i", "small.png")


def noise(folder: Path) -> None:
    """Write `noise.png`, which is too large to be sent inline."""
    Image.effect_noise((100, 100), 90).convert("RGB").save(folder / "noise.png")
