"""The action, the workflows and the hook, as the tools that check such files see them."""

import shutil
import sys
from pathlib import Path

import pytest

from engines.tools import check

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
EXAMPLE = ROOT / "examples" / "ci"
FILES = {
    "vendor.github-actions": [ROOT / "action.yml"],
    "vendor.github-workflows": [*WORKFLOWS, *EXAMPLE.glob(".github/workflows/*.yml")],
    "vendor.dependabot": [ROOT / ".github" / "dependabot.yml"],
}


def tool(name: str) -> str:
    """The path of a tool of this environment; the test is skipped where it is missing."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_an_audit_finds_nothing() -> None:
    audited = ("action.yml", ".github", "examples/ci")
    options = ("--offline", "--persona", "auditor", "--strict-collection", "--no-progress")
    found = check(tool("zizmor"), *options, *(ROOT / name for name in audited))
    assert "completed" in found
    assert "examples/ci/.github/workflows/images.yml" in found.replace("\\", "/")


@pytest.mark.parametrize(("schema", "files"), FILES.items(), ids=list(FILES))
def test_each_file_fits_its_schema(schema: str, files: list[Path]) -> None:
    assert files
    check(tool("check-jsonschema"), "--builtin-schema", schema, *files)


def test_the_hook_is_one_that_pre_commit_takes() -> None:
    check(tool("pre-commit"), "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    check(tool("pre-commit"), "validate-config", EXAMPLE / ".pre-commit-config.yaml")
