"""What hypothesis draws depends on the constants in whatever is imported by then: all of it is, so
that the short forms run the same examples in any order, and on any worker."""

from importlib import import_module
from pkgutil import walk_packages

import kontext_cli

for _module in walk_packages(kontext_cli.__path__, "kontext_cli."):
    if not _module.name.endswith("__main__"):
        import_module(_module.name)
