"""Checks of what kontext runs on: versions of libraries, and completion in the shells."""

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shlex import quote

from kontext_cli import __version__
from kontext_cli.doctor.finding import Finding
from kontext_cli.journal.database import SQLITE
from kontext_cli.words import listed

_LIBRARIES = ("httpx2", "pydantic", "Pillow", "typer", "rich")
_EXTRAS = ("obstore", "psycopg")
_RUN = "kontext completion"


def check_versions() -> Iterator[Finding]:
    """The versions that a report of a bug should name."""
    release = platform.release().partition("-")[0]
    system = f"{platform.system()} {release} ({platform.machine()})"
    yield Finding("kontext", f"{__version__}, Python {platform.python_version()}, {system}")
    found = {name: _version(name) for name in (*_LIBRARIES, *_EXTRAS)}
    named = [f"{name} {number}" for name, number in found.items() if number]
    without = [name for name, number in found.items() if not number]
    text = ", ".join([*named, f"SQLite {SQLITE}"])
    yield Finding("libraries", f"{text}; without {listed(without)}" if without else text)


def check_completions(
    environ: Mapping[str, str], scripts: Mapping[str, str], home: Path
) -> Iterator[Finding]:
    """Whether each shell of this machine finds our completion, and that of this version.

    ``scripts`` are the scripts by shell.
    """
    own = Path(environ.get("SHELL", "")).name
    without = []
    for shell, script in scripts.items():
        if not _is_here(shell):
            continue
        there = [path for path in _places(shell, environ, home) if path.is_file()]
        if current := [path for path in there if _holds(path, script)]:
            yield Finding(shell, f"completion from {current[0]}")
        elif started := [path for path in _started(shell, environ, home) if _holds(path, _RUN)]:
            yield Finding(shell, f"completion loaded by {started[0]}")
        elif old := [path for path in there if _holds(path, "kontext")]:
            text = f"the completion in {old[0]} is of another version"
            again = f"kontext completion {shell} > {quote(str(old[0]))}"
            yield Finding(shell, text, "note", again)
        elif shell == own:
            yield Finding(shell, "no completion", "note", _install(shell, environ, home))
        else:
            without.append(shell)
    if without:
        yield Finding("other shells", f"no completion in {listed(without)}")


def _version(name: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(name)
    return None


def _is_here(shell: str) -> bool:
    names = ("pwsh", "powershell") if shell == "powershell" else (shell,)
    return any(map(shutil.which, names))


def _places(shell: str, environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where a shell looks for a completion.

    From the manuals of bash-completion, which is a package of its own, of zsh (the usual ``fpath``)
    and of fish; PowerShell has its profile.
    """
    own_data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    data = (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    system = [Path(each) for each in (*data, "/opt/homebrew/share") if each]
    share = [own_data, *system]
    match shell:
        case "bash":
            own = environ.get("BASH_COMPLETION_USER_DIR")
            folders = [*([Path(own)] if own else []), *(each / "bash-completion" for each in share)]
            names = ("kontext.bash", "kontext")
            if any((each / "bash-completion/bash_completion").is_file() for each in share):
                yield from (each / "completions" / name for each in folders for name in names)
            yield Path("/etc/bash_completion.d/kontext")
            yield from _saved(shell, environ, home)
        case "zsh":
            folders = [Path(each) for each in environ.get("FPATH", "").split(":") if each]
            yield from (each / "_kontext" for each in folders)
            yield from _saved(shell, environ, home)
            for folder in (home / ".zfunc", own_data / "zsh/site-functions"):
                if any(_holds(file, folder.name) for file in _started(shell, environ, home)):
                    yield folder / "_kontext"
            for each in system:
                yield each / "zsh/site-functions/_kontext"
                yield each / "zsh/vendor-completions/_kontext"
        case "fish":
            yield _config(environ, home) / "fish/completions/kontext.fish"
            yield from (each / "fish/vendor_completions.d/kontext.fish" for each in share)
        case "powershell":
            yield _profile(environ, home)


def _saved(shell: str, environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The script that a start-up file of bash or zsh reads, as our help says to save it."""
    saved = home / f".kontext.{shell}"
    if any(_holds(file, saved.name) for file in _started(shell, environ, home)):
        yield saved


def _started(shell: str, environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The start-up files of a shell, which may run `kontext completion`."""
    match shell:
        case "bash":
            yield from (home / name for name in (".bashrc", ".bash_profile", ".bash_completion"))
        case "zsh":
            yield Path(environ.get("ZDOTDIR") or home) / ".zshrc"
        case "fish":
            yield _config(environ, home) / "fish/config.fish"
        case "powershell":
            yield _profile(environ, home)


def _install(shell: str, environ: Mapping[str, str], home: Path) -> str:
    """The line to paste that installs the completion for the user."""
    match shell:
        case "bash" | "zsh":
            file = next(_started(shell, environ, home))
            start = f"echo '. ~/.kontext.{shell}' >> {quote(str(file))}"
            return f"kontext completion {shell} > ~/.kontext.{shell} && {start}"
        case "fish":
            file = next(_places(shell, environ, home))
            folder, name = quote(str(file.parent)), quote(str(file))
            return f"mkdir -p {folder} && kontext completion fish > {name}"
    line = "kontext completion powershell | Out-String | Invoke-Expression"
    return f"Add-Content $PROFILE '{line}'"


def _config(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


def _profile(environ: Mapping[str, str], home: Path) -> Path:
    folder = home / "Documents/PowerShell"
    if sys.platform != "win32":
        folder = _config(environ, home) / "powershell"
    return folder / "Microsoft.PowerShell_profile.ps1"


def _holds(path: Path, text: str) -> bool:
    """Whether a file contains a text, whatever ends its lines."""
    with suppress(OSError):
        content = path.read_text(encoding="utf-8", errors="replace")
        return text.replace("\r\n", "\n").strip() in content.replace("\r\n", "\n")
    return False
