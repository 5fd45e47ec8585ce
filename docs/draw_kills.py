"""Draw `kills.svg`: the steps of a job, and what the next run does after a kill between any two.

`make picture` runs it. The outcomes are those that `tests/commands/test_jobs.py` finds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PICTURE = Path(__file__).parent / "kills.svg"


class Kill(NamedTuple):
    """A kill after a step: the point of the tests, and what the next run finds and does."""

    step: str
    point: str
    outcome: str
    """`free`: nothing was sent; `unknown`: it may have been; `kept`: it is collected."""
    then: str


KILLS = (
    Kill("check the request, reserve its price", "before-submitting", "free", "makes the job"),
    Kill(
        "journal: submitting",
        "after-submitting",
        "unknown",
        "lists it as unknown, and sends nothing",
    ),
    Kill("send the submit", "sent", "unknown", "lists it as unknown, and sends nothing"),
    Kill(
        "read the answer, with its request id",
        "replied",
        "unknown",
        "lists it as unknown, and sends nothing",
    ),
    Kill("journal: request id", "after-queued", "kept", "asks for the job by its id"),
    Kill("wait for the provider", "polling", "kept", "asks for the job by its id"),
    Kill("journal: ready, with the links", "after-ready", "kept", "downloads the image"),
    Kill(
        "download to a hidden file, decode it",
        "downloading",
        "kept",
        "removes that file, downloads again",
    ),
    Kill("give it its name", "renamed", "kept", "downloads again, finds it saved already"),
    Kill("journal: saved", "after-saved", "kept", "has nothing to do"),
)

_WIDTH, _TOP, _BOX, _GAP = 460, 82, 34, 44
_ARROW, _THEN = 44, 68
_HEAD = "m-4 -6l4 6l4 -6"
_STYLE = """\
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .minor { fill: #59636e }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .step { fill: #f6f8fa; stroke: #d1d9e0 }
  .way { stroke: #59636e; stroke-width: 1.5; fill: none }
  .kill { stroke: #cf222e; stroke-width: 2.5 }
  .free, .kept { fill: #1a7f37 } .unknown { fill: #9a6700 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .minor { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    .step { fill: #151b23; stroke: #3d444d }
    .way { stroke: #9198a1 }
    .kill { stroke: #f85149 }
    .free, .kept { fill: #3fb950 } .unknown { fill: #d29922 }
  }"""


def drawn() -> str:
    """The picture as SVG, narrow enough for a phone."""
    bottom = _TOP + (_BOX + _GAP) * len(KILLS)
    steps = "\n".join(part for at, kill in enumerate(KILLS) for part in _step(at, kill))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{bottom}" \
viewBox="0 0 {_WIDTH} {bottom}" role="img">
  <title>A kill between any two steps of a job, and what the next run does</title>
  <style>
{_STYLE}
  </style>
  <rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{bottom - 1}" rx="6"/>
  <text class="title" x="16" y="28">Killed at a cross, the next run …</text>
  <text class="minor" x="16" y="48">The steps of a job. “journal”: on disk, synced.</text>
  <text class="minor" x="16" y="66">Green: nothing is lost or paid twice. Yellow: you decide.</text>
{steps}
</svg>
"""


def _step(at: int, kill: Kill) -> Iterator[str]:
    """A box, the arrow below it, and the kill on the arrow with what follows."""
    top = _TOP + (_BOX + _GAP) * at
    low, cross = top + _BOX, top + _BOX + _GAP // 2 - 3
    yield f'  <rect class="step" x="16" y="{top}" width="{_WIDTH - 32}" height="{_BOX}" rx="5"/>'
    yield f'  <text x="28" y="{top + 22}">{kill.step}</text>'
    if at < len(KILLS) - 1:
        yield f'  <path class="way" d="M{_ARROW} {low}v{_GAP}{_HEAD}"/>'
    yield f'  <path class="kill" d="M{_ARROW - 6} {cross - 6}l12 12m0 -12l-12 12"/>'
    yield f'  <text class="{kill.outcome}" x="{_THEN}" y="{cross + 4}">… {kill.then}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
