"""`kontext` and `python -m kontext_cli`."""

# The C half of `signal`, and no `typing`: their Python takes longer than to print the version.
import _signal  # type: ignore[import-not-found]
import os
import sys

from kontext_cli import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_INTERRUPTED = 130


def main() -> "NoReturn":
    """Run the command line; answer `--version` before anything is imported for it."""
    _signal.signal(_signal.SIGINT, _interrupt)
    try:
        _leave(0 if sys.argv[1:] == ["--version"] and _print_version() else _run())
    except KeyboardInterrupt:
        _leave(_INTERRUPTED)


def _interrupt(_number: int, frame: "FrameType | None") -> "NoReturn":
    """Ctrl-C while asyncio does not listen: unwind at the first, end at once at the second.

    End at once, too, while a module is imported: nothing was begun, and what is raised there can
    come out as another exception, or be printed and ignored.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(_INTERRUPTED)
        frame = frame.f_back
    _signal.signal(_signal.SIGINT, _end)
    sys.unraisablehook = _end  # a finalizer was interrupted
    raise KeyboardInterrupt


def _end(*_: object) -> "NoReturn":
    os._exit(_INTERRUPTED)


def _print_version() -> bool:
    try:
        # Past the stream's buffer: what cannot be written would stay there and fail once more.
        os.write(sys.stdout.fileno(), f"kontext {__version__}{os.linesep}".encode())
    except (OSError, AttributeError):  # full, without a reader, or closed: `run` reports it
        return False
    return True


def _run() -> int:
    import gc

    # Searching every package that is installed for plugins takes 3 ms; they would see all requests.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    # What is imported stays: looking for garbage among it takes 10 ms.
    gc.disable()
    from kontext_cli.cli.main import run

    return run(sys.argv[1:])


def _leave(code: int) -> "NoReturn":
    """End the process without taking it down piece by piece, which takes 15 to 50 ms.

    All files are closed by now, and all threads are done.
    """
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - `contextlib` is not imported for the version
            stream.flush()
        except (OSError, ValueError, AttributeError):  # full, without a reader, or closed
            pass
    os._exit(code)


if __name__ == "__main__":
    main()
