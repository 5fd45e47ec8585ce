"""`key_command`: a key that a program of the user's prints, when a request needs it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keyboard import CTRL_C, at_keyboard
from kontext_cli.errors import MissingKey
from kontext_cli.settings.key_command import printed_key
from processes import environment
from world import KEY, World

OTHER = "another-key-0123456789"
PRINTS_KEY = f"print({KEY!r})"
COUNTED = f"open('runs', 'a').write('x'); {PRINTS_KEY}"
WAITS = "import threading; threading.Event().wait()"

Configure = Callable[..., None]


@pytest.fixture
def configure(world: World) -> Configure:
    """Have the key of a provider printed by Python code, and by nothing else."""

    def write(code: str, provider: str = "fal", *, more: str = "") -> None:
        world.without_keys(provider)
        words = json.dumps([sys.executable, "-c", code])
        world.configure(f"[providers.{provider}]\nkey_command = {words}\n{more}")

    return write


def runs(world: World) -> int:
    """How often the command was run; it is run beside `config.toml`."""
    path = world.config / "runs"
    return len(path.read_text()) if path.exists() else 0


def test_a_request_is_sent_with_the_key_that_is_printed(world: World, configure: Configure) -> None:
    configure(COUNTED)
    rows = world.prompts("fox", "hen", "owl")
    assert world.run("generate", "dog", "-p", "fal").code == 0
    assert runs(world) == 1
    assert world.batch(rows, "-p", "fal").counts == {"saved": 3}
    assert runs(world) == 2


def test_a_refused_key_is_not_asked_for_again(world: World, configure: Configure) -> None:
    configure(COUNTED)
    rows = world.prompts(*(f"[fault:401] {name}" for name in ("fox", "hen", "owl")))
    ran = world.batch(rows, "-p", "fal")
    assert (ran.code, runs(world)) == (3, 1)


def test_it_is_run_where_a_request_needs_it_alone(world: World, configure: Configure) -> None:
    configure(COUNTED)
    rows = world.prompts("fox")
    submitted = world.run("generate", "fox", "-p", "fal", "--no-wait")
    before = runs(world)
    for argv in (
        ("generate", "hen", "--dry-run"),
        ("generate", "-f", rows, "-p", "fal", "--dry-run"),
        ("generate", "hen", "-p", "aimlapi"),
        ("status",),
        ("models",),
        ("models", "--debug"),
        ("auth", "status"),
        ("completion", "bash"),
    ):
        assert world.run(*argv).code == 0
    assert (before, runs(world)) == (1, 1)
    for command in "status", "fetch":
        world.run(command, submitted.lines[0])
    assert runs(world) == 3


def test_it_comes_after_the_variable_and_the_stored_key(world: World, configure: Configure) -> None:
    configure(COUNTED)
    assert world.run("auth", "set", "fal", stdin=OTHER.encode()).code == 0
    world.run("generate", "fox", "-p", "fal")
    assert runs(world) == 0
    assert world.run("auth", "remove", "fal").code == 0
    world.set(FAL_KEY=OTHER)
    world.run("generate", "hen", "-p", "fal")
    assert runs(world) == 0


def test_auth_status_says_what_would_be_run(world: World, configure: Configure) -> None:
    configure(COUNTED)
    lines = " ".join(world.run("auth", "status").out.decode().split())
    assert "key_command, run when a request needs the key (" in lines
    assert "config.toml:2)" in lines
    records = world.run("auth", "status", "--json").records
    [record] = [each for each in records if each["provider"] == "fal"]
    assert (record["source"].endswith("config.toml:2"), record["last4"]) == (True, None)
    assert runs(world) == 0


def test_a_provider_with_a_command_is_one_with_a_key(world: World, configure: Configure) -> None:
    configure(PRINTS_KEY)
    world.without_keys()
    ran = world.run("generate", "fox", "--json")
    assert ran.records[0]["provider"] == "fal"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (f"{PRINTS_KEY}; raise SystemExit(3)", "failed with exit code 3"),
        ("", "printed nothing"),
        ("print(' ')", "printed nothing"),
        (f"{PRINTS_KEY}; {PRINTS_KEY}", "printed several lines"),
        (f"print({KEY!r}, 'x')", "cannot be a key: it contains a space"),
        (f"print({KEY!r} * 999, flush=True); {WAITS}", "printed more than 4,096 bytes"),
    ],
)
def test_what_goes_wrong_is_said_without_the_output(
    world: World, configure: Configure, code: str, error: str
) -> None:
    configure(f"open('runs', 'a').write('x'); {code}")
    rows = world.prompts("fox", "hen")
    for argv in ("generate", "fox"), ("generate", "-f", rows, "-d", "out", "--json", "--debug"):
        ran = world.run(*argv, "-p", "fal")  # which checks that no key is printed
        assert (ran.code, error in ran.err) == (3, True)
        assert "the key_command of fal" in ran.err
    assert (runs(world), world.ledger.entries) == (2, ())


def test_a_program_that_is_not_there(world: World) -> None:
    world.without_keys("fal")
    world.configure('[providers.fal]\nkey_command = ["no-such-program"]\n')
    ran = world.run("generate", "fox", "-p", "fal")
    assert ran.code == 3
    assert "the key_command of fal (" in ran.err
    assert "config.toml:2) cannot be run: there is no such program" in ran.err
    assert "no-such-program" not in ran.err  # it may be the key


@pytest.mark.parametrize("code", [WAITS, f"import os; os.close(1); {WAITS}"])
def test_the_time_limit(tmp_path: Path, code: str) -> None:
    with pytest.raises(MissingKey, match=r"did not end within 0\.1 seconds"):
        printed_key([sys.executable, "-c", code], "it", tmp_path, 0.1)


def test_it_runs_beside_the_file_wherever_kontext_is_run(
    world: World, configure: Configure
) -> None:
    configure("print(open('secret').read())")
    (world.config / "secret").write_text(KEY)
    assert world.run("generate", "fox", "-p", "fal").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a script that names its interpreter")
def test_a_program_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "settings" / "key"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{PRINTS_KEY}\n")
    program.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    for folder in program.parent, Path("settings"):
        assert printed_key(["./key"], "it", folder) == KEY
    program.chmod(0o600)
    with pytest.raises(MissingKey, match="it cannot be run: Permission denied"):
        printed_key(["./key"], "it", program.parent)


def test_standard_input_is_not_for_the_command(world: World, configure: Configure) -> None:
    configure(f"import sys; print(sys.stdin.read() or {KEY!r})")
    ran = world.run("generate", "-", "-p", "fal", "--json", stdin=b"a prompt")
    assert ran.records[0]["request"]["prompt"] == "a prompt"
    assert ran.code == 0


ASKS = """
with open("/dev/tty", "r+b", buffering=0) as terminal:
    terminal.write(b"passphrase? ")
    print(terminal.readline().decode().strip())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of its own")
@pytest.mark.parametrize(
    ("keys", "code", "says"), [(f"{KEY}\n".encode(), 0, b"fox"), (CTRL_C, 130, b"^C")]
)
def test_it_may_ask_on_the_terminal(
    world: World,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
    keys: bytes,
    code: int,
    says: bytes,
) -> None:
    configure(ASKS)
    for name, value in environment(world.environ).items():
        monkeypatch.setenv(name, value)
    argv = ("generate", "fox", "-p", "fal")
    ended, shown = at_keyboard(*argv, cwd=world.folder, after=b"passphrase? ", keys=keys)
    assert (ended, says in shown) == (code, True)
    assert len(world.ledger.entries) == (1 if code == 0 else 0)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ('"pass show fal"', "`key_command` should be a list of words"),
        ("[]", "`key_command` should be a list of words"),
        ('["pass", ""]', "`key_command` should be a list of words"),
        ('["\\u0000"]', "`key_command` contains a NUL character"),
    ],
)
def test_mistakes_in_the_file(world: World, value: str, error: str) -> None:
    world.configure(f"[providers.fal]\nkey_command = {value}\n")
    ran = world.run("models")
    assert (ran.code, f"config.toml:2: {error}" in ran.err) == (2, True)


def test_a_key_of_another_provider_is_not_sent(world: World) -> None:
    world.unset("KONTEXT_FAL_BASE_URL")
    world.without_keys("fal")
    words = json.dumps([sys.executable, "-c", "print('hf_0123456789abcdef')"])
    world.configure(f"[providers.fal]\nkey_command = {words}\n")
    ran = world.run("generate", "fox", "-p", "fal")
    assert ran.code == 3
    assert "config.toml:2): this looks like a Hugging Face token" in ran.err
