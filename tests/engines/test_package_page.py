"""The page on the package index: the README as the index renders it, with its images and links."""

import re
import sys
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from engines.pages import Page
from engines.runner import ROOT
from engines.tools import check

markdown = pytest.importorskip("readme_renderer.markdown")
pytest.importorskip("twine")

_FILE = re.compile(r"/(?P<kind>raw|blob|tree)/[^/]+/(?P<path>[^#]*)")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run("hatchling", "build", "--directory", str(folder))
    return folder


def run(module: str, *argv: str) -> str:
    """Run a tool in the tree; what it printed."""
    return check(sys.executable, "-m", module, *argv)


@pytest.fixture(scope="module")
def metadata(built: Path) -> Message:
    """The metadata of the wheel, whose body is the description."""
    [wheel] = built.glob("*.whl")
    with ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(files.read(name))


@pytest.fixture(scope="module")
def page(metadata: Message) -> Page:
    """The page as the index shows it."""
    body = metadata.get_payload(decode=True)
    assert isinstance(body, bytes)
    rendered = markdown.render(body.decode())
    assert rendered is not None
    return Page(rendered)


@pytest.fixture(scope="module")
def repository(metadata: Message) -> str:
    """The URL of the repository."""
    listed = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    return str(listed["Repository"])


def test_the_index_takes_what_is_built(built: Path) -> None:
    files = sorted(map(str, built.iterdir()))
    assert len(files) == 2
    assert run("twine", "check", "--strict", *files).count("PASSED") == 2


def test_every_image_is_a_file_of_the_tree(page: Page, repository: str) -> None:
    assert page.images
    assert [each for each in page.images if not leads_somewhere(each, repository, "raw")] == []


def test_every_link_leads_somewhere(page: Page, repository: str) -> None:
    inside = {f"#{anchor}" for anchor in page.anchors}
    others = [link for link in page.links if link not in inside]
    assert others
    assert [each for each in others if not leads_somewhere(each, repository, "blob", "tree")] == []


def leads_somewhere(url: str, repository: str, *kinds: str) -> bool:
    """Whether a URL is absolute and, if it is of a file or folder of the repository, of one of
    these kinds (raw, blob or tree), and names what is in the tree."""
    found = _FILE.match(url.removeprefix(repository)) if url.startswith(repository) else None
    if found is None:
        return url.startswith("https://")
    return found["kind"] in kinds and (ROOT / found["path"]).exists()
