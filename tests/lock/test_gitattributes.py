"""Whether git merges a lock line by line: as `git check-attr` says."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kontext_cli.lock.gitattributes import is_merged_by_line, line_for
from repositories import git


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository: to make one for each case takes most of the time."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    (folder / "a" / "b").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("said", "by_line"),
    [
        ({}, False),
        ({"": "/a/b/cards.lock merge=union"}, True),
        ({"": "cards.lock merge=union"}, True),
        ({"": "*.lock text merge=union eol=lf"}, True),
        ({"": "/cards.lock merge=union"}, False),
        ({"": "b/cards.lock merge=union"}, False),
        ({"": "**/b/cards.lock merge=union"}, True),
        ({"": "a/**/cards.lock merge=union"}, True),
        ({"": "a/**/b/cards.lock merge=union"}, True),
        ({"": "a/** merge=union"}, True),
        ({"": "a/*/cards.lock merge=union"}, True),
        ({"": "a/*.lock merge=union"}, False),
        ({"": "/a/b/car?s.lock merge=union"}, True),
        ({"": "/a/b/[a-c]ards.lock merge=union"}, True),
        ({"": "/a/b/[!a-c]ards.lock merge=union"}, False),
        ({"": '"/a/b/cards.lock" merge=union'}, True),
        ({"": "# /a/b/cards.lock merge=union"}, False),
        ({"": "  cards.lock   merge=union  \r\n"}, True),
        ({"": "cards.lock merge=union\n*.lock -merge"}, False),
        ({"": "cards.lock merge=union\n*.lock binary"}, False),
        ({"": "*.lock -merge\ncards.lock merge=union"}, True),
        ({"": "cards.lock merge=union merge=ours"}, False),
        ({"": "cards.lock merge"}, False),
        ({"": "cards.lock text"}, False),
        ({"a/b": "/cards.lock merge=union"}, True),
        ({"a": "/b/cards.lock merge=union"}, True),
        ({"a": "/a/b/cards.lock merge=union"}, False),
        ({"": "cards.lock merge=union", "a/b": "* -merge"}, False),
        ({"": "*.lock -merge", "a/b": "/cards.lock merge=union"}, True),
        ({".git/info": "cards.lock merge=union"}, True),
        ({".git/info": "cards.lock -merge", "a/b": "cards.lock merge=union"}, False),
    ],
)
def test_what_git_says_of_a_lock(repository: Path, said: Mapping[str, str], by_line: bool) -> None:
    files = ["", "a", "a/b", ".git/info"]
    for folder in files:
        name = "attributes" if folder == ".git/info" else ".gitattributes"
        (repository / folder / name).write_bytes(f"{said.get(folder, '')}\n".encode())
    checked = git(repository, "check-attr", "merge", "--", "a/b/cards.lock")
    assert (checked.strip() == "a/b/cards.lock: merge: union") is by_line
    assert is_merged_by_line(repository / "a" / "b" / "cards.lock") is by_line


def test_outside_of_repositories_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert is_merged_by_line(tmp_path / "cards.lock")


@pytest.mark.parametrize("name", ["cards.lock", "my cards.lock", "é.lock"])
def test_the_line_that_is_proposed_is_enough(tmp_path: Path, name: str) -> None:
    git(tmp_path, "init", "-q")
    lock = tmp_path / name
    assert not is_merged_by_line(lock)
    (tmp_path / ".gitattributes").write_text(f"{line_for(lock)}\n", encoding="utf-8")
    assert git(tmp_path, "check-attr", "-z", "merge", "--", name).endswith("\0merge\0union\0")
    assert is_merged_by_line(lock)


def test_work_trees_and_bad_files_are_read_as_far_as_they_can_be(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    (tmp_path / ".gitattributes").write_bytes(b"\xff\xfe\0\n[ merge\ncards.lock merge=union\n")
    assert is_merged_by_line(tmp_path / "cards.lock")
