"""Instructions until the submit has arrived, by valgrind: other work on the machine does not change
them. The provider takes down the count, and refuses the submit so that the process ends there."""

import re
import shutil

from clients import OFFICIAL, OURS, Ground, present
from measures import Failed
from table import Goal, Row, Section, number

_COUNTED = re.compile(r"^totals: (\d+)", re.MULTILINE)
_EXIT = {OURS: 4, OFFICIAL: 1}
_MILLION = 1e6
_GOAL = Goal(930, stretch=850, unit="M")


def measure(ground: Ground) -> Section:
    """Each client without a terminal, and on one."""
    if shutil.which("valgrind") is None:
        return Section(notes=["instructions: valgrind is not installed"])
    section = Section()
    for where, there in (
        ("", ground),
        (" on a terminal", ground.at(ground.provider, on_terminal=True)),
    ):
        counts = {client: _count(there, client) for client in present(OURS, OFFICIAL)}
        ours, theirs = counts[OURS], counts.get(OFFICIAL)
        section.rows.append(
            Row(
                f"`generate`{where}: instructions to the first byte",
                number(ours, "M"),
                f"{number(theirs, 'M')} {OFFICIAL}",
                ours,
                "M",
                _GOAL,
            )
        )
    return section


def _count(ground: Ground, client: str) -> float:
    """Millions. Raises Failed."""
    with ground.folder() as folder:
        command = ground.one(client, "a lighthouse in fog [count]", "jpeg", folder)
        ground.run(command, folder, code=_EXIT[client])  # makes the journal, and warms caches up
        counts = folder / "counts"
        valgrind = ("valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={counts}")
        ground.run((*valgrind, *command), folder, timeout=600, code=_EXIT[client])
        found = _COUNTED.search(counts.with_suffix(".1").read_text(encoding="utf-8"))
    if found is None:
        raise Failed("valgrind counted nothing")
    return int(found[1]) / _MILLION
