"""How rows become entries: what they share, and what their jobs are sent as."""

import io
from pathlib import Path

import pytest

from kontext_cli.batch.decide import Rules
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.order import Order
from kontext_cli.batch.part import Part
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.sources import BatchSource
from kontext_cli.engine.plan import plan_jobs
from kontext_cli.errors import UsageError
from kontext_cli.prompts import Row
from kontext_cli.providers import provider_class
from kontext_cli.request import parse


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    return Planner(
        Order(
            batch="b",
            operation="generate",
            defaults={"provider": "fal", "model": "kontext-pro", "aspect_ratio": "16:9"},
            images=(),
            bases={"": tmp_path},
            folder=tmp_path / "out",
            template="{index}",
            id_template="{id}",
            exists="error",
            rules=Rules(),
        ),
        open_provider=lambda name: provider_class(name)(),
        stdin=io.BytesIO,
    )


RATIO = {"aspect_ratio": "16:9"}


def entries(planner: Planner, *rows: dict[str, object]) -> list[Entry]:
    numbered = [Row(n, n, row) for n, row in enumerate(rows, start=1)]
    source = BatchSource(rows=numbered, faults=(), names=("x.jsonl",), identity=(), bases={})
    return planner.entries(source, Part(numbered), lambda _key: None)


def test_rows_that_differ_in_prompt_and_seed_share_one_validated_request(planner: Planner) -> None:
    fox, hen = entries(planner, {"prompt": "a fox", "seed": 1}, {"prompt": "a hen", "seed": 2})
    assert fox.request.shared is hen.request.shared
    assert fox.digest != hen.digest


def test_a_row_with_another_option_has_a_request_of_its_own(planner: Planner) -> None:
    fox, png = entries(planner, {"prompt": "a fox"}, {"prompt": "a fox", "output_format": "png"})
    assert [planner.job(each).request["output_format"] for each in (fox, png)] == ["jpeg", "png"]


def test_a_row_has_the_digest_of_the_same_request_as_a_single_job(planner: Planner) -> None:
    (seeded, other) = entries(planner, {"prompt": "a fox", "seed": 1}, {"prompt": "a fox"})
    for entry, seed in (seeded, {"seed": 1}), (other, {}):
        single = plan_jobs(
            parse({"operation": "generate", "prompt": "a fox", **RATIO, **seed}),
            [provider_class("fal")()],
            model="kontext-pro",
            images=lambda _provider: (),
            wanted=None,
        )[0].job
        assert (entry.digest, entry.request.shared.endpoint) == (single.digest, single.endpoint)


def test_each_row_is_sent_with_its_own_prompt_and_seed(planner: Planner) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": "a fox", "seed": 1},
        {"prompt": "a hen", "seed": 2},
        {"prompt": "a cat"},
    ]
    planned = entries(planner, *rows)
    sent = [planner.plan(entry).draft.call().json or {} for entry in planned]
    assert [body["prompt"] for body in sent] == ["a fox", "a hen", "a cat"]
    assert [body["seed"] for body in sent] == [1, 2, planned[2].drawn_seed]
    assert {body["aspect_ratio"] for body in sent} == {"16:9"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"prompt": " "}, "the prompt is empty"), ({"prompt": "a", "seed": -1}, "at least 0, not -1")],
)
def test_a_row_is_refused_though_one_with_the_same_options_was_right(
    planner: Planner, wrong: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        entries(planner, {"prompt": "a fox", "seed": 1}, {"seed": 1} | wrong)
    (detail,) = refused.value.details
    assert message in detail
