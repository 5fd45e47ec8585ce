"""Together's own Python client, unchanged but for its URL: each answer is what it understands."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

together: Any = pytest.importorskip("together")

from kontext_cli.sizes import RATIO_SIZES  # noqa: E402
from samples import image_file  # noqa: E402
from sandbox.clients import client, opened  # noqa: E402
from sandbox.running import Running, StartSandbox  # noqa: E402

BFL = "black-forest-labs"
PRO = f"{BFL}/FLUX.1-kontext-pro"
TALL = "data:image/png;base64," + base64.b64encode(image_file("png", (90, 160))).decode()


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def api(running: Running) -> Iterator[Any]:
    """Its client, which does not try again."""
    with together.Together(
        api_key="secret", base_url=f"{running.url}/together", max_retries=0
    ) as made:
        yield made


def generate(api: Any, prompt: str = "a fox", model: str = PRO, **fields: Any) -> Any:
    return api.images.generate(model=model, prompt=prompt, **fields)


def test_links(api: Any, running: Running) -> None:
    made = generate(api, seed=7, n=2, output_format="png", extra_body={"aspect_ratio": "16:9"})
    assert (made.object, made.model) == ("list", PRO)
    assert [(each.index, each.type) for each in made.data] == [(0, "url"), (1, "url")]
    for each in made.data:
        assert each.url.startswith(f"{running.url}/together/imgproxy/")
        with client("") as http:
            file = opened(http.get(each.url).content)
        assert (file.format, file.size) == ("PNG", RATIO_SIZES["16:9"])
    assert [(entry.endpoint, entry.seed) for entry in running.ledger.entries] == [(PRO, 7)]


def test_links_want_a_name_of_the_client(api: Any) -> None:
    (each,) = generate(api).data
    with client("") as http:
        assert http.get(each.url, headers={"user-agent": ""}).status_code == 403


def test_base64(api: Any) -> None:
    (each,) = generate(api, response_format="base64", width=512, height=256).data
    assert each.type == "b64_json"
    assert opened(base64.b64decode(each.b64_json)).size == (512, 256)


@pytest.mark.parametrize("name", ["kontext-pro", "kontext-max", "kontext-dev"])
def test_an_edit(api: Any, name: str) -> None:
    (each,) = generate(
        api, model=f"{BFL}/FLUX.1-{name}", image_url=TALL, steps=28, response_format="base64"
    ).data
    assert opened(base64.b64decode(each.b64_json)).size == RATIO_SIZES["9:16"]


@pytest.mark.parametrize("name", ["pro", "max", "flex"])
def test_several_images(api: Any, running: Running, name: str) -> None:
    generate(api, model=f"{BFL}/FLUX.2-{name}", reference_images=[TALL, TALL])
    (entry,) = running.ledger.entries
    assert len(entry.payload["reference_images"]) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n": 5}, "n: "),
        ({"extra_body": {"aspect_ratio": "5:7"}}, "aspect_ratio: "),
        ({"extra_body": {"aspect_ratio": "1:1"}, "width": 512, "height": 512}, "either"),
        ({"reference_images": [TALL]}, "takes one image"),
        ({"model": f"{BFL}/FLUX.1-kontext-dev"}, "image_url: Field required"),
    ],
)
def test_what_does_not_fit(api: Any, running: Running, fields: Any, words: str) -> None:
    with pytest.raises(together.BadRequestError) as refused:
        generate(api, **fields)
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
    with pytest.raises(getattr(together, kind)) as refused:
        generate(api, f"[fault:{fault}] x")
    assert refused.value.body["error"]["message"]


def test_no_such_model(api: Any) -> None:
    with pytest.raises(together.NotFoundError):
        generate(api, model="nobody/none")


def test_a_lost_answer_is_billed_again_by_a_retry(running: Running) -> None:
    """Why such a client must not stand between us and a provider that has no queue."""
    with together.Together(
        api_key="secret", base_url=f"{running.url}/together", max_retries=1
    ) as api:
        generate(api, "[fault:lost-reply*1] x")
    assert len(running.ledger.entries) == 2
