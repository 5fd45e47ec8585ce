"""`kontext` and `python -m kontext_cli`."""

# The C half of `signal`, and no `typing`: importing them takes longer than to print the version.
import _signal  # type: ignore[import-not-found]
import os
import sys

from kontext_cli import __version__, exit_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_INTERRUPTED = 130


def main() -> "NoReturn":
    """Run the command line; `--version` is printed before anything is imported for it."""
    _signal.signal(_signal.SIGINT, _interrupt)
    try:
        code = 0 if sys.argv[1:] == ["--version"] and _print_version() else _run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    exit_now(code)


def _interrupt(_number: int, frame: "FrameType | None") -> "NoReturn":
    """Handle Ctrl-C outside the event loop: unwind at the first, exit at the second.

    During an import exit at the first: no work has begun, and an exception raised there may be
    converted to another one, or printed and ignored.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            _end()
        frame = frame.f_back
    _signal.signal(_signal.SIGINT, _end)
    sys.unraisablehook = _end  # a finalizer was interrupted
    raise KeyboardInterrupt


def _end(*_: object) -> "NoReturn":
    exit_now(_INTERRUPTED)


def _print_version() -> bool:
    try:
        # Not through the stream's buffer: a failed write would stay there and fail again.
        os.write(sys.stdout.fileno(), f"kontext {__version__}{os.linesep}".encode())
    except (OSError, AttributeError):  # full, without a reader, or closed: `run` reports it
        return False
    return True


def _run() -> int:
    import gc

    # Searching all installed packages for plugins takes 3 ms; they would see all requests.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    # Imported modules are never garbage: searching them takes 10 ms.
    gc.disable()
    from kontext_cli.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
