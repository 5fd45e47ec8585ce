"""Measure kontext beside fal's own client and curl, and hold that against the goals: `make bench`.

All of them run on this machine against one provider, in turn. Nothing here fails for being slow.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import checking
import instructions
import many_jobs
import many_workers
import planning
import pools
import single_job
import start_up
import uploads
from clients import CURL, Ground, absent
from measures import Failed
from provider import Provider
from table import Section, markdown

_ROUNDS = 15
_LONG_ROUNDS = 5
"""Rounds at most of what takes seconds."""
_SIZES = (1_000, 10_000)
_QUICK_SIZES = (100, 1_000)
_NAMES = (
    *("start", "instructions", "single", "elsewhere", "requests", "download"),
    *("batch", "secure", "pool", "sizes", "rows", "check", "workers", "uploads"),
)
_LARGE = ("million",)
"""Measured only where it is named: it takes minutes."""


def main() -> int:
    """Measure, print the table, and write the files asked for."""
    if not hasattr(os, "wait4"):
        _say("error: the benchmarks read what a process used with wait4, which Windows lacks")
        return 2
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    for peer, reason in absent().items():
        _say(f"left out: {peer}; {reason}")
    load = os.getloadavg()[0]
    if load > 0.5:
        _say(f"this machine is busy (load {load:.1f}): the numbers will be noisy")
    try:
        section = _measured(options)
    except KeyboardInterrupt:
        return 130
    rows = [row for row in section.rows if row.goal or row.value is not None]
    lines = [*markdown(rows), "", _machine(load)]
    for note in section.notes:
        lines += ["", f"Not measured: {note}"]
    print("\n".join(lines))
    if options.write:
        run = {"lines": lines, "figures": section.figures}
        options.write.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME,…",
        type=lambda text: text.split(","),
        default=list(_NAMES),
        help=f"only these of {', '.join(_NAMES + _LARGE)}",
    )
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=_ROUNDS, help="default %(default)s"
    )
    parser.add_argument("--quick", action="store_true", help="three rounds, smaller batches")
    parser.add_argument("--write", metavar="FILE", type=Path, help="write the run as JSON, too")
    options = parser.parse_args()
    if unknown := set(options.only) - {*_NAMES, *_LARGE}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(_NAMES)}")
    if options.rounds < 1:
        parser.error("--rounds should be 1 or more")
    return options


def _measured(options: argparse.Namespace) -> Section:
    """The results of all measurements asked for. Leaves no process and no file behind."""
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    few = min(rounds, _LONG_ROUNDS)
    sizes = _QUICK_SIZES if options.quick else _SIZES
    measurements: dict[str, Callable[[Ground], Section]] = {
        "start": lambda ground: start_up.measure(ground, rounds),
        "instructions": instructions.measure,
        "single": lambda ground: single_job.measure(ground, rounds),
        "elsewhere": lambda ground: single_job.elsewhere(ground, rounds),
        "requests": lambda ground: single_job.requests(ground, min(rounds, 3)),
        "download": lambda ground: single_job.download(ground, few),
        "batch": lambda ground: many_jobs.measure(ground, few),
        "secure": lambda ground: many_jobs.secure(ground, few),
        "pool": lambda ground: pools.measure(ground, min(few, 3)),
        "sizes": lambda ground: many_jobs.sizes(ground, min(few, 3), *sizes),
        "rows": lambda _: planning.measure(),
        "check": lambda _: checking.measure(),
        "workers": lambda _: many_workers.measure(min(few, 3)),
        "uploads": lambda _: uploads.measure(few),
        "million": lambda _: planning.million(),
    }
    whole = Section()
    with TemporaryDirectory(prefix="kontext-bench-") as folder, Provider() as provider:
        for name in filter(options.only.__contains__, measurements):
            _say(f"measuring: {name}")
            try:
                whole.add(measurements[name](Ground(provider, Path(folder))))
            except Failed as error:
                whole.notes.append(f"{name}: {error}")
    return whole


def _machine(load: float) -> str:
    """The conditions of the measurement, in a sentence."""
    parts = [
        f"{os.cpu_count()} cores of {_processor()} at a load of {load:.1f}",
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
