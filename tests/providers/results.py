"""Results in the forms that several providers send, and what is read from them."""

from typing import Any

from kontext_cli.job import Output, Progress, State

HUGE_SEED = 15860307465884635512
URL = "https://v3.fal.media/a.jpeg"


def ready(*outputs: Output, **more: Any) -> Progress:
    """The progress of a job whose images are there."""
    return Progress(State.READY, done=True, outputs=outputs, **more)


RESULTS: tuple[tuple[str, Any, Progress], ...] = (
    (
        "images, a huge seed, fewer flags than images",
        {
            "images": [
                {"url": URL, "width": 1392, "height": 752, "file_size": 99},
                {"url": "data:image/png;base64,AA=="},
            ],
            "seed": HUGE_SEED,
            "timings": {"inference": 6.18},
            "has_nsfw_concepts": [False],
            "prompt": "a lighthouse",
            "new": {"field": 1},
        },
        ready(
            Output(url=URL),
            Output(url="data:image/png;base64,AA=="),
            seed=HUGE_SEED,
            reply={"prompt": "a lighthouse", "timings": {"inference": 6.18}},
        ),
    ),
    (
        "one flagged",
        {"images": [{"url": "u"}, {"url": "v"}], "has_nsfw_concepts": [False, True]},
        ready(Output(url="u"), Output(url="v", flagged=True)),
    ),
    ("data with a URL", {"data": [{"url": "u", "b64_json": None}]}, ready(Output(url="u"))),
    (
        "data with base64",
        {"data": [{"url": None, "b64_json": "AAAA"}], "meta": {"usage": {"credits_used": 1}}},
        ready(Output(b64="AAAA")),
    ),
    (
        "choices",
        {"images": [], "data": None, "output": {"choices": [{"image_base64": "AAAA"}]}},
        ready(Output(b64="AAAA")),
    ),
    (
        "bare strings, and things that are no images",
        {"images": ["https://a/b.png", {}, 7, ""], "seed": "text", "has_nsfw_concepts": None},
        ready(Output(url="https://a/b.png")),
    ),
    (
        "never more than four",
        {"images": [{"url": str(n)} for n in range(9)]},
        ready(*(Output(url=str(n)) for n in range(4))),
    ),
)
"""The body of a result and what is read from it, in each form that has been documented or seen."""
