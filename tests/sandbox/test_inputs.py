"""What an edit is given: data URIs, uploads, URLs that only a network could fetch, and rubbish."""

import base64

import pytest

from kontext_cli.sizes import RATIO_SIZES
from samples import image_file
from sandbox.clients import PRO, Queue, client, opened


def data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


@pytest.mark.parametrize("endpoint", [PRO, f"{PRO}/max"])
def test_an_edit_takes_the_shape_of_its_input(queue: Queue, endpoint: str) -> None:
    source = data_uri(image_file("png", (160, 90)))
    image = queue.made(endpoint, image_url=source)["images"][0]
    file = queue.http.get(image["url"])
    assert (image["width"], image["height"]) == opened(file.content).size == (1392, 752)


def test_an_edit_has_the_aspect_ratio_it_is_given(queue: Queue) -> None:
    source = data_uri(image_file("png", (160, 90)))
    image = queue.made(PRO, image_url=source, aspect_ratio="9:21")["images"][0]
    assert (image["width"], image["height"]) == RATIO_SIZES["9:21"]


@pytest.mark.parametrize("endpoint", [f"{PRO}/multi", f"{PRO}/max/multi"])
def test_several_inputs_take_the_shape_of_the_first(queue: Queue, endpoint: str) -> None:
    sources = [data_uri(image_file("png", size)) for size in ((90, 160), (10, 10))]
    image = queue.made(endpoint, image_urls=sources)["images"][0]
    assert (image["width"], image["height"]) == RATIO_SIZES["9:16"]


@pytest.mark.usefixtures("drawings")
def test_a_url_is_not_fetched_but_stood_in_for(queue: Queue) -> None:
    here, there = (
        queue.made(PRO, image_url=f"https://example.com/{name}.png", seed=1) for name in "ab"
    )
    files = [queue.http.get(made["images"][0]["url"]).content for made in (here, there)]
    assert files[0] != files[1]


@pytest.mark.parametrize(
    ("endpoint", "where"), [(PRO, "image_url"), (f"{PRO}/multi", "image_urls")]
)
def test_an_edit_without_an_input_misses_it(queue: Queue, endpoint: str, where: str) -> None:
    problem = {"loc": ["body", where], "msg": "Field required", "type": "missing"}
    assert queue.result(endpoint).json() == {"detail": [problem]}


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("data:image/png;base64,%%%", "image_load_error"),
        ("data:image/png;base64,aGVsbG8=", "image_load_error"),
        ("data:image/png,hello", "image_load_error"),
        (data_uri(image_file("png", (300, 300))[:60]), "image_load_error"),
        ("/home/me/in.png", "file_download_error"),
        ("ftp://example.com/in.png", "file_download_error"),
    ],
)
def test_an_input_that_is_no_image(queue: Queue, source: str, kind: str) -> None:
    result = queue.result(PRO, image_url=source)
    assert result.status_code == 422
    assert result.json()["detail"][0]["type"] == kind


def test_an_upload_becomes_an_input(queue: Queue) -> None:
    wide = image_file("png", (210, 90))
    place = queue.http.post("/storage/upload/initiate", json={"file_name": "in.png"}).json()
    with client("") as bare:
        assert bare.put(place["upload_url"], content=wide).status_code == 200
        assert bare.get(place["file_url"]).content == wide
        assert bare.put(place["upload_url"], content=b"again").status_code == 403
    image = queue.made(PRO, image_url=place["file_url"])["images"][0]
    assert (image["width"], image["height"]) == RATIO_SIZES["21:9"]
