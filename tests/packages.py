"""Packages that add a provider, written into a folder of the test and found there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from kontext_cli.providers import installed

EXAMPLE = Path(__file__).parents[1] / "examples" / "provider-package"

LUMEN = """
from kontext_lumen import Lumen
from kontext_cli.providers.interface import *

class Acme(Lumen):
    name = "acme"
    key_variables = (("ACME_API_KEY",),)
"""
"""The provider of the example under another name, for further lines of its class."""


_NUMBERS = count()
"""Of modules: none is imported twice."""


class Packages:
    """A folder with packages, as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(
        self,
        source: str,
        *,
        name: str = "acme",
        attribute: str = "Acme",
        package: str = "kontext-acme",
    ) -> None:
        """Install a package with one provider, or a new version of it."""
        module = f"acme_{next(_NUMBERS)}"
        (self._folder / f"{module}.py").write_text(source, encoding="utf-8")
        metadata = self._folder / f"{package.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        (metadata / "entry_points.txt").write_text(
            f"[kontext.providers]\n{name} = {module}:{attribute}\n"
        )
        self.search_again()

    def acme(self, *lines: str) -> None:
        """Install the provider of the example as `acme`, with further lines in its class."""
        self.add(LUMEN + "".join(f"    {line}\n" for line in lines))

    def remove(self) -> None:
        """Uninstall everything."""
        for path in self._folder.glob("*/*"):
            path.unlink()
        self.search_again()

    def search_again(self) -> None:
        """Forget what was found, as a new process does."""
        sys.path_importer_cache.clear()
        installed._entry_points.cache_clear()
        installed.installed_class.cache_clear()


@contextmanager
def packages_in(folder: Path) -> Iterator[Packages]:
    """A folder for packages that is searched."""
    folder.mkdir()
    packages = Packages(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        patch.syspath_prepend(str(folder))
        yield packages
    packages.search_again()
