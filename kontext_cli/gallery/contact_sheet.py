"""Draws the entries of a gallery on one sheet, with labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, sqrt
from typing import NamedTuple

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.inputs import read_image_file
from kontext_cli.gallery.entries import Entry
from kontext_cli.gallery.facts import cost_of, reason, state, title
from kontext_cli.gallery.tiles import fault_of, in_threads
from kontext_cli.images.reading import NotAnImage
from kontext_cli.images.shrinking import small_copy
from kontext_cli.images.thumbnails import MOST_PIXELS, Cell, Plan
from kontext_cli.job import Job
from kontext_cli.words import listed

_SIDES = (320, 240, 160, 120, 80, 64, 48)
"""The sides of the cells in pixels; the largest with which the sheet is not too large."""
_LEAST_TEXT = 11


def _of_job(read: Callable[[Job], object]) -> Callable[[Entry], str]:
    return lambda entry: str(read(entry.job) or "") if entry.job else ""


LABELS: Mapping[str, Callable[[Entry], str]] = {
    "prompt": title,
    "id": _of_job(lambda job: job.row_id or job.id),
    "seed": _of_job(lambda job: f"seed {job.seed}" if job.seed is not None else ""),
    "model": _of_job(lambda job: job.model),
    "provider": _of_job(lambda job: job.provider),
    "cost": _of_job(cost_of),
    "state": state,
    "file": lambda entry: entry.path.name if entry.path else "",
}
"""What a label can say, by name."""


class Drawn(NamedTuple):
    """A cell of the sheet, and which file is missing or damaged, and how; empty for none."""

    cell: Cell
    fault: str


def labels_of(text: str) -> tuple[str, ...]:
    """The names of labels, as in `id,seed`. Raises UsageError for an unknown one."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in LABELS]:
        raise UsageError(f"--label has no `{unknown[0]}`", hint=f"there are {listed(list(LABELS))}")
    return names


def plan_of(count: int, columns: int | None, labels: Sequence[str]) -> Plan:
    """The grid for a number of entries. Raises UsageError where no sheet is large enough."""
    across = min(columns or ceil(sqrt(count * 4 / 3)), count)
    rows = ceil(count / across)
    plans = (Plan(across, rows, side, max(_LEAST_TEXT, side // 20), len(labels)) for side in _SIDES)
    plan = next((plan for plan in plans if plan.fits), None)
    if plan is None:
        raise UsageError(
            f"a sheet of {count:,} images in {across} column{'' if across == 1 else 's'} would be "
            f"larger than {MOST_PIXELS // 10**6} megapixels or 65,000 pixels a side",
            hint="name fewer images, choose other --columns, or write a .html page",
        )
    return plan


def cells(entries: Iterator[Entry], plan: Plan, labels: Sequence[str]) -> Iterator[Drawn]:
    """The cells of a sheet in order; few images are in memory at the same time."""
    return in_threads(lambda entry: _drawn(entry, plan, labels), entries)


def _drawn(entry: Entry, plan: Plan, labels: Sequence[str]) -> Drawn:
    texts = [LABELS[name](entry) for name in labels]
    if entry.path is None:
        why = f"{state(entry)}: {reason(entry.job)}" if entry.job else ""
        return Drawn(Cell(None, why, texts), fault="")
    try:
        image, _ = small_copy(read_image_file(entry.path), plan.side, plan.side)
    except (OSError, ValueError, NotAnImage, InputFault) as error:
        return Drawn(Cell(None, fault_of(error), texts), f"`{entry.path}`: {fault_of(error)}")
    return Drawn(Cell(image, "", texts), fault="")
