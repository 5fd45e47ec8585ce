"""The manual's site: it builds without a warning, and everything that its pages name is there."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from engines.pages import Page
from engines.runner import ROOT
from engines.tools import check

ZENSICAL = ROOT / ".venv" / "docs" / "bin" / "zensical"
pytestmark = pytest.mark.skipif(
    not ZENSICAL.exists(), reason="no Zensical here: `make site` installs it"
)

BASE = "http://site.invalid/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly from a copy."""
    folder = tmp_path_factory.mktemp("manual")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    assert "No issues found" in check(ZENSICAL, "build", "--strict", cwd=folder)
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Each page, by its URL."""
    return {
        urljoin(BASE, path.relative_to(site).as_posix().removesuffix("index.html")): Page(
            path.read_text(encoding="utf-8")
        )
        for path in site.rglob("*.html")
        if path.name != "404.html"  # its links are those of a site at the root of a host
    }


def test_every_page_is_in_the_navigation(site: Path, pages: dict[str, Page]) -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = set(files(config["project"]["nav"]))
    docs = ROOT / "docs"
    assert listed == {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert len(pages) == len(listed)


def files(nav: Any) -> Iterator[str]:
    """The files of a navigation, at any depth."""
    if isinstance(nav, str):
        yield nav
        return
    for each in nav.values() if isinstance(nav, dict) else nav:
        yield from files(each)


def test_every_link_leads_to_a_page_or_file_and_every_anchor_is_there(
    site: Path, pages: dict[str, Page]
) -> None:
    dead = [
        f"{url}: {link}"
        for url, page in pages.items()
        for link in (*page.links, *page.loaded)
        if (target := urljoin(url, link)).startswith(BASE) and not is_there(target, site, pages)
    ]
    assert dead == []


def is_there(target: str, site: Path, pages: dict[str, Page]) -> bool:
    """Whether a URL of the site is that of a page that has its anchor, or of a file."""
    address, _, anchor = target.partition("#")
    if page := pages.get(address):
        return not anchor or unquote(anchor) in page.anchors
    return not anchor and (site / unquote(urlsplit(address).path).lstrip("/")).is_file()


def test_a_page_loads_nothing_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    foreign = [
        f"{url}: {each}"
        for url, page in pages.items()
        for each in page.loaded
        if not urljoin(url, each).startswith(BASE) and not each.startswith("data:")
    ]
    assert foreign == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_pages_follow_the_reader_s_system_into_the_dark(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'name="viewport"' in text
        for scheme in ("light", "dark"):
            assert f'data-md-color-media="(prefers-color-scheme: {scheme})"' in text
