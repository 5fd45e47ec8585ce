"""Checks of our folders: can files be created, locked and linked there, and is there room."""

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

from kontext_cli.doctor.finding import Finding
from kontext_cli.errors import OutputFault
from kontext_cli.files import disk
from kontext_cli.files.part import PREFIX, SUFFIX
from kontext_cli.files.place import is_object, typed_place
from kontext_cli.settings.paths import config_dir, state_dir
from kontext_cli.settings.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LITTLE = 2**30
_RUNNING = "running/" + "[0-9a-f]" * 16
"""The lock files of processes, in the state folder."""
_MOUNTS = Path("/proc/self/mountinfo")
_MOUNT = re.compile(r"^(?:\S+ ){4}(\S+) .*? - (\S+) ", re.MULTILINE)
"""The mount point and the type of a file system."""
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "gpfs", "afs", "davfs")
_NETWORK_PREFIXES = ("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs")


def check_config_folder(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The folder of settings and stored keys, which need not be writable."""
    for each in _folder("config", config_dir(environ), "KONTEXT_CONFIG_DIR"):
        if each.verdict == "problem":
            text = f"{each.text}: `kontext auth set` can store no key"
            yield each._replace(text=text, verdict="note", exit_code=0)
        else:
            yield each


def check_state_folder(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The folder of the journal, which is for the user alone and on a disk of this machine."""
    name, folder = "state", state_dir(environ)
    yield from _folder(name, folder, "KONTEXT_STATE_DIR")
    if sys.platform != "win32" and folder.is_dir():
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _OTHERS:
            text = f"others may open it (mode {mode:04o}), and read prompts and paths"
            yield Finding(name, text, "note", f"chmod 700 {quote(str(folder))}")
    if kind := network_kind(folder):
        text = f"it is on a network file system ({kind}): only one machine may use it at a time"
        hint = "name a folder on a local disk in KONTEXT_STATE_DIR"
        yield Finding(name, text, "note", hint)
    yield from _leftovers(name, folder)


def check_output_folder(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """The folder for images, or the object store, which is asked ``online`` only.

    Raises UsageError or OutputFault for a store that cannot be used.
    """
    name, folder = "output", typed_place(settings.output_dir(None))
    if not is_object(folder):
        yield from _folder(name, folder.absolute(), "KONTEXT_OUTPUT_DIR")
        yield from _leftovers(name, folder.absolute())
        return
    from kontext_cli.files.store import store_of

    store = store_of(str(folder))
    if online:
        store.prove(folder)
    yield Finding(name, f"{folder}{': writable' if online else ''}")


def _folder(name: str, folder: Path, variable: str) -> Iterator[Finding]:
    """Whether files can be created, locked and linked in a folder, and how much room there is.

    A file is there for a moment; a folder that is not there is not created. ``variable`` names
    another one.
    """
    elsewhere = f"name another folder in {variable}"
    if not folder.exists():
        yield _missing(name, folder, elsewhere)
        return
    try:
        locks, links = _tried(folder)
    except OSError as error:
        text = f"cannot write to {folder}: {_reason(error)}"
        yield Finding(name, text, "problem", elsewhere, OutputFault.exit_code)
        return
    free = shutil.disk_usage(folder).free
    can = ["writable", *(["locks"] if locks else []), *(["links"] if links else [])]
    yield Finding(name, f"{folder}: {', '.join(can)}, {size_text(free)} free")
    if not locks:
        text = "file locks do not work there: run one kontext at a time"
        yield Finding(name, text, "note", elsewhere)
    if free < _LITTLE:
        text = f"only {size_text(free)} free on its disk"
        yield Finding(name, text, "note", "make room on the disk")


def _leftovers(name: str, folder: Path) -> Iterator[Finding]:
    """The files of runs that were killed, which hold nothing that is needed."""
    left = [
        path
        for pattern in (f"{PREFIX}*{SUFFIX}", _RUNNING)
        for path in sorted(folder.glob(pattern))
        if disk.is_abandoned(path)
    ]
    if left:
        runs = "1 file of a killed run" if len(left) == 1 else f"{len(left):,} files of killed runs"
        size = size_text(sum(path.stat().st_size for path in left))
        text = f"{runs} in {folder} ({size}), which the next run there removes"
        yield Finding(name, text, "note")


def size_text(count: int) -> str:
    """A number of bytes as people write it: `512 bytes`, `1.5 MB`, `80 GB`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1_000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.1f} TB"


def network_kind(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the network file system that a folder is on, None for any other.

    From Linux's table of mounts (proc_pid_mountinfo(5)); other systems have none to read.
    """
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    where = f"{os.path.realpath(folder)}/"
    above = [
        (point, kind)
        for point, kind in _MOUNT.findall(table)
        if where.startswith(f"{_unescaped(point).rstrip('/')}/")
    ]
    _, kind = max(above, key=lambda each: len(each[0]), default=("", ""))
    is_network = kind in _NETWORK or kind.startswith(_NETWORK_PREFIXES)
    return kind if is_network else None


def _unescaped(point: str) -> str:
    """A mount point, in which space, tab, line feed and backslash are octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def _missing(name: str, folder: Path, elsewhere: str) -> Finding:
    """Whether a folder can be created, by a file in the first one above it that is there."""
    above = next(each for each in folder.absolute().parents if each.exists())
    try:
        _tried(above)
    except OSError as error:
        text = f"{folder} is not there, and cannot be created in {above}: {_reason(error)}"
        return Finding(name, text, "problem", elsewhere, OutputFault.exit_code)
    return Finding(name, f"{folder}, created when it is needed")


def _tried(folder: Path) -> tuple[bool, bool]:
    """Whether locks and links work there. Raises OSError where no file can be created."""
    path, descriptor, _ = disk.create_locked(folder, PREFIX, SUFFIX)
    try:
        return disk.locks_work(path), disk.links_work(path)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
