"""Batches with a lock: one folder, as it is in git, on several machines."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kontext_cli.lock import Lock, LockedRow, read_lock
from repositories import git
from world import Ran, World


class Machine:
    """One clone of the folder, with a state folder of its own."""

    def __init__(self, world: World, name: str = "here") -> None:
        self.world = world
        self.name = name
        self.folder = world.top / name
        self.folder.mkdir(exist_ok=True)
        self.state = world.top / f"state of {name}"

    def clone(self, name: str) -> "Machine":
        """The same files on another machine, which has never run anything."""
        shutil.copytree(self.folder, self.world.top / name)
        return Machine(self.world, name)

    def rows(self, *rows: Mapping[str, Any], name: str = "cards.jsonl") -> None:
        """Write the prompts file."""
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *argv: str, file: str = "cards.jsonl", command: str = "generate") -> Ran:
        """Run the batch, at AIMLAPI unless the arguments say otherwise."""
        where = () if "-p" in argv else ("-p", "aimlapi")
        return self.plain(command, "-f", file, "-d", "out", "--json", *where, *argv)

    def plain(self, *argv: str, **environ: str | None) -> Ran:
        """Run a command as it is typed."""
        return self.world.run(*argv, cwd=self.folder, environ=self.environ | environ)

    @property
    def environ(self) -> dict[str, str | None]:
        """What differs in the environment of its runs."""
        return {"KONTEXT_STATE_DIR": str(self.state), "XDG_CACHE_HOME": str(self.state / "cache")}

    def git(self, *argv: str, code: int = 0) -> str:
        """What a command of git prints, which must exit with ``code``."""
        return git(self.folder, *argv, code=code)

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name

    def lock(self, name: str = "cards.lock") -> Lock:
        """The lock."""
        return read_lock(self.folder / name)

    def locked(self, name: str = "cards.lock") -> dict[str, LockedRow]:
        """The rows of the lock by their ids, of which none has two."""
        rows = list(self.lock(name).rows)
        assert len({row.id for row in rows}) == len(rows)
        return {row.id: row for row in rows}

    def edit(self, name: str) -> bytes:
        """Edit an image by hand; its content from then on."""
        path = self.folder / name
        path.write_bytes(path.read_bytes() + b"edited")
        return path.read_bytes()


def row(name: str, prompt: str = "", **given: Any) -> dict[str, Any]:
    """A row with an id."""
    return {"id": name, "prompt": prompt or f"a {name}", **given}


def notices(ran: Ran) -> Sequence[str]:
    """What a run gave notice of."""
    return [line for line in ran.err.splitlines() if line.startswith("notice: ")]
