"""Disks that are full, read-only or broken: what was paid for is kept, and the next run goes on."""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from typing import Any

import pytest

from hostile.tracing import calls_in, needs_strace, strace, with_site
from hostile.trials import Trial, soak_only
from hostile.volumes import Volume, needs_volumes
from kontext_cli.journal import Journal
from soaking import soaked
from world import PATIENCE, Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX disks and limits")

ROOM = "size=16m,nr_inodes=4096"
PLACES = {"images": ("out",), "state": ("state",), "everything": ("out", "state")}
SIZES = [*range(80, 1000, 20)]
"""Of a disk in KiB, from one without room for a journal to one on which most rows are done."""
MAKE_ROOM = "hint: make room on the disk, then: kontext fetch "

MakeTrial = Callable[..., tuple[Trial, Volume]]


@pytest.fixture
def on_volume(build: Build) -> Iterator[MakeTrial]:
    """A batch of which a part is on a volume with these options."""
    with ExitStack() as volumes:

        def make(place: str, options: str, **sandbox: Any) -> tuple[Trial, Volume]:
            trial = build(Trial, **sandbox)
            volume = volumes.enter_context(Volume(trial.top / "disk", options, *PLACES[place]))
            trial.lie_on(volume, *(getattr(trial, name) for name in PLACES[place]))
            return trial, volume

        yield make


@pytest.fixture
def trial(build: Build) -> Trial:
    """A batch whose journal is there already."""
    trial = build(Trial)
    Journal.open(trial.state).close()
    return trial


@needs_volumes
@pytest.mark.parametrize(
    ("options", "provider"),
    soaked([("size=16k", "fal")], [("size=32k", "fal"), ("size=1m,nr_inodes=10", "aimlapi")]),
)
def test_images_on_a_full_disk_stop_submits_and_the_next_run_does_the_rest(
    on_volume: MakeTrial, options: str, provider: str
) -> None:
    trial, volume = on_volume("images", options)
    first = trial.run_batch("-p", provider)
    trial.check_stopped(first)
    assert MAKE_ROOM in first.err
    volume.change(ROOM)
    trial.check_rest("-p", provider)


@needs_volumes
@pytest.mark.parametrize("size", soaked([230], SIZES))
@pytest.mark.parametrize(
    ("place", "provider"), soaked([("state", "aimlapi")], [("state", "aimlapi"), ("state", "fal")])
)
def test_a_journal_on_a_full_disk_stops_submits_and_no_row_is_paid_twice_or_forgotten(
    on_volume: MakeTrial, place: str, provider: str, size: int
) -> None:
    trial, volume = on_volume(place, f"size={size}k")
    first = trial.run_batch("-p", provider)
    if first.code:
        trial.check_stopped(first)
    volume.change(ROOM)
    trial.check_rest("-p", provider, held=True)


@needs_volumes
@pytest.mark.parametrize("size", soaked([280], SIZES))
def test_what_was_in_flight_when_the_disk_was_full_is_known_to_the_next_run(
    on_volume: MakeTrial, size: int
) -> None:
    trial, volume = on_volume("everything", f"size={size}k")
    trial.run_batch()
    volume.change(ROOM)
    trial.check_rest()


@needs_volumes
def test_a_state_folder_without_room_for_a_journal_is_found_out_before_anything_is_sent(
    on_volume: MakeTrial,
) -> None:
    trial, volume = on_volume("state", "size=1m,nr_inodes=6")
    assert trial.run(*trial.argv()).code == 8
    assert trial.accepted.total() == 0
    volume.change(ROOM)
    trial.check_rest()


@needs_volumes
def test_one_job_whose_images_find_no_room_is_fetched_when_there_is_some(
    on_volume: MakeTrial,
) -> None:
    trial, volume = on_volume("images", "size=8k")
    said = trial.run("generate", "x", "-p", "fal", "-n", "4", "-d", "out", "--json")
    job = json.loads(said.out)
    assert (said.code, job["state"], job["error"]["billed"]) == (8, "ready", "yes")
    assert f"{MAKE_ROOM}{job['id']}" in said.err
    assert trial.parts() == []
    volume.change(ROOM)
    fetched = trial.run("fetch", job["id"], "--json")
    assert fetched.code == 0
    assert len(json.loads(fetched.out)["files"]) == 4
    assert trial.accepted.total() == 1


def no_file_larger_than(size: int) -> dict[str, Any]:
    """What starts a process under such a limit, as a quota or `ulimit -f` sets it."""
    limit = (size, resource.RLIM_INFINITY)
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}


@soak_only
def test_an_image_larger_than_a_file_may_be_is_fetched_without_the_limit(
    build: Build,
) -> None:
    trial = build(Trial, plain=False)
    wish = ("x", "--seed", "1", "-p", "fal", "--output-format", "png", "-d", "out")
    said = trial.process("generate", *wish, **no_file_larger_than(150_000))
    assert said.code == 8
    assert "File too large" in said.err
    assert trial.parts() == []
    assert trial.run("fetch").code == 0
    assert [path.name for path in trial.out.iterdir()] == ["x-1.png"]
    assert trial.accepted.total() == 1


@soak_only
def test_a_log_of_the_journal_larger_than_a_file_may_be_is_made_short(trial: Trial) -> None:
    ended = trial.run_batch(**no_file_larger_than(300_000))
    assert (ended.code, ended.count("saved")) == (0, len(trial.rows))
    trial.check_whole(ended)


@needs_strace
@pytest.mark.parametrize(
    ("call", "fault", "of_journal"),
    [
        *soaked(
            [],
            [
                pytest.param("fsync", "EIO:when=1+", False, id="an image cannot be synced"),
                pytest.param("fsync", "EIO:when=4+", False, id="its folder cannot be synced"),
                pytest.param("link,linkat", "EDQUOT:when=3+", False, id="it cannot be named"),
                pytest.param("pwrite64", "ENOSPC:when=60+", True, id="the journal not written"),
            ],
        ),
        pytest.param("fsync,fdatasync", "EIO:when=6+", True, id="the journal cannot be synced"),
    ],
)
def test_a_broken_disk_stops_submits_and_the_next_run_does_the_rest(
    trial: Trial, call: str, fault: str, of_journal: bool
) -> None:
    only = trial.state / "journal.db-wal" if of_journal else None
    trial.through = strace(trial.top / "calls", call, f"{call}:error={fault}", only=only)
    trial.check_stopped(trial.run_batch(environ=with_site("lone")))
    assert "INJECTED" in (trial.top / "calls").read_text()
    trial.through = ()
    trial.check_rest(held=of_journal)


@needs_strace
def test_a_journal_that_could_not_be_synced_once_is_told(trial: Trial) -> None:
    wal = trial.state / "journal.db-wal"
    fault = "fsync,fdatasync:error=EIO:when=3"
    trial.through = strace(trial.top / "calls", "fsync,fdatasync", fault, only=wal)
    first = trial.run_batch("--limit", "1", environ=with_site("lone"))
    assert "INJECTED" in (trial.top / "calls").read_text()
    assert "disk I/O error" in first.err
    trial.through = ()
    trial.check_rest()


@needs_volumes
def test_a_folder_that_is_read_only_is_found_out_before_anything_is_sent(
    on_volume: MakeTrial,
) -> None:
    trial, volume = on_volume("images", "size=1m")
    volume.change("ro")
    for argv in (["generate", "x", "-p", "fal", "-d", "out"], trial.argv()):
        said = trial.run(*argv)
        assert said.code == 8
        assert "Read-only file system" in said.err
    assert trial.accepted.total() == 0


@needs_volumes
def test_a_state_folder_that_is_read_only_can_be_looked_at_and_nothing_is_sent(
    on_volume: MakeTrial,
) -> None:
    trial, volume = on_volume("state", "size=4m", rows=3)
    trial.run(*trial.argv("--no-wait", "--limit", "2"))
    volume.change("ro")
    status = trial.run("status")
    assert (status.code, len(status.lines)) == (0, 2)
    for argv in (["generate", "x", "-p", "fal"], ["fetch"], *soaked([], [trial.argv()])):
        said = trial.run(*argv)
        assert said.code == 8
        assert "KONTEXT_STATE_DIR" in said.err
    assert trial.accepted.total() == 2


LOCKED = """
for at in $(awk '{ print $5 }' /proc/self/mountinfo); do mount -o remount,bind,ro "$at"; done 2>&-
mount -o remount,bind,rw "$KONTEXT_STATE_DIR"
exec "$@"
"""


@needs_volumes
def test_an_image_for_standard_output_where_nothing_but_the_state_can_be_written(
    on_volume: MakeTrial,
) -> None:
    """As in a container whose own disk is read-only."""
    trial, _ = on_volume("state", "size=4m", rows=1)
    disk = str(trial.top / "disk")
    trial.through = [*trial.through, "unshare", "--mount", "sh", "-c", LOCKED, "sh"]
    said = trial.process(
        *("generate", "x", "-p", "fal", "-o", "-"), environ={"KONTEXT_STATE_DIR": disk}
    )
    assert said.code in (0, 8)
    assert trial.accepted.total() == (said.code == 0)


@needs_strace
@soak_only
class TestTwoRunsWhereLocksDoNothing:
    """As on some network file systems, where each run takes the other for dead.

    Both may then bring home the same image, and keep two copies of it.
    """

    def test_pay_for_nothing_twice(self, build: Build) -> None:
        for _ in range(100):
            trial = build(Trial)
            pair = []
            for log in (trial.top / "first", trial.top / "second"):
                trial.through = strace(log, "flock", "flock:retval=0")
                pair.append(trial.start_batch())
            ended = [Ran.of(process) for process in pair]
            assert {run.code for run in ended} <= {0, 7, 8, 9}
            trial.through = ()
            trial.check_rest(held=True, more=True)

    def test_pay_for_nothing_twice_where_one_stops_before_its_submit(self, build: Build) -> None:
        trial = build(Trial, rows=1)
        Journal.open(trial.state).close()
        pipe = trial.top / "calls"
        os.mkfifo(pipe)
        # The first call by which the thread says that its commit is done: of the row being ours.
        stopping = ("flock:retval=0", "sendto:signal=STOP:when=1")
        trial.through = strace(pipe, "flock,sendto", *stopping)
        first = trial.start_batch(environ=with_site("lone"))
        with pipe.open() as log:
            stops = (int(line.split()[0]) for line in log if "stopped by SIGSTOP" in line)
            stopped = next(stops)
            trial.through = strace(trial.top / "second", "flock", "flock:retval=0")
            assert trial.run_batch().code in (0, 9)
            for thread in chain([stopped], stops):
                with suppress(ProcessLookupError):
                    os.kill(thread, signal.SIGCONT)
            Ran.of(first)
        trial.through = ()
        trial.check_rest(held=True, more=True)


@needs_strace
@soak_only
def test_a_name_that_was_not_synced_by_a_killed_run_is_by_the_next(trial: Trial) -> None:
    """Or a power cut takes an image that the journal tells as saved."""
    log = trial.top / "calls"
    trial.through = strace(log, "fsync", "fsync:signal=KILL:when=2")
    killed = trial.start_batch("--limit", "1", environ=with_site("lone"))
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode == -9
    assert len(list(trial.out.glob("*.jpg"))) == 1
    trial.through = strace(log, "fsync,fdatasync")
    assert trial.run_batch("--limit", "1").count("saved") == 1
    assert str(trial.out) in [call.path for call in calls_in(log)]
