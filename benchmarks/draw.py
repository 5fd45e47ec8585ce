"""A chart of cost against size, in SVG: what a job takes in batches of growing size."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from clients import OURS
from many_jobs import Size

_PANEL_WIDTH, _PANEL_HEIGHT = 250, 150
_LEFT, _TOP, _GAP = 46, 58, 54
_BELOW = 58
_HEADROOM = 1.15

_STYLE = """\
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-weight: 600; fill: #24292f }
  .axis { stroke: #8c959f; stroke-width: 1 }
  .ours { stroke: #0969da; fill: #0969da }
  .peer { stroke: #bf8700; fill: #bf8700 }
  polyline { fill: none !important; stroke-width: 2 }
  text.ours, text.peer { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #8b949e }
    .title { fill: #e6edf3 }
    .ours { stroke: #58a6ff; fill: #58a6ff }
    .peer { stroke: #d29922; fill: #d29922 }
  }"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure against the rows of a batch."""

    title: str
    value: Callable[[Size], float]


_PANELS = (
    Panel("wall time per job, ms", lambda size: size.wall * 1000),
    Panel("CPU time per job, ms", lambda size: size.cpu * 1000),
    Panel("peak memory, MB", lambda size: size.peak / 1e6),
)


def draw(sizes: Sequence[Size]) -> str:
    """The chart as SVG: a panel for each measure, a line for each client; logarithmic scales."""
    width = _LEFT + len(_PANELS) * _PANEL_WIDTH + (len(_PANELS) - 1) * _GAP + 20
    height = _TOP + _PANEL_HEIGHT + _BELOW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img">',
        "  <title>Cost of a batch against its rows</title>",
        f"  <style>\n{_STYLE}\n  </style>",
        *_legend(sizes),
    ]
    for number, panel in enumerate(_PANELS):
        left = _LEFT + number * (_PANEL_WIDTH + _GAP)
        lines += [f'  <g transform="translate({left} {_TOP})">', *_panel(panel, sizes), "  </g>"]
    return "\n".join([*lines, "</svg>", ""])


def _legend(sizes: Sequence[Size]) -> Iterator[str]:
    for number, client in enumerate(_clients(sizes)):
        left = _LEFT + number * 140
        yield f'  <circle class="{_class(client)}" cx="{left + 4}" cy="14" r="4"/>'
        yield f'  <text x="{left + 14}" y="18">{client}</text>'


def _panel(panel: Panel, sizes: Sequence[Size]) -> Iterator[str]:
    most = max(panel.value(size) for size in sizes) * _HEADROOM
    rows = sorted({size.rows for size in sizes})
    bottom = _PANEL_HEIGHT

    def x(size_in_rows: int) -> float:
        if len(rows) == 1:
            return _PANEL_WIDTH / 2
        share = math.log(size_in_rows / rows[0]) / math.log(rows[-1] / rows[0])
        return 20 + share * (_PANEL_WIDTH - 40)

    def y(value: float) -> float:
        return bottom * (1 - value / most)

    yield f'    <text class="title" x="0" y="-14">{panel.title}</text>'
    yield f'    <path class="axis" fill="none" d="M0 0V{bottom}H{_PANEL_WIDTH}"/>'
    yield f'    <text x="-6" y="{bottom}" text-anchor="end">0</text>'
    for each in rows:
        yield f'    <text x="{x(each):.0f}" y="{bottom + 18}" text-anchor="middle">{each:,}</text>'
    yield f'    <text x="{_PANEL_WIDTH / 2:.0f}" y="{bottom + 38}" text-anchor="middle">rows</text>'
    for client in _clients(sizes):
        own = sorted((size for size in sizes if size.client == client), key=lambda size: size.rows)
        points = [(x(size.rows), y(panel.value(size))) for size in own]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        yield f'    <polyline class="{_class(client)}" points="{path}"/>'
        for size, (across, down) in zip(own, points, strict=True):
            value = panel.value(size)
            others = [panel.value(each) for each in sizes if each.rows == size.rows]
            label = down - 8 if value == max(others) else down + 18
            yield f'    <circle class="{_class(client)}" cx="{across:.1f}" cy="{down:.1f}" r="3"/>'
            yield (
                f'    <text class="{_class(client)}" x="{across:.1f}" y="{label:.1f}"'
                f' text-anchor="middle">{value:.3g}</text>'
            )


def _clients(sizes: Sequence[Size]) -> list[str]:
    return list(dict.fromkeys(size.client for size in sizes))


def _class(client: str) -> str:
    return "ours" if client == OURS else "peer"
