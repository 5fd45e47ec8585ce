"""The examples that are YAML, as a parser reads them."""

from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"


def read(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def test_the_job_for_kubernetes_runs_all_parts() -> None:
    job = read("kubernetes.yaml")
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    [container] = spec["template"]["spec"]["containers"]
    [*shell, script] = container["command"]
    assert shell == ["sh", "-c"]
    assert f"--shard auto/{spec['completions']} " in script.splitlines()[-1]
    [mount], [volume] = container["volumeMounts"], spec["template"]["spec"]["volumes"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], container["workingDir"])


def test_the_workflow_for_github_keeps_state_and_images_of_each_part() -> None:
    job = read("github-matrix.yml")["jobs"]["cards"]
    assert job["strategy"]["matrix"] == {"shard": [1, 2, 3, 4]}
    uses = {step["uses"].split("@")[0]: step for step in job["steps"] if "uses" in step}
    restored, saved = uses["actions/cache/restore"], uses["actions/cache/save"]
    assert saved["if"] == "always()"
    assert saved["with"].items() <= restored["with"].items()
    assert saved["with"]["path"].split() == [job["env"]["KONTEXT_STATE_DIR"], "cards"]
    assert restored["with"]["key"].startswith(restored["with"]["restore-keys"])


def test_the_pipeline_for_gitlab_keeps_state_and_images_of_each_part() -> None:
    job = read("gitlab-ci.yml")["cards"]
    assert (job["parallel"], job["cache"]["when"]) == (4, "always")
    assert job["cache"]["key"].endswith("$CI_NODE_INDEX")
    assert job["cache"]["paths"] == [job["variables"]["KONTEXT_STATE_DIR"], "cards"]
