"""`--dry-run`: what would be sent, written and paid."""

import json
from collections.abc import Collection
from typing import Any

from kontext_cli.cli.printable import one_line
from kontext_cli.cli.report import cost_text, to_stdout
from kontext_cli.inputs import is_url
from kontext_cli.plan import Plan
from kontext_cli.urls import abridged

_SHOWN = 40


def show_plan(plan: Plan) -> None:
    """Print the call without its key and what signs its URLs, the files, and the estimate."""
    urls = {source.name for source in plan.job.sources if is_url(source.name)}
    body = _shortened(plan.call.json, urls)
    to_stdout(f"{plan.call.method} {plan.call.url}")
    to_stdout(json.dumps(body, indent=2, ensure_ascii=False))
    if plan.names is None:
        to_stdout("file: standard output")
    else:
        for path in plan.names.paths:
            to_stdout(f"file: {one_line(str(path))}")
    cost = plan.job.cost
    to_stdout(f"cost: {'unknown' if cost.usd is None else cost_text(cost)}")


def _shortened(value: Any, urls: Collection[str]) -> Any:
    """Inline images as their head and size, URLs of images unsigned; all else as it is."""
    if isinstance(value, str) and value in urls:
        return abridged(value)
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, list):
        return [_shortened(each, urls) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each, urls) for key, each in value.items()}
    return value
