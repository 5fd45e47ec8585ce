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
