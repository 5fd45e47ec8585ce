"""Odd surroundings of a process: the right result and the right exit code, and no traceback."""

import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostile.pseudo import terminal
from hostile.tracing import with_site
from hostile.trials import Trial, soak_only
from kontext_cli.cli.main import run
from kontext_cli.files.saved import existing_file
from processes import environment
from soaking import soaked
from world import Build

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

FULL = Path("/dev/full")
GENERATE = ("generate", "x", "-p", "fal", "-d", "out")
TEN_YEARS = 10 * 365 * 24 * 3600
ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def trial(build: Build) -> Trial:
    """A batch of a few rows."""
    return build(Trial, rows=3)


def images(trial: Trial) -> int:
    """How many images there are, all of them whole."""
    return len([existing_file(path) for path in trial.out.iterdir()])


READING = (("--version",), ("--help",), ("status", "--json"), (*GENERATE, "--dry-run"))


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
class TestAFullDevice:
    @pytest.mark.parametrize("argv", soaked(READING[1:3], READING), ids=" ".join)
    def test_as_standard_output_is_no_success_where_that_was_all_that_was_wanted(
        self, trial: Trial, argv: tuple[str, ...]
    ) -> None:
        if argv[0] == "status":
            trial.run(*GENERATE, "--no-wait")
        with FULL.open("wb") as full:
            said = trial.process(*argv, stdout=full)
        assert said.code == 8
        assert "standard output" in said.err

    def test_as_standard_output_does_not_fail_paid_work(self, trial: Trial) -> None:
        with FULL.open("wb") as full:
            trial.process(*trial.argv(), stdout=full)
        assert (trial.accepted.total(), images(trial)) == (3, 3)

    def test_for_an_image_on_standard_output_leaves_it_to_be_fetched(self, trial: Trial) -> None:
        with FULL.open("wb") as full:
            said = trial.process("generate", "x", "-p", "fal", "-o", "-", stdout=full)
        assert said.code == 8
        assert "hint: kontext fetch " in said.err
        assert trial.run("fetch", "-q").code == 0
        assert trial.accepted.total() == 1

    def test_as_standard_error_changes_nothing(self, trial: Trial) -> None:
        with FULL.open("wb") as full:
            ended = trial.run_batch(stderr=full)
        assert (ended.code, ended.count("saved")) == (0, 3)


@pytest.mark.parametrize("argv", soaked(READING[::3], READING), ids=" ".join)
def test_a_reader_that_has_gone_is_no_failure(trial: Trial, argv: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    said = trial.process(*argv, stdout=write)
    os.close(write)
    assert (said.code, said.err) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_streams_without_a_buffer_end_the_same(trial: Trial) -> None:
    unbuffered = {"PYTHONUNBUFFERED": "1"}
    trial.run(*GENERATE, "--no-wait")
    read, write = os.pipe()
    os.close(read)
    with FULL.open("wb") as full, os.fdopen(write, "wb") as gone:
        for argv in (READING[0], READING[2]):
            said = trial.process(*argv, stdout=full, environ=unbuffered)
            assert (said.code, "standard output" in said.err) == (8, True)
            said = trial.process(*argv, stdout=gone, environ=unbuffered)
            assert (said.code, said.err) == (0, "")


def test_all_streams_closed(trial: Trial) -> None:
    said = trial.process(*trial.argv(), preexec_fn=lambda: os.closerange(0, 3))
    assert said.code == 0
    assert images(trial) == 3


@pytest.mark.parametrize(
    "argv",
    [
        ("generate", "-", "-p", "fal"),
        *soaked([], [("generate", "-f", "-", "-p", "fal"), ("auth", "set", "fal")]),
    ],
    ids=" ".join,
)
def test_standard_input_that_is_closed_is_told(trial: Trial, argv: tuple[str, ...]) -> None:
    said = trial.process(*argv, preexec_fn=lambda: os.close(0))
    assert (said.code, said.err) == (2, "error: standard input is closed\n")


class TestFewFilesMayBeOpen:
    LIMIT = 64
    ROWS = 60

    @pytest.fixture
    def few(self, build: Build) -> Callable[..., Any]:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.LIMIT, hard))

        self.trial = build(Trial, rows=self.ROWS)
        return lambda *argv: self.trial.process(*argv, preexec_fn=limited)

    @soak_only
    def test_for_a_batch(self, few: Callable[..., Any]) -> None:
        assert few(*self.trial.argv("-j", "50")).code == 0
        assert images(self.trial) == self.ROWS
        self.trial.check()

    @soak_only
    def test_for_jobs_that_are_fetched(self, few: Callable[..., Any]) -> None:
        self.trial.run(*self.trial.argv("--no-wait", "-j", "50"))
        assert few("fetch", "-q").code == 0
        assert images(self.trial) == self.ROWS

    def test_for_jobs_that_are_asked_for(self, few: Callable[..., Any]) -> None:
        jobs = self.trial.run_batch("--no-wait", "-j", "50").jobs
        assert few("status", *[job["id"] for job in jobs]).code == 0


@soak_only
@pytest.mark.parametrize("years", [TEN_YEARS, -TEN_YEARS])
def test_a_clock_that_is_ten_years_off_between_runs(trial: Trial, years: int) -> None:
    odd = {**with_site("clock"), "SECONDS_OFF": str(years)}
    trial.run_batch("--limit", "1")
    trial.run_batch("--limit", "2", "--no-wait", environ=odd)
    status = trial.process("status", environ=odd)
    assert (status.code, len(status.lines)) == (0, 3)
    trial.check_rest()
    again = trial.run_batch(environ=odd)
    assert (again.code, again.count("skipped")) == (0, 3)
    assert trial.accepted.total() == 3


def test_a_locale_without_unicode_makes_images_of_any_words(trial: Trial) -> None:
    trial.write_rows(["ein Füchslein", "漢字", "🦊"])
    ended = trial.run_batch(environ=ASCII_ONLY)
    assert (ended.code, ended.count("saved")) == (0, 3)


class TestNoHome:
    def test_that_can_be_written_is_found_out_before_anything_is_sent(self, trial: Trial) -> None:
        odd = {"HOME": "/proc/nowhere", "XDG_STATE_HOME": None, "KONTEXT_STATE_DIR": None}
        said = trial.process(*trial.argv(), environ=odd)
        assert said.code == 8
        assert "KONTEXT_STATE_DIR" in said.err
        assert trial.process("status", environ=odd).code == 0
        assert trial.accepted.total() == 0

    @pytest.mark.parametrize("home", soaked(["/dev/null"], ["/proc/nowhere", "/dev/null"]))
    def test_is_needed_where_the_state_has_a_place_of_its_own(
        self, trial: Trial, home: str
    ) -> None:
        ended = trial.run_batch(environ={"HOME": home, "XDG_CONFIG_HOME": None})
        assert (ended.code, ended.count("saved")) == (0, 3)

    def test_of_a_user_whom_the_system_does_not_know_is_told(self, trial: Trial) -> None:
        """As in a container that is started with a number for a user."""
        nobody = ["unshare", "--user", "--map-user=12345"]
        trial_run = [*nobody, "sh", "-c", "! getent passwd 12345"]
        if shutil.which("unshare") is None:
            pytest.skip("needs unshare")
        if subprocess.run(trial_run, env=environment(), check=False).returncode:
            pytest.skip("needs user namespaces")
        odd = dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"))
        trial.through = nobody
        said = trial.process(*GENERATE, environ={**odd, "KONTEXT_STATE_DIR": None})
        assert said.code in (2, 8)
        assert "KONTEXT_STATE_DIR" in said.err
        assert trial.accepted.total() == 0
        assert [path.name for path in trial.folder.iterdir()] == ["prompts.jsonl"]


@soak_only
@pytest.mark.parametrize("columns", ["1", "0", "-5", "none"])
def test_a_terminal_without_width(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    columns: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.delenv("TERM", raising=False)
    for argv in (["generate", "x", "-p", "sandbox", "-q"], ["status"], ["models"], ["--help"]):
        assert run(argv) == 0
        assert capsys.readouterr().out


@pytest.mark.parametrize("columns", soaked([0], [0, 1]))
def test_an_error_is_told_on_a_terminal_of_any_width(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: int
) -> None:
    monkeypatch.chdir(tmp_path)
    with terminal(monkeypatch, columns=columns) as screen:
        assert run(["generate", "[fault:failed] x", "-p", "sandbox"]) == 4
        sent = screen.sent()
    assert b"error:" in sent
    assert b"not billed" in sent


class TestAWorkingFolderThatWasRemoved:
    @pytest.fixture
    def gone(self, trial: Trial) -> Callable[..., Any]:
        def there() -> None:
            folder = trial.folder / "gone"
            folder.mkdir()
            os.chdir(folder)
            folder.rmdir()

        return lambda *argv: trial.process(*argv, preexec_fn=there)

    def test_is_told_where_it_is_needed(self, trial: Trial, gone: Callable[..., Any]) -> None:
        prompts = str(trial.folder / "prompts.jsonl")
        for argv in (*soaked([], [GENERATE]), ("generate", "-f", prompts, "-p", "fal")):
            assert gone(*argv).code == 8
        assert trial.accepted.total() == 0

    def test_is_not_missed_where_it_is_not(self, trial: Trial, gone: Callable[..., Any]) -> None:
        prompts, out = str(trial.folder / "prompts.jsonl"), str(trial.out)
        assert gone("generate", "-f", prompts, "-p", "fal", "-d", out).code == 0
        assert gone("generate", "x", "-p", "fal", "-o", "-").out.startswith(b"\xff\xd8\xff")
        assert images(trial) == 3


class TestTheUmask:
    @pytest.mark.parametrize(
        ("umask", "file", "folder"),
        [(0, 0o666, 0o777), *soaked([], [(0o77, 0o600, 0o700)])],
    )
    def test_is_for_images_and_what_is_ours_is_for_nobody_else(
        self, trial: Trial, umask: int, file: int, folder: int
    ) -> None:
        stored = trial.start("auth", "set", "chainhub", stdin=subprocess.PIPE, umask=umask)
        stored.communicate(b"key\n")
        assert trial.process("generate", "y", "-p", "sandbox", "-d", "out", umask=umask).code == 0
        assert modes(trial.out) == {file, folder}
        for private in (trial.state, trial.config):
            assert modes(private) == {0o600, 0o700}

    def test_lets_nobody_else_near_them(self, trial: Trial) -> None:
        odd = {"KONTEXT_STATE_DIR": None, "KONTEXT_CONFIG_DIR": None}
        stored = trial.start("auth", "set", "chainhub", stdin=subprocess.PIPE, umask=0, environ=odd)
        stored.communicate(b"key\n")
        assert trial.process(*GENERATE, umask=0, environ=odd).code == 0
        made = [path for path in trial.home.rglob("*") if path.is_dir()]
        assert [path for path in made if path.stat().st_mode & 0o022] == []


def modes(folder: Path) -> set[int]:
    """The modes of a folder and of all that is in it."""
    return {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
