"""Links from the page to files on disk."""

import os
from pathlib import Path, PurePath
from urllib.parse import quote

from kontext_cli.gallery.thumbnails import relative


def link(path: Path, folder: Path) -> str:
    """The URL of a file, relative to the folder of the page where there is a way."""
    way = relative(path, folder)
    if PurePath(way).is_absolute():
        return path.as_uri()
    return quote(os.fsencode(way.replace(os.sep, "/")))
