"""Real shells, each asked what it makes of a line when TAB is pressed at its end.

Their PATH is empty: no completion starts a program.
"""

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from processes import MACHINE

_PATIENCE = 60.0
_READY = "READY> "

_TELL = r"""
kontext() {
    printf '<<'; printf '[%s]' "$@"; printf '|'; printf '[%s]' "${offered[@]}"; printf '>>\n'
    offered=()
}
"""
"""A command that tells how it was called, and what was offered before: Enter follows every TAB."""

_BASHRC = r"""
PS1='READY> ' HISTFILE=
bind 'set completion-query-items -1'
bind 'set page-completions off'
. "$SCRIPT"
complete_and_keep() { _kontext "$@"; offered=("${COMPREPLY[@]}"); }
registered=$(complete -p kontext)
eval "${registered/_kontext/complete_and_keep}"
"""

_ZSHRC = r"""
PS1='READY> ' HISTFILE= LISTMAX=10000
unsetopt beep prompt_cr prompt_sp
autoload -Uz compinit && compinit -D -u
compadd() {
    local -a found
    if [[ " ${(j: :)@} " != *' -'[OAD]' '* ]]; then
        builtin compadd -O found "$@"
        offered+=("${found[@]}")
    fi
    builtin compadd "$@"
}
"""


class Shell(Protocol):
    """A shell that has loaded a completion script, in the folder ``cwd``."""

    cwd: Path

    def completed(self, line: str) -> str:
        """The last word of ``kontext line`` after TAB."""

    def offers(self, line: str) -> set[str]:
        """The words offered in place of the last one."""

    def close(self) -> None:
        """End it."""


class Terminal:
    """A shell on a terminal of its own: lines are typed, TAB and Enter are pressed."""

    def __init__(self, argv: list[str], cwd: Path, **environ: str) -> None:
        import pty

        self.cwd = cwd
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=_environ(cwd, **environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._read_until(_READY)

    def completed(self, line: str) -> str:
        return self._press_tab(line)[0][-1]

    def offers(self, line: str) -> set[str]:
        return set(self._press_tab(line)[1])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def _press_tab(self, line: str) -> tuple[list[str], list[str]]:
        os.write(self._terminal, f"kontext {line}\t\r".encode())
        said = self._read_until(rf"<<(.*?)\|(.*?)>>.*{_READY}")
        return re.findall(r"\[(.*?)\]", said[1]), re.findall(r"\[(.+?)\]", said[2])

    def _read_until(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + _PATIENCE
        said = ""
        while not (found := re.search(pattern, said, re.DOTALL)):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._terminal], [], [], left)[0]:
                raise TimeoutError(f"the shell has only said {said!r}")
            said += os.read(self._terminal, 65536).decode(errors="replace")
        return found


class Asked:
    """A shell that has a command to list completions; it is run anew for each line."""

    def __init__(self, argv: list[str], cwd: Path, script: Path) -> None:
        self._argv, self.cwd, self._script = argv, cwd, script

    def completed(self, line: str) -> str:
        (only,) = self.offers(line)
        return only

    def offers(self, line: str) -> set[str]:
        done = subprocess.run(
            self._argv,
            cwd=self.cwd,
            env=_environ(self.cwd, SCRIPT=str(self._script), LINE=f"kontext {line}"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    def close(self) -> None: ...


def bash(script: Path, cwd: Path) -> Shell:
    """bash, without the bash-completion package."""
    rc = script.with_name("bashrc")
    rc.write_text(_BASHRC + _TELL)
    return Terminal(
        [_program("bash"), "--noprofile", "--rcfile", str(rc), "-i"], cwd, SCRIPT=str(script)
    )


def zsh(script: Path, cwd: Path) -> Shell:
    """zsh, which loads the script from `fpath` when it is needed."""
    return _zsh(script, cwd, f'fpath=("{script.parent}" $fpath)' + _ZSHRC)


def zsh_sourcing(script: Path, cwd: Path) -> Shell:
    """zsh, which sources the script."""
    return _zsh(script, cwd, _ZSHRC + f'. "{script}"')


def fish(script: Path, cwd: Path) -> Shell:
    """fish, which has made completions of its own from the man page."""
    generated = cwd.parent / ".local" / "share" / "fish" / "generated_completions"
    generated.mkdir(parents=True)
    (generated / "kontext.fish").write_text("complete -c kontext -l image-of-the-man-page\n")
    program = cwd.parent / "kontext"  # without which fish looks for no completions
    program.write_text(f"#!/bin/sh\n: >{cwd}/ran\n")
    program.chmod(0o700)
    return Asked([_program("fish"), "-c", 'source $SCRIPT; complete -C "$LINE"'], cwd, script)


def powershell(script: Path, cwd: Path) -> Shell:
    """PowerShell 7."""
    asking = "TabExpansion2 $env:LINE $env:LINE.Length"
    command = f". $env:SCRIPT; ({asking}).CompletionMatches.CompletionText"
    return Asked([_program("pwsh"), "-NoProfile", "-Command", command], cwd, script)


START: dict[str, Callable[[Path, Path], Shell]] = {
    "bash": bash,
    "zsh": zsh,
    "zsh, sourcing": zsh_sourcing,
    "fish": fish,
    "powershell": powershell,
}
SCRIPTS = {
    "bash": "kontext.bash",
    "zsh": "_kontext",
    "zsh, sourcing": "_kontext",
    "fish": "kontext.fish",
    "powershell": "kontext.ps1",
}


def missing(name: str) -> bool:
    """Whether this machine lacks a shell."""
    program = "pwsh" if name == "powershell" else name.split(",", maxsplit=1)[0]
    return os.name == "nt" or shutil.which(program) is None


def old_bash() -> bool:
    """Whether there is no bash here that can be told, while it completes, to find folders only."""
    told = "echo $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1]))"
    return missing("bash") or int(subprocess.check_output(["bash", "-c", told], env=MACHINE)) < 402


def _zsh(script: Path, cwd: Path, rc: str) -> Shell:
    (script.parent / ".zshrc").write_text(rc + _TELL)
    return Terminal([_program("zsh"), "-d", "-i"], cwd, ZDOTDIR=str(script.parent))


def _program(name: str) -> str:
    return shutil.which(name) or name


def _environ(cwd: Path, **more: str) -> dict[str, str]:
    home = str(cwd.parent)
    return {"PATH": home, "HOME": home, "TERM": "dumb", "LC_ALL": "C.UTF-8", **more}
