"""What the action does between its shell steps: command lines, images put back, results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from action import step
from processes import environment
from repositories import GIT, Repository

needs_git = pytest.mark.skipif(GIT is None, reason="needs git")
INPUTS = {
    "COMMAND": "generate",
    "FILE": "art/cards.jsonl",
    "OUT": "images",
    **dict.fromkeys(("ARGS", "MAX_COST", "SHARD"), ""),
}
BOTH = ["--prompts-file=art/cards.jsonl", "--output-dir=images"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["generate", "--json", *BOTH]),
        ({"COMMAND": "edit"}, ["edit", "--json", *BOTH]),
        (
            {"MAX_COST": "5", "SHARD": "1/2", "ARGS": "-p fal --name '{id} a' \"$HOME\" '' *"},
            [
                *("generate", "--json", *BOTH, "--max-cost=5", "--shard=1/2"),
                *("-p", "fal", "--name", "{id} a", "$HOME", "", "*"),
            ],
        ),
        ({"COMMAND": "check"}, ["check", "--", "art/cards.jsonl"]),
        ({"COMMAND": "check", "ARGS": "-q"}, ["check", "-q", "--", "art/cards.jsonl"]),
    ],
)
def test_inputs_become_words(given: dict[str, str], words: list[str]) -> None:
    assert step.command_line({**INPUTS, **given}) == words


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"FILE": ""}, "file: the path of a prompts file is needed"),
        ({"ARGS": "'a"}, "args: No closing quotation"),
        ({"COMMAND": "forget"}, "command: 'forget' is none of generate, edit and check"),
        ({"COMMAND": "check", "SHARD": "1/2"}, "`check` takes neither max-cost nor shard"),
        ({"COMMAND": "check", "MAX_COST": "1"}, "`check` takes neither max-cost nor shard"),
    ],
)
def test_inputs_that_cannot_be_used_are_refused(given: dict[str, str], why: str) -> None:
    with pytest.raises(step.Refused) as refused:
        step.command_line({**INPUTS, **given})
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("file", "shard", "name"),
    [
        ("cards.jsonl", "", "kontext-cards"),
        ("./art/a b/cards.v2.csv", "2/4", "kontext-art-a-b-cards.v2-2of4"),
        ("../Bücher.txt", "", "kontext-Bücher"),
        ('"<>|*?\r\n\\/', "", "kontext"),
    ],
)
def test_artifacts_are_named_for_the_file(file: str, shard: str, name: str) -> None:
    assert step.artifact_name(file, shard) == name


@given(st.text())
def test_text_of_prompts_stays_in_its_cell(text: str) -> None:
    cell = step.cell(text)
    assert not set("<>|`\\*[]\r\n") & set(cell)
    assert cell.isprintable()


def job(state: str, **more: Any) -> dict[str, Any]:
    return {"type": "job", "state": state, "skipped": False, "files": [], **more}


def summary(usd: float | None = 0, source: str = "estimate", **counts: int) -> dict[str, Any]:
    names = ("saved", "skipped", "failed", "moderated", "unknown", "ready", "running", "canceled")
    counted = {**dict.fromkeys((*names, "expired", "planned"), 0), **counts}
    cost = {"usd": usd, "source": source}
    return {"type": "summary", "total": sum(counts.values()), **counted, "cost": cost}


ERROR = {"type": "error", "code": "usage"}


@pytest.mark.parametrize(
    ("records", "results"),
    [
        ([summary(0.12, saved=3)], ("3", "0.12", "0", "true")),
        ([summary(skipped=3)], ("0", "0", "0", "false")),
        ([summary(0.1, "unknown", saved=2, skipped=1)], ("2", "", "0", "true")),
        (
            [summary(0.0000105, saved=1, failed=1, moderated=2, unknown=3, expired=4, canceled=5)],
            ("1", "0.00001", "15", "true"),
        ),
        ([summary(10, running=1, ready=1, planned=7)], ("0", "10", "0", "true")),
        ([ERROR], ("0", "0", "0", "false")),
        ([job("saved"), ERROR, summary(0.04, saved=1, planned=2)], ("1", "0.04", "0", "true")),
        ([job("saved"), job("failed"), job("saved", skipped=True)], ("1", "", "1", "true")),
        ([], ("0", "", "0", "true")),
    ],
)
def test_outputs_tell_how_the_rows_ended(
    records: list[dict[str, Any]], results: tuple[str, ...]
) -> None:
    names = ("made", "spent", "failed", "changed")
    assert step.results_of(records) == dict(zip(names, results, strict=True))


def test_the_cut_line_of_a_killed_run_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    assert list(step.read_records(path)) == []
    path.write_text(json.dumps(job("saved")) + '\n{"type": "jo')
    assert list(step.read_records(path)) == [job("saved")]


def test_the_summary_shows_so_many_images() -> None:
    images = [step.Image(f"{number}.jpg", "1×1", "x") for number in range(step.MOST_IMAGES + 3)]
    text = "".join(step.step_summary("kontext-cards", images))
    assert text.count(".jpg") == step.MOST_IMAGES
    assert "\n3 more images.\n" in text


class Machine:
    """A work tree in which the steps of the action run, and the cache from run to run."""

    def __init__(self, top: Path) -> None:
        self.origin = Repository(top / "origin")
        self.work = top / "work"
        self.folder = top / "temp"
        self.cached = self.folder / "cached"
        self.cached.mkdir(parents=True)

    def commit(self, **files: str) -> None:
        """Commit files, by name with `_` for the dot, and check out."""
        if not (self.origin.folder / ".git").exists():
            Repository.init(self.origin.folder)
        for name, text in files.items():
            path = self.origin.folder / "out" / name.replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.origin.commit("files")
        self.origin.clone(self.work)

    def make(self, **files: str) -> None:
        """What a run makes, of which it prints records."""
        paths = {self.work / "out" / name.replace("_", "."): text for name, text in files.items()}
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        named = [{"path": str(path), "width": 1, "height": 1} for path in paths]
        record = job("saved", files=named, request={"prompt": "x"})
        (self.folder / "records.jsonl").write_text(json.dumps(record))

    def run(self, name: str) -> str:
        """Run a step; what it prints."""
        shutil.rmtree(self.folder / "artifact", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, str(Path(step.__file__)), name],
            cwd=self.work,
            env=environment(
                {
                    "FILE": "out/cards.jsonl",
                    "FOLDER": str(self.folder),
                    "ARTIFACT": "a",
                    "GITHUB_WORKSPACE": str(self.work),
                    "GITHUB_OUTPUT": str(self.folder / "output"),
                }
            ),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def artifact(self) -> set[str]:
        top = self.folder / "artifact"
        return {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}

    def read(self, name: str) -> str | None:
        path = self.work / "out" / name
        return path.read_text() if path.exists() else None


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@needs_git
def test_images_that_nobody_committed_are_put_back(machine: Machine) -> None:
    machine.commit(cards_jsonl="", old_jpg="old", same_jpg="same")
    machine.make(new_jpg="new", old_jpg="newer", same_jpg="same", cards_lock="lock")
    machine.run("collect")
    assert machine.artifact() == {"out/new.jpg", "out/old.jpg", "out/cards.lock"}
    machine.origin.clone(machine.work)
    assert (machine.read("new.jpg"), machine.read("old.jpg")) == (None, "old")
    assert machine.run("put-back") == "3 files of earlier runs are put back\n"
    assert (machine.read("new.jpg"), machine.read("old.jpg")) == ("new", "newer")
    assert machine.read("cards.lock") == "lock"


@needs_git
@pytest.mark.parametrize("kind", ["edited", "removed", "added"])
def test_what_was_committed_since_stays(machine: Machine, kind: str) -> None:
    machine.commit(cards_jsonl="", old_jpg="old")
    machine.make(**({"new_jpg": "ours"} if kind == "added" else {"old_jpg": "ours"}))
    machine.run("collect")
    if kind == "removed":
        (machine.origin.folder / "out" / "old.jpg").unlink()
        machine.commit()
    else:
        machine.commit(**({"new_jpg": "theirs"} if kind == "added" else {"old_jpg": "theirs"}))
    assert machine.run("put-back") == ""
    expected = {"edited": ("theirs", None), "removed": (None, None), "added": ("old", "theirs")}
    assert (machine.read("old.jpg"), machine.read("new.jpg")) == expected[kind]
    machine.run("put-back")  # and it is forgotten for good
    assert not list((machine.cached / "kept").rglob("*.jpg"))


@needs_git
@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links there")
def test_nothing_is_put_through_a_link_or_into_git(machine: Machine, tmp_path: Path) -> None:
    machine.commit(cards_jsonl="")
    outside = tmp_path / "outside"
    outside.mkdir()
    (machine.work / "link").symlink_to(outside)
    names = ("link/a.jpg", "../a.jpg", ".git/a.jpg")
    for name in names:
        file = machine.cached / "kept" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    (machine.cached / "kept.json").write_text(json.dumps(dict.fromkeys(names, "")))
    assert machine.run("put-back") == ""
    assert list(outside.iterdir()) == []
    assert not (machine.work / ".git" / "a.jpg").exists()
    assert not (machine.work.parent / "a.jpg").exists()


def test_without_git_only_missing_images_are_put_back(machine: Machine) -> None:
    machine.work.mkdir()
    machine.make(a_jpg="ours", b_jpg="ours", cards_jsonl="")
    machine.run("collect")
    (machine.work / "out" / "a.jpg").write_text("theirs")
    (machine.work / "out" / "b.jpg").unlink()
    machine.run("put-back")
    assert (machine.read("a.jpg"), machine.read("b.jpg")) == ("theirs", "ours")


@needs_git
def test_the_lock_of_the_file_and_of_its_shards_go_along(machine: Machine) -> None:
    machine.commit(cards_jsonl="")
    names = ("cards.lock", "cards.1of2.lock", "other.lock", "cards.x.lock", "xcards.lock")
    machine.make(new_jpg="new")
    for name in names:
        (machine.work / "out" / name).write_text("x")
    machine.run("collect")
    assert machine.artifact() == {"out/new.jpg", "out/cards.lock", "out/cards.1of2.lock"}
