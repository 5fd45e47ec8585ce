"""The hook, installed and run by pre-commit itself in a scratch repository."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from engines.runner import MACHINE, ROOT, need_an_index, tools
from processes import environment
from repositories import GIT, IDENTITY, Repository

pytest.importorskip("pre_commit")
pytest.importorskip("uv")
pytestmark = pytest.mark.skipif(GIT is None, reason="needs git")
SOURCES = ("kontext_cli", "completions", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
HOOK = ".pre-commit-hooks.yaml"


@pytest.fixture
def hook(tmp_path: Path) -> str:
    """A repository with the hook, and its commit, as pre-commit's configuration names them."""
    need_an_index(tmp_path)
    folder = tmp_path / "kontext"
    folder.mkdir()
    for name in (*SOURCES, HOOK):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder)
    commit = Repository.init(folder).git("rev-parse", "HEAD").strip()
    hooks = [{"id": "kontext-check", "args": ["cards.jsonl"]}]
    return json.dumps({"repos": [{"repo": str(folder), "rev": commit, "hooks": hooks}]})


def test_a_commit_in_which_images_and_prompts_disagree_is_refused(
    hook: str, tmp_path: Path
) -> None:
    folder = tmp_path / "cards"
    shutil.copytree(ROOT / "examples" / "ci", folder)
    (folder / ".pre-commit-config.yaml").write_text(hook)
    repository = Repository.init(folder)

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment({**MACHINE, **IDENTITY, **tools(tmp_path)}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def commit() -> tuple[int, str]:
        repository.git("add", "--all")
        return run("git", "commit", "--quiet", "--message", "x", "--allow-empty")

    assert run("pre-commit", "install")[0] == 0
    code, said = commit()
    assert code == 0, said
    assert "Passed" in said
    with (folder / "cards.jsonl").open("a") as file:
        file.write('{"id": "elk", "prompt": "an elk"}\n')
    code, said = commit()
    assert code == 1, said
    assert "elk" in said
    assert "exit code: 12" in said
