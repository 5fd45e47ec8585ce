"""The action: its `run:` steps, executed as by a runner of GitHub Actions, and installed by uv."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engines.runner import MACHINE, ROOT, Context, Runner, need_an_index, tools
from processes import environment
from repositories import GIT, IDENTITY, Repository
from world import KEY, World

pytest.importorskip("uv")
pytestmark = [
    pytest.mark.skipif(GIT is None, reason="needs git"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash"),
]
ROWS = [
    {"id": "fox", "prompt": "a red fox"},
    {"id": "owl", "prompt": "an owl <b>|*by* night</b>"},
]


INSTALL = "install kontext"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment with uv and what the action installs of its own checkout."""
    folder = tmp_path_factory.mktemp("uv")
    env = {**tools(folder), "UV_CACHE_DIR": str(folder / "cache")}
    need_an_index(folder)
    runner = Runner(folder / "runner", **env, HOME=str(folder))
    runner.use(ROOT, command="none", file="none")
    assert runner.log(INSTALL).code == 0, runner.log(INSTALL)
    assert (folder / "bin" / "kontext").exists()
    return env


class Project(NamedTuple):
    """A repository with a prompts file, and the runner that has it checked out."""

    origin: Repository
    runner: Runner

    def push(self, *rows: dict[str, str]) -> None:
        """Commit a prompts file, and have it checked out."""
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.origin.folder / "art").mkdir(exist_ok=True)
        (self.origin.folder / "art" / "cards.jsonl").write_text(text, encoding="utf-8")
        self.origin.commit("rows")
        self.check_out()

    def check_out(self) -> None:
        self.origin.clone(self.runner.workspace)

    def generate(self, **inputs: str) -> Context:
        """Run the action; then the machine is gone."""
        given = {"file": "art/cards.jsonl", "out": "art/images", "args": "-p fal", **inputs}
        return self.runner.use(ROOT, {"FAL_KEY": KEY}, **given)

    def outputs(self, context: Context) -> dict[str, str]:
        return context.steps["it"].outputs

    def artifact(self) -> list[str]:
        """The files of the artifact."""
        top = self.runner.artifacts / "kontext-art-cards"
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())


@pytest.fixture
def project(world: World, installed: dict[str, str], tmp_path: Path) -> Iterator[Project]:
    given = {name: value for name, value in world.environ.items() if name.endswith("_BASE_URL")}
    env = {**IDENTITY, **installed, **{name: str(value) for name, value in given.items()}}
    made = Project(
        Repository.init(tmp_path / "origin"), Runner(tmp_path / "runner", skipped=[INSTALL], **env)
    )
    yield made
    assert [step.name for step in made.runner.done if KEY in step.log + step.summary] == []


def test_it_makes_what_is_missing_and_never_pays_twice(world: World, project: Project) -> None:
    project.push(*ROWS)
    first = project.generate()
    name = "kontext-art-cards"
    made = {"made": "2", "spent": "0.08", "failed": "0", "artifact": name}
    assert project.outputs(first) == made, project.runner.done
    assert project.artifact() == ["art/images/fox.jpg", "art/images/owl.jpg"]
    # Nobody has committed them. A row more costs one row.
    project.push(*ROWS, {"id": "elk", "prompt": "an elk"})
    second = project.generate()
    assert project.outputs(second) == {**made, "made": "1", "spent": "0.04"}
    assert project.artifact() == [f"art/images/{each}.jpg" for each in ("elk", "fox", "owl")]
    # Somebody unpacks the artifact at the root, and commits it.
    top = project.runner.artifacts / name
    shutil.copytree(top, project.origin.folder, dirs_exist_ok=True)
    project.origin.commit("images")
    project.check_out()
    done = {"made": "0", "spent": "0", "failed": "0", "artifact": ""}
    assert project.outputs(project.generate()) == done
    assert len(world.ledger.entries) == 3


def test_what_failed_fails_the_step_after_all_is_saved(world: World, project: Project) -> None:
    project.push(ROWS[0], {"id": "bad", "prompt": "x [fault:moderation]"})
    context = project.generate()
    run = project.runner.log("run kontext")
    assert (run.code, context.failed) == (9, True), run
    assert "::error file=art/cards.jsonl,line=2" in run.log
    assert project.outputs(context)["failed"] == "1"
    assert project.artifact() == ["art/images/fox.jpg"]
    project.check_out()
    assert project.outputs(project.generate())["made"] == "0"
    assert len(world.ledger.entries) <= 2


def test_the_summary_names_the_images_and_no_prompt_is_markup(project: Project) -> None:
    project.push(*ROWS)
    project.generate()
    totals = project.runner.log("run kontext").summary
    images = project.runner.log("collect what was made").summary
    assert "| 2 | 2 |" in totals
    assert "`kontext-art-cards`" in images
    assert "| art/images/fox.jpg | 64×64 | a red fox |" in images
    assert "<b>" not in images
    assert "an owl &#60;b&#62;&#124;&#42;by&#42; night&#60;/b&#62;" in images


@pytest.mark.parametrize("name", ["args", "file", "out", "max-cost", "shard", "version", "command"])
def test_no_input_is_run_by_a_shell(project: Project, name: str) -> None:
    project.push(*ROWS)
    if name == "version":
        project.runner.skipped.clear()
    hostile = "x\"; touch owned; $(touch owned) `touch owned` '\n touch owned"
    context = project.generate(**{name: hostile})
    assert context.failed == (name != "out")  # a folder may have any name
    assert not list(project.runner.top.rglob("owned"))


def test_images_outside_of_the_workspace_would_be_lost(world: World, project: Project) -> None:
    project.push(*ROWS)
    assert project.generate(out="../elsewhere").failed
    assert "outside of the workspace" in project.runner.log("prepare").log
    assert world.ledger.entries == ()


def test_args_are_split_as_by_a_shell(world: World, project: Project) -> None:
    project.push({"prompt": "a red fox"}, {"prompt": "an owl"})
    args = "-p fal --limit 1 --name \"the 'one' {index}\" $HOME"
    assert project.generate(args=args).failed  # `$HOME` is no prompt that goes with a file
    context = project.generate(args=args.removesuffix(" $HOME"))
    assert project.outputs(context)["made"] == "1"
    assert project.artifact() == ["art/images/the 'one' 1.jpg"]
    assert len(world.ledger.entries) == 1


def test_shards_write_locks_that_become_one(world: World, project: Project) -> None:
    project.push(*ROWS, {"id": "elk", "prompt": "an elk"})
    args = "-p fal --lock"
    for shard in ("1/2", "2/2"):
        project.check_out()
        assert not project.generate(args=args, shard=shard).failed, project.runner.done
    for name in ("kontext-art-cards-1of2", "kontext-art-cards-2of2"):
        artifact = project.runner.artifacts / name
        shutil.copytree(artifact, project.origin.folder, dirs_exist_ok=True)
    project.origin.commit("shards")
    project.check_out()
    given = {"command": "check", "file": "art/cards.jsonl", "args": "--merge"}
    assert not project.runner.use(ROOT, {}, **given).failed, project.runner.done
    lock = project.runner.workspace / "art" / "cards.lock"
    assert [json.loads(line).get("id") for line in lock.read_text().splitlines()] == [
        *(None, "elk", "fox", "owl")
    ]
    assert len(world.ledger.entries) == 3


def test_over_the_budget_nothing_is_sent(world: World, project: Project) -> None:
    project.push(*ROWS)
    context = project.generate(**{"max-cost": "0.05"})
    assert project.runner.log("run kontext").code == 10
    nothing = {"made": "0", "spent": "0", "failed": "0", "artifact": ""}
    assert project.outputs(context) == nothing
    assert world.ledger.entries == ()


def test_a_version_comes_from_the_index(project: Project) -> None:
    project.push(*ROWS)
    project.runner.skipped.clear()
    wheels = project.runner.top / "wheels"
    subprocess.run(
        ["uv", "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(ROOT)],
        env=environment({**MACHINE, **project.runner.env}),
        check=True,
    )
    project.runner.env["UV_FIND_LINKS"] = str(wheels)
    context = project.generate(version="0.1.0", args="-p sandbox")
    assert project.outputs(context)["made"] == "2", project.runner.done
    assert "file://" not in project.runner.log("install kontext").log
    project.check_out()
    assert project.generate(version="0.0.0.dev999").failed
