"""What is printed about the program is true: every command of the README and the manual runs, and
every link leads to a file."""

import re
import tomllib
from pathlib import PurePosixPath

import pytest

from hatch_build import absolute
from kontext_cli.errors import KontextError, kinds
from kontext_cli.providers import NAMES
from manual import ELSEWHERE, PAGES, ROOT, blocks, follow, read
from repositories import GIT, IDENTITY
from world import World

ALONE = ("README.md", "docs/tutorial.md")
"""The pages for somebody who has no key and no image yet."""
PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
FORGE = REPOSITORY.rsplit("/", 2)[0]
"""The site that has it."""
LINKED = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *(
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "examples")
        for path in sorted((ROOT / folder).rglob("*.md"))
    ),
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_UNFINISHED = re.compile(r"(?<!\$)\{\{\s*\w+\s*\}\}|\bTODO\b")
"""What is left to write: a gap for a number, as `{{seconds}}`, or a note."""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in ELSEWHERE and blocks(read(page))]
)
def test_every_command_of_a_page_runs(world: World, page: str) -> None:
    if "git " in read(page):
        if GIT is None:
            pytest.skip("needs git")
        world.set(**IDENTITY)
    if page in ALONE:
        world.without_keys()
    else:
        world.images("house.jpg", "duck.png", "shirt.jpg")
        world.write("key.txt", "a-key")
    follow(read(page), world)


def test_the_manual_has_an_example_for_each_provider() -> None:
    examples = [block for page in PAGES for block in blocks(read(page))]
    for name in NAMES:
        assert any(f"-p {name}" in f"{example}=" for example in examples), name


@pytest.mark.parametrize("page", LINKED)
def test_every_link_leads_to_a_file(page: str) -> None:
    """Within the manual, and into the repository; anchors are those of headings."""
    links = _LINK.findall(read(page))
    missing = [link for link in links if not leads_to_a_file(page, link)]
    assert missing == []


@pytest.mark.parametrize("page", LINKED)
def test_no_page_is_unfinished(page: str) -> None:
    assert _UNFINISHED.findall(read(page)) == []


def leads_to_a_file(page: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    if path.startswith(f"{REPOSITORY}/"):
        _, _, path = path.removeprefix(f"{REPOSITORY}/").split("/", maxsplit=2)
        target = ROOT / path
    elif "://" in path:
        return not path.startswith(FORGE)  # a file of the repository, by another name of it
    else:
        target = (ROOT / page).parent / path if path else ROOT / page
    return target.exists() and (not anchor or anchor in anchors(target.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as the sites that show Markdown make them."""
    text = re.sub(r"(?s)^```.*?^```", "", text, flags=re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_the_description_of_the_package_links_into_the_repository_alone() -> None:
    shown = absolute(read("README.md"), REPOSITORY, "v1.2.3")
    links = _LINK.findall(shown)
    assert len(links) == len(_LINK.findall(read("README.md")))
    for link in links:
        kind, ref, path = link.removeprefix(f"{REPOSITORY}/").split("/", maxsplit=2)
        assert (kind, ref) in {("blob", "v1.2.3"), ("raw", "v1.2.3")}
        image = PurePosixPath(path).suffix in {".jpg", ".svg"}
        assert (kind == "raw") == image
    assert all(url.startswith(REPOSITORY) for url in PROJECT["urls"].values())


def test_there_is_help_for_every_exit_code_and_error() -> None:
    """Under anchors that hints and other pages can name: `#exit-11`, `#missing_key`."""
    codes = {code for kind in kinds(KontextError) if (code := vars(kind).get("code"))}
    wanted = {f"exit-{number}" for number in (*range(13), 130)} | codes
    assert wanted <= anchors(read("docs/how-to/troubleshooting.md"))
