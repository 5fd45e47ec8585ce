"""The order of writes as the system sees it: what must be on disk before what."""

import re
import shutil

import pytest

from world import World

KINDS = (
    ("journal synced", re.compile(r"f(data)?sync\(\d+<[^>]*journal\.db")),
    ("submitted", re.compile(r'sendto\(.*"POST ')),
    ("polled", re.compile(r'sendto\(.*"GET /fal/[^"]*/requests/')),
    ("part synced", re.compile(r"f(data)?sync\(\d+<[^>]*\.part>")),
    ("named", re.compile(r'(link|rename)\w*\(.*\.part", .*\.jpg"')),
)


def traced(world: World, *argv: str) -> list[str]:
    """What a run did, in order, by the system calls that matter here."""
    log = world.top / "calls"
    calls = "trace=fsync,fdatasync,sendto,link,linkat,rename,renameat,renameat2"
    world.through = ["strace", "-f", "-y", "-s", "200", "-o", str(log), "-e", calls]
    process = world.start(*argv)
    _, err = process.communicate(timeout=60)
    if not log.exists() or b"ptrace" in err:
        pytest.skip("strace may not trace here")
    assert process.returncode == 0, err.decode()
    kinds = (*KINDS, ("folder synced", re.compile(rf"fsync\(\d+<{re.escape(str(world.folder))}>")))
    lines = log.read_text(errors="replace").splitlines()
    return [kind for line in lines for kind, pattern in kinds if pattern.search(line)]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_each_step_is_on_disk_before_the_next(world: World) -> None:
    done = traced(world, "generate", "x", "-p", "fal", "-n", "2")

    submit = done.index("submitted")
    assert done.count("submitted") == 1
    assert done[submit - 1] == "journal synced"
    assert "journal synced" in done[submit : done.index("polled")]
    names = [place for place, kind in enumerate(done) if kind == "named"]
    assert len(names) == 2
    for before, place in zip([submit, *names], names, strict=False):
        assert "part synced" in done[before:place] or done[:place].count("part synced") == 2
        assert "folder synced" in done[place:]
    assert done[-1] == "journal synced"
    last_folder = len(done) - 1 - done[::-1].index("folder synced")
    assert last_folder > names[-1]
    assert "journal synced" in done[last_folder:]
