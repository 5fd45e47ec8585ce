"""`--dry-run`: what would be sent, written and paid."""

import json
from typing import Any

from kontext_cli.cli.printable import one_line, printable
from kontext_cli.cli.report import cost_text, to_stdout
from kontext_cli.plan import Plan

_SHOWN = 40


def show_plan(plan: Plan) -> None:
    """Print the call without its key, the names of the files, and the estimate."""
    to_stdout(printable(f"{plan.call.method} {plan.call.url}"))
    to_stdout(printable(json.dumps(_shortened(plan.call.json), indent=2, ensure_ascii=False)))
    if plan.names is None:
        to_stdout("file: standard output")
    else:
        for path in plan.names.paths:
            to_stdout(f"file: {one_line(str(path))}")
    to_stdout(f"cost: {cost_text(plan.job.cost)}")


def _shortened(value: Any) -> Any:
    """Inline images as their head and size; everything else as it is."""
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return value
