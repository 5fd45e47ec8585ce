"""Write the figures of `performance.json`, one run of the benchmarks, into the README, the page on
performance and its charts: `make performance` runs them first."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

HERE = Path(__file__).parent
RUN = HERE / "performance.json"
PAGE = HERE / "explanation" / "performance.md"
README = HERE.parent / "README.md"

Bars = Mapping[str, float]
"""A value for each client."""

_OURS, _OFFICIAL, _CURL = "kontext", "official client", "curl script"
_PLACES = ("plain http", "on a terminal, over https", "on a terminal, over https, 80 ms away")
"""Where one image is made, as the benchmarks name it."""

_WIDTH, _LABELS, _VALUES = 760, 120, 70
_HEAD, _GROUP, _BAR, _STEP = 62, 30, 16, 24
_CLASSES = {_OURS: "ours", _OFFICIAL: "official", _CURL: "curl"}
_STYLE = """\
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .minor { fill: #59636e }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .ours { fill: #0969da } .official { fill: #bf8700 } .curl { fill: #57886c }
  .given { fill: #c4ccd4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .minor { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    .ours { fill: #4493f8 } .official { fill: #d29922 } .curl { fill: #6fae8a }
    .given { fill: #4a525c }
  }"""


def main() -> None:
    """Write the page and its charts."""
    for name, text in drawn(json.loads(RUN.read_text(encoding="utf-8"))).items():
        (HERE / name).write_text(text, encoding="utf-8")


def drawn(run: Mapping[str, Any]) -> dict[str, str]:
    """What each file should hold. Raises SystemExit where the run lacks a measurement."""
    try:
        summary, charts = _summary(run["figures"]), _charts(run["figures"])
    except KeyError as error:
        sys.exit(f"error: {RUN.name} lacks {error}: `make performance` takes fal-client and curl")
    page = PAGE.read_text(encoding="utf-8")
    page = _between(page, "summary", summary)
    page = _between(page, "table", "\n".join(run["lines"]))
    readme = _between(README.read_text(encoding="utf-8"), "client", _comparison(run["figures"]))
    return {"explanation/performance.md": page, "../README.md": readme, **charts}


def _between(page: str, name: str, text: str) -> str:
    """The page with another text between the marks of a name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    return re.sub(f"(?s){begin}.*{end}", lambda _: f"{begin}{text}\n{end}", page)


def _summary(figures: Mapping[str, Bars]) -> str:
    one, terminal, far = (_times(figures[f"overhead {where}"]) for where in _PLACES)
    curl = _times(figures[f"overhead {_PLACES[0]}"], _CURL)
    requests, rows = figures["requests"], figures["100,000 rows planned"]
    wall, cpu = _times(figures["batch wall time"]), _times(figures["batch CPU time"])
    sentences = (
        f"Beyond the provider's time, one image takes `kontext` {one} times as long as a script"
        f" around fal's official client and {curl} times as long as a curl script; on a terminal"
        f" over https, as people run it, {terminal} times as long as the official client, and"
        f" {far} times where the provider is 80 ms away.",
        f"For a job of 5 s it sends {requests[_OURS]:.3g} requests, the official client"
        f" {requests[_OFFICIAL]:.3g}.",
        f"A batch of 300 images takes {wall} times as long as with the official client and {cpu}"
        " times its CPU time, with every job in a journal and every image checked and synced to"
        f" disk, and 100,000 rows are planned in {rows['s']:.3g} s and {rows['MB']:.3g} MB.",
    )
    return fill(" ".join(sentences), 120, break_on_hyphens=False)


def _comparison(figures: Mapping[str, Bars]) -> str:
    """The table of the README: a script around fal's own client, and this program."""
    requests, one = figures["requests"], figures[f"overhead {_PLACES[0]}"]
    wall, cpu = figures["batch wall time"], figures["batch CPU time"]
    rows = (
        ("", "a script around fal's own client", "`kontext`"),
        ("---", "---", "---"),
        (
            "the answer to a submit is lost",
            "submits again: two jobs accepted and billed",
            "one job; exit code 11, “may have been billed”, and what to do",
        ),
        (
            "killed 200 times in a batch of 1,000",
            "does not know what it has submitted",
            "0 jobs lost, 0 submitted twice; 45 listed as “may have been billed”",
        ),
        (
            "an image is cut short, at any byte",
            "saves it as it came",
            "saves none of them",
        ),
        ("requests for a job of 5 s", f"{requests[_OFFICIAL]}", f"{requests[_OURS]}"),
        (
            "300 images, 50 in flight",
            f"{wall[_OFFICIAL]:.3g} s, {cpu[_OFFICIAL] * 1000:.3g} ms of CPU time each",
            f"{wall[_OURS]:.3g} s, {cpu[_OURS] * 1000:.3g} ms, each checked and in a journal",
        ),
        (
            "one image, beyond the provider's time",
            f"{one[_OFFICIAL]:.3g} s",
            f"{one[_OURS]:.3g} s",
        ),
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _times(values: Bars, peer: str = _OFFICIAL) -> str:
    return f"{values[_OURS] / values[peer]:.3g}"


def _charts(figures: Mapping[str, Bars]) -> dict[str, str]:
    job = figures["job"]["s"]
    times = {where: figures[f"overhead {where}"] for where in _PLACES}
    return {
        "time-to-file.svg": _chart(
            "Seconds from the command to the file of one image",
            f"gray: the {job:.3g} s that the provider takes",
            times,
            job,
            ".2f",
        ),
        "requests.svg": _chart(
            "Requests for one job",
            "a job of 5 s, from the submit to the download of its image",
            {"": figures["requests"]},
            0.0,
            ".3g",
        ),
    }


def _chart(title: str, note: str, groups: Mapping[str, Bars], given: float, digits: str) -> str:
    """Horizontal bars as SVG; all of them begin with what is given, in gray."""
    bars = "\n".join(_bars(groups, given, digits))
    bottom = _HEAD + sum(_STEP * len(each) + _GROUP * bool(name) for name, each in groups.items())
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{bottom + 10}" \
viewBox="0 0 {_WIDTH} {bottom + 10}" role="img">
  <title>{title}</title>
  <style>
{_STYLE}
  </style>
  <rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{bottom + 9}" rx="6"/>
  <text class="title" x="16" y="28">{title}</text>
  <text class="minor" x="16" y="47">{note}</text>
{bars}
</svg>
"""


def _bars(groups: Mapping[str, Bars], given: float, digits: str) -> Iterator[str]:
    most = given + max(max(each.values()) for each in groups.values())
    scale = (_WIDTH - _LABELS - _VALUES) / most
    y = _HEAD
    for name, bars in groups.items():
        if name:
            y += _GROUP
            yield f'  <text class="minor" x="16" y="{y - 8}">{name}</text>'
        for client, value in bars.items():
            start, end = _LABELS + given * scale, _LABELS + (given + value) * scale
            base = y + _BAR - 3
            yield f'  <text x="{_LABELS - 8}" y="{base}" text-anchor="end">{client}</text>'
            if given:
                yield _bar("given", y, _LABELS, start)
            yield _bar(_CLASSES[client], y, start, end)
            yield f'  <text x="{end + 6:.1f}" y="{base}">{given + value:{digits}}</text>'
            y += _STEP


def _bar(kind: str, y: int, start: float, end: float) -> str:
    box = f'x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{_BAR}"'
    return f'  <rect class="{kind}" {box}/>'


if __name__ == "__main__":
    main()
