"""A runner of GitHub Actions, as far as this repository's action and example need one.

`run:` steps are run by bash, with the environment and the files that GitHub gives them. Of the
actions that others wrote, those that carry files from run to run are emulated: cache, artifacts.
The others do nothing here.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from processes import environment

yaml: Any = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"[\w-]+/kontext@[0-9a-f]{40}|\./")
MACHINE = {
    name: value
    for name, value in os.environ.items()
    if name.startswith(("PIP_", "UV_", "SSL_")) or name.lower().endswith("_proxy")
}
"""How this machine reaches a package index."""
_TOKEN = re.compile(r"\s*('[^']*'|[\w.-]+(?:\(\))?|==|!=|&&|\|\||[()!])")
_WORDS = {"&&": "and", "||": "or", "!": "not"}


@dataclass
class Outcome:
    """What a step left: its result, what it printed, and its part of the summary."""

    name: str
    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        return "success" if self.code == 0 else "failure"


@dataclass
class Context:
    """What the expressions of one workflow or action may name."""

    values: dict[str, str]
    steps: dict[str, Outcome] = field(default_factory=dict)
    failed: bool = False

    def __getitem__(self, name: str) -> str:
        kind, _, rest = name.partition(".")
        if kind != "steps":
            return self.values.get(name, "")
        step = self.steps.get(rest.partition(".")[0], Outcome(rest))
        if rest.endswith(".outcome"):
            return step.outcome if rest.partition(".")[0] in self.steps else "skipped"
        return step.outputs.get(rest.rpartition(".")[2], "")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression: names, texts, comparisons and logic."""
        words = ["("]
        for token in _TOKEN.findall(expression):
            if token.endswith("()"):
                known = {"always()": True, "success()": not self.failed, "failure()": self.failed}
                words.append(repr(known[token]))
            elif re.match(r"[\w]", token):
                words.append(repr(self[token]))
            else:
                words.append(_WORDS.get(token, token))
        return eval(" ".join([*words, ")"]))

    def filled(self, text: object) -> str:
        """A text with its `${{ }}` replaced."""
        if isinstance(text, bool):
            return str(text).lower()
        return re.sub(r"\$\{\{(.*?)\}\}", lambda each: str(self.evaluate(each[1])), str(text))

    def wants(self, step: Mapping[str, Any]) -> bool:
        """Whether a step is to run."""
        condition = str(step.get("if", "success()"))
        if not re.search(r"(always|success|failure)\(\)", condition):
            condition = f"success() && ({condition})"
        return bool(self.evaluate(condition))


class Runner:
    """A machine with a work tree. `cache` and `artifacts` are what GitHub keeps between runs.

    Steps of a name in ``skipped`` are not run: what they do is done.
    """

    def __init__(self, top: Path, *, skipped: Collection[str] = (), **env: str) -> None:
        self.top = top
        self.workspace = top / "work"
        self.cache = top / "cache"
        self.artifacts = top / "artifacts"
        self.skipped = set(skipped)
        self.env = env
        self.run_id = 0
        self.done: list[Outcome] = []
        """The steps of the last job that ran, those of actions too."""

    def job(self, workflow: Path, name: str, event: str = "push") -> Context:
        """Run a job of a workflow."""
        self._begin()
        job = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"][name]
        context = Context({"github.event_name": event, "runner.temp": str(self.top / "temp")})
        assert "if" not in job or context.evaluate(job["if"])
        self._steps(job["steps"], context, {}, None)
        return context

    def use(self, action: Path, env: Mapping[str, str] | None = None, **inputs: str) -> Context:
        """Run an action by itself, as a job with the one step."""
        self._begin()
        context = Context({})
        self._steps([{"id": "it", "uses": "./", "with": inputs}], context, dict(env or {}), action)
        return context

    def log(self, step: str) -> Outcome:
        """A step of the last job, by its name."""
        return next(outcome for outcome in self.done if outcome.name == step)

    def _begin(self) -> None:
        self.run_id += 1
        self.done.clear()
        self.workspace.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.top / "temp", ignore_errors=True)
        (self.top / "temp").mkdir()

    def _steps(
        self, steps: Any, context: Context, env: Mapping[str, str], action: Path | None
    ) -> None:
        for step in steps:
            if step.get("name") in self.skipped or not context.wants(step):
                continue
            around = {**env, **{k: context.filled(v) for k, v in step.get("env", {}).items()}}
            given = {name: context.filled(value) for name, value in step.get("with", {}).items()}
            if "run" in step:
                outcome = self._run(step, context, around, action)
            elif OURS.fullmatch(step["uses"].split(" ")[0]):
                outcome = self._action(given, around, action or ROOT)
            else:
                outcome = self._foreign(step["uses"], given)
            context.steps[step.get("id", f"#{len(context.steps)}")] = outcome
            context.failed |= outcome.code != 0

    def _run(
        self, step: Mapping[str, Any], context: Context, env: Mapping[str, str], action: Path | None
    ) -> Outcome:
        outcome = Outcome(step.get("name", step["run"]))
        assert "${{" not in step["run"]
        temp = self.top / "temp"
        output, summary = temp / "output", temp / "summary"
        for file in (output, summary):
            file.write_bytes(b"")
        github = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_TEMP": str(temp),
            "RUNNER_OS": "Linux",
            **({"GITHUB_ACTION_PATH": str(action)} if action else {}),
        }
        script = temp / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        flags = ["--noprofile", "--norc", "-e", "-o", "pipefail"] if action else ["-e"]
        done = subprocess.run(
            ["bash", *flags, str(script)],
            cwd=self.workspace,
            env=environment({**MACHINE, **self.env, **env, **github}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        outcome.code, outcome.log = done.returncode, done.stdout.decode(errors="replace")
        outcome.summary = summary.read_text(encoding="utf-8")
        lines = output.read_text(encoding="utf-8").splitlines()
        outcome.outputs = dict(line.split("=", 1) for line in lines)
        self.done.append(outcome)
        return outcome

    def _action(self, given: Mapping[str, str], env: Mapping[str, str], action: Path) -> Outcome:
        """Run a composite action: its inputs, steps and outputs."""
        text = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
        assert given.keys() <= text["inputs"].keys()
        values = {name: str(each.get("default", "")) for name, each in text["inputs"].items()}
        required = {name for name, each in text["inputs"].items() if each.get("required")}
        assert required <= given.keys()
        inputs = {f"inputs.{name}": value for name, value in {**values, **given}.items()}
        inside = Context({**inputs, "runner.temp": str(self.top / "temp")})
        self._steps(text["runs"]["steps"], inside, env, action)
        outputs = {name: inside.filled(each["value"]) for name, each in text["outputs"].items()}
        failure = next((step.code for step in inside.steps.values() if step.code), 0)
        return Outcome("kontext", failure, outputs=outputs)

    def _foreign(self, uses: str, given: Mapping[str, str]) -> Outcome:
        name = uses.partition("@")[0]
        if name == "actions/cache/restore":
            self._restore(given)
        elif name == "actions/cache/save":
            shutil.copytree(given["path"], self.cache / given["key"])
        elif name == "actions/upload-artifact":
            target = self.artifacts / given["name"]
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(given["path"], target)
        return Outcome(name)

    def _restore(self, given: Mapping[str, str]) -> None:
        """The newest entry of those whose key begins like this one's."""
        entries = self.cache.iterdir() if self.cache.is_dir() else ()
        found = [each for each in entries if each.name.startswith(given["restore-keys"])]
        for newest in sorted(found, key=lambda each: int(each.name.split("-")[-2]))[-1:]:
            shutil.copytree(newest, given["path"], dirs_exist_ok=True)


def tools(folder: Path) -> dict[str, str]:
    """The environment in which uv is on the path, and installs into this folder."""
    beside = Path(sys.executable).parent
    return {
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
    }


def need_an_index(folder: Path) -> None:
    """Skip the test where no package index can be reached, as uv asks for a package there."""
    asked = subprocess.run(
        ["uv", "pip", "compile", "--quiet", "--no-config", "-"],
        input=b"hatchling",
        env=environment({**MACHINE, **tools(folder), "UV_CACHE_DIR": str(folder / "cache")}),
        capture_output=True,
        check=False,
    )
    if asked.returncode != 0:
        pytest.skip("no package index can be reached")
