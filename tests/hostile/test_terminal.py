"""What was typed, set or written into a file reaches no terminal as more than text.

In the short form each place gets some of the payloads, and each payload some of the places.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hostile.payloads import PAYLOADS, Payload
from hostile.printed import checked, share
from kontext_cli.cli.main import run
from samples import image_file

posix = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not have")


@dataclass(frozen=True)
class Ran:
    """What one run came to."""

    code: int
    out: str
    err: str


class Pipe:
    """The program with its streams in pipes, in a folder of its own; each run is looked through."""

    def __init__(
        self,
        top: Path,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[bytes],
    ) -> None:
        self.top = top
        self.folder = top / "here"
        self.folder.mkdir()
        self.monkeypatch = monkeypatch
        self._capture = capture
        monkeypatch.chdir(self.folder)
        self.set(KONTEXT_CONFIG_DIR=str(top / "config"), KONTEXT_STATE_DIR=str(top / "state"))

    def set(self, **environ: str) -> None:
        """Set variables of the environment."""
        for name, value in environ.items():
            self.monkeypatch.setenv(name, value)

    def write(self, name: str, content: str) -> Path:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        return path

    def __call__(self, *argv: str) -> Ran:
        code = run(argv)
        out, err = self._capture.readouterr()
        assert code != 1, err
        assert b"Traceback" not in err
        return Ran(code, checked(out), checked(err))


@pytest.fixture
def pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Pipe:
    """The program in pipes."""
    return Pipe(tmp_path, monkeypatch, capfdbinary)


def can_be_typed(payload: Payload) -> bool:
    """Whether the system can hand it over at all."""
    try:
        return b"\0" not in os.fsencode(payload.raw)
    except UnicodeEncodeError:
        return False


TYPED = [payload for payload in PAYLOADS if can_be_typed(payload)]
G = ("generate", "x", "-p", "sandbox", "--dry-run")
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "prompt": ("generate", "{}", "-p", "sandbox", "--dry-run"),
    "output": (*G, "-o", "{}.jpg"),
    "output in a folder": (*G, "-o", "{}/x.png"),
    "folder": (*G, "-d", "{}"),
    "folder below": (*G, "-d", "a/{}", "-n", "2"),
    "template": (*G, "--name", "{}"),
    "image": ("edit", "x", "-p", "sandbox", "--dry-run", "-i", "{}"),
    "image URL": ("edit", "x", "-p", "sandbox", "--dry-run", "-i", "https://{}/a.png"),
    "path of an image URL": ("edit", "x", "-p", "sandbox", "--dry-run", "-i", "https://a/{}"),
    "images of a batch": ("edit", "x", "-p", "sandbox", "--dry-run", "--each", "-i", "{}"),
    "model": (*G, "-m", "{}"),
    "endpoint": (*G, "-m", "fal-ai/{}"),
    "provider": ("generate", "x", "-p", "{}"),
    "number": (*G, "--seed", "{}"),
    "choice": (*G, "-a", "{}"),
    "option": (*G, "--{}"),
    "value of a switch": (*G, "--json={}"),
    "command": ("{}",),
    "file": ("generate", "-p", "sandbox", "-f", "{}"),
    "suffix of a file": ("generate", "-p", "sandbox", "-f", "rows.{}"),
    "row": ("generate", "-p", "sandbox", "--dry-run", "-f", "rows.txt", "--only", "{}"),
    "shard": ("generate", "-p", "sandbox", "--dry-run", "-f", "rows.txt", "--shard", "{}"),
    "batch": ("status", "--batch", "{}"),
    "state": ("status", "--state", "{}"),
    "job": ("status", "{}"),
    "job to fetch": ("fetch", "{}"),
    "job to cancel": ("cancel", "{}"),
    "job to forget": ("forget", "{}"),
    "request id": ("status", "{}", "-p", "sandbox"),
    "age": ("forget", "--older-than", "{}"),
    "image to make again": ("replay", "{}", "-p", "sandbox"),
    "images to make again": ("replay", "a.png", "{}", "-p", "sandbox"),
    "journal to copy": ("journal", "copy", "{}", "to"),
    "catalogue": ("models", "-m", "{}"),
    "shell": ("completion", "{}"),
    "key": ("auth", "remove", "{}"),
    "fault": ("sandbox", "--fault", "{}"),
    "host": ("sandbox", "--host", "{}"),
}


SPLIT = {
    "option": "=",
    "row": ",",
    "image URL": "@?#",
    "path of an image URL": "@/?#.",
}
"""Where an argument is taken apart, by what."""


@pytest.mark.parametrize("place", ARGUMENTS)
def test_what_is_typed_is_printed_as_text(pipe: Pipe, place: str) -> None:
    pipe.write("rows.txt", "one\ntwo\n")
    by = set(SPLIT.get(place, ""))
    for payload in share(place, (each for each in TYPED if not by & set(each.raw))):
        argv = [each.replace("{}", payload.text) for each in ARGUMENTS[place]]
        pipe(*argv)


@pytest.mark.parametrize("place", ["image", "model", "choice", "file", "job"])
def test_an_error_in_json_holds_what_was_typed(pipe: Pipe, place: str) -> None:
    for payload in share(f"{place} in JSON", TYPED):
        argv = [each.replace("{}", payload.text) for each in ARGUMENTS[place]]
        record = json.loads(pipe(*argv, "--json").out)
        told = record["message"]
        assert not payload.is_plain or payload.text in told or "…" in told


VARIABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "provider": ("KONTEXT_PROVIDER", ("generate", "x", "--dry-run")),
    "model": ("KONTEXT_MODEL", G),
    "output_dir": ("KONTEXT_OUTPUT_DIR", G),
    "fal base_url": ("KONTEXT_FAL_BASE_URL", ("models",)),
    "chainhub base_url": ("KONTEXT_CHAINHUB_BASE_URL", ("models",)),
}


@pytest.mark.parametrize("setting", VARIABLES)
def test_what_a_variable_says_is_printed_as_text(pipe: Pipe, setting: str) -> None:
    variable, argv = VARIABLES[setting]
    for payload in share(setting, TYPED):
        pipe.set(**{variable: payload.text})
        pipe(*argv)
        pipe("models", "--debug")
        pipe("doctor")
        pipe.monkeypatch.delenv(variable)


CONFIGS = {
    "provider": "provider = {}",
    "model": "model = {}",
    "output_dir": "output_dir = {}",
    "base_url": "[providers.fal]\nbase_url = {}",
    "base_url with a path": '[providers.fal]\nbase_url = "https://a.example/{bare}"',
    "price": "[prices.fal]\n{} = 0.07",
    "price that is none": "[prices.fal]\n{} = true",
    "setting": "{} = 1",
    "provider without a name": "[providers.{}]\njobs = 1",
    "setting of a provider": "[providers.fal]\n{} = 1",
    "twice": "[providers.{}]\n[providers.{}]",
    "not quoted": "model = {bare}",
    "quoted badly": "model = '{bare}'",
    "comment": "# {bare}\nmodel = 1",
}


@pytest.mark.parametrize("place", CONFIGS)
def test_what_a_config_file_says_is_printed_as_text(pipe: Pipe, place: str) -> None:
    for payload in share(place):
        text = CONFIGS[place].replace("{}", json.dumps(payload.text))
        pipe.write("../config/config.toml", text.replace("{bare}", payload.text))
        pipe("models", "--debug")
        pipe(*G)


@posix
@pytest.mark.parametrize("variable", ["KONTEXT_CONFIG_DIR", "KONTEXT_STATE_DIR"])
def test_where_our_own_files_are_is_printed_as_text(pipe: Pipe, variable: str) -> None:
    for payload in share(variable, TYPED):
        if payload.is_long:
            continue
        pipe.set(**{variable: str(pipe.top / payload.text)})
        pipe.write(f"{pipe.top}/{payload.text}/credentials.toml", 'fal = "x"').chmod(0o644)
        for argv in (("auth", "status"), ("doctor",), ("status",), ("fetch",)):
            pipe(*argv)
        (pipe.top / payload.text / "credentials.toml").chmod(0o600)
        pipe("auth", "status")


Rows = Callable[[Payload], object]
ROWS: dict[str, Rows] = {
    "key": lambda p: {"prompt": "x", p.text: 1},
    "prompt": lambda p: p.text,
    "prompt of another type": lambda p: {"prompt": [p.text]},
    "ratio": lambda p: {"prompt": "x", "aspect_ratio": p.text},
    "number": lambda p: {"prompt": "x", "seed": p.text},
    "provider": lambda p: {"prompt": "x", "provider": p.text},
    "model": lambda p: {"prompt": "x", "model": p.text},
    "id": lambda p: {"prompt": "x", "id": p.text},
    "two of one id": lambda p: {"prompt": p.text, "id": "same"},
    "output": lambda p: {"prompt": "x", "output": p.text},
    "output of a folder": lambda p: {"prompt": "x", "output": f"{p.text}/{p.number}.png"},
    "output that leaves": lambda p: {"prompt": "x", "output": f"../{p.text}"},
    "images": lambda p: {"prompt": "x", "images": [p.text]},
    "image URL": lambda p: {"prompt": "x", "images": [f"https://a/{p.text}"]},
}


@pytest.mark.parametrize("place", ROWS)
def test_what_a_prompts_file_says_is_printed_as_text(pipe: Pipe, place: str) -> None:
    by = set(SPLIT.get(place, ""))
    fitting = share(place, (each for each in PAYLOADS if not by & set(each.raw)), parts=8)
    rows = "".join(f"{json.dumps(ROWS[place](payload))}\n" for payload in fitting)
    pipe.write("rows.jsonl", rows)
    command = "edit" if "image" in place else "generate"
    ran = pipe(command, "-f", "rows.jsonl", "-p", "sandbox", "--dry-run")
    assert ran.code in (0, 2, 8)
    record = pipe(command, "-f", "rows.jsonl", "-p", "sandbox", "--dry-run", "--json").out
    assert all(json.loads(line)["schema"] == 1 for line in record.splitlines())


RECORDS: dict[str, Rows] = {
    "prompt": lambda p: {"prompt": p.text},
    "operation": lambda p: {"operation": p.text},
    "provider": lambda p: {"provider": p.text},
    "model": lambda p: {"model": p.text, "endpoint": p.text},
    "endpoint": lambda p: {"endpoint": p.text},
    "option": lambda p: {"options": {p.text: 1}},
    "value": lambda p: {"options": {"seed": p.text}},
    "lost value": lambda p: {"options": {"guidance_scale": 99, "steps": p.text}},
    "input": lambda p: {"operation": "edit", "inputs": [{"path": p.text, "sha256": "0" * 64}]},
    "input URL": lambda p: {"operation": "edit", "inputs": [{"url": f"https://a/{p.text}"}]},
    "time": lambda p: {"time": p.text},
}


@pytest.mark.parametrize("place", RECORDS)
def test_what_a_record_says_is_printed_as_text(pipe: Pipe, place: str) -> None:
    record = {
        "schema": 1,
        "type": "image",
        "operation": "generate",
        "provider": "sandbox",
        "model": "kontext-pro",
        "endpoint": "fal-ai/flux-pro/kontext/text-to-image",
        "prompt": "x",
        "options": {"seed": 7},
        "inputs": [],
    }
    for name in ("a.png", "b.png"):
        (pipe.folder / name).write_bytes(image_file("png"))
    by = set("@/?#." if place == "input URL" else "")
    for payload in share(f"{place} of a record", (p for p in PAYLOADS if not by & set(p.raw))):
        for name in ("a.png", "b.png"):
            changed = RECORDS[place](payload)
            assert isinstance(changed, dict)
            pipe.write(f"{name}.json", json.dumps({**record, **changed, "seed": name}))
        pipe("replay", "a.png", "--dry-run")
        pipe("replay", "a.png", "b.png", "--dry-run")
        pipe("info", "a.png")


FILES: dict[str, str] = {
    "a.txt": "{}",
    "a.jsonl": "{}",
    "text.jsonl": '"{}"',
    "header.csv": 'prompt,"{}"',
    "cell.csv": 'prompt,seed\nx,"{}"',
    "header.tsv": "prompt\t{}",
    "a": "{}",
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_with_a_prompts_file_is_printed_as_text(pipe: Pipe, name: str) -> None:
    for payload in share(name, (each for each in PAYLOADS if each.is_one_line)):
        pipe.write(name, FILES[name].replace("{}", payload.text))
        pipe("generate", "-f", name, "-p", "sandbox", "--dry-run")


@posix
def test_names_of_files_are_printed_as_text(pipe: Pipe) -> None:
    odd = set('/<>:"|?*\\')  # what names of images are made without
    fitting = [each for each in TYPED if len(each.text) < 80 and not odd & set(each.raw)]
    for payload in fitting:
        pipe.write(f"images/{payload.text}.png", payload.text)
    assert pipe("edit", "x", "-i", "images", "--each", "-p", "sandbox").code == 8
    for payload in share("names", fitting):
        assert pipe("edit", "x", "-i", f"images/{payload.text}.png", "-p", "sandbox").code == 8
        (pipe.folder / "images" / f"{payload.text}.png").write_bytes(image_file("png"))
        told = pipe("edit", "x", "-i", f"images/{payload.text}.png", "-p", "sandbox", "--dry-run")
        assert told.code == 0
    for payload in share("prompts files", fitting):
        pipe.write(f"{payload.text}.jsonl", "{}\n1\n")
        ran = pipe("generate", "-f", f"{payload.text}.jsonl", "-p", "sandbox")
        assert ran.code == 2


def test_standard_input_is_printed_as_text(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    for payload in share("standard input"):
        path = pipe.write("stdin", payload.text)
        with path.open() as stream, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", stream)
            pipe("generate", "-", "-p", "sandbox", "--dry-run")
        with path.open() as stream, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", stream)
            pipe("edit", "x", "-i", "-", "-p", "sandbox", "--dry-run")
