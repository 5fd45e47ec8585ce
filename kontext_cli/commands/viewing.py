"""Shows the images of a run as they are saved."""

import os

from kontext_cli.commands.session import Session
from kontext_cli.settings.config import Preview


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

    session.report.previews = open_previews(
        when, os.environ, as_json=as_json, quiet=quiet, small=small
    )
