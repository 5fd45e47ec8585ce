"""The configuration, state and cache folders on this system, and home folders."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from kontext_cli.errors import UsageError

_DATABASES = ("postgresql://", "postgres://")


def config_dir(environ: Mapping[str, str]) -> Path:
    """The folder of `config.toml`: KONTEXT_CONFIG_DIR, else the system's standard one."""
    return _folder(environ, "config")


def state_dir(environ: Mapping[str, str]) -> Path:
    """The folder of the journal, of replies and of part files: KONTEXT_STATE_DIR, else the system's
    standard one."""
    return _folder(environ, "state")


def journal_location(environ: Mapping[str, str]) -> Path | str:
    """Where the journal is: the database of KONTEXT_JOURNAL, else the state folder.

    Raises UsageError for any other value of KONTEXT_JOURNAL: ignoring it could pay again for
    what is recorded there. It is not quoted, since it may hold a password.
    """
    url = environ.get("KONTEXT_JOURNAL")
    if not url:
        return state_dir(environ)
    if not url.startswith(_DATABASES):
        raise UsageError(
            "KONTEXT_JOURNAL is not the URL of a PostgreSQL database",
            hint="KONTEXT_JOURNAL=postgresql://USER@HOST/DATABASE",
        )
    return url


def typed_journal(text: str, environ: Mapping[str, str]) -> Path | str:
    """Where a journal is that was typed: a state folder, the `journal.db` in it, the URL of a
    database, or `env` for that of KONTEXT_JOURNAL. Raises UsageError."""
    if not text:
        raise UsageError("the name of a journal is empty")
    if text == "env":
        if not environ.get("KONTEXT_JOURNAL"):
            raise UsageError("`env` is the journal of KONTEXT_JOURNAL, which is not set")
        return journal_location(environ)
    if text.startswith(_DATABASES):
        return text
    if "://" in text:
        raise UsageError("a journal is in a folder, or at postgresql://USER@HOST/DATABASE")
    path = Path(from_home(text))
    if path.name == "journal.db":
        return path.parent
    if path.is_file():
        raise UsageError(
            f"`{text}` is a file, and a journal is called `journal.db`",
            hint="name its state folder, or copy it there under that name",
        )
    return path


def cache_dir() -> Path | None:
    """The folder of what can be made again: the system's standard one, None for a user without a
    home."""
    from platformdirs import PlatformDirs

    with suppress(RuntimeError):
        return PlatformDirs("kontext", appauthor=False).user_cache_path
    return None


def _folder(environ: Mapping[str, str], kind: Literal["config", "state"]) -> Path:
    if given := environ.get(f"KONTEXT_{kind.upper()}_DIR"):
        return Path(given)
    from platformdirs import PlatformDirs

    folders = PlatformDirs("kontext", appauthor=False)
    try:
        return folders.user_config_path if kind == "config" else folders.user_state_path
    except RuntimeError:  # a container that runs with a numeric user id, which has no home
        raise UsageError(
            "this user has no home folder",
            hint="set KONTEXT_CONFIG_DIR and KONTEXT_STATE_DIR, or HOME",
        ) from None


def from_home(path: str) -> str:
    """A typed path with a leading `~` or `~user` replaced by that home folder.

    As in a shell, `./~` is a file with that name, and so is a `~` before an unknown user.
    """
    return os.path.expanduser(path)  # noqa: PTH111  # pathlib raises for an unknown user
