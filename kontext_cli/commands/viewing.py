"""Shows the images of a run: on the terminal as they are saved, or in the viewer of the system."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from kontext_cli.commands.session import Session
from kontext_cli.files.disk import is_special
from kontext_cli.files.place import is_object
from kontext_cli.job import Job, State
from kontext_cli.settings.config import Preview
from kontext_cli.terminal.output import on_ci
from kontext_cli.terminal.report import Report


def set_up_previews(
    session: Session, flag: Preview | None, *, as_json: bool, quiet: bool, small: bool
) -> None:
    """Let the report draw the images that are saved; ``small`` where they may be many.

    Raises UsageError for a wrong setting.
    """
    when = session.settings.preview(flag)
    if when == "off":
        return
    from kontext_cli.terminal.previews import open_previews

    session.report.previews = open_previews(when, as_json=as_json, quiet=quiet, small=small)


def open_files(jobs: Iterable[Job], report: Report) -> None:
    """Open the saved images of jobs with the viewer of the system, which goes on by itself."""
    saved = [file.path for job in jobs if job.state is State.SAVED for file in job.files]
    paths = [path.absolute() for path in saved if not (is_special(path) or is_object(path))]
    if not paths:
        if any(map(is_object, saved)):
            report.notice("--open opens no images that are in a store")
        return
    if on_ci():
        report.notice("--open does nothing in CI")
    elif fault := _open(paths):
        report.notice(f"--open: {fault}")


def _open(paths: Sequence[Path]) -> str | None:
    """Start the viewer; what went wrong, if anything."""
    try:
        if sys.platform == "win32":
            for path in paths:
                os.startfile(path)  # noqa: S606
            return None
        viewer = "open" if sys.platform == "darwin" else "xdg-open"
        if shutil.which(viewer) is None:
            return f"there is no `{viewer}` on this system"
        for path in paths:
            _start(viewer, path)
    except OSError as error:
        return f"the viewer does not start: {error.strerror or error}"
    return None


def _start(program: str, path: Path) -> None:
    """Start a program in a session of its own, so that Ctrl-C here does not end it."""
    process = subprocess.Popen(  # noqa: S603  # a path that we wrote, and no shell
        [program, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.returncode = 0  # nobody waits for it, and Python warns of that
