"""File systems without hard links: a kill leaves nothing under a final name that is in the way."""

import pytest

from hostile.tracing import needs_strace, strace
from hostile.trials import Trial
from world import PATIENCE, Build

pytestmark = needs_strace

NO_LINKS = "link,linkat:error=EPERM"  # as FAT says
NO_EXCLUSIVE_RENAME = "renameat2:error=EINVAL"  # as NFS and many a FUSE say
CALLS = "link,linkat,renameat2,flock"


@pytest.mark.parametrize(
    ("refused", "killed_at", "left"),
    [
        ((NO_LINKS,), "renameat2", []),
        ((NO_LINKS, NO_EXCLUSIVE_RENAME), "flock", [b""]),
    ],
)
def test_a_kill_between_name_and_image_costs_neither(
    build: Build, refused: tuple[str, ...], killed_at: str, left: list[bytes]
) -> None:
    trial = build(Trial, rows=1)
    target = trial.folder / "z.jpg"
    log = trial.top / "calls"
    killing = f"{killed_at}:signal=KILL"
    trial.through = strace(log, CALLS, *refused, killing, only=target)
    killed = trial.start("generate", "x", "-p", "fal", "-o", "z.jpg")
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode == -9
    assert [path.read_bytes() for path in trial.folder.glob("z*")] == left
    trial.through = strace(log, CALLS, *refused, only=target)
    fetched = trial.run("fetch")
    assert (fetched.code, fetched.out) == (0, f"{target}\n".encode()), fetched.err
    assert [path.name for path in trial.folder.glob("z*")] == ["z.jpg"]
    assert target.read_bytes().startswith(b"\xff\xd8\xff")
    assert trial.accepted.total() == 1
