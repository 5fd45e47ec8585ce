"""`kontext` and `python -m kontext_cli`."""

import os
import sys

from kontext_cli import __version__


def main() -> int:
    """Run the command line; answer `--version` before anything is imported for it."""
    if sys.argv[1:] == ["--version"]:
        try:
            # Past the stream's buffer, or what cannot be written would stay there and fail again.
            os.write(sys.stdout.fileno(), f"kontext {__version__}{os.linesep}".encode())
        except (OSError, AttributeError):  # full, without a reader, or closed: reported below
            pass
        else:
            return 0
    import gc

    # Searching every package that is installed for plugins takes 3 ms; they would see all requests.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    # What is imported stays: looking for garbage among it takes 10 ms.
    gc.disable()
    from kontext_cli.cli import run

    return _left(run(sys.argv[1:]))


def _left(code: int) -> int:
    """End the process without taking it down piece by piece, which takes 15 to 50 ms.

    All files are closed by now, and all threads are done.
    """
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, full, or without a reader
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
