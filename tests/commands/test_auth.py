"""Keys: stored in private, found in order, never shown."""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyboard import CTRL_C, CTRL_D, at_keyboard
from processes import RightHere

KEY = "canary-key-0123456789"
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config"
    monkeypatch.setenv("KONTEXT_CONFIG_DIR", str(folder))
    return folder


def stored(config: Path) -> str:
    return (config / "credentials.toml").read_text()


def test_set_reads_standard_input_and_says_nothing_of_the_key(
    config: Path, tmp_path: Path, right_here: RightHere
) -> None:
    done = right_here("auth", "set", "fal", cwd=tmp_path, stdin=f"{KEY}\n".encode())
    assert (done.returncode, done.stdout) == (0, b"")
    assert KEY.encode() not in done.stderr
    assert stored(config) == f'fal = "{KEY}"\n'


def test_a_key_that_is_seen_to_be_of_another_provider_is_not_stored(
    config: Path, tmp_path: Path, right_here: RightHere
) -> None:
    done = right_here("auth", "set", "fal", cwd=tmp_path, stdin=b"hf_0123456789")
    assert done.returncode == 3
    assert b"this looks like a Hugging Face token, not like a key for fal" in done.stderr
    assert b"hf_0123456789" not in done.stderr
    assert not (config / "credentials.toml").exists()
    done = right_here("auth", "set", "huggingface", cwd=tmp_path, stdin=b"hf_0123456789")
    assert (done.returncode, stored(config)) == (0, 'huggingface = "hf_0123456789"\n')


@posix
def test_the_file_is_for_its_owner_alone(
    config: Path, tmp_path: Path, right_here: RightHere
) -> None:
    before = os.umask(0)
    try:
        right_here("auth", "set", "fal", cwd=tmp_path, stdin=KEY.encode())
        right_here("auth", "set", "aimlapi", cwd=tmp_path, stdin=KEY.encode())
    finally:
        os.umask(before)
    path = config / "credentials.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    assert [each.name for each in config.iterdir()] == ["credentials.toml"]


def test_a_stored_key_is_used_and_the_environment_beats_it(
    config: Path,
    tmp_path: Path,
    right_here: RightHere,
    sandbox: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = sandbox(plain=True)
    monkeypatch.setenv("KONTEXT_FAL_BASE_URL", f"{server.url}/fal")
    right_here("auth", "set", "fal", cwd=tmp_path, stdin=KEY.encode())
    assert right_here("generate", "x", cwd=tmp_path).returncode == 0
    assert server.ledger.requests[0].headers["authorization"] == f"Key {KEY}"
    count = len(server.ledger.requests)
    assert right_here("generate", "y", cwd=tmp_path, environ={"FAL_KEY": "other"}).returncode == 0
    assert server.ledger.requests[count].headers["authorization"] == "Key other"


def test_status_tells_sources_and_endings(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    right_here: RightHere,
) -> None:
    right_here("auth", "set", "aimlapi", cwd=tmp_path, stdin=KEY.encode())
    monkeypatch.setenv("FAL_KEY_ID", "identity-of-someone")
    monkeypatch.setenv("FAL_KEY_SECRET", "secret-of-someone-else")
    monkeypatch.setenv("CHAINHUB_API_KEY", "short-key")
    done = right_here("auth", "status", cwd=tmp_path)
    assert done.returncode == 0
    lines = dict(line.split(None, 1) for line in done.stdout.decode().splitlines())
    assert lines["fal"] == "FAL_KEY_ID and FAL_KEY_SECRET, ends in else"
    assert lines["aimlapi"] == f"{config / 'credentials.toml'}, ends in 6789"
    assert lines["chainhub"] == "CHAINHUB_API_KEY, set"
    assert lines["sandbox"] == "needs no key"


def test_status_as_json(config: Path, tmp_path: Path, right_here: RightHere) -> None:
    right_here("auth", "set", "fal", cwd=tmp_path, stdin=KEY.encode())
    done = right_here("auth", "status", "--json", cwd=tmp_path)
    assert done.returncode == 0
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[0] == {
        "schema": 1,
        "type": "key",
        "provider": "fal",
        "source": str(config / "credentials.toml"),
        "last4": "6789",
        "error": None,
    }
    assert {record["source"] for record in records[1:]} == {None}


def test_remove(config: Path, tmp_path: Path, right_here: RightHere) -> None:
    right_here("auth", "set", "fal", cwd=tmp_path, stdin=KEY.encode())
    right_here("auth", "set", "aimlapi", cwd=tmp_path, stdin=b"another-key")
    assert right_here("auth", "remove", "fal", cwd=tmp_path).returncode == 0
    assert stored(config) == 'aimlapi = "another-key"\n'
    again = right_here("auth", "remove", "fal", cwd=tmp_path)
    assert again.returncode == 0
    assert b"no fal key is stored" in again.stderr


@pytest.mark.parametrize("given", [b"", b"\n", b"  \r\n"])
def test_no_key(config: Path, tmp_path: Path, right_here: RightHere, given: bytes) -> None:
    done = right_here("auth", "set", "fal", cwd=tmp_path, stdin=given)
    assert (done.returncode, done.stderr) == (3, b"error: no key was given\n")
    assert not config.exists()


@pytest.mark.parametrize(
    "given", [b"two words", b"two\nlines", "schl\u00fcssel".encode(), b"\xff\xfe"]
)
def test_what_cannot_be_a_key(
    config: Path, tmp_path: Path, right_here: RightHere, given: bytes
) -> None:
    done = right_here("auth", "set", "fal", cwd=tmp_path, stdin=given)
    assert done.returncode == 3
    assert b"cannot be a key" in done.stderr
    assert given not in done.stderr
    assert not config.exists()


def test_the_sandbox_needs_no_key(config: Path, tmp_path: Path, right_here: RightHere) -> None:
    done = right_here("auth", "set", "sandbox", cwd=tmp_path, stdin=b"key")
    assert (done.returncode, done.stderr) == (2, b"error: sandbox needs no key\n")


@pytest.mark.parametrize(
    "text",
    [
        f'fal = "{KEY}',
        f'Fal = "{KEY}"',
        "fal = 7",
        f'[fal]\nkey = "{KEY}"',
        f'fal = "{KEY} and more"',
        "\x00",
    ],
)
def test_a_damaged_file_is_told_without_its_content(
    config: Path, tmp_path: Path, right_here: RightHere, text: str
) -> None:
    config.mkdir()
    path = config / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    done = right_here("generate", "x", "-p", "fal", cwd=tmp_path)
    assert done.returncode == 3
    assert b"credentials.toml" in done.stderr
    assert KEY.encode() not in done.stderr
    assert path.read_text() == text


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_can_read_is_refused(
    config: Path, tmp_path: Path, right_here: RightHere, mode: int
) -> None:
    config.mkdir()
    path = config / "credentials.toml"
    path.write_text(f'fal = "{KEY}"\n')
    path.chmod(mode)
    done = right_here("generate", "x", "-p", "fal", cwd=tmp_path)
    assert done.returncode == 3
    assert b"can be read by others" in done.stderr
    assert f"hint: chmod 600 {path}".encode() in done.stderr


@posix
def test_a_key_in_the_environment_leaves_the_file_alone(
    config: Path, tmp_path: Path, right_here: RightHere
) -> None:
    config.mkdir()
    (config / "credentials.toml").write_text("damaged")
    done = right_here(
        "generate", "x", "-p", "fal", "-m", "nope", cwd=tmp_path, environ={"FAL_KEY": "k"}
    )
    assert done.returncode == 2


@posix
def test_on_a_terminal_the_key_is_asked_for_unseen(config: Path, tmp_path: Path) -> None:
    code, shown = at_keyboard(
        "auth", "set", "fal", cwd=tmp_path, after=b"not shown", keys=f"{KEY}\n".encode()
    )
    assert code == 0
    assert KEY.encode() not in shown
    assert stored(config) == f'fal = "{KEY}"\n'


@posix
@pytest.mark.parametrize(
    ("keys", "code", "says"), [(CTRL_C, 130, b""), (CTRL_D, 3, b"error: no key was given\r\n")]
)
def test_the_hidden_prompt_is_left_with_its_line_ended(
    config: Path, tmp_path: Path, keys: bytes, code: int, says: bytes
) -> None:
    ended, shown = at_keyboard(
        "auth", "set", "fal", cwd=tmp_path, after=b"(not shown): ", keys=keys
    )
    assert ended == code
    assert shown == b"fal key (not shown): \r\n" + says
    assert not config.exists()


@pytest.mark.parametrize(
    ("there", "lacking"),
    [("FAL_KEY_ID", "FAL_KEY_SECRET"), ("FAL_KEY_SECRET", "FAL_KEY_ID")],
)
@pytest.mark.parametrize("argv", [("generate", "x"), ("generate", "x", "-p", "fal")])
def test_half_a_key_names_the_other_half(
    tmp_path: Path, right_here: RightHere, there: str, lacking: str, argv: tuple[str, ...]
) -> None:
    done = right_here(*argv, cwd=tmp_path, environ={there: KEY})
    assert done.returncode == 3
    assert f"error: {there} is set, but {lacking} is not" in done.stderr.decode()
    assert KEY.encode() not in done.stderr
    told = right_here("auth", "status", cwd=tmp_path, environ={there: KEY}).stdout.decode()
    assert f"not usable: {there} is set, but {lacking} is not" in told.splitlines()[0]
