"""`kontext` and `python -m kontext_cli`."""

import sys

from kontext_cli import __version__


def main() -> int:
    """Run the command line; answer `--version` before anything is imported for it."""
    if sys.argv[1:] == ["--version"]:
        print(f"kontext {__version__}")  # noqa: T201
        return 0
    from kontext_cli.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
