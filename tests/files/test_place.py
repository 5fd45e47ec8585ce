"""Paths of files and of objects in a store."""

import sys
from pathlib import Path

import pytest

from kontext_cli.errors import UsageError
from kontext_cli.files.place import is_object, place, typed_place
from world import World


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_the_path_of_an_object_is_its_url(scheme: str) -> None:
    folder = typed_place(f"{scheme}://bucket/a/b/")
    assert str(folder) == f"{scheme}://bucket/a/b"
    assert str(folder / "c" / "d.jpg") == f"{scheme}://bucket/a/b/c/d.jpg"
    path = folder / "d.jpg"
    assert (path.name, path.stem, path.suffix) == ("d.jpg", "d", ".jpg")
    assert path.with_name("e.png") == place(f"{scheme}://bucket/a/b/e.png")
    assert path.parent == folder
    assert path.absolute() == path.resolve() == path
    assert folder / path.relative_to(folder) == path
    assert is_object(path)
    assert is_object(str(path))


@pytest.mark.parametrize("text", ["out", "/s3:/x", "s3:/x", "./s3://x", "file://x", "S3://x"])
def test_all_other_paths_are_those_of_files(text: str) -> None:
    assert typed_place(text) == place(text) == Path(text)
    assert not is_object(place(text))


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///x",
        "s3://-/x",
        "s3://key:secret@bucket/x",
        "s3://bucket/x?X-Amz-Signature=secret",
        "az://bucket/x#secret",
        "s3://bucket/../other/x",
    ],
)
def test_a_url_that_no_store_can_have_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_place(url)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("s3:///x", "`s3:///x` names no bucket"),
        ("s3://b/x", "`s3://b/x` has `b`, which is no bucket's name"),
    ],
)
def test_a_name_that_no_bucket_has_is_not_called_missing(url: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_place(url)
    assert (caught.value.message, caught.value.hint) == (error, "use s3://BUCKET/PREFIX")


def test_without_the_library_nothing_is_sent_and_the_line_that_installs_it_is_printed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    world.write("p.txt", "a fox\n")
    for rows in (["a fox"], ["-f", "p.txt"]):
        done = world.run("generate", *rows, "-p", "aimlapi", "-d", "s3://bucket/x")
        assert (done.code, world.posts) == (2, 0)
        assert 'pip install "kontext-cli[cloud]"' in done.err


def test_without_the_library_no_input_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    world.write("p.jsonl", [{"prompt": "winter", "images": ["s3://bucket/a.png"]}])
    one = ("edit", "winter", "-i", "s3://bucket/a.png")
    for argv in (one, (*one, "--each"), ("edit", "-f", "p.jsonl")):
        done = world.run(*argv, "-p", "aimlapi")
        assert (done.code, world.posts) == (8, 0)
        assert "`s3://bucket` needs a library that is not installed" in done.err
    for command in ("info", "replay"):
        done = world.run(command, "s3://bucket/a.png")
        assert done.code == 8
        assert 'pip install "kontext-cli[cloud]"' in done.err


@pytest.mark.parametrize("url", ["s3://bucket", "gs://bucket/", "az://bucket/x/", "s3://bucket//x"])
def test_an_input_is_one_object(url: str, world: World) -> None:
    for argv in (("edit", "winter", "-i", url, "-p", "aimlapi"), ("info", url), ("replay", url)):
        done = world.run(*argv)
        assert (done.code, world.posts) == (2, 0)
        assert f"`{url}` " in done.err


def test_a_gallery_lists_no_buckets(world: World) -> None:
    done = world.run("gallery", "s3://bucket/x", "-o", "page.html")
    assert (done.code, world.files()) == (2, [])
    assert "`s3://bucket/x` is in a store" in done.err


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/x/"])
def test_an_image_needs_a_name(url: str, world: World) -> None:
    done = world.run("generate", "a fox", "-p", "aimlapi", "-o", url)
    assert (done.code, world.posts) == (2, 0)
    assert f"use `-d {url}`" in done.err


def test_a_row_cannot_leave_its_folder_for_a_store(world: World) -> None:
    world.write("p.jsonl", [{"prompt": "a fox", "output": "s3://bucket/x.jpg"}])
    done = world.batch("p.jsonl")
    assert (done.code, world.posts) == (2, 0)
    assert "outside the output directory" in done.err
