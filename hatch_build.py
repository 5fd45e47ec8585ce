"""Build hook: make the links of the README absolute in the package's description.

In the tree they are relative, so that a clone and any copy of the repository show the images. The
page on the package index has no tree: there, a link leads to the release's tag in the repository
that ``[project.urls]`` names.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?!https?://|#)([^)\s]+)\)")


class Description(MetadataHookInterface):
    """Fills the dynamic field ``readme``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README with absolute links."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = absolute(readme, metadata["urls"]["Repository"], f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(readme: str, repository: str, ref: str) -> str:
    """The README with each relative link as a URL: images as raw files, all else as pages."""

    def link(found: re.Match[str]) -> str:
        image, text, path = found.groups()
        return f"{image}[{text}]({repository}/{'raw' if image else 'blob'}/{ref}/{path})"

    return _LINK.sub(link, readme)
