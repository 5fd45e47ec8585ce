"""The pictures and figures of the manual are those of the recorded run, and of what tests find."""

import json

from commands.test_jobs import QUEUE_POINTS
from docs import draw_kills
from docs.draw_performance import HERE, RUN, drawn


def test_the_readme_the_page_and_its_charts_show_the_recorded_run() -> None:
    files = drawn(json.loads(RUN.read_text(encoding="utf-8")))
    assert "explanation/performance.md" in files
    for name, text in files.items():
        assert (HERE / name).read_text(encoding="utf-8") == text, "run docs/draw_performance.py"


def test_the_picture_of_kills_shows_what_the_tests_find() -> None:
    found = {point: (accepted, state) for point, accepted, state in QUEUE_POINTS}
    means = {"free": (0, None), "kept": (1, "saved")}
    for kill in draw_kills.KILLS:
        if kill.outcome == "unknown":
            assert found[kill.point][1] == "unknown"
        else:
            assert found[kill.point] == means[kill.outcome]
    picture = draw_kills.PICTURE.read_text(encoding="utf-8")
    assert picture == draw_kills.drawn(), "run docs/draw_kills.py"
