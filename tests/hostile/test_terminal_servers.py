"""What servers say, and what the journal remembers of it, reaches no terminal and no runner as more
than text; in JSON it is there as it was said."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.responses import Response

from forking import begin
from hostile.between import Asked
from hostile.payloads import PAYLOADS, Payload, shown
from hostile.printed import check_commands, checked, share
from hostile.talk import SAID, Talk
from journals import job
from kontext_cli.batch.tally import Tally
from kontext_cli.cli.main import run
from kontext_cli.errors import JobFailed
from kontext_cli.job import File, Job, Source, State
from kontext_cli.journal import Journal
from kontext_cli.sandbox.replies import Json
from kontext_cli.terminal.open import open_batch_report, open_report
from kontext_cli.terminal.result import show
from processes import environment, kontext
from soaking import soaked

SHORT = {payload.number for payload in PAYLOADS if not payload.is_long}


@pytest.mark.parametrize("said", SAID)
def test_what_a_provider_refuses_with_is_printed_as_text(
    talk: Talk, capfdbinary: pytest.CaptureFixture[bytes], said: str
) -> None:
    numbers = talk.ask_about(share(said, parts=16))
    talk.refuse(SAID[said])
    assert run((*talk.argv, "-p", "aimlapi")) == 4
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert set(shown(checked(err))) == numbers


def test_what_a_provider_refuses_with_is_in_json_as_it_was_said(
    talk: Talk, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    asked = share("in JSON", parts=8)
    talk.ask_about(asked)
    talk.refuse(SAID["detail"])
    assert run((*talk.argv, "-p", "aimlapi", "--json", "--debug")) == 4
    out, err = capfdbinary.readouterr()
    checked(err)
    assert out.isascii()
    records = [json.loads(line) for line in out.splitlines()]
    told = {each["index"]: each["error"]["message"] for each in records[:-1]}
    assert len(told) == len(asked)
    for index, payload in enumerate(asked, start=1):
        assert payload.is_long or payload.text in told[index]


@pytest.mark.parametrize("said", soaked(["details"], ["detail", "details"]))
def test_what_a_provider_fails_with_and_its_ids_are_printed_as_text(
    talk: Talk, capfdbinary: pytest.CaptureFixture[bytes], said: str
) -> None:
    halves = [each for each in PAYLOADS if not each.is_text]
    numbers = talk.ask_about(list(dict.fromkeys([*share(said, parts=16), *halves])))
    talk.fail(SAID[said])
    run((*talk.argv, "-p", "fal"))
    out, err = capfdbinary.readouterr()
    assert checked(out) == ""
    assert set(shown(checked(err))) == numbers
    assert b"request id" in err


def test_where_a_provider_redirects_to_is_printed_as_text(
    talk: Talk, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def elsewhere(text: str) -> Response:
        host = "".join(each for each in text if " " <= each <= "~" or "\x80" <= each <= "\xff")
        return Response(status_code=302, headers={"location": f"https://{host}/{host}"})

    talk.ask_about(share("redirects", parts=24))
    talk.fail(elsewhere)
    run((*talk.argv, "-p", "fal"))
    out, err = capfdbinary.readouterr()
    assert checked(out) == ""
    assert "redirects" in checked(err, whole=False)


def lines(payloads: list[Payload]) -> list[dict[str, str]]:
    return [{"message": payload.text} for payload in payloads]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("flags", soaked([()], [(), ("--json",)]))
def test_the_log_of_a_queue_is_printed_as_text(
    talk: Talk,
    capfdbinary: pytest.CaptureFixture[bytes],
    streamed: bool,
    flags: tuple[str, ...],
) -> None:
    def chat(_asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "logs": lines(PAYLOADS)}

    talk.between.rewrite = {"stream": chat, "status": chat}
    if not streamed:
        talk.between.instead["stream"] = lambda _asked: Response(status_code=404)
        talk.between.instead["result"] = _still_pending()
    assert run(("generate", "x", "-p", "fal", "-o", "x.jpg", "--debug", *flags)) == 0
    out, err = capfdbinary.readouterr()
    checked(out)
    assert set(shown(checked(err))) >= SHORT


def _still_pending() -> Callable[[Asked], Response | None]:
    """Not done when asked the first time, so that what was logged until then is told."""
    left = [Json({"detail": "Request is still in progress"}, 400)]
    return lambda _asked: left.pop() if left else None


def hostile_jobs() -> Iterator[Job]:
    """Jobs that have a payload wherever they have text."""
    for payload in PAYLOADS:
        text = payload.text
        state = [State.FAILED, State.SAVED, State.UNKNOWN][payload.number % 3]
        file = File(Path("/images") / text, "e" * 64, 123, 64, 48, "jpeg")
        yield job(
            state,
            model="kontext-pro" if payload.is_long else text,
            endpoint=text,
            request={"prompt": text, "images": [text]},
            request_id=text,
            batch=text,
            row=text,
            sources=(Source(text, None),),
            files=(file,) if state is State.SAVED else (),
            reply={"prompt": text, text: text},
            error=JobFailed(text, hint=text),
        )


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal full of payloads; its folder."""
    folder = tmp_path / "state"
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(folder))
    with Journal.open(folder) as opened:
        opened.write([opened.recording(each) for each in hostile_jobs()])
    return folder


MANY = ("--limit", str(len(PAYLOADS)))


def test_what_the_journal_remembers_is_printed_as_text(
    journal: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for argv in (("status", *MANY), ("status", *MANY, "--state", "failed"), ("fetch",)):
        run(argv)
        out, err = capfdbinary.readouterr()
        assert checked(out) or checked(err)


def test_what_the_journal_remembers_is_in_json_as_it_was(
    journal: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(("status", *MANY, "--json")) == 0
    out, _ = capfdbinary.readouterr()
    assert out.isascii()
    records = [json.loads(line) for line in out.splitlines()]
    assert len(records) == len(PAYLOADS)
    for record, payload in zip(reversed(records), PAYLOADS, strict=True):
        text = payload.text
        assert record["request"] == {"prompt": text, "images": [text]}
        assert record["reply"] == {"prompt": text, text: text}
        assert (record["request_id"], record["batch"], record["endpoint"]) == (text, text, text)
        assert (record["error"]["message"], record["error"]["hint"]) == (text, text)


def batch_report(folder: Path, payload: Payload) -> None:
    """Tell a batch that is hostile from its name to the way on."""
    text = payload.text
    failed = JobFailed(text, hint=text, billed="maybe")
    tally = Tally(3)
    report = open_batch_report(tally, batch=text, as_json=False, quiet=False)
    report.notice(text)
    for index, reason in enumerate(("new", text, "saved"), start=1):
        each = job(State.SAVED, index=index, request={"prompt": text}, skipped=index == 3)
        if index == 1:
            each.state, each.error = State.FAILED, failed
        report.watch(each, [text])
        tally.count(each)
        report.ended(each, line=index, file=text, reason=reason)
    report.stopping(failed)
    report.close()
    show(report.summary(failed, rerun=text))


@pytest.mark.parametrize("on_actions", [False, True])
def test_the_report_of_a_batch_is_text(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    on_actions: bool,
) -> None:
    summary = tmp_path / "summary.md"
    if on_actions:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for payload in share(f"report {on_actions}", parts=4):
        batch_report(tmp_path, payload)
        out, err = capfdbinary.readouterr()
        assert out == b""
        told = checked(err)
        if on_actions:
            check_commands(told)
            checked(summary.read_bytes())
            summary.unlink()


def is_command(payload: Payload) -> bool:
    """Whether a runner could take it for something that is meant for it."""
    return "::" in payload.raw or "##" in payload.raw


def test_a_runner_finds_no_commands_in_what_a_provider_says(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(talk.top / "summary.md"))
    payloads = soaked([each for each in PAYLOADS if is_command(each)], PAYLOADS)
    talk.ask_about(payloads)
    talk.refuse(SAID["detail"])
    run((*talk.argv, "-p", "aimlapi"))
    out, err = capfdbinary.readouterr()
    assert out == b""
    check_commands(checked(err))
    assert err.count(b"\n::error ") == 10
    summary = checked((talk.top / "summary.md").read_bytes())
    assert summary.count("\n| ") == 3 + min(len(payloads), 200)


COMMANDS = [payload.raw.replace("/", "_") for payload in PAYLOADS if is_command(payload)]
S = ("-p", "sandbox")
ASKED: dict[str, tuple[str, ...]] = {
    "mistake in a file": ("generate", "-f", "{}.jsonl", *S),
    "mistake in a row": ("generate", "-f", "wrong.jsonl", *S),
    "dry run": ("generate", "{}", *S, "--dry-run"),
    "dry run in JSON": ("generate", "{}", *S, "--dry-run", "--json"),
    "dry run of a batch": ("generate", "-f", "rows.jsonl", *S, "--dry-run"),
    "batch": ("generate", "-f", "rows.jsonl", "--name", "{id}", *S, "--exists", "overwrite"),
    "batch that names its files": ("generate", "-f", "named.jsonl", *S),
    "model": ("generate", "x", "-m", "{}", *S),
    "job": ("status", "{}"),
    "table": ("status",),
    "table in JSON": ("status", "--json"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_runner_finds_no_commands_in_what_was_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    asked: str,
) -> None:
    """A prompts file comes with a pull request; a runner reads standard output as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for raw in soaked(COMMANDS[1 :: 12 if asked.startswith("batch") else 6], COMMANDS):
        Path(f"{raw}.jsonl").write_text("1\n{}\n")
        wrong = [{"prompt": "x", raw: 1, "id": raw}, {"prompt": "x", "model": raw}]
        Path("wrong.jsonl").write_text("\n".join(map(json.dumps, wrong)))
        Path("rows.jsonl").write_text(json.dumps({"prompt": raw, "id": " ".join(raw.split())}))
        Path("named.jsonl").write_text(json.dumps({"prompt": "x", "output": raw}))
        with Journal.open(tmp_path / "state") as journal:
            journal.record(job(State.FAILED, request={"prompt": raw}, error=JobFailed(raw)))
        run([each.replace("{}", raw) for each in ASKED[asked]])
        out, err = capfdbinary.readouterr()
        check_commands(out.decode())
        check_commands(err.decode())


@pytest.mark.parametrize("many", [False, True], ids=["one", "batch"])
def test_a_program_gets_the_path_of_an_image_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], many: bool
) -> None:
    """Where a runner reads it as well, it is escaped like all else."""
    path = "/خانه\u200cها\t\u200d/x ##[group]\r::error::.jpg"
    each = job(State.SAVED, index=1, files=(File(Path(path), "0" * 64, 1, 9, 9, "jpeg"),))

    def told() -> str:
        if many:
            report = open_batch_report(Tally(1), batch="b", as_json=False, quiet=True)
            report.ended(each, line=None, reason="new")
        else:
            open_report(as_json=False, quiet=True).ended(each)
        return capfdbinary.readouterr().out.decode()

    assert told() == f"{path}\n"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert told() == "/خانه\\u200cها\\t\\u200d/x # #[group]\\r::error::.jpg\n"


def test_what_the_sandbox_is_asked_for_is_printed_as_text(tmp_path: Path) -> None:
    argv = ("sandbox", "--port", "0")
    payloads = [each for each in share("sandbox", parts=8) if not each.is_long]
    process = begin(*argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        port = process.stderr.readline().decode().split(":")[2].partition(";")[0]
        for payload in payloads:
            path = quote(payload.text.encode("utf-8", "surrogatepass"))
            with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as line:
                line.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
                while line.recv(1024):
                    pass
    finally:
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert set(shown(checked(err))) == {each.number for each in payloads}


C = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_in_the_locale_of_1970_it_is_all_ascii(talk: Talk) -> None:
    numbers = talk.ask_about(share("1970", parts=8))
    talk.refuse(SAID["detail"])
    refused = kontext(*talk.argv, "-p", "aimlapi", cwd=talk.top, **C)  # type: ignore[arg-type]
    assert refused.returncode == 4, refused.stderr
    assert set(shown(checked(refused.stderr, encoding="ascii"))) >= numbers - {0}
    for argv in soaked([], [("status", *MANY)]):
        told = kontext(*argv, cwd=talk.top, **C)  # type: ignore[arg-type]
        assert (told.returncode, bool(checked(told.stdout, encoding="ascii"))) == (0, True)


def test_nothing_but_our_own_words_is_printed(tmp_path: Path) -> None:
    """Python has things to say of its own: of what was left open, or never awaited."""
    (tmp_path / "state").write_text("in the way")
    environ = {"KONTEXT_STATE_DIR": str(tmp_path / "state" / "x"), "FAL_KEY": "key"}
    commands = [("generate", "x", "-p", "sandbox"), ("fetch", "x")]
    for argv in soaked(commands[:1], commands):
        done = kontext(*argv, cwd=tmp_path, **environ)  # type: ignore[arg-type]
        assert done.returncode == 8
        told = done.stderr.decode().splitlines()
        assert [line.partition(":")[0] for line in told] == ["error", "hint"]


def test_a_line_of_a_million_spaces_is_not_thought_about_for_hours() -> None:
    code = "from kontext_cli.terminal.printable import one_line; print(one_line(' ' * 10**6 + 'x'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), timeout=20, check=True
    )
    assert done.stdout == b"x\n"
