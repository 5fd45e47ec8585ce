"""Replicate's own Python client, unchanged but for its URL: each answer is what it understands."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from io import BytesIO
from typing import Any

import pytest

replicate: Any = pytest.importorskip("replicate")
if not version("replicate").startswith("1."):
    pytest.skip("replicate 2 has another interface", allow_module_level=True)

from PIL import Image  # noqa: E402

from kontext_cli.sizes import RATIO_SIZES  # noqa: E402
from sandbox.clients import Clock, client, opened  # noqa: E402
from sandbox.running import Running, StartSandbox  # noqa: E402

exceptions: Any = pytest.importorskip("replicate.exceptions")
PRO = "black-forest-labs/flux-kontext-pro"
DEV = "black-forest-labs/flux-kontext-dev"
LATENCY = 9.0
"""Three seconds in the queue, six of work."""


def official(running: Running) -> Any:
    """The client of a sandbox, which does not wait between its polls."""
    made = replicate.Client(api_token="secret", base_url=f"{running.url}/replicate")
    made.poll_interval = 0.01
    return made


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def api(running: Running) -> Iterator[Any]:
    """Its client, closed at the end."""
    made = official(running)
    yield made
    made._client.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(sandbox: StartSandbox, clock: Clock) -> Iterator[Any]:
    """The client of a sandbox whose clock stands still until it is set."""
    made = official(sandbox(latency=LATENCY, clock=clock))
    yield made
    made._client.close()


def wide_image() -> BytesIO:
    """A wide red image as a file."""
    file = BytesIO()
    Image.new("RGB", (420, 180), "red").save(file, "PNG")
    file.name = "red.png"
    return file


def create(api: Any, prompt: str = "a fox", model: str = PRO, **fields: Any) -> Any:
    """A prediction that nobody waits for."""
    return api.models.predictions.create(
        model=model, input={"prompt": prompt, "output_format": "jpg", **fields}
    )


def downloaded(url: str) -> Image.Image:
    with client("") as http:
        return opened(http.get(url).content)


def test_run(api: Any, running: Running) -> None:
    url = api.run(PRO, input={"prompt": "a fox", "aspect_ratio": "16:9", "seed": 7})
    image = downloaded(url)
    assert (image.format, image.size) == ("PNG", RATIO_SIZES["16:9"])
    submitted = running.ledger.requests[0]
    assert submitted.headers["prefer"] == "wait"
    assert submitted.headers["authorization"] == "Bearer secret"
    assert running.ledger.accepted("a fox") == 1


def test_run_without_waiting_polls_to_the_end(api: Any, running: Running) -> None:
    assert api.run(PRO, input={"prompt": "a fox"}, wait=False).endswith(".png")
    assert running.ledger.requests[1].path.startswith("/replicate/v1/predictions/")


def test_run_of_open_weights_makes_webp(api: Any) -> None:
    url = api.run(DEV, input={"prompt": "winter", "input_image": wide_image()})
    image = downloaded(url)
    assert (image.format, image.size) == ("WEBP", RATIO_SIZES["21:9"])


@pytest.mark.parametrize(
    ("model", "fields", "size"),
    [
        ("flux-2-pro", {"resolution": "2 MP"}, (1456, 1456)),
        ("flux-2-max", {"aspect_ratio": "4:5"}, (912, 1152)),
        ("flux-2-flex", {"steps": 4, "guidance": 1.5, "prompt_upsampling": False}, (1024, 1024)),
        ("flux-3-image", {"aspect_ratio": "2:1", "grounding": False}, (1456, 720)),
    ],
)
def test_run_of_other_models(
    api: Any, model: str, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    image = downloaded(api.run(f"black-forest-labs/{model}", input={"prompt": "a fox", **fields}))
    assert (image.format, image.size) == ("WEBP", size)


def test_run_with_several_images(api: Any, running: Running) -> None:
    fields = {"input_images": [wide_image(), wide_image()], "aspect_ratio": "match_input_image"}
    image = downloaded(api.run("black-forest-labs/flux-2-pro", input={"prompt": "x", **fields}))
    assert image.size[0] > 2 * image.size[1]
    assert [seen.path for seen in running.ledger.requests].count("/replicate/v1/files") == 2


def test_a_prediction_from_its_start_to_its_end(timed: Any, clock: Clock) -> None:
    made = create(timed)
    assert (made.status, made.output, made.logs, made.version) == ("starting", None, "", "hidden")
    assert (made.model, made.started_at, made.error) == (PRO, None, None)

    clock.now += LATENCY / 2
    made.reload()
    assert (made.status, made.output) == ("processing", None)
    assert 0 < made.progress.percentage < 1
    assert made.progress.total == 28

    clock.now += LATENCY / 2
    made = timed.predictions.get(made.id)
    assert (made.status, made.progress.percentage, made.error) == ("succeeded", 1.0, None)
    assert made.metrics == {"image_count": 1, "predict_time": 6.0, "total_time": LATENCY}
    assert downloaded(made.output).format == "JPEG"
    assert made.urls["cancel"] == f"{made.urls['get']}/cancel"


def test_results_are_removed_after_an_hour(timed: Any, clock: Clock) -> None:
    made = create(timed)
    clock.now += LATENCY + 3601
    made.reload()
    assert (made.status, made.output, made.input, made.logs) == ("succeeded", None, {}, "")


@pytest.mark.parametrize(("moment", "started"), [(0.0, False), (LATENCY / 2, True)])
def test_cancel(timed: Any, clock: Clock, moment: float, started: bool) -> None:
    made = create(timed)
    clock.now += moment
    made.cancel()
    assert (made.status, made.started_at is not None) == ("canceled", started)
    clock.now += LATENCY
    made.reload()
    assert (made.status, made.output) == ("canceled", None)


def test_cancel_of_what_is_done(timed: Any, clock: Clock) -> None:
    made = create(timed)
    clock.now += LATENCY
    made.cancel()
    assert made.status == "succeeded"


def test_an_upload(api: Any, running: Running) -> None:
    file = api.files.create(wide_image(), metadata={"for": "a test"})
    assert (file.name, file.content_type, file.metadata) == (
        "red.png",
        "image/png",
        {"for": "a test"},
    )
    assert file.size == len(wide_image().getvalue())
    assert api.files.get(file.id) == file
    made = create(api, input_image=file.urls["get"])
    made.wait()
    assert downloaded(made.output).size == RATIO_SIZES["21:9"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("refused", "The input or output was flagged as sensitive"),
        ("flagged", "NSFW content detected"),
        ("failed", "Internal server error"),
        ("invalid", "Failed to load the image"),
    ],
)
def test_a_prediction_that_fails(api: Any, fault: str, says: str) -> None:
    with pytest.raises(exceptions.ModelError) as failed:
        api.run(PRO, input={"prompt": f"x [fault:{fault}]"})
    assert says in str(failed.value)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"output_format": "webp"}, 'output_format must be one of the following: "jpg", "png"'),
        ({"output_format": "jpeg"}, 'output_format must be one of the following: "jpg", "png"'),
        ({"safety_tolerance": 7}, "- input.safety_tolerance: Must be less than or equal to 6"),
        ({"safety_tolerance": -1}, "Must be greater than or equal to 0"),
        ({"prompt": None}, "input.prompt"),
        ({"safety_tolerance": 3, "input_image": "https://example.com/a.png"}, "at most 2"),
    ],
)
def test_a_request_that_is_not_valid(
    api: Any, running: Running, fields: dict[str, Any], detail: str
) -> None:
    with pytest.raises(exceptions.ReplicateError) as refused:
        create(api, **fields)
    assert (refused.value.status, refused.value.title) == (422, "Input validation failed")
    assert detail in refused.value.detail
    assert running.ledger.entries == ()


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ("401", 401, "Unauthenticated"),
        ("402", 402, "Insufficient credit"),
        ("429", 429, "Too many requests"),
    ],
)
def test_a_refusal_is_not_sent_again(
    api: Any, running: Running, fault: str, status: int, title: str
) -> None:
    with pytest.raises(exceptions.ReplicateError) as refused:
        create(api, f"x [fault:{fault}]")
    assert (refused.value.status, refused.value.title) == (status, title)
    assert len(running.ledger.requests) == 1


def test_models_and_predictions_that_do_not_exist(api: Any) -> None:
    asks: tuple[Callable[[], Any], ...] = (
        lambda: create(api, model="black-forest-labs/flux-9"),
        lambda: api.predictions.get("gm3qorzdhgbfurvjtvhg6dckhu"),
        lambda: api.predictions.cancel("gm3qorzdhgbfurvjtvhg6dckhu"),
        lambda: api.files.get("cneqzikepnug6xezperrr4z55o"),
    )
    for ask in asks:
        with pytest.raises(exceptions.ReplicateError) as refused:
            ask()
        assert refused.value.status == 404


def test_without_a_token(running: Running) -> None:
    with client(f"{running.url}/replicate") as http:
        assert http.get("/v1/predictions/x").status_code == 401
