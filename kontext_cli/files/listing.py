"""Names in folders: cached for checks of many names, and sorted as people count."""

import os
import re
import unicodedata

from kontext_cli.files.destinations import destination_of

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
"""Of the files that are taken for images where a folder is given."""
INPUT_SUFFIXES = IMAGE_SUFFIXES | {".heic", ".heif", ".avif"}
"""Of those that are taken for input images: the last three are converted."""


class Listing:
    """Lists each folder once. A file created since is found when the image is saved."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str] | None] = {}

    def may_have(self, path: str) -> bool:
        """Whether something may be there that has this name, as it is or with a suffix."""
        folder, name = os.path.split(path)
        if folder not in self._names:
            self._names[folder] = _names_in(folder)
        names = self._names[folder]
        return names is None or (bool(names) and folded(name) in names)


def folded(name: str) -> str:
    """A key that is equal for names that some systems take for the same: in another case, or with
    accents in another normal form."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def in_natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key: `img-9` before `img-10`, and digits before letters."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


def _names_in(folder: str) -> frozenset[str] | None:
    """The names in a folder, with and without their suffixes, folded; None where they cannot be
    listed."""
    there = destination_of(folder).names(folder)
    if there is None:
        return None
    names = set(map(folded, there))
    return frozenset(names | {os.path.splitext(name)[0] for name in names})  # noqa: PTH122
