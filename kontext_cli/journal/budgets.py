"""What a job takes of the budget of its batch."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kontext_cli.job import OPEN, State
from kontext_cli.journal.codec import Row

_PARTS = 1_000_000
_MOST_USD = 1e9
"""A price that is higher is damage."""
_MAY_BE_BILLED = {*OPEN, State.SAVED, State.UNKNOWN}


def price(row: Row) -> int | None:
    """What a job costs, in millionths of a US dollar; None where that is unknown."""
    return _price(_record(row))


def charge(row: Row) -> int:
    """Millionths of a US dollar: the price of a job that was taken or sent, unless it certainly was
    not billed; 0 where the price is unknown."""
    if row.batch is None or (row.state == State.PLANNED and row.owner is None):
        return 0
    record = _record(row)
    return (_price(record) or 0) if _is_charged(row, record) else 0


def _record(row: Row) -> Mapping[str, Any]:
    with suppress(ValueError, RecursionError):
        record = json.loads(row.details)
        if isinstance(record, dict):
            return record
    return {}


def _price(record: Mapping[str, Any]) -> int | None:
    cost = record.get("cost")
    usd = cost.get("usd") if isinstance(cost, dict) else None
    if isinstance(usd, int | float) and 0 <= usd <= _MOST_USD:
        return round(usd * _PARTS)
    return None


def _is_charged(row: Row, record: Mapping[str, Any]) -> bool:
    if row.state == State.PLANNED or row.state in _MAY_BE_BILLED or record.get("outputs"):
        return True
    error = record.get("error")
    billed = error.get("billed") if isinstance(error, dict) else None
    return row.request_id is not None if billed is None else billed != "no"
