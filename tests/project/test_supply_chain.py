"""What the project takes from others is bounded, locked and pinned; its workflows may do little."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
LOCK = ROOT / "requirements.lock"
PARTS = {
    "requirements-run-time.lock": "dependencies",
    "requirements-test.lock": "test",
    "requirements-engines.lock": "engines",
}
"""Locks of which each make target installs its own, and what they hold of pyproject.toml."""
DOCS_LOCK = ROOT / "requirements-docs.lock"
TOOLS = ROOT / ".github" / "tools.in"
TOOLS_LOCK = ROOT / ".github" / "tools.lock"

PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
"""An action by its commit, with the version that the commit is: owner/name@SHA # v1.2.3."""

OURS = re.compile(r"\$/(\.github/workflows/[\w-]+\.yml)?")
"""The action or a workflow of this repository, at the commit that calls it."""

LOCKED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.!+]+)(?: ; (?P<marker>.+?))?"
    r"(?: --hash=sha256:[0-9a-f]{64})+"
)
"""One line of a lock, its continuations joined."""

PYPI = {"pypi.org", "files.pythonhosted.org"}


class Pin(NamedTuple):
    """One locked package: the version, and the environments it is for ("" for all)."""

    version: str
    marker: str


def workflows() -> dict[str, str]:
    """Name and text of each workflow."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS.glob("*.y*ml")}
    assert texts
    return texts


def foreign_actions(text: str) -> Iterator[str]:
    """Actions that are not pinned by their commit, or do not say which version it is."""
    for match in re.finditer(r"\buses[\"']?\s*:\s*(.*)", text):
        used = match[1].strip()
        if not PINNED.fullmatch(used) and not OURS.fullmatch(used):
            yield used


def scripts(text: str) -> Iterator[str]:
    """What `run:` steps hand to a shell: the rest of the line, or the lines indented below it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not (match := re.match(r"([\s-]*)run\s*:\s*(.*)", line)):
            continue
        yield match[2]
        for below in lines[number + 1 :]:
            if below.strip() and len(below) - len(below.lstrip()) <= len(match[1]):
                break
            yield below


def templates_in_scripts(text: str) -> Iterator[str]:
    """Script lines that GitHub writes into before a shell reads them: how code is injected."""
    return (line.strip() for line in scripts(text) if "${{" in line)


def loose_permissions(text: str) -> Iterator[str]:
    """What all jobs of a workflow may beyond reading; unsaid, it is what the repository allows."""
    match = re.search(r"^permissions:[ ]*(.*)\n((?:[ ]+.*\n)*)", text, re.MULTILINE)
    if match is None:
        yield "no top-level permissions"
    elif match[1] not in ("", "{}"):
        yield match[1]
    else:
        yield from (line.strip() for line in match[2].splitlines() if not line.endswith(": read"))


def risky_triggers(text: str) -> Iterator[str]:
    """Events that run with our permissions on what a stranger sent."""
    yield from re.findall(r"pull_request_target|workflow_run|issue_comment", text)


def secrets(text: str) -> Iterator[str]:
    """Lines that read a stored secret: PyPI trusts the workflow itself, so none is needed."""
    return (line.strip() for line in text.splitlines() if re.search(r"\bsecrets\b", line))


Check = Callable[[str], Iterator[str]]
CHECKS: list[Check] = [
    foreign_actions,
    templates_in_scripts,
    loose_permissions,
    risky_triggers,
    secrets,
]


@pytest.mark.parametrize("check", CHECKS)
def test_every_workflow_keeps_to_its_rules(check: Check) -> None:
    assert [f"{name}: {fault}" for name, text in workflows().items() for fault in check(text)] == []


@pytest.mark.parametrize("check", [foreign_actions, templates_in_scripts, secrets])
def test_the_action_keeps_to_the_rules_of_its_steps(check: Check) -> None:
    assert list(check((ROOT / "action.yml").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (foreign_actions, "  - uses: actions/checkout@v7"),
        (foreign_actions, "  - uses: actions/checkout@" + "a" * 40),
        (foreign_actions, "  - uses: actions/checkout@" + "a" * 40 + " # main"),
        (foreign_actions, "  uses: ./.github/actions/own"),
        (foreign_actions, "  uses: docker://alpine:3"),
        (templates_in_scripts, "  - run: echo ${{ github.event.issue.title }}"),
        (templates_in_scripts, "  - run: |\n      true\n\n      echo ${{ inputs.name }}\n"),
        (loose_permissions, "on: push\njobs:\n  a:\n    permissions:\n      contents: read\n"),
        (loose_permissions, "permissions: write-all\n"),
        (loose_permissions, "permissions:\n  contents: read\n  id-token: write\n"),
        (risky_triggers, "on:\n  pull_request_target:\n"),
        (secrets, "      TOKEN: ${{ secrets.PYPI }}\n"),
        (secrets, "    secrets: inherit\n"),
    ],
)
def test_the_rules_find_what_breaks_them(check: Check, text: str) -> None:
    assert list(check(text)) != []


def test_only_the_release_may_write_and_only_its_identity_to_pypi() -> None:
    writes = [
        (name, match[1])
        for name, text in workflows().items()
        for match in re.finditer(r"^\s*([\w-]+): write\b", text, re.MULTILINE)
    ]
    assert writes == [("release.yml", "id-token")]
    release = workflows()["release.yml"]
    assert re.search(r"environment:\n\s+name: pypi\n", release)
    assert "attestations: true" in release


def groups() -> dict[str, list[Requirement]]:
    """What pyproject.toml and tools.in ask for, by the list that asks for it.

    A dependency group holds those that it includes.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tools = TOOLS.read_text(encoding="utf-8").splitlines()
    lines = {
        "build-system": project["build-system"]["requires"],
        "dependencies": project["project"]["dependencies"],
        **project["project"].get("optional-dependencies", {}),
        **included(project["dependency-groups"]),
        "tools": [line for line in tools if line and not line.startswith("#")],
    }
    return {name: [Requirement(line) for line in group] for name, group in lines.items()}


def included(groups: dict[str, list[str | dict[str, str]]]) -> dict[str, list[str]]:
    """Dependency groups with the lines of the groups that they include."""

    def lines(name: str) -> Iterator[str]:
        for line in groups[name]:
            if isinstance(line, str):
                yield line
            else:
                yield from lines(line["include-group"])

    return {name: list(lines(name)) for name in groups}


def lock(path: Path) -> dict[str, list[Pin]]:
    """The pins of a lock, by package; fails where a line is not a version with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pins: dict[str, list[Pin]] = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        match = LOCKED.fullmatch(line.rstrip())
        assert match, f"{path.name}: {line[:80]}"
        pins.setdefault(match["name"], []).append(Pin(match["version"], match["marker"] or ""))
    return pins


def unmet(wanted: list[Requirement], pins: dict[str, list[Pin]]) -> Iterator[str]:
    """Requirements that a lock does not hold for every environment, at a version within bounds."""
    for requirement in wanted:
        held = pins.get(canonicalize_name(requirement.name), [])
        everywhere = len(held) != 1 or not held[0].marker or requirement.marker is not None
        within = all(requirement.specifier.contains(pin.version) for pin in held)
        if not (held and everywhere and within):
            yield f"{requirement}: {held or 'missing'}"


def test_every_requirement_has_a_lower_bound() -> None:
    unbounded = [
        str(requirement)
        for group in groups().values()
        for requirement in group
        if not any(bound.operator in (">=", "~=", "==") for bound in requirement.specifier)
    ]
    assert unbounded == []


def test_the_lock_holds_all_that_pyproject_asks_for_within_its_bounds() -> None:
    asked = groups()
    wanted = [*asked["build-system"], *asked["dependencies"], *asked["dev"]]
    assert list(unmet(wanted, lock(LOCK))) == []


@pytest.mark.parametrize(("name", "group"), PARTS.items())
def test_each_part_of_the_lock_holds_what_its_target_needs(name: str, group: str) -> None:
    asked = groups()
    pins = lock(ROOT / name)
    assert list(unmet([*asked["dependencies"], *asked[group]], pins)) == []
    whole = lock(LOCK)
    shared = {package: held for package, held in pins.items() if package in whole}
    assert shared.keys() >= lock(ROOT / "requirements-run-time.lock").keys()
    for package, held in shared.items():
        assert {pin.version for pin in held} <= {pin.version for pin in whole[package]}, package


def test_what_only_the_tests_need_is_not_installed_for_the_demo() -> None:
    asked = groups()
    needed = {canonicalize_name(need.name) for need in asked["dependencies"]}
    more = {canonicalize_name(need.name) for need in asked["dev"]} - needed
    assert more.isdisjoint(lock(ROOT / "requirements-run-time.lock"))
    checkers = more - {canonicalize_name(need.name) for need in asked["test"]}
    assert checkers == {"mypy", "psycopg", "pyte", "ruff"}
    assert checkers.isdisjoint(lock(ROOT / "requirements-test.lock"))


def test_the_tools_of_the_workflows_and_of_the_manual_are_locked_too() -> None:
    asked = groups()
    assert list(unmet(asked["tools"], lock(TOOLS_LOCK))) == []
    assert list(unmet(asked["docs"], lock(DOCS_LOCK))) == []


@pytest.mark.parametrize(
    "pins",
    [
        {},
        {"rich": [Pin("13.9.4", "")]},
        {"rich": [Pin("14.1.0", ""), Pin("13.9.4", "python_full_version < '3.12'")]},
        {"rich": [Pin("14.1.0", "sys_platform == 'linux'")]},
    ],
)
def test_a_lock_that_falls_short_is_found(pins: dict[str, list[Pin]]) -> None:
    assert list(unmet([Requirement("Rich>=14.0")], pins)) != []


@pytest.mark.parametrize(
    "path",
    [LOCK, TOOLS_LOCK, DOCS_LOCK, *(ROOT / name for name in PARTS)],
    ids=lambda path: path.name,
)
def test_a_lock_leads_to_pypi_and_nowhere_else(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"\w+://([^/\s]*)", text)) <= PYPI
    assert "file:" not in text


@pytest.mark.parametrize(
    "line",
    [
        "rich==15.0.0",
        "rich>=15.0 --hash=sha256:" + "0" * 64,
        "rich==15.0.0 --hash=md5:" + "0" * 32,
        "rich @ https://example.com/rich.whl --hash=sha256:" + "0" * 64,
        "--extra-index-url https://example.com/simple",
    ],
)
def test_a_line_without_version_or_hash_is_no_part_of_a_lock(line: str, tmp_path: Path) -> None:
    path = tmp_path / "requirements.lock"
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        lock(path)
