"""The examples as the clients of their schedulers read them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"


def text(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


def read(name: str) -> Any:
    return yaml.safe_load(text(name))


def unknown_fields(models: Any, kind: str, value: Any, path: str) -> Iterator[str]:
    """What is in an object that its kind does not have, by the client's own models."""
    if inner := re.fullmatch(r"(?:list|dict)[\[(](?:str, )?(.+)[\])]", kind):
        each = value.values() if isinstance(value, dict) else value
        for number, item in enumerate(each):
            yield from unknown_fields(models, inner[1], item, f"{path}[{number}]")
        return
    model = getattr(models, kind, None)
    if model is None:
        return
    names = {written: name for name, written in model.attribute_map.items()}
    for written, item in value.items():
        if written not in names:
            yield f"{path}.{written}"
        else:
            of_item = model.openapi_types[names[written]]
            yield from unknown_fields(models, of_item, item, f"{path}.{written}")


def test_the_job_for_kubernetes_is_valid_and_runs_all_parts() -> None:
    job = read("kubernetes.yaml")
    client: Any = pytest.importorskip("kubernetes.client")
    assert list(unknown_fields(client.models, "V1Job", job, "job")) == []
    answer = SimpleNamespace(data=json.dumps(job))
    client.ApiClient().deserialize(answer, "V1Job")  # checks what is required, and its choices
    spec = job["spec"]
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert spec["completionMode"] == "Indexed"
    [container] = spec["template"]["spec"]["containers"]
    assert f"--shard=auto/{spec['completions']}" in container["command"]
    secret = {
        each["name"]: each["valueFrom"]["secretKeyRef"]
        for each in container["env"]
        if "valueFrom" in each
    }
    assert {"KONTEXT_JOURNAL", "FAL_KEY"} < secret.keys()
    assert all(found == {"name": "kontext", "key": name} for name, found in secret.items())


def test_no_exit_code_that_is_final_is_tried_again() -> None:
    """Nothing is sent twice by that, but pods and containers would be started for nothing."""
    [rule] = read("kubernetes.yaml")["spec"]["podFailurePolicy"]["rules"]
    [*rules] = json.loads(text("aws-batch.json"))["retryStrategy"]["evaluateOnExit"]
    of_aws = [int(each["onExitCode"]) for each in rules if each["action"] == "EXIT"]
    assert rule["action"] == "FailIndex"
    assert rule["onExitCodes"]["values"] == of_aws == [2, 3, 5, 10, 11]


def test_the_definition_for_aws_batch_is_valid() -> None:
    boto3: Any = pytest.importorskip("boto3")
    validate: Any = pytest.importorskip("botocore.validate")
    batch = boto3.client("batch", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    wanted = batch.meta.service_model.operation_model("RegisterJobDefinition").input_shape
    given = json.loads(text("aws-batch.json"))
    report = validate.ParamValidator().validate(given, wanted)
    assert not report.has_errors(), report.generate_report()
    assert len(given["retryStrategy"]["evaluateOnExit"]) <= 5


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
