"""`kontext sandbox` as a whole process: what it prints, whom it serves, how it ends."""

import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from forking import begin
from kontext_cli.commands.sandbox import exports
from kontext_cli.sandbox.faults import FAULTS
from processes import PROGRAM, RightHere, environment
from sandbox.clients import GENERATE, client, fal

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and shells")
VARIABLES = {
    "KONTEXT_FAL_BASE_URL": "/fal",
    "FAL_KEY": "sandbox",
    "KONTEXT_AIMLAPI_BASE_URL": "/aimlapi",
    "AIML_API_KEY": "sandbox",
    "KONTEXT_CHAINHUB_BASE_URL": "/chainhub",
    "CHAINHUB_API_KEY": "sandbox",
    "KONTEXT_BFL_BASE_URL": "/bfl",
    "BFL_API_KEY": "sandbox",
    "KONTEXT_REPLICATE_BASE_URL": "/replicate",
    "REPLICATE_API_TOKEN": "sandbox",
    "KONTEXT_TOGETHER_BASE_URL": "/together",
    "TOGETHER_API_KEY": "sandbox",
    "KONTEXT_HUGGINGFACE_BASE_URL": "/huggingface",
    "HF_TOKEN": "sandbox",
    "KONTEXT_OPENAI_BASE_URL": "/openai",
    "KONTEXT_OPENAI_API_KEY": "sandbox",
    "KONTEXT_COMFYUI_BASE_URL": "/comfyui",
}


@dataclass
class Served:
    """A sandbox that runs, and the variables that it printed."""

    process: subprocess.Popen[bytes]
    environ: dict[str, str]
    right_here: RightHere

    @property
    def url(self) -> str:
        """Where it is."""
        return self.environ["KONTEXT_FAL_BASE_URL"].removesuffix("/fal")

    def generate(self, *argv: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
        """Run `kontext generate` with exactly what was printed."""
        return self.right_here("generate", *argv, cwd=cwd, environ=self.environ)

    def end(self, number: int = signal.SIGINT) -> tuple[int, list[str]]:
        """Send a signal; the exit code, and all lines of standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        assert out == b""
        return self.process.returncode, err.decode().splitlines()


class Serve(Protocol):
    """Starts a sandbox with these flags."""

    def __call__(self, *flags: str) -> Served: ...


@pytest.fixture
def serve(tmp_path: Path, right_here: RightHere) -> Iterator[Serve]:
    """Start sandboxes that end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def serving(*flags: str) -> Served:
        process = begin(
            *("sandbox", "--port", "0", "--latency", "0", *flags),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running.append(process)
        assert process.stdout is not None
        # to its end: it lets go of standard output, so that `$(…)` need not wait for more
        lines = [shlex.split(line) for line in process.stdout.read().decode().splitlines()]
        assert [line[0] for line in lines] == ["export"] * len(lines)
        environ = dict(line[1].split("=", 1) for line in lines)
        return Served(process, environ, right_here)

    yield serving
    for process in running:
        process.kill()
        process.communicate()


@posix
def test_what_it_prints_is_what_the_providers_need(serve: Serve) -> None:
    served = serve()
    assert served.environ == {
        name: served.url + value if value.startswith("/") else value
        for name, value in VARIABLES.items()
    }
    code, lines = served.end()
    assert (code, lines) == (0, [f"sandbox at {served.url}; Ctrl-C stops it", "sandbox stopped"])


@posix
def test_every_provider_works_with_what_it_prints(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    for name in ("fal", "aimlapi", "chainhub"):
        done = served.generate(f"by {name}", "-p", name, "-o", f"{name}.jpg", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{name}.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    code, lines = served.end()
    shown = [line.split()[:3] for line in lines[1:-1]]
    assert code == 0
    assert ["POST", "/aimlapi/v1/images/generations", "200,"] in shown
    for name in ("fal", "chainhub"):
        assert ["POST", f"/{name}/{GENERATE}", "200,"] in shown
    assert len([row for row in shown if row[1].startswith("/files/")]) == 3
    assert all(line.endswith(" ms") for line in lines[1:-1])


@posix
def test_the_ledger_is_open_to_anyone(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    served.generate("a fox", "--seed", "7", "-p", "aimlapi", cwd=tmp_path)
    with client(served.url) as http:
        told = http.get("/ledger").json()
    assert (told["accepted"], told["by_prompt"]) == (1, {"a fox": 1})
    entry = told["entries"][0]
    assert (entry["dialect"], entry["prompt"], entry["seed"]) == ("aimlapi", "a fox", 7)
    assert entry["endpoint"] == "flux/kontext-pro/text-to-image"


@posix
def test_a_fault_for_all(serve: Serve, tmp_path: Path) -> None:
    served = serve("--fault", "flagged", "--quiet")
    done = served.generate("a fox", "-p", "fal", cwd=tmp_path)
    assert done.returncode == 5
    assert served.end() == (0, [])


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_while_requests_are_open(serve: Serve, number: int) -> None:
    served = serve()
    prompt = "[fault:stuck]"
    with fal(served.url) as queue, _blocking_call(served, prompt), _half_a_request(served):
        status_url = queue.job(prompt=prompt)["status_url"]
        while queue.http.get(f"{served.url}/ledger").json()["accepted"] < 2:
            pass
        with queue.http.stream("GET", f"{status_url}/stream") as stream:
            assert b"IN_QUEUE" in next(stream.iter_raw())
            code, lines = served.end(number)
    assert code == 0
    assert any("/v1/images/generations no reply, " in line for line in lines)
    assert not any("Traceback" in line for line in lines)
    assert lines[-1] == "sandbox stopped"


@posix
def test_a_request_cannot_write_on_the_terminal(serve: Serve) -> None:
    served = serve()
    with client(served.url) as http:
        http.get("/%1b[31m%0asandbox stopped%e2%80%ae")
    _, lines = served.end()
    assert len(lines) == 3
    assert lines[1].startswith("GET  /\\x1b[31m sandbox stopped\\u202e 404, ")


@posix
def test_an_address_of_ipv6(serve: Serve, tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    served = serve("--host", "::1")
    assert urlsplit(served.url).hostname == "::1"
    done = served.generate("a fox", "-p", "fal", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@posix
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_script_can_start_and_stop_it(tmp_path: Path) -> None:
    program = shlex.join(PROGRAM)
    script = f"""
        set -euo pipefail
        eval "$({program} sandbox -q --port 0 --latency 0 & echo "pid=$!")"
        {program} generate "a fox" -q
        kill "$pid"
    """
    # the sandbox holds standard error, so this also waits for its end
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"a-fox-")


def test_a_port_in_use(tmp_path: Path, right_here: RightHere) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = right_here("sandbox", "--port", str(port), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == [
        f"error: port {port} is in use",
        "hint: take another with --port, or --port 0 for any free one",
    ]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--host", "0.0.0.0"], "`0.0.0.0` is not a loopback address"),
        (["--host", "::"], "`::` is not a loopback address"),
        (["--host", "example.com"], "`example.com` is not a loopback address"),
        (["--host", ""], "`` is not a loopback address"),
        (["--port", "65536"], "should be 0 to 65535"),
        (["--latency", "nan"], "--latency should be"),
        (["--latency", "inf"], "--latency should be"),
        (["--latency", "-1"], "--latency should be"),
        (["--fault", "nope"], "has no fault `nope`"),
        (["--fault", "429*x"], "has no fault `429*x`"),
    ],
)
def test_bad_input(tmp_path: Path, right_here: RightHere, flags: list[str], says: str) -> None:
    done = right_here("sandbox", *flags, cwd=tmp_path)
    error, hint = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (2, b"")
    assert error.startswith("error: ")
    assert says in error
    assert hint.startswith("hint: ")


def test_an_unknown_fault_is_told_the_known_ones(tmp_path: Path, right_here: RightHere) -> None:
    done = right_here("sandbox", "--fault", "nope", cwd=tmp_path)
    assert b"available faults: 401, 402, 403, 429, " in done.stderr


def test_help_lists_every_fault_and_what_it_does(tmp_path: Path, right_here: RightHere) -> None:
    done = right_here("sandbox", "--fault", "help", cwd=tmp_path)
    listed = [line.split(maxsplit=1) for line in done.stdout.decode().splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert listed == [[name, fault.does] for name, fault in FAULTS.items()]


def test_powershell_has_its_own_words() -> None:
    first, second, *_ = exports("http://127.0.0.1:8787", powershell=True)
    assert first == '$env:KONTEXT_FAL_BASE_URL = "http://127.0.0.1:8787/fal"'
    assert second == '$env:FAL_KEY = "sandbox"'


def test_its_help_imports_no_server() -> None:
    code = "import json, sys; from kontext_cli.cli.main import run; run(['sandbox', '--help'])"
    code += "; print(json.dumps(list(sys.modules)))"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=environment(), capture_output=True, check=True)
    page, _, modules = done.stdout.decode().rstrip().rpartition("\n")
    assert "exit code 0" in " ".join(page.split())
    assert not {"uvicorn", "starlette", "PIL", "asyncio", "pydantic"} & set(json.loads(modules))


def _blocking_call(served: Served, prompt: str) -> socket.socket:
    """A call that is sent and not answered."""
    body = json.dumps({"model": "flux/kontext-pro/text-to-image", "prompt": prompt})
    head = ["POST /aimlapi/v1/images/generations HTTP/1.1", "Host: x", "Authorization: Bearer x"]
    head += [f"Content-Length: {len(body)}", "", body]
    return _sent(served, "\r\n".join(head))


def _half_a_request(served: Served) -> socket.socket:
    return _sent(served, "POST /fal/fal-ai/flux-pro/kontext HTTP/1.1\r\nHost:")


def _sent(served: Served, text: str) -> socket.socket:
    url = urlsplit(served.url)
    connection = socket.create_connection((str(url.hostname), url.port or 0))
    connection.sendall(text.encode())
    return connection
