"""How long the quick commands take, beside an interpreter that does nothing."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from clients import BARE, BARE_PYTHON, OURS, PROGRAM, Ground
from measures import Run, in_turn, notes
from table import Goal, Section, against

_JOBS = 1000
_COMMANDS: dict[str, tuple[Sequence[str], int, Goal]] = {
    "`--version`": (["--version"], 0, Goal(7.5, stretch=1.5)),
    "`--help`": (["--help"], 0, Goal(5.5)),
    "`generate --help`": (["generate", "--help"], 0, Goal(8)),
    "a usage error": (["generate", "a fox", "-n", "many"], 2, Goal(8)),
    f"`status` with {_JOBS:,} jobs": (["status"], 0, Goal(6)),
}
"""What is typed, its exit code, and its goal against bare Python."""
_HISTORY = Path(__file__).with_name("history.py")


def measure(ground: Ground, rounds: int) -> Section:
    """Each command and bare Python in turn."""
    with ground.folder() as folder:
        state = folder / "state"
        ground.run((sys.executable, str(_HISTORY), str(state), str(_JOBS)), folder)

        def contestant(argv: Sequence[str], code: int) -> Callable[[int], Run]:
            return lambda _: ground.run(argv, folder, state=state, code=code)

        contestants = {BARE: contestant(BARE_PYTHON, 0)}
        for name, (argv, code, _) in _COMMANDS.items():
            contestants[name] = contestant((*PROGRAM, *argv), code)
        series = in_turn(rounds, contestants)
    walls = {name: each.median(lambda run: run.wall) for name, each in series.items()}
    return Section(
        [
            against(name, {OURS: walls[name], BARE: walls[BARE]}, BARE, goal)
            for name, (_, _, goal) in _COMMANDS.items()
        ],
        notes(series),
    )
