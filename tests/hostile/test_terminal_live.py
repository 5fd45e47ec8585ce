"""On a terminal, among our own colours and movements of the cursor, there are none of others."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from forking import begin
from hostile.between import Asked
from hostile.canary import FAL, SIGNATURE
from hostile.payloads import PAYLOADS, Payload, shown
from hostile.printed import checked_on_terminal, share
from hostile.pseudo import on_terminal, terminal
from hostile.talk import SAID, Talk
from journals import job
from kontext_cli.batch.tally import Tally
from kontext_cli.cli.main import run
from kontext_cli.errors import JobFailed
from kontext_cli.job import File, Job, Note, Source, State
from kontext_cli.journal import Journal
from kontext_cli.terminal.batch_report import BatchReport
from kontext_cli.terminal.open import open_batch_report, open_report
from kontext_cli.terminal.result import show
from soaking import soaked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
SEEN = {payload.number for payload in PAYLOADS if not payload.is_long}
C = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def hostile_job(payload: Payload, index: int | None = None, **more: Any) -> Job:
    """A job that has a payload wherever it is shown."""
    text = payload.text
    request = {"prompt": text}
    error = JobFailed(text, hint=text)
    return job(State.RUNNING, index=index, request=request, request_id=text, error=error, **more)


def test_a_single_job_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as opened:
        told = b""
        for payload in share("one", parts=8):
            report = open_report(as_json=False, quiet=False)
            each = hostile_job(payload)
            report.watch(each, [Note(payload.text)])
            report.notice(payload.text)
            report.close()
            report.ended(each)
            report.close()
            told = opened.sent()
            found = shown(checked_on_terminal(told))
            assert payload.is_long or len(found[payload.number]) >= 4
    assert b"\x1b[?7l" in told


def test_nothing_is_drawn_for_a_runner_that_has_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with terminal(monkeypatch) as opened:
        report = open_report(as_json=False, quiet=False)
        report.watch(job(State.RUNNING), [])
        report.ended(saved("/images/x.jpg"))
        report.close()
        sent = opened.sent()
    assert sent.count(b"\n") == 3
    assert b"\x1b" not in sent


def batch_report(tally: Tally, batch: str) -> BatchReport:
    return open_batch_report(tally, batch=batch, as_json=False, quiet=False)


@pytest.mark.parametrize("subject", ["prompt", "image", "image URL"])
def test_a_batch_on_a_terminal(monkeypatch: pytest.MonkeyPatch, subject: str) -> None:
    with terminal(monkeypatch) as opened:
        for payload in share(subject, parts=12):
            text = payload.text
            names = {"image": f"/images/{text}", "image URL": f"https://a.example/{text}"}
            sources = (Source(names[subject], None),) if subject in names else ()
            tally = Tally(9)
            report = batch_report(tally, text)
            each = hostile_job(payload, 1, sources=sources)
            report.watch(each, [])
            report.refresh()
            report.watch(each, [Note(text)])
            report.refresh()
            report.notice(text)
            tally.count(each)
            each.state = State.FAILED
            report.ended(each, line=1, file=text, reason="new")
            report.stopping(JobFailed(text, hint=text))
            report.close()
            show(report.summary(JobFailed(text), rerun=text))
            found = shown(checked_on_terminal(opened.sent()))
            assert payload.is_long or len(found[payload.number]) >= 7


def saved(path: str) -> Job:
    return job(State.SAVED, index=1, files=(File(Path(path), "0" * 64, 1, 9, 9, "jpeg"),))


@pytest.mark.parametrize("many", [False, True], ids=["one", "batch"])
def test_the_paths_of_images_on_a_terminal(monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "WezTerm")  # which takes links
    with terminal(monkeypatch) as opened:
        for payload in share(f"paths {many}", parts=8):
            each = saved(f"/images/{payload.text}.jpg")
            if many:
                report = open_batch_report(Tally(1), batch="b", as_json=False, quiet=False)
                report.ended(each, line=None, reason="new")
                report.close()
            else:
                single = open_report(as_json=False, quiet=False)
                single.ended(each)
                single.close()
            checked_on_terminal(opened.sent())


@pytest.mark.parametrize("locale", soaked([{}], [{}, C]), ids=str)
def test_the_program_on_a_terminal(talk: Talk, locale: dict[str, str]) -> None:
    encoding = "ascii" if locale else "utf-8"
    numbers = talk.ask_about(share("terminal", parts=12))
    talk.refuse(SAID["error"])
    code, sent = on_terminal(*talk.argv, "-p", "aimlapi", cwd=talk.top, **locale)
    assert code == 4, sent
    assert set(shown(checked_on_terminal(sent, encoding=encoding))) >= numbers
    assert b"\x1b[?7l" in sent, "it was drawn"


@pytest.mark.parametrize("locale", soaked([{}], [{}, C]), ids=str)
def test_the_program_with_one_job_on_a_terminal(talk: Talk, locale: dict[str, str]) -> None:
    encoding = "ascii" if locale else "utf-8"

    def chat(_asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "logs": [{"message": payload.text} for payload in PAYLOADS[::-1]]}

    talk.between.rewrite = {"stream": chat, "status": chat}
    code, sent = on_terminal("generate", "x", "-p", "fal", cwd=talk.top, **locale)
    checked_on_terminal(sent, encoding=encoding)
    assert (code, b"\x1b[?7l" in sent) == (0, True), sent


def test_the_table_of_jobs_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(tmp_path / "state"))
    with Journal.open(tmp_path / "state") as journal:
        jobs = [hostile_job(payload) for payload in PAYLOADS]
        for each in jobs:
            each.state = State.FAILED
        journal.write([journal.recording(each) for each in jobs])
    with terminal(monkeypatch) as opened:
        code = run(("status", "--limit", "999"))
        sent = opened.sent()
    assert (code, set(shown(checked_on_terminal(sent))) >= SEEN) == (0, True)


def test_what_signs_the_url_of_an_input_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://files.example/house.jpg?X-Amz-Signature={SIGNATURE.value}"
    with terminal(monkeypatch) as opened:
        report = batch_report(Tally(9), "b")
        report.watch(job(index=1, sources=(Source(url, None),)), [])
        report.refresh()
        report.close()
        sent = opened.sent()
    assert b"house.jpg" in sent
    assert SIGNATURE.found_in(sent) == []


def test_a_key_that_is_typed_is_not_shown(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    environ = {"KONTEXT_CONFIG_DIR": str(tmp_path / "config")}
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    argv = ("auth", "set", "fal")
    process = begin(*argv, cwd=tmp_path, environ=environ, start_new_session=True, **streams)
    os.close(theirs)
    sent = os.read(ours, 1024)
    os.write(ours, FAL.value.encode() + b"\n")
    with suppress(OSError):
        while data := os.read(ours, 1024):
            sent += data
    os.close(ours)
    assert process.wait(timeout=60) == 0, sent
    assert b"not shown" in sent
    assert FAL.found_in(sent) == []
    assert FAL.found_in((tmp_path / "config" / "credentials.toml").read_bytes()) != []
