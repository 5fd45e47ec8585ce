"""Measure kontext beside fal's own client and curl, and hold that against the goals: `make bench`.

All of them run on this machine against one provider, in turn. Nothing here fails for being slow.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import many_jobs
import single_job
import start_up
from clients import CURL, Ground, absent
from draw import draw
from measures import Failed
from provider import Provider
from table import Section, markdown

_ROUNDS = 15
_LONG_ROUNDS = 5
"""Rounds at most of what takes seconds."""
_QUICK_SIZES = (100, 1_000)
_NAMES = ("start", "single", "terminal", "polls", "download", "batch", "sizes")


def main() -> int:
    """Measure, print the table, and write the files asked for."""
    if not hasattr(os, "wait4"):
        _say("error: the benchmarks read what a process used with wait4, which Windows lacks")
        return 2
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    for peer, reason in absent().items():
        _say(f"left out: {peer}; {reason}")
    if os.getloadavg()[0] > 0.5:
        _say(f"this machine is busy (load {os.getloadavg()[0]:.1f}): the numbers will be noisy")
    try:
        section = _measured(options)
    except KeyboardInterrupt:
        return 130
    text = f"{markdown(section.rows)}\n\n{_machine()}\n"
    text += "".join(f"\nNot measured: {note}\n" for note in section.notes)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME,…",
        type=lambda text: text.split(","),
        default=list(_NAMES),
        help=f"only these of {', '.join(_NAMES)}",
    )
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=_ROUNDS, help="default %(default)s"
    )
    parser.add_argument("--quick", action="store_true", help="three rounds, no 10,000 rows")
    parser.add_argument("--write", metavar="FILE", type=Path, help="write the table there as well")
    parser.add_argument("--draw", metavar="FILE", type=Path, help="draw cost against size as SVG")
    options = parser.parse_args()
    if unknown := set(options.only) - set(_NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(_NAMES)}")
    if options.rounds < 1:
        parser.error("--rounds should be 1 or more")
    return options


def _measured(options: argparse.Namespace) -> Section:
    """The rows of all measurements asked for. Leaves no process and no file behind."""
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    few = min(rounds, _LONG_ROUNDS)
    whole = Section()

    def sizes(ground: Ground) -> Section:
        wanted = _QUICK_SIZES if options.quick else many_jobs.SIZES
        section, measured = many_jobs.sizes(
            ground, min(few, 3), wanted, with_peer=options.draw is not None
        )
        if options.draw and measured:
            options.draw.write_text(draw(measured), encoding="utf-8")
        return section

    measurements: dict[str, Callable[[Ground], Section]] = {
        "start": lambda ground: start_up.measure(ground, rounds),
        "single": lambda ground: single_job.measure(ground, rounds),
        "terminal": lambda ground: single_job.on_terminal(ground, rounds),
        "polls": lambda ground: single_job.polls(ground, min(rounds, 3)),
        "download": lambda ground: single_job.download(ground, few),
        "batch": lambda ground: many_jobs.measure(ground, few),
        "sizes": sizes,
    }
    with TemporaryDirectory(prefix="kontext-bench-") as folder, Provider() as provider:
        for name in filter(options.only.__contains__, _NAMES):
            _say(f"measuring: {name}")
            try:
                section = measurements[name](Ground(provider, Path(folder)))
            except Failed as error:
                section = Section(notes=[f"{name}: {error}"])
            whole.rows += [row for row in section.rows if row.goal or row.value is not None]
            whole.notes += section.notes
    return whole


def _machine() -> str:
    """The conditions of the measurement, in a sentence."""
    parts = [
        f"{os.cpu_count()} cores of {_processor()}",
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        *(f"{name} {_version(name)}" for name in ("kontext-cli", "httpx2", "fal-client", "httpx")),
    ]
    if CURL not in absent():
        told = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
        parts.append(" ".join(told.stdout.split()[:2]))
    return f"Medians, on {', '.join(parts)}."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(none)"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _end(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
