"""Jobs outlive the process: submitted by one, followed, fetched, canceled and forgotten by others.

The oracle is the sandbox's ledger: nothing is ever accepted twice without the user's word.
"""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from samples import image_file
from soaking import soaked
from world import KEY, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


def test_no_wait_and_fetch(world: World) -> None:
    job = world.submit("a red fox", "--seed", "5")
    assert world.files() == []
    (record,) = world.jobs()
    assert (record["id"], record["state"], record["seed"]) == (job, "queued", 5)
    done = world.run("fetch", job)
    assert done.code == 0, done.err
    assert done.out.decode().strip() == str(world.folder / "a-red-fox-5.jpg")
    assert world.files() == ["a-red-fox-5.jpg"]
    (record,) = world.jobs()
    assert record["state"] == "saved"
    assert len(world.ledger.entries) == 1


def test_no_wait_as_json(world: World) -> None:
    done = world.run("generate", "x", "-p", "fal", "--no-wait", "--json")
    record = json.loads(done.out)
    assert (record["state"], record["finished_at"]) == ("queued", None)
    assert record["request_id"] == world.ledger.entries[0].request_id


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("-p", "aimlapi"), "answers in one call"),
        (("-p", "fal", "--sync-mode"), "--sync-mode"),
        (("-p", "fal", "-o", "-"), "--no-wait"),
    ],
)
def test_no_wait_cannot_go_with(world: World, argv: tuple[str, ...], says: str) -> None:
    done = world.run("generate", "x", "--no-wait", *argv)
    assert done.code == 2
    assert says in done.err
    assert world.ledger.entries == ()


def test_the_sandbox_provider_outlives_the_process_too(world: World) -> None:
    done = world.run("generate", "x", "-p", "sandbox", "--no-wait", "--seed", "3")
    job = done.out.decode().strip()
    assert world.run("fetch", job).code == 0
    assert world.files() == ["x-3.jpg"]


def test_relative_names_belong_to_the_folder_of_the_submit(world: World, tmp_path: Path) -> None:
    job = world.submit("x", "-o", "images/x.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert world.run("fetch", job, cwd=elsewhere).code == 0
    assert world.files() == ["images/x.png"]
    assert list(elsewhere.iterdir()) == []


def test_fetch_under_other_names(world: World) -> None:
    first, second = world.submit("x", "--seed", "1"), world.submit("y", "--seed", "2")
    assert world.run("fetch", first, "-o", "other.jpg").code == 0
    assert world.run("fetch", second, "-d", "sub", "--name", "{slug}-of-{seed:03}").code == 0
    assert world.files() == ["other.jpg", "sub/y-of-002.jpg"]


def test_fetch_to_standard_output(world: World) -> None:
    done = world.run("fetch", world.submit(), "-o", "-", "-q")
    assert done.out.startswith(b"\xff\xd8\xff")
    assert world.files() == []


def test_fetch_without_arguments_brings_all_that_is_unfinished(world: World) -> None:
    for number in range(5):
        world.submit(f"job {number}", "--seed", "1")
    done = world.run("fetch")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 5
    assert world.files() == [f"job-{number}-1.jpg" for number in range(5)]
    again = world.run("fetch")
    assert (again.code, again.out) == (0, b"")
    assert again.err == "notice: no unfinished jobs; nothing to fetch\n"


def test_a_saved_job_is_not_fetched_again(world: World) -> None:
    job = world.submit()
    world.run("fetch", job)
    requests = len(world.ledger.requests)
    done = world.run("fetch", job)
    assert done.code == 0
    assert done.err == f"job {job}: already exists, nothing sent\n"
    assert len(world.ledger.requests) == requests


def test_a_saved_file_that_was_deleted_is_downloaded_again(world: World) -> None:
    job = world.submit("x", "--seed", "5")
    world.run("fetch", job)
    (world.folder / "x-5.jpg").unlink()
    assert world.run("fetch", job).code == 0
    assert world.files() == ["x-5.jpg"]
    assert len(world.ledger.entries) == 1


def test_a_saved_file_that_was_changed_is_left_alone(world: World) -> None:
    job = world.submit("x", "--seed", "5")
    world.run("fetch", job)
    mine = image_file("jpeg", colour="red")
    (world.folder / "x-5.jpg").write_bytes(mine)
    done = world.run("fetch", job)
    assert done.code == 0
    assert "was changed" in done.err
    assert (world.folder / "x-5.jpg").read_bytes() == mine


def test_a_dead_link_is_expired_and_never_submitted_again(world: World) -> None:
    job = world.submit("[fault:media-404] x")
    done = world.run("fetch", job)
    assert done.code == 4
    assert "dead" in done.err
    (record,) = world.jobs()
    assert (record["state"], record["error"]["code"]) == ("expired", "expired")
    assert len(world.ledger.entries) == 1


def test_timeout_prints_the_command_to_paste(world: World) -> None:
    done = world.run("generate", "[fault:stuck] x", "-p", "fal", "--timeout", "0.5")
    (record,) = world.jobs()
    assert done.code == 7
    assert f"hint: kontext fetch {record['id']}" in done.err
    done = world.run("fetch", record["id"], "--timeout", "0.5")
    assert done.code == 7
    assert len(world.ledger.entries) == 1


def test_an_unknown_outcome_is_listed_and_resubmitted_only_on_request(world: World) -> None:
    world.may_be_accepted(2, "[fault:lost-reply] x")
    done = world.run("generate", "[fault:lost-reply] x", "-p", "fal", "--seed", "5")
    assert done.code == 11
    (record,) = world.jobs()
    assert record["state"] == "unknown"
    assert f"kontext fetch {record['id']} --resubmit" in done.err

    done = world.run("fetch")
    assert done.code == 0
    assert record["id"] in done.err
    assert world.files() == []
    done = world.run("fetch", record["id"])
    assert done.code == 11
    assert "--resubmit" in done.err
    assert len(world.ledger.entries) == 1

    done = world.run("fetch", record["id"], "--resubmit")
    assert done.code == 0, done.err
    assert len(world.ledger.entries) == 2
    assert {entry.seed for entry in world.ledger.entries} == {5}
    assert len(world.files()) == 1


def test_resubmit_sends_the_very_images_again(world: World) -> None:
    path = world.folder / "in.png"
    path.write_bytes(image_file("png"))
    world.may_be_accepted(2, "[fault:lost-reply] x")
    argv = ("edit", "[fault:lost-reply] x", "-i", "in.png", "-p", "fal")
    assert world.run(*argv).code == 11
    (record,) = world.jobs()
    path.write_bytes(image_file("png", colour="red"))
    done = world.run("fetch", record["id"], "--resubmit")
    assert done.code == 8
    assert "has changed since job" in done.err
    path.write_bytes(image_file("png"))
    assert world.run("fetch", record["id"], "--resubmit").code == 0
    first, second = world.ledger.entries
    assert first.payload == second.payload


@pytest.mark.parametrize(
    ("prompt", "code", "state"),
    [
        ("x", 0, "ready"),
        ("[fault:stuck] x", 7, "queued"),
        ("[fault:failed] x", 4, "failed"),
        ("[fault:refused] x", 5, "moderated"),
    ],
)
def test_status_of_a_job_asks_now_and_exits_by_state(
    world: World, prompt: str, code: int, state: str
) -> None:
    job = world.submit(prompt)
    done = world.run("status", job[:9], "--json")
    assert done.code == code, done.err
    assert json.loads(done.out)["state"] == state
    assert world.jobs()[0]["state"] == state


def test_status_watch_follows_to_the_end(world: World) -> None:
    world.serve(latency=0.6)
    done = world.run("status", world.submit(), "--watch")
    assert done.code == 0
    assert "running at fal" in done.err
    assert "downloading" not in done.err
    assert world.files() == []


def test_status_lists_the_newest_first(world: World) -> None:
    first = world.submit("a red fox")
    second = world.submit("[fault:stuck] a very long prompt " + "that goes on and on " * 9)
    world.run("fetch", first)
    rows = [line.split("\t") for line in world.run("status").lines]
    assert [row[0] for row in rows] == [second, first]
    assert len(world.run("status", "--limit", "1").lines) == 1
    assert len(world.jobs("--state", "saved")) == 1
    assert world.jobs("--batch", "none") == []


def test_status_needs_no_network_and_no_journal(world: World) -> None:
    done = world.run("status")
    assert (done.code, done.out, done.err) == (0, b"", "no jobs yet\n")
    assert world.ledger.requests == ()


def test_an_unknown_id(world: World) -> None:
    job = world.submit()
    for command in ("status", "fetch", "cancel", "forget"):
        done = world.run(command, "zzzzz")
        assert done.code == 2
        assert "zzzzz" in done.err
    close = job[:-1] + ("0" if job[-1] != "0" else "1")
    assert job in world.run("fetch", close).err


def test_an_ambiguous_start_lists_the_candidates(world: World) -> None:
    jobs = [world.submit("one"), world.submit("two")]
    common = jobs[0][:2]
    assert jobs[1].startswith(common)
    for command in ("fetch", "status", "cancel", "forget"):
        done = world.run(command, common)
        assert done.code == 2
        error, heading, *rows, hint = done.err.splitlines()
        assert error == f"error: `{common}` may be any of these jobs"
        assert heading.split() == ["id", "state", "age", "prompt"]
        assert [row.split()[0] for row in rows] == jobs
        assert [row.split()[-1] for row in rows] == ["one", "two"]
        assert hint == "hint: give more of the id"


def test_a_request_id_made_elsewhere(world: World) -> None:
    job = world.submit("x")
    request_id = world.ledger.entries[0].request_id
    another_machine = {"KONTEXT_STATE_DIR": str(world.top / "another-machine")}
    assert world.run("status", request_id, environ=another_machine).code == 2
    done = world.run("status", request_id, "-p", "fal", "--json", environ=another_machine)
    assert (done.code, done.records[0]["state"]) == (0, "ready")
    argv = ("fetch", request_id, "-p", "fal", "-o", "theirs.jpg")
    done = world.run(*argv, environ=another_machine)
    assert done.code == 0, done.err
    assert world.files() == ["theirs.jpg"]
    assert world.run("fetch", request_id).code == 0
    assert len(world.ledger.entries) == 1
    assert job in world.run("status").out.decode()


@pytest.mark.parametrize("model", ["kontext-dev", "flux-2-flex", "flux-3"])
def test_a_request_id_made_elsewhere_is_found_by_its_model(world: World, model: str) -> None:
    world.images("in.png")
    argv = ("edit", "x", "-i", "in.png", "-p", "fal", "-m", model, "--no-wait")
    assert world.run(*argv).code == 0
    request_id = world.ledger.entries[0].request_id
    another_machine = {"KONTEXT_STATE_DIR": str(world.top / "another-machine")}
    fetch = ("fetch", request_id, "-p", "fal", "-m", model, "-o", "theirs.jpg")
    done = world.run(*fetch, environ=another_machine)
    assert done.code == 0, done.err
    assert "theirs.jpg" in world.files()


@pytest.mark.parametrize("command", ["fetch", "status", "cancel"])
def test_a_request_id_made_elsewhere_is_not_recorded_without_a_key(
    world: World, command: str
) -> None:
    world.without_keys()
    done = world.run(command, "764cabcf", "-p", "fal")
    assert (done.code, "there is no key for fal" in done.err) == (3, True)
    assert world.jobs() == []


@pytest.mark.parametrize("output", ["a.webp", ".", "s3://b/a.png"])
def test_a_request_id_made_elsewhere_is_not_recorded_for_a_file_that_cannot_be(
    world: World, output: str
) -> None:
    assert world.run("fetch", "764cabcf", "-p", "fal", "-o", output).code == 2
    assert world.jobs() == []


def test_a_request_id_leads_nowhere_without_a_queue(world: World) -> None:
    assert world.run("fetch", "764cabcf", "-p", "aimlapi").code == 2


@pytest.mark.parametrize(
    ("prompt", "code", "says", "state"),
    [
        ("[fault:stuck] x", 0, "removed from the queue", "canceled"),
        ("x", 4, "hint: kontext fetch JOB", "queued"),
    ],
)
def test_cancel(world: World, prompt: str, code: int, says: str, state: str) -> None:
    job = world.submit(prompt)
    done = world.run("cancel", job)
    assert (done.code, says.replace("JOB", job) in done.err) == (code, True)
    assert world.jobs()[0]["state"] == state


def test_a_quiet_cancel_says_only_what_went_wrong(world: World) -> None:
    done = world.run("cancel", world.submit("[fault:stuck] x"), "-q")
    assert (done.code, done.out, done.err) == (0, b"", "")
    done = world.run("cancel", world.submit("x"), "-q")
    assert done.code == 4
    assert "too late" in done.err


def test_cancel_of_a_job_that_runs_may_still_be_billed(world: World) -> None:
    now = 0.0
    world.serve(latency=30.0, clock=lambda: now)
    job = world.submit()
    now = 20.0
    assert world.run("status", job).code == 7
    done = world.run("cancel", job)
    assert done.code == 0
    assert "may still finish and be billed" in done.err
    now = 40.0
    done = world.run("status", job, "--json")
    assert done.code == 4
    assert json.loads(done.out)["state"] == "canceled"


def test_fetch_of_a_job_that_has_ended_tells_how(world: World) -> None:
    canceled = world.submit("[fault:stuck] x")
    world.run("cancel", canceled)
    failed = world.submit("[fault:failed] y")
    world.run("fetch", failed)
    for job, says in ((canceled, "canceled"), (failed, "Internal server error")):
        done = world.run("fetch", job)
        assert done.code == 4
        assert says in done.err
    assert world.run("fetch", canceled, failed).code == 4
    assert world.run("fetch", canceled, world.submit("z")).code == 9
    assert len(world.ledger.entries) == 3


def test_one_job_that_cannot_be_fetched_stops_no_other(world: World) -> None:
    world.run("generate", "x", "-p", "chainhub", "--no-wait")
    world.submit("y", "--seed", "1", "-d", "gone")
    world.submit("z", "--seed", "1")
    (world.folder / "gone").rmdir()
    (world.folder / "gone").write_text("in the way")
    done = world.run("fetch", environ={"CHAINHUB_API_KEY": ""})
    assert done.code == 9
    assert "there is no key for chainhub" in done.err
    assert "in the way" in (world.folder / "gone").read_text()
    assert world.files() == ["gone", "z-1.jpg"]


def test_cancel_what_the_provider_does_not_know(world: World) -> None:
    done = world.run("cancel", "764cabcf-b745-4b3e-ae38-1200304cf45b", "-p", "fal")
    assert done.code == 4
    assert "does not know the job" in done.err


def test_there_is_nothing_to_cancel_in_a_blocking_call(world: World) -> None:
    world.run("generate", "x", "-p", "aimlapi")
    job = world.jobs()[0]["id"]
    assert world.run("cancel", job).code == 2


def test_forget(world: World) -> None:
    kept = world.submit("[fault:stuck] open")
    gone = world.submit("done")
    world.run("fetch", gone)
    done = world.run("forget", "--older-than", "0s")
    assert (done.code, done.err) == (0, "forgot 1 job\n")
    assert [job["id"] for job in world.jobs()] == [kept]
    assert world.run("forget", kept).err == "forgot 1 job\n"
    assert world.jobs() == []
    assert world.run("forget").code == 2
    assert world.run("forget", "--older-than", "soon").code == 2
    assert len(world.files()) == 1


def test_a_damaged_journal_is_moved_aside_and_said_aloud(world: World, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "journal.db").write_bytes(b"this is no journal" * 100)
    done = world.run("generate", "x", "-p", "fal", environ={"KONTEXT_STATE_DIR": str(state)})
    assert done.code == 0
    assert "the journal was damaged" in done.err
    assert len(list(state.glob("journal.db.damaged-*"))) == 1


def test_a_journal_of_a_newer_version_is_left_alone(world: World, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with closing(sqlite3.connect(state / "journal.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = (state / "journal.db").read_bytes()
    for argv in (("generate", "x", "-p", "fal"), ("status",), ("fetch",)):
        done = world.run(*argv, environ={"KONTEXT_STATE_DIR": str(state)})
        assert done.code == 8
        assert "newer kontext" in done.err
    assert (state / "journal.db").read_bytes() == before
    assert world.ledger.requests == ()


def test_a_state_folder_that_cannot_be_written(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = world.run(
        "generate",
        "x",
        "-p",
        "fal",
        environ={"KONTEXT_STATE_DIR": str(tmp_path / "file" / "state")},
    )
    assert done.code == 8
    assert world.ledger.requests == ()
    assert world.files() == []


QUEUE_POINTS = [
    ("before-submitting", 0, None),
    ("after-submitting", 0, "unknown"),
    ("sent", 1, "unknown"),
    ("replied", 1, "unknown"),
    ("before-queued", 1, "unknown"),
    ("after-queued", 1, "saved"),
    ("polling", 1, "saved"),
    ("before-running", 1, "saved"),
    ("after-running", 1, "saved"),
    ("before-ready", 1, "saved"),
    ("after-ready", 1, "saved"),
    ("downloading", 1, "saved"),
    ("renamed", 1, "saved"),
    ("before-saved", 1, "saved"),
    ("after-saved", 1, "saved"),
]
STATUS_POINTS = [row for row in QUEUE_POINTS if "running" not in row[0]]
"""Of a queue whose status has the result: it is ready before it was seen running."""
BLOCKING_POINTS = [
    ("before-submitting", 0, None),
    ("after-submitting", 0, "unknown"),
    ("sent", 1, "unknown"),
    ("replied", 1, "unknown"),
    ("before-ready", 1, "saved"),
    ("after-ready", 1, "saved"),
    ("downloading", 1, "saved"),
    ("renamed", 1, "saved"),
    ("after-saved", 1, "saved"),
]


@posix
@pytest.mark.parametrize(
    ("provider", "point", "accepted", "state"),
    [
        *(("fal", *row) for row in soaked(QUEUE_POINTS[::2], QUEUE_POINTS)),
        *(("bfl", *row) for row in soaked(STATUS_POINTS[::2], STATUS_POINTS)),
        *(("replicate", *row) for row in soaked(STATUS_POINTS[1::2], STATUS_POINTS)),
        *(("aimlapi", *row) for row in soaked(BLOCKING_POINTS[1::2], BLOCKING_POINTS)),
        *(("together", *row) for row in soaked(BLOCKING_POINTS[::4], BLOCKING_POINTS)),
    ],
)
def test_killed_at_any_moment(
    world: World, provider: str, point: str, accepted: int, state: str | None
) -> None:
    argv = ("generate", "x", "-p", provider, "--seed", "5")
    killed = world.process(*argv, environ={"KONTEXT_TEST_KILL_AT": point})
    assert killed.code == -9, (killed.out, killed.err)
    after = world.run("fetch")
    assert after.code == 0, after.err
    if point == "sent":
        world.ledger.wait_for(1, seconds=10)
    assert len(world.ledger.entries) == accepted
    assert [job["state"] for job in world.jobs()] == ([] if state is None else [state])
    assert world.files() == (["x-5.jpg"] if state == "saved" else [])
    if state == "unknown":
        assert "may have" in after.err


@posix
def test_two_processes_fetch_one_job_once(world: World) -> None:
    world.serve(latency=0.8)
    job = world.submit("x", "--seed", "5")
    pair = [world.start("fetch", job, stdout=-3, stderr=-3) for _ in range(2)]
    codes = sorted(process.wait(timeout=30) for process in pair)
    assert codes in ([0, 0], [0, 7])
    assert world.files() == ["x-5.jpg"]


def test_neither_keys_nor_images_are_kept(world: World) -> None:
    world.may_be_accepted(2, "x")
    (world.folder / "in.png").write_bytes(image_file("png"))
    world.run("edit", "x", "-i", "in.png", "-p", "fal", "--sync-mode")
    world.run("edit", "x", "-i", "in.png", "-p", "aimlapi", "-o", "y.jpg")
    kept = [path for path in world.state.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        data = path.read_bytes()
        assert KEY.encode() not in data
        assert b"base64," not in data
        assert not any(part in data for part in (b"\x89PNG", b"\xff\xd8\xff"))
