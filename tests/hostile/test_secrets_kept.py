"""No key is left behind: by a kill, by a crash of ours, in a log, on a command line."""

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn
from urllib.request import Request, urlopen

import pytest

from forking import begin
from hostile.between import Asked
from hostile.canary import FAL, KEYS, STORED
from hostile.tracing import with_site
from hostile.watched import Watched, making, noise
from processes import kontext, start
from soaking import soaked

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


def spied(**environ: str) -> dict[str, str]:
    """The environment of a process that is listened to."""
    return {**with_site("spy"), **environ}


def talkative(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
    """A good answer that tells the key back."""
    told = {"authorization": asked.authorization}
    return {**body, "headers": told, "timings": told, "logs": [{"message": asked.authorization}]}


QUEUE_POINTS = ["before-submitting", "after-submitting", "sent", "replied", "before-queued"]
QUEUE_POINTS += ["after-queued", "polling", "before-running", "after-running", "before-ready"]
QUEUE_POINTS += ["after-ready", "downloading", "renamed", "before-saved", "after-saved"]
STATUS_POINTS = [point for point in QUEUE_POINTS if "running" not in point]
BLOCKING_POINTS = ["before-submitting", "after-submitting", "sent", "replied", "before-ready"]
BLOCKING_POINTS += ["after-ready", "downloading", "renamed", "before-saved", "after-saved"]
ALL_POINTS = [
    *(("fal", point) for point in QUEUE_POINTS),
    *(("chainhub", point) for point in QUEUE_POINTS),
    *(("aimlapi", point) for point in BLOCKING_POINTS),
    *(("bfl", point) for point in STATUS_POINTS),
    *(("replicate", point) for point in STATUS_POINTS),
    *(("together", point) for point in BLOCKING_POINTS),
    *(("huggingface", point) for point in QUEUE_POINTS),
    *(("openai", point) for point in BLOCKING_POINTS),
]
SOME_POINTS = [
    ("fal", "replied"),
    ("fal", "after-queued"),
    ("aimlapi", "before-ready"),
    ("chainhub", "renamed"),
    ("replicate", "after-queued"),
    ("bfl", "after-ready"),
    ("together", "replied"),
    ("huggingface", "polling"),
    ("openai", "replied"),
]


ONE, MANY = ("x",), ("-f", "rows.txt")


@posix
@pytest.mark.parametrize(("provider", "point"), soaked(SOME_POINTS, ALL_POINTS))
@pytest.mark.parametrize("what", soaked([ONE], [ONE, MANY]), ids=" ".join)
def test_a_kill_leaves_no_key_behind(
    watched: Watched, provider: str, point: str, what: tuple[str, ...]
) -> None:
    watched.between.rewrite = dict.fromkeys(("submit", "status", "stream", "result"), talkative)
    watched.write("here/rows.txt", "one\ntwo\nthree\n")
    make = making(provider, watched.folder)
    argv = (*make, *what, "-p", provider, "-d", "out", "--debug")
    killed = watched.process(*argv, environ={"KONTEXT_TEST_KILL_AT": point})
    assert killed.code == -9, killed.err
    watched.run("fetch", "--json")


@posix
def test_a_key_that_was_being_stored_when_the_process_died_does_not_outlast_its_removal(
    watched: Watched,
) -> None:
    key = STORED.value.encode()
    watched.unset("FAL_KEY")
    dying = spied(SPY_KILL="os:fsync")
    killed = kontext("auth", "set", "fal", cwd=watched.folder, stdin=key, **dying)
    assert killed.returncode == -9
    watched.own |= set(watched.config.glob(".*"))
    watched.run("auth", "set", "fal", stdin=key)
    watched.run("auth", "remove", "fal")
    watched.own.clear()
    assert watched.hits() == []


PLACES = [
    "kontext_cli.settings.settings.checked_key",
    "kontext_cli.settings.settings.load_config",
    "kontext_cli.providers.base.Provider.headers",
    "kontext_cli.providers.dialects.fal_queue.FalQueue.accepted",
    "kontext_cli.providers.dialects.fal_queue.FalQueue.outcome",
    "kontext_cli.http.transport.Transport.submit",
    "kontext_cli.http.transport.Transport.ask",
    "kontext_cli.http.transport.Transport.download",
    "kontext_cli.commands.generate.plan_jobs",
    "kontext_cli.engine.engine.Engine.run",
    "kontext_cli.files.part.PartFile.verify",
    "kontext_cli.files.part.PartFile.publish",
    "kontext_cli.journal.codec.moment",
    "kontext_cli.terminal.report.Report.watch",
    "kontext_cli.terminal.text.describe",
]


def crash(*given: object, **more: object) -> NoReturn:
    """A mistake of ours at its worst: it quotes all it has."""
    held = {canary.name: canary.value for canary in KEYS}
    raise RuntimeError(f"cannot go on with {held}, {given}, {more}") from KeyError(FAL.value)


@pytest.mark.parametrize("place", soaked(PLACES[::4], PLACES))
@pytest.mark.parametrize("flags", [("--json",)])
def test_a_crash_of_ours_is_told_without_what_it_quotes(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, place: str, flags: tuple[str, ...]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(place, crash)
        ran = watched.run("generate", "x", "-p", "fal", "-o", "x.jpg", *flags)
    assert ran.code == 1
    assert "this is a bug in kontext" in ran.err
    watched.run("status", "--json")


@pytest.mark.parametrize("place", soaked(PLACES[1::2], PLACES))
def test_the_traceback_of_a_crash_quotes_nothing_either(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """What escapes is printed by Python itself, as here."""
    argv = ("generate", "x", "-p", "fal", "-o", "x.jpg", "--debug")
    told = b""
    with monkeypatch.context() as broken:
        broken.setattr(place, crash)
        try:
            assert watched.run(*argv).code == 1
        except RuntimeError as error:
            told = "".join(traceback.format_exception(error)).encode()
    watched.check(argv, b"", told)


@pytest.mark.parametrize(
    "place",
    [
        "kontext_cli.batch.planner.Planner.plan",
        "kontext_cli.batch.run.Batch.watch",
        "kontext_cli.files.part.PartFile.verify",
    ],
)
def test_a_crash_within_a_batch_is_told_without_what_it_quotes(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    watched.write("here/rows.txt", "one\ntwo\n")
    for flags in ((), ("--debug", "--json")):
        with monkeypatch.context() as broken:
            broken.setattr(place, crash)
            argv = ("generate", "-f", "rows.txt", "-p", "fal", "-d", f"out{len(flags)}", *flags)
            assert watched.run(*argv).code == 1


@pytest.mark.parametrize("flags", soaked([("--debug",)], [(), ("--debug",)]))
def test_the_installed_program_crashes_without_a_key(
    watched: Watched, flags: tuple[str, ...]
) -> None:
    crashing = spied(
        SPY_CRASH="kontext_cli.http.transport:Transport.submit", PYTHONFAULTHANDLER="1"
    )
    ran = watched.process("generate", "x", "-p", "fal", *flags, environ=crashing)
    assert ran.code == 1
    assert "RuntimeError" in ran.err


def loggers(folder: Path) -> set[str]:
    """The names of the loggers that said something."""
    lines = (folder / "log").read_text().splitlines()
    return {name for name, tab, _ in (line.partition("\t") for line in lines) if tab}


def test_with_logging_at_its_lowest_level_the_libraries_tell_nothing(watched: Watched) -> None:
    spy = watched.top / "spy"
    spy.mkdir()
    noise(watched.folder)
    watched.write("here/rows.txt", "one\ntwo\n")
    listening = spied(SPY_FOLDER=str(spy), PYTHONASYNCIODEBUG="1", PYTHONDEVMODE=soaked("", "1"))
    commands: list[tuple[str, ...]] = [
        ("edit", "x", "-i", "noise.png", "-p", "fal", "-o", "x.png", "--debug"),
        ("generate", "-f", "rows.txt", "-p", "chainhub", "-d", "out"),
        ("auth", "set", "fal"),
    ]
    for argv in soaked(commands[:1], commands):
        watched.process(*argv, stdin=STORED.value.encode(), environ=listening)
    assert {"upload", "media", "submit", "result"} <= set(watched.between.kinds())
    assert not {name for name in loggers(spy) if name.startswith("http")}
    assert "signature=" not in (spy / "log").read_text()
    assert (spy / "audit").read_text() == "", "a process was started, or a name looked up"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_no_command_line_holds_a_key(watched: Watched) -> None:
    argv = ("generate", "[fault:stuck] x", "-p", "aimlapi")
    process = start(*argv, cwd=watched.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert watched.sandbox.ledger.wait_for(1, seconds=30)
        about = Path(f"/proc/{process.pid}")
        told = {str(path): path.read_bytes() for path in about.glob("task/*/c[om]*m*")}
        told["cmdline"] = (about / "cmdline").read_bytes()
        assert b"generate" in told["cmdline"]
        children = [path.read_text() for path in about.glob("task/*/children")]
    finally:
        process.kill()
        out, err = process.communicate()
    assert watched.search.in_streams(told) == []
    assert "".join(children) == ""
    watched.check(argv, out, err)


def test_the_sandbox_tells_nobody_the_keys_that_it_was_sent(watched: Watched) -> None:
    argv = ("sandbox", "--port", "0", "--plain", "--latency", "0")
    process = begin(*argv, cwd=watched.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        url = process.stderr.readline().decode().split()[2].rstrip(";")
        watched.set(KONTEXT_FAL_BASE_URL=f"{url}/fal", KONTEXT_AIMLAPI_BASE_URL=f"{url}/aimlapi")
        for provider in ("fal", "aimlapi"):
            assert watched.run("generate", "x", "-p", provider, "-d", provider).code == 0
        headers = {"Authorization": f"Key {FAL.value}"}
        with urlopen(Request(f"{url}/ledger", headers=headers)) as reply:
            ledger = reply.read()
    finally:
        process.terminate()
        out, err = process.communicate()
    assert len(json.loads(ledger)["entries"]) == 2
    watched.check(argv, out + ledger, err)
