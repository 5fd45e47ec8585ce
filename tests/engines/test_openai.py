"""OpenAI's own Python client, unchanged but for its URL: each answer is what it understands."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

openai: Any = pytest.importorskip("openai")

from kontext_cli.sizes import RATIO_SIZES  # noqa: E402
from samples import image_file  # noqa: E402
from sandbox.clients import client, opened  # noqa: E402
from sandbox.running import Running, StartSandbox  # noqa: E402

DEV, KLEIN = "FLUX.1-Kontext-dev", "FLUX.2-klein"


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def api(running: Running) -> Iterator[Any]:
    """Its client, which does not try again."""
    with openai.OpenAI(
        api_key="secret", base_url=f"{running.url}/openai/v1", max_retries=0
    ) as made:
        yield made


def tall() -> BytesIO:
    file = BytesIO(image_file("png", (90, 160)))
    file.name = "tall.png"
    return file


def test_models(api: Any) -> None:
    assert [(each.id, each.object) for each in api.models.list()] == [
        (DEV, "model"),
        (KLEIN, "model"),
    ]


def test_links(api: Any, running: Running) -> None:
    made = api.images.generate(
        model=DEV, prompt="a fox", n=2, size="1024x1024", extra_body={"seed": 7}
    )
    assert len(made.data) == 2
    for each in made.data:
        with client("") as http:
            assert opened(http.get(each.url).content).size == (1024, 1024)
    (entry,) = running.ledger.entries
    assert (entry.endpoint, entry.seed) == (DEV, 7)


def test_base64(api: Any) -> None:
    (each,) = api.images.generate(
        prompt="a fox", size="512x256", response_format="b64_json", output_format="jpeg"
    ).data
    image = opened(base64.b64decode(each.b64_json))
    assert (image.size, image.format) == ((512, 256), "JPEG")


@pytest.mark.parametrize("images", [tall, lambda: [tall(), tall()]])
def test_edits(api: Any, running: Running, images: Any) -> None:
    (each,) = api.images.edit(
        model=KLEIN, image=images(), prompt="blue", response_format="b64_json"
    ).data
    assert opened(base64.b64decode(each.b64_json)).size == RATIO_SIZES["9:16"]
    (entry,) = running.ledger.entries
    given = images()
    assert len(entry.payload["images"]) == (len(given) if isinstance(given, list) else 1)


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"n": 11}, "BadRequestError", "n: "),
        ({"size": "big"}, "BadRequestError", "size: "),
        ({"model": "nope"}, "NotFoundError", "does not exist"),
    ],
)
def test_what_does_not_fit(api: Any, running: Running, fields: Any, kind: str, words: str) -> None:
    with pytest.raises(getattr(openai, kind)) as refused:
        api.images.generate(prompt="a fox", **fields)
    assert words in refused.value.message
    assert not running.ledger.entries


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("401", "AuthenticationError"),
        ("402", "APIStatusError"),
        ("429", "RateLimitError"),
        ("503", "InternalServerError"),
        ("refused", "BadRequestError"),
        ("failed", "InternalServerError"),
    ],
)
def test_errors(api: Any, fault: str, kind: str) -> None:
    with pytest.raises(getattr(openai, kind)) as refused:
        api.images.generate(prompt=f"[fault:{fault}] x")
    assert refused.value.body["message"]


def test_a_lost_answer_is_made_again_by_a_retry(running: Running) -> None:
    """Why such a client must not stand between us and a server."""
    with openai.OpenAI(api_key="secret", base_url=f"{running.url}/openai/v1", max_retries=1) as api:
        api.images.generate(prompt="[fault:lost-reply*1] x")
    assert len(running.ledger.entries) == 2
