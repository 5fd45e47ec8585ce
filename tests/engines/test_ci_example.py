"""The workflow of `examples/ci`, its jobs run step by step with the action of this repository."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engines.runner import MACHINE, ROOT, Context, Runner, need_an_index, tools
from processes import environment
from repositories import GIT, IDENTITY, Repository

yaml: Any = pytest.importorskip("yaml")
pytest.importorskip("uv")
pytestmark = [
    pytest.mark.skipif(GIT is None, reason="needs git"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash"),
]
EXAMPLE = ROOT / "examples" / "ci"


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    need_an_index(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / "origin")
    return Repository.init(tmp_path / "origin")


def change_a_row(origin: Repository) -> None:
    rows = origin.folder / "cards.jsonl"
    rows.write_text(rows.read_text().replace("a lake at night", "a lake in <b>fog</b>"))
    origin.commit("a lake in fog")


def test_the_jobs_of_the_workflow(origin: Repository, tmp_path: Path) -> None:
    runner = Runner(tmp_path / "runner", **IDENTITY, **tools(tmp_path))

    def job(name: str, event: str) -> Context:
        origin.clone(runner.workspace)
        workflow = runner.workspace / ".github" / "workflows" / "images.yml"
        return runner.job(workflow, name, event)

    assert not job("check", "pull_request").failed, runner.done
    runner.skipped.add("install kontext")  # it is
    nothing = {"made": "0", "spent": "0", "failed": "0", "artifact": ""}
    assert job("generate", "workflow_dispatch").steps["images"].outputs == nothing, runner.done
    change_a_row(origin)
    assert job("check", "push").failed
    found = runner.log("run kontext")
    assert found.code == 12, found
    assert "::error file=cards.jsonl,line=2" in found.log
    context = job("generate", "workflow_dispatch")
    assert context.steps["images"].outputs == {
        "made": "1",
        "spent": "0",
        "failed": "0",
        "artifact": "kontext-cards",
    }
    assert runner.log("say what was made").log == "1 made for 0 USD, 0 failed\n"
    summary = runner.log("collect what was made").summary
    assert "| images/lake.jpg | 1248×832 | a lake in &#60;b&#62;fog&#60;/b&#62; |" in summary
    # The next run finds it made, although nobody has committed it, and uploads it again.
    shutil.rmtree(runner.artifacts)
    context = job("generate", "workflow_dispatch")
    assert (context.steps["images"].outputs["made"], context.failed) == ("0", False)
    shutil.copytree(runner.artifacts / "kontext-cards", origin.folder, dirs_exist_ok=True)
    changed = origin.git("status", "--porcelain").split()[1::2]
    assert changed == ["cards.lock", "images/lake.jpg"]
    origin.commit("the lake")
    assert not job("check", "push").failed, runner.done


def test_the_jobs_for_gitlab(origin: Repository, tmp_path: Path) -> None:
    pipeline = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    work = tmp_path / "work"
    install = [f"uv tool install --quiet '{ROOT}'", f"export PATH='{tmp_path / 'bin'}':$PATH"]

    def job(name: str) -> int:
        script = "\n".join([*install, *pipeline[name]["script"]])
        values = {name: str(value) for name, value in pipeline[name].get("variables", {}).items()}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=work,
            env=environment({**MACHINE, **IDENTITY, **tools(tmp_path), **values}),
            check=False,
        ).returncode

    origin.clone(work)
    assert job("check") == 0
    change_a_row(origin)
    origin.clone(work)
    assert job("check") == 12
    assert job("images") == 0
    assert Repository(work).git("status", "--porcelain").split()[1::2] == [
        *("cards.lock", "images/lake.jpg", "state/")
    ]
    assert job("check") == 0
