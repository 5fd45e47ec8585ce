"""Checks of a folder: can files be created, locked and linked there, and is there room."""

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from kontext_cli.doctor.finding import Finding
from kontext_cli.files import disk
from kontext_cli.files.part import PREFIX, SUFFIX
from kontext_cli.files.place import is_object

_OUTPUT_FAULT = 8
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LITTLE = 2**30
_RUNNING = "running/" + "[0-9a-f]" * 16
"""The lock files of processes, in the state folder."""
_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "gpfs", "afs", "davfs")
_NETWORK_PREFIXES = ("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs")


def check_folder(
    name: str, folder: Path, *, variable: str | None = None, is_private: bool = False
) -> Iterator[Finding]:
    """Whether kontext can work in a folder.

    ``variable`` names another one. A file is created there for a moment, and the folder itself is
    not. ``is_private`` folders are for the user alone.
    """
    elsewhere = f"name another folder in {variable}" if variable else "choose another folder"
    if not folder.exists():
        yield _missing(name, folder, elsewhere)
        return
    try:
        locks, links = _tried(folder)
    except OSError as error:
        text = f"cannot write to {folder}: {(error.strerror or str(error)).lower()}"
        yield Finding(name, text, "problem", elsewhere, _OUTPUT_FAULT)
        return
    free = shutil.disk_usage(folder).free
    can = ["writable", *(["locks"] if locks else []), *(["links"] if links else [])]
    yield Finding(name, f"{folder}: {', '.join(can)}, {size_text(free)} free")
    if not locks:
        text = "file locks do not work there: run one kontext at a time"
        yield Finding(name, text, "note", elsewhere)
    if free < _LITTLE:
        yield Finding(
            name, f"only {size_text(free)} free on its disk", "note", "make room on the disk"
        )
    if is_private:
        yield from _private(name, folder)


def check_local(name: str, folder: Path) -> Iterator[Finding]:
    """Whether a folder is on a disk of this machine: SQLite needs that where two write at once."""
    kind = network_kind(folder)
    if kind is not None:
        yield Finding(
            name,
            f"it is on a network file system ({kind}): two machines cannot share it",
            "note",
            "name a folder on a local disk in KONTEXT_STATE_DIR",
        )


def check_leftovers(name: str, folder: Path) -> Iterator[Finding]:
    """The files of runs that were killed, which hold nothing that is needed."""
    left = [
        path
        for pattern in (f"{PREFIX}*{SUFFIX}", _RUNNING)
        for path in _files(folder, pattern)
        if disk.is_abandoned(path)
    ]
    if left:
        files = (
            "1 file of a killed run" if len(left) == 1 else f"{len(left):,} files of killed runs"
        )
        text = f"{files} in {folder} ({_sizes(left)}), which the next run there removes"
        yield Finding(name, text, "note")


def check_store(name: str, url: str) -> Iterator[Finding]:
    """Whether the library for object storage is there; a store itself is not asked."""
    from importlib.util import find_spec

    if find_spec("obstore") is None:
        hint = 'pip install "kontext-cli[cloud]"'
        yield Finding(name, f"{url} needs a library", "problem", hint, _OUTPUT_FAULT)
    else:
        yield Finding(name, f"{url}, which was not asked")


def check_output(folder: Path) -> Iterator[Finding]:
    """The folder for images, or the object store."""
    if is_object(folder):
        yield from check_store("output", str(folder))
        return
    yield from check_folder("output", folder, variable="KONTEXT_OUTPUT_DIR")
    yield from check_leftovers("output", folder)


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
    with suppress(OSError, ValueError):
        where = os.path.realpath(folder)
        best = ("", "")
        for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            point = before.split()[4].encode().decode("unicode_escape")
            if f"{where}/".startswith(f"{point.rstrip('/')}/") and len(point) >= len(best[0]):
                best = point, after.split()[0]
        if best[1] in _NETWORK or best[1].startswith(_NETWORK_PREFIXES):
            return best[1]
    return None


def _missing(name: str, folder: Path, elsewhere: str) -> Finding:
    above = next((each for each in folder.absolute().parents if each.exists()), None)
    if above is None or not above.is_dir() or not os.access(above, os.W_OK):
        text = f"{folder} does not exist, and cannot be created in {above}"
        return Finding(name, text, "problem", elsewhere, _OUTPUT_FAULT)
    return Finding(name, f"{folder}, created when it is needed")


def _tried(folder: Path) -> tuple[bool, bool]:
    """Whether locks and links work there. Raises OSError where no file can be created."""
    path, descriptor, _ = disk.create_locked(folder, PREFIX, SUFFIX)
    try:
        return disk.locks_work(path), disk.links_work(path)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _private(name: str, folder: Path) -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _OTHERS:
        text = f"others may open it (mode {mode:04o}), and read prompts and paths"
        yield Finding(name, text, "note", f"chmod 700 {folder}")


def _files(folder: Path, pattern: str) -> Iterable[Path]:
    with suppress(OSError):
        return sorted(folder.glob(pattern))
    return ()


def _sizes(paths: Iterable[Path]) -> str:
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return size_text(total)
