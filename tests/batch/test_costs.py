"""What edits cost: a dry run, the rows of the run, and the journal say the same."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samples import image_file
from soaking import soaked
from world import Build, World

SIZES = [(512, 512), (1024, 1024), (1024, 1025), (1920, 1080), (2048, 2048), (3000, 1400)]
MODELS = {
    "fal": ("flux-2-pro", "flux-2-max", "flux-2-flex", "flux-3", "kontext-pro", "kontext-max"),
    "replicate": ("flux-2-pro", "flux-2-max", "flux-2-flex", "flux-3"),
    "aimlapi": ("flux-2-pro", "flux-2-max", "kontext-pro"),
    "fal,replicate": ("flux-2-pro", "flux-2-max", "flux-2-flex", "flux-3"),
    "replicate,fal": ("flux-2-pro", "flux-3"),
    "fal,aimlapi": ("flux-2-pro", "flux-2-max", "kontext-pro"),
    "aimlapi,fal": ("flux-2-pro", "kontext-max"),
}


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        provider = draw(st.sampled_from(sorted(MODELS)))
        images = draw(st.lists(st.sampled_from(range(len(SIZES))), min_size=1, max_size=3))
        found.append(
            {
                "prompt": f"row {number}",
                "provider": provider,
                "model": draw(st.sampled_from(MODELS[provider])),
                "images": [f"{image}.jpg" for image in images],
            }
        )
    return found


def exact(costs: list[float | None]) -> Decimal | None:
    """The sum of costs in dollars; None if one of them is unknown."""
    known = [Decimal(str(cost)) for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def check_costs(world: World, given_rows: list[dict[str, Any]]) -> None:
    world.write("rows.jsonl", given_rows)
    argv = ("edit", "-f", "rows.jsonl", "-d", "out", "--json", "-p", "fal")
    plan = world.run(*argv, "--dry-run")
    assert plan.code == 0, plan.err
    planned = [job["cost"]["usd"] for job in plan.jobs]
    total = exact(planned)
    if total is None:
        assert plan.summary["cost"]["source"] == "unknown"
        assert world.run(*argv, "--max-cost", "999").code == 10
        return
    assert Decimal(str(plan.summary["cost"]["usd"])) == total
    if total:
        assert world.run(*argv, "--max-cost", str(total - Decimal("0.0001"))).code == 10
    assert not world.posts
    ran = world.run(*argv, "--max-cost", str(total))
    assert ran.code == 0, ran.err
    costs = [job["cost"]["usd"] for job in ran.jobs]
    kept = {job.index: job.cost.usd for job in world.kept()}
    assert exact(costs) == Decimal(str(ran.summary["cost"]["usd"])) == exact([*kept.values()])
    for row, most, cost in zip(given_rows, planned, costs, strict=True):
        assert cost <= most if "," in row["provider"] else cost == most


@given(data=st.data())
@settings(
    max_examples=soaked(6, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_all_say_the_same_of_edits(build: Build, data: st.DataObject) -> None:
    world = build(World)
    for number, size in enumerate(SIZES):
        world.write(f"{number}.jpg", image_file("jpeg", size))
    found = [row for row in data.draw(rows()) if _is_valid(world, row)]
    if found:
        check_costs(world, found)


def _is_valid(world: World, row: dict[str, Any]) -> bool:
    world.write("one.jsonl", [row])
    return world.run("edit", "-f", "one.jsonl", "-p", "fal", "--dry-run", "--json").code == 0
