"""The configuration and state folders on this system, and home folders."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kontext_cli.errors import UsageError

APP = "kontext"


def config_dir(environ: Mapping[str, str]) -> Path:
    """The folder of `config.toml`: KONTEXT_CONFIG_DIR, else the system's standard one."""
    given = environ.get("KONTEXT_CONFIG_DIR")
    if given:
        return Path(given)
    from platformdirs import user_config_path

    with _needs_home():
        return user_config_path(APP, appauthor=False)


def state_dir(environ: Mapping[str, str]) -> Path:
    """The folder of the journal: KONTEXT_STATE_DIR, else the system's standard one."""
    given = environ.get("KONTEXT_STATE_DIR")
    if given:
        return Path(given)
    from platformdirs import user_state_path

    with _needs_home():
        return user_state_path(APP, appauthor=False)


def from_home(path: str) -> str:
    """A typed path with a leading `~` or `~user` replaced by that home folder.

    As in a shell, `./~` is a file with that name, and so is a `~` before an unknown user.
    """
    return os.path.expanduser(path)  # noqa: PTH111  # pathlib raises for an unknown user


@contextmanager
def _needs_home() -> Iterator[None]:
    """A user without a name has no home, as in a container that runs with a numeric user id."""
    try:
        yield
    except RuntimeError:
        raise UsageError(
            "this user has no home folder",
            hint="set KONTEXT_CONFIG_DIR and KONTEXT_STATE_DIR, or HOME",
        ) from None
