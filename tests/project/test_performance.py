"""The figures of docs/performance.md and its charts: those of one recorded run."""

import json

from docs.draw_performance import HERE, RUN, drawn


def test_the_page_and_its_charts_show_the_recorded_run() -> None:
    files = drawn(json.loads(RUN.read_text(encoding="utf-8")))
    assert "performance.md" in files
    for name, text in files.items():
        assert (HERE / name).read_text(encoding="utf-8") == text, "run docs/draw_performance.py"
