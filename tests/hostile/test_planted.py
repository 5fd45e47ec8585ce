"""Links in the place of every file that the program opens, and what names prompts can make."""

import json
import os
import re
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import pytest

from kontext_cli.cli.main import run
from kontext_cli.sandbox.app import Sandbox
from sandbox.running import Server
from soaking import soaked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")

OLD = 1_000_000_000
"""Seconds since 1970; the sandbox forgets its own jobs after a week."""
MAKE = ("generate", "-f", "x.txt", "-p", "aimlapi", "-d", "out", "--name", "x")
OURS = (0, 2, 3, 4, 8)


class Ran(NamedTuple):
    """What one run came to."""

    code: int
    out: str
    err: str


class Place:
    """Folders of our own with a sandbox behind them, and things beside them that are precious."""

    def __init__(self, top: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.top = top
        self._capture = capture
        self.precious = top / "precious"
        folder = self.precious / "folder"
        folder.mkdir(parents=True)
        for path in (self.precious / "text", folder / "holiday.jpg", folder / "0123456789abcdef"):
            path.write_text("mine\n" * 100)
            os.utime(path, (OLD, OLD))
        (self.precious / "empty").touch()
        with closing(sqlite3.connect(self.precious / "database")) as other:
            other.execute("CREATE TABLE accounts (name TEXT)")
        self._before = self.content()

    def __call__(self, *argv: str) -> Ran:
        """One run of the command line in this process."""
        code = run(argv)
        out, err = self._capture.readouterr()
        assert "bug in kontext" not in err, err
        assert self.content() == self._before
        return Ran(code, out, err)

    def content(self) -> Mapping[Path, bytes | None]:
        """All that is precious."""
        paths = self.precious.rglob("*")
        return {path: path.read_bytes() if path.is_file() else None for path in paths}

    def plant(self, where: str, what: str) -> Path:
        """Put a link to something precious where the program has a file or folder."""
        path = self.top / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.precious / what)
        return path


@pytest.fixture(scope="module")
def _server() -> Iterator[Server]:
    server = Server(Sandbox(plain=True).app)
    yield server
    server.stop()
    server.join()


@pytest.fixture
def place(
    tmp_path: Path,
    _server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Place:
    """A place to run the program in, whose precious things are as they were after each run."""
    (tmp_path / "x.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KONTEXT_AIMLAPI_BASE_URL", f"{_server.url}/aimlapi")
    monkeypatch.setenv("AIML_API_KEY", "sandbox")
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KONTEXT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"key\n")))
    return Place(tmp_path, capsys)


THINGS = ("text", "folder", "nothing", "empty", "database")
WHAT = soaked(THINGS[:2], THINGS[:3])
SIDES = ("", "-wal", "-shm", "-journal")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        *((f"journal.db{side}", what) for side in SIDES[1:] for what in WHAT),
        *((f"journal.db.new{side}", what) for side in SIDES for what in WHAT),
        *(
            (where, what)
            for where in ("journal.lock-journal", "running", "answers")
            for what in WHAT
        ),
        *((where, what) for where in ("journal.db", "journal.lock") for what in THINGS),
    ],
)
def test_a_link_in_the_state_folder_leads_nowhere(place: Place, where: str, what: str) -> None:
    place.plant(f"state/{where}", what)
    assert place(*MAKE).code in (0, 8)


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("side", SIDES[1:])
def test_a_link_beside_a_journal_leads_nowhere(place: Place, side: str, what: str) -> None:
    assert place(*MAKE).code == 0
    place.plant(f"state/journal.db{side}", what)
    assert place(*MAKE, "--exists", "number").code in (0, 8)


@pytest.mark.parametrize("what", WHAT)
def test_a_link_in_the_place_of_the_offline_jobs_leads_nowhere(place: Place, what: str) -> None:
    place.plant("state/sandbox", what)
    assert place("generate", "x", "-p", "sandbox", "-d", "out").code in (0, 8)


@pytest.mark.parametrize("what", ["text", "nothing"])
def test_a_link_in_the_place_of_an_answer_is_not_written_through(place: Place, what: str) -> None:
    place("generate", f"[fault:lost-reply] {what}", "-p", "aimlapi", "-d", "out")
    job = json.loads(place("status", "--json").out)["id"]
    place.plant(f"state/answers/{job}", what)
    assert place("fetch", job, "--resubmit").code == 0


@pytest.mark.parametrize("what", soaked(["text"], ["text", "nothing"]))
@pytest.mark.parametrize("argv", [("auth", "set", "aimlapi"), ("auth", "remove", "aimlapi"), MAKE])
@pytest.mark.parametrize("where", ["config.toml", "credentials.toml"])
def test_a_link_in_the_configuration_folder_is_not_written_through(
    place: Place, where: str, argv: tuple[str, ...], what: str
) -> None:
    place.plant(f"config/{where}", what)
    assert place(*argv).code in OURS


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize(
    "exists", soaked(["number", "overwrite"], ["error", "skip", "number", "overwrite"])
)
def test_a_link_under_the_name_of_an_image_is_not_written_through(
    place: Place, exists: str, what: str
) -> None:
    link = place.plant("out/x.jpg", what)
    code = place(*MAKE, "--exists", exists).code
    assert code == {"number": 0, "overwrite": 8 if what == "folder" else 0}.get(exists, code)
    assert code in OURS
    assert link.is_symlink() or exists == "overwrite"


@pytest.mark.parametrize("what", ["text", "nothing"])
def test_a_link_named_like_a_part_file_is_left_alone(place: Place, what: str) -> None:
    link = place.plant("out/.kontext-0123456789abcdef.part", what)
    assert place(*MAKE).code == 0
    assert link.is_symlink()


UNSEEN = ("Cf", "Cs", "Co", "Cn")
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
HOSTILE = (
    *("../../etc/passwd", "..", ".", "/etc/passwd", "a/b", "a\\b", "C:\\x", "\\\\server\\share"),
    *("CON", "nul.jpg", "COM1.txt", "LPT¹", "aux.", "a. . .", "-rf", "~", "$(id)", '*?<>|:"'),
    *("\x00", "a\nb", "\x1b[31m", "\u202egpj.exe", "\ufeff", "\u200b", "x" * 400, "é" * 200),
    *("é", "e\u0301", "Straße", "STRASSE", "İ", "ﬁ", "🦊", "漢字", "\u0301", ".hidden", "a.jpg"),
)


def check_portable(folder: Path, count: int) -> None:
    """See that there are so many files, and that every system can have them in one folder."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert len(paths) == count
    assert len({unicodedata.normalize("NFC", str(path).casefold()) for path in paths}) == count
    for name in {part for path in paths for part in path.parts}:
        assert not RESERVED.fullmatch(name), name
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]|[ .]$|^ ', name), name
        assert {unicodedata.category(character) for character in name}.isdisjoint(UNSEEN), name
        assert len(name.encode()) <= 255


def test_names_made_of_hostile_prompts_stay_inside_and_apart(place: Place) -> None:
    rows = [{"prompt": f"{word}!"} for word in HOSTILE if "\0" not in word]
    file = place.top / "p.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert place("generate", "-f", str(file), "-p", "aimlapi", "-d", "out").code == 0
    check_portable(place.top / "out", len(rows))
    assert {path.name for path in place.top.iterdir()} == {
        *("out", "p.jsonl", "precious", "state", "x.txt"),
    }


@pytest.mark.parametrize("template", soaked(["a/{id}"], ["{id}", "a/{id}", "{id}/a", "{slug}"]))
def test_names_made_of_hostile_ids_are_refused_or_stay_inside(place: Place, template: str) -> None:
    rows = {n: {"id": word, "prompt": f"{word}!"} for n, word in enumerate(HOSTILE)}
    file = place.top / "p.jsonl"
    argv = ("generate", "-f", "p.jsonl", "-p", "aimlapi", "-d", "out", "--name", template)
    refused = [0]
    while refused:
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows.values()))
        ran = place(*argv, "--dry-run")
        refused = [int(line) for line in re.findall(r"^  p\.jsonl:([0-9]+): ", ran.err, re.M)]
        assert ran.code == (2 if refused else 0), ran.err
        rows = {n: row for line, (n, row) in enumerate(rows.items(), 1) if line not in refused}
    assert len(rows) > 5
    assert place(*argv).code == 0
    check_portable(place.top / "out", len(rows))
