"""Where our own files belong on this system."""

from collections.abc import Mapping
from pathlib import Path

APP = "kontext"


def config_dir(environ: Mapping[str, str]) -> Path:
    """The folder of `config.toml`: KONTEXT_CONFIG_DIR, else what the system prescribes."""
    given = environ.get("KONTEXT_CONFIG_DIR")
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False)


def state_dir(environ: Mapping[str, str]) -> Path:
    """The folder of the journal: KONTEXT_STATE_DIR, else what the system prescribes."""
    given = environ.get("KONTEXT_STATE_DIR")
    if given:
        return Path(given)
    from platformdirs import user_state_path

    return user_state_path(APP, appauthor=False)
