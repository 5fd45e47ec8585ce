"""Every provider's table of cases and its documented examples, run."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kontext_cli import __version__
from kontext_cli.http.urls import may_have_key
from kontext_cli.job import State
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.cases import KEY, Case, at_url, cases
from providers.documents import Document
from runs import planned, run
from scripted import Scripted

CASES: dict[Name, ModuleType] = {name: import_module(f"providers.{name}") for name in NAMES}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case.id}")
        for name in NAMES
        for case in cases(provider_class(name), CASES[name].TABLE)
    ],
)
def test_provider_does_as_its_table_of_cases(case: Case) -> None:
    assert list(case.faults()) == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(name, row, id=f"{name}: {row.id}")
        for name in NAMES
        for row in getattr(CASES[name], "DOCUMENTS", ())
    ],
)
def test_documented_example_goes_out_and_becomes_a_file(
    tmp_path: Path, name: Name, row: Document
) -> None:
    images = [at_url(url) for url in row.images]
    fields, provider = dict(row.fields), provider_class(name)(CASES[name].TABLE.base_url)
    plan = planned(name, fields, tmp_path, model=row.model, images=images, provider=provider)
    script, seed = Scripted(dict(row.script)), plan.job.seed

    job = run(plan, script, provider=provider)

    (submit,) = script.submits()
    assert submit.json == _with_drawn(row.sent, seed, submit.json)
    host = submit.url.split("/")[2]
    assert submit.headers == {
        **{header.lower(): value for header, value in CASES[name].TABLE.headers.items()},
        "host": host,
        "content-type": "application/json",
        "content-length": str(len(submit.body)),
        "accept": "application/json",
        "accept-encoding": submit.headers["accept-encoding"],
        "connection": "keep-alive",
        "user-agent": f"kontext-cli/{__version__}",
    }
    assert all(
        KEY not in str(seen.headers)
        for seen in script.requests
        if seen.headers["accept"] == "image/*"
        or not any(may_have_key(seen.url, base) for base in provider.key_bases)
    )
    assert (job.error, job.state) == (None, State.SAVED)
    (file,) = job.files
    assert (file.width, file.height, file.format) == (*row.size, row.format)
    assert file.path.suffix == {"jpeg": ".jpg", "png": ".png"}[row.format]
    assert file.path.stat().st_size == file.bytes
    assert job.seed == (row.seed or plan.job.seed)
    assert job.reply == row.reply
    assert script.unused() == []


def _with_drawn(
    sent: Mapping[str, Any], seed: int | None, found: Mapping[str, Any]
) -> dict[str, Any]:
    """What is sent, with the seed or the id that we choose; some take all fields within one."""
    if "prompt_id" in sent:
        return {**sent, "prompt_id": found["prompt_id"]}
    own = {} if seed is None else {"seed": seed}
    return {"input": {**sent["input"], **own}} if "input" in sent else {**sent, **own}


def test_each_provider_on_the_network_has_a_documented_example() -> None:
    lacking = {name for name in NAMES if not getattr(CASES[name], "DOCUMENTS", ())}
    assert lacking == {name for name in NAMES if provider_class(name).offline}
