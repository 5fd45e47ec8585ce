"""Jobs to fill a journal with."""

from typing import Any

from kontext_cli.job import Cost, Job, new_id


def sample_job(number: int, **given: Any) -> Job:
    """A job at fal with values of its own; ``given`` are further fields."""
    return Job(
        id=new_id(),
        operation="generate",
        provider="fal",
        model="kontext-pro",
        endpoint="fal-ai/flux-pro/kontext/text-to-image",
        request={"prompt": f"a lighthouse in fog, number {number}", "seed": number},
        seed=number,
        cost=Cost(0.04, "estimate"),
        **given,
    )
