"""What is in a folder, looked up by name."""

import os
from pathlib import Path

import pytest

from kontext_cli.files.listing import Listing


@pytest.mark.parametrize("there", ["a.jpg", "a", "A.PNG", "a.v1"])
def test_knows_what_is_there_whatever_its_case_and_suffix(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "é.png").touch()
    (tmp_path / "sub").mkdir()
    listing = Listing()
    for name in ("a", "A", there, "dangling", "e\u0301", "É"):
        assert listing.may_have(str(tmp_path / name))
    for name in ("b", "a.webp", "sub/a", "nowhere/a"):
        assert not listing.may_have(str(tmp_path / name))


def test_rules_nothing_out_where_a_folder_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: str) -> list[str]:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refuse)
    assert Listing().may_have(str(tmp_path / "a"))
    assert not Listing().may_have(str(tmp_path / "nowhere" / "a"))
