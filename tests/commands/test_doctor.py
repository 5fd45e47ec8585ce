"""`kontext doctor`: each condition is a finding, and no secret is in it."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from hostile.tracing import with_site
from kontext_cli.doctor.finding import Group, exit_code_of
from kontext_cli.doctor.folders import network_kind
from kontext_cli.doctor.network import check_proxies
from kontext_cli.files import disk
from kontext_cli.journal.file import FILE
from kontext_cli.providers import NAMES
from packages import LUMEN, packages_in
from screens import on_screen
from sockets import AUTHORITY, server_tls
from world import KEY, KEYS, Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
SECRETS = ("canary", "s3cret")


class Report:
    """What one run found."""

    def __init__(self, ran: Ran) -> None:
        assert not any(secret in ran.out.decode() + ran.err for secret in SECRETS)
        self.code = ran.code
        self.err = ran.err
        self.settings = {each["name"]: each for each in ran.records if each["type"] == "setting"}
        self.findings = [each for each in ran.records if each["type"] == "finding"]

    def of(self, name: str, group: str | None = None) -> list[dict[str, Any]]:
        """The findings about something."""
        there = [each for each in self.findings if each["name"] == name]
        return [each for each in there if group in (None, each["group"])]

    def one(self, name: str, group: str | None = None) -> tuple[str, str, str | None]:
        """Verdict, text and hint of the only finding about something."""
        [each] = self.of(name, group)
        return each["verdict"], each["text"], each["hint"]

    @property
    def problems(self) -> dict[str, str]:
        """The texts of the problems."""
        return {
            each["name"]: each["text"] for each in self.findings if each["verdict"] == "problem"
        }


def report(world: World, *argv: str, **environ: str | None) -> Report:
    return Report(world.run("doctor", "--json", *argv, environ=environ))


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """A part file of a run that goes on."""
    path, descriptor, _ = disk.create_locked(folder, ".kontext-", ".part")
    try:
        yield path
    finally:
        os.close(descriptor)


def everything(folder: Path) -> Mapping[str, int]:
    """All files and folders below a folder, with the time of their last change."""
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_wrong_offline_and_nothing_is_sent_or_written(world: World) -> None:
    world.run("generate", "x", "-p", "fal", "-o", "x.jpg")
    before, asked = everything(world.top), len(world.ledger.requests)
    found = report(world)
    assert (found.code, found.problems) == (0, {})
    assert everything(world.top) == before
    assert len(world.ledger.requests) == asked
    assert found.one("config file")[1] == f"none; it would be {world.config / 'config.toml'}"
    assert found.one("provider")[1] == "fal, the first one that has a key"
    assert found.one("fal") == ("ok", f"FAL_KEY, for {world.url}/fal", None)
    assert found.one("openai")[1].endswith("/openai, with the key of KONTEXT_OPENAI_API_KEY")
    assert found.one("comfyui")[1] == f"{world.url}/comfyui, without a key"
    assert found.one("journal")[1].startswith(f"{world.state / FILE}: 1 job, ")
    assert "writable, locks, links" in found.one("state")[1]
    assert "SQLite" in found.one("libraries")[1]
    assert found.settings["providers.fal.base_url"]["origin"] == "KONTEXT_FAL_BASE_URL"


def test_a_folder_that_is_not_there_is_not_created(world: World) -> None:
    found = report(world)
    assert found.one("state")[1] == f"{world.state}, created when it is needed"
    assert found.one("journal")[1] == f"none yet; it will be {world.state / FILE}"
    assert not world.state.exists()
    assert not world.config.exists()


def test_the_line_of_a_fault_in_the_config_file_and_the_rest_of_the_checks(world: World) -> None:
    world.configure('provider = "fal"\n\nmodle = "kontext-max"\n')
    found = report(world)
    assert found.code == 2
    path = world.config / "config.toml"
    assert found.one("config file") == (
        "problem",
        f"{path}:3: there is no setting `modle`",
        "did you mean `model`?",
    )
    assert found.one("fal")[0] == "ok"


def test_each_setting_is_listed_with_its_origin(world: World) -> None:
    world.configure(
        'model = "kontext-max"\noutput_dir = "pictures"\n\n[defaults]\nnum_images = 2\n'
        '[providers.bfl]\nbase_url = "http://bfl.example"\n'
    )
    world.unset("KONTEXT_BFL_BASE_URL")
    found = report(world, KONTEXT_MODEL="flux-2-pro", KONTEXT_FAL_BASE_URL="http://fal.example")
    listed = {name: (each["value"], each["origin"]) for name, each in found.settings.items()}
    path = world.config / "config.toml"
    assert listed["model"] == ("flux-2-pro", "KONTEXT_MODEL")
    assert listed["output_dir"] == ("pictures", f"{path}:2")
    assert listed["metadata"] == ("mark", "default")
    assert listed["defaults.num_images"] == ("2", f"{path}:5")
    assert "providers.together.base_url" in listed
    assert not {"providers.fal.base_url", "providers.bfl.base_url"} & listed.keys()
    assert set(found.problems) == {"fal", "bfl"}


@pytest.mark.parametrize(
    ("variables", "name", "says", "code"),
    [
        ({"KONTEXT_PROVIDER": "fall"}, "provider", "there is no provider `fall`", 2),
        ({"KONTEXT_MODEL": "kontext-por"}, "provider", "with the model `kontext-por`", 2),
        ({"KONTEXT_FAL_BASE_URL": "http://fal.example"}, "fal", "over plain http", 2),
        ({"KONTEXT_OPENAI_BASE_URL": "http://gpu.example/v1"}, "openai", "over plain http", 2),
        ({"FAL_KEY": "a key"}, "fal", "FAL_KEY cannot be a key", 3),
        ({"FAL_KEY": None, "FAL_KEY_ID": KEY}, "fal", "but FAL_KEY_SECRET is not", 3),
        ({"KONTEXT_PROVIDER": "bfl", "BFL_API_KEY": None}, "provider", "no key for bfl", 3),
        ({"KONTEXT_BFL_BASE_URL": None, "BFL_API_KEY": "r8_x"}, "bfl", "like a Replicate", 3),
        ({"KONTEXT_PROVIDER": "comfyui", "KONTEXT_COMFYUI_BASE_URL": None}, "provider", "own", 2),
        ({"KONTEXT_PREVIEW": "sixel"}, "preview", "KONTEXT_PREVIEW should be one of", 2),
        ({"SSL_CERT_FILE": "/nowhere"}, "certificates", "cannot be loaded", 2),
        ({"HTTPS_PROXY": "gopher://u:s3cret@p"}, "proxy", "proxy settings are not usable", 2),
        ({"KONTEXT_JOURNAL": "mysql://u:s3cret@h/d"}, "journal", "KONTEXT_JOURNAL", 2),
    ],
)
def test_a_setting_that_cannot_be_used(
    world: World, variables: Mapping[str, str | None], name: str, says: str, code: int
) -> None:
    found = report(world, **variables)
    assert says in found.problems[name]
    assert found.code == code


def test_without_any_key_the_variables_are_named(world: World) -> None:
    world.without_keys()
    found = report(world)
    assert found.code == 3
    assert "FAL_KEY" in found.problems["provider"]
    assert found.one("other keys")[1].startswith("none for fal, aimlapi, ")


def test_problems_of_several_kinds_have_the_code_of_mixed_outcomes(world: World) -> None:
    world.write("file", "")
    found = report(world, FAL_KEY="a key", KONTEXT_OUTPUT_DIR="file")
    assert set(found.problems) == {"fal", "output"}
    assert found.code == 9


@pytest.mark.parametrize("below", ["", "/below/it"])
def test_a_folder_that_cannot_be_written(world: World, below: str) -> None:
    world.write("file", "")
    found = report(world, KONTEXT_OUTPUT_DIR=f"file{below}")
    assert found.code == 8
    verdict, text, hint = found.one("output")
    assert (verdict, hint) == ("problem", "name another folder in KONTEXT_OUTPUT_DIR")
    assert f"file{below}" in text.replace(os.sep, "/")


def test_a_config_folder_need_not_be_writable(world: World) -> None:
    world.write("file", "")
    found = report(world, KONTEXT_CONFIG_DIR="file")
    verdict, text, _ = found.one("config")
    assert (found.code, verdict) == (0, "note")
    assert "can store no key" in text


def test_a_store_without_its_library(world: World) -> None:
    found = report(world, KONTEXT_OUTPUT_DIR="s3://bucket/images")
    assert found.code == (0 if find_spec("obstore") else 2)
    assert "s3://bucket" in found.one("output")[1]


def test_a_folder_in_a_store_is_shown_without_credentials(world: World) -> None:
    found = report(world, KONTEXT_OUTPUT_DIR="s3://user:s3cret@bucket/today?sign=s3cret")
    assert found.settings["output_dir"]["value"].startswith("s3://bucket/today")


@posix
def test_what_others_can_read(world: World) -> None:
    world.run("generate", "x", "-p", "sandbox", "-o", "x.jpg")
    world.state.chmod(0o755)
    world.configure("")
    stored = world.config / "credentials.toml"
    stored.write_text(f'fal = "{KEY}"\n')
    stored.chmod(0o644)
    found = report(world)
    [_, mode] = found.of("state")
    assert (mode["verdict"], mode["hint"]) == ("note", f"chmod 700 {world.state}")
    assert found.one("stored keys")[2] == f"chmod 600 {stored}"
    assert found.code == 3


@posix
def test_a_stored_key_that_a_variable_overrides(world: World) -> None:
    world.unset("FAL_KEY")
    world.run("auth", "set", "fal", stdin=KEY.encode())
    found = report(world)
    path = world.config / "credentials.toml"
    assert found.one("stored keys")[1] == f"of fal, in {path}"
    assert found.one("fal")[1] == f"{path}, for {world.url}/fal"
    overridden = report(world, FAL_KEY=KEY)
    assert overridden.one("fal")[1].startswith("FAL_KEY, for ")


@pytest.mark.skipif(sys.platform != "linux", reason="no such table there")
@pytest.mark.parametrize(
    ("mounted", "kind"),
    [
        ("30 25 0:50 / {} rw - nfs4 server:/home rw", "nfs4"),
        ("30 25 0:50 / {} rw,relatime shared:1 - fuse.sshfs u@h: rw", "fuse.sshfs"),
        ("30 25 0:50 / {} rw - ext4 /dev/sda1 rw", None),
        ("30 25 0:50 / {}/below rw - nfs server:/ rw", None),
        ("nonsense", None),
    ],
)
def test_a_folder_on_another_machine(tmp_path: Path, mounted: str, kind: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    point = str(tmp_path).replace(" ", "\\040")
    mounts.write_text(f"25 1 8:1 / / rw - ext4 /dev/sda2 rw\n{mounted.format(point)}\n")
    assert network_kind(tmp_path / "state", mounts) == kind


@posix
def test_a_key_that_a_command_prints(world: World) -> None:
    world.without_keys()
    marker = world.folder / "ran"
    tool = world.write("bin/vault", f"#!/bin/sh\ntouch '{marker}'\necho {KEY}\n")
    tool.chmod(0o755)
    world.configure(
        f'[providers.fal]\nkey_command = ["{tool}"]\n[providers.bfl]\nkey_command = ["no-such"]\n'
        '[providers.replicate]\nkey_command = ["./no-such"]\n'
    )
    found = report(world)
    origin = f"{world.config / 'config.toml'}:2"
    assert found.one("fal")[1] == f"key_command, run when a request needs the key ({origin})"
    assert "is not on the PATH" in found.problems["bfl"]
    assert "cannot be run" in found.problems["replicate"]
    assert found.code == 3
    assert not marker.exists()
    online = report(world, "--online")
    assert online.one("fal", "providers")[1].startswith("the key is valid (")
    assert "there is no such program" in online.problems["bfl"]
    assert marker.exists()


@posix
def test_locks_that_keep_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", lambda _file, _operation: None)
    world.state.mkdir(mode=0o700)
    found = report(world)
    [first, second] = found.of("state")
    assert "locks" not in first["text"]
    assert second["verdict"] == "note"
    assert "file locks do not work" in second["text"]
    assert found.code == 0


@posix
def test_what_killed_runs_left_and_not_what_others_hold(world: World) -> None:
    world.out.mkdir()
    (world.out / ".kontext-0000.part").write_bytes(bytes(2_000))
    with held(world.out):
        found = report(world, KONTEXT_OUTPUT_DIR="out")
        assert len(list(world.out.iterdir())) == 2
    [_, left] = found.of("output")
    assert (left["verdict"], left["hint"]) == ("note", None)
    assert left["text"].startswith(f"1 file of a killed run in {world.out} (2.0 kB)")
    (world.state / "running").mkdir(mode=0o700, parents=True)
    for name in ("0123456789abcdef", "other"):
        (world.state / "running" / name).touch()
    assert report(world).of("state")[-1]["text"].startswith("1 file of a killed run in ")


def test_a_damaged_journal_is_named_and_left_alone(world: World) -> None:
    world.run("generate", "x", "-p", "sandbox", "-o", "x.jpg")
    path = world.state / FILE
    path.write_bytes(b"not a journal" * 1_000)
    found = report(world)
    assert found.code == 8
    assert f"{path} is damaged" in found.problems["journal"]
    assert path.read_bytes().startswith(b"not a journal")
    world.run("status")
    [none, aside] = report(world).of("journal")
    assert none["verdict"] == "ok"
    assert "1 damaged journal was moved aside" in aside["text"]


def test_jobs_that_can_be_fetched(world: World) -> None:
    world.submit("x")
    verdict, text, hint = report(world).one("journal")
    assert (verdict, hint) == ("note", "kontext fetch")
    assert "1 job, " in text
    assert text.endswith(", 1 unfinished")


def test_a_proxy_is_shown_without_its_password(world: World) -> None:
    found = report(
        world,
        HTTPS_PROXY="http://user:s3cret@proxy.example:3128",
        ALL_PROXY="http://other.example:8080",
        NO_PROXY="localhost,.corp.example",
    )
    assert found.one("proxy") == (
        "ok",
        "https through http://proxy.example:3128, all through http://other.example:8080; "
        "not for localhost, *.corp.example",
        None,
    )


def test_certificates_of_the_users_own(world: World) -> None:
    found = report(world, SSL_CERT_FILE=str(AUTHORITY))
    assert found.one("certificates")[1] == f"SSL_CERT_FILE={AUTHORITY}: 1 certificate"


def test_a_misspelled_variable(world: World) -> None:
    found = report(world, KONTEXT_OUTPUTDIR=KEY)
    assert found.one("variable") == (
        "note",
        "KONTEXT_OUTPUTDIR is set, and is no setting of this version",
        "did you mean KONTEXT_OUTPUT_DIR?",
    )


@posix
def test_completion_in_the_users_shell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shells = world.folder / "bin"
    for name in ("bash", "fish"):
        world.write(f"bin/{name}", "").chmod(0o755)
    shell = {"PATH": str(shells), "SHELL": "/bin/fish", "XDG_DATA_DIRS": str(world.folder)}
    scripts = world.home / ".config/fish/completions/kontext.fish"
    found = report(world, **shell)
    install = f"mkdir -p {scripts.parent} && kontext completion fish > {scripts}"
    assert found.one("fish") == ("note", "no completion", install)
    assert found.one("other shells")[1] == "no completion in bash"
    scripts.parent.mkdir(parents=True)
    scripts.write_bytes(world.run("completion", "fish").out)
    (world.home / ".bashrc").write_text("source <(kontext completion bash)\n")
    found = report(world, **shell)
    assert found.one("fish") == ("ok", f"completion from {scripts}", None)
    assert found.one("bash")[1] == f"completion loaded by {world.home / '.bashrc'}"
    scripts.write_text("complete -c kontext -l old")
    verdict, text, hint = report(world, **shell).one("fish")
    assert (verdict, hint) == ("note", f"kontext completion fish > {scripts}")
    assert text == f"the completion in {scripts} is of another version"
    (world.home / ".bashrc").write_text(". ~/.kontext.bash\n")
    saved = world.home / ".kontext.bash"
    saved.write_bytes(world.run("completion", "bash").out)
    assert report(world, **shell).one("bash")[1] == f"completion from {saved}"


@posix
def test_completions_where_no_shell_looks(world: World) -> None:
    for name in ("bash", "zsh"):
        world.write(f"bin/{name}", "").chmod(0o755)
    shell = {"PATH": str(world.folder / "bin"), "XDG_DATA_DIRS": str(world.folder)}
    share = world.home / ".local/share"
    places = {
        "bash": share / "bash-completion/completions/kontext.bash",
        "zsh": share / "zsh/site-functions/_kontext",
    }
    for name, place in places.items():
        place.parent.mkdir(parents=True)
        place.write_bytes(world.run("completion", name).out)
    without = report(world, **shell).one("other shells")[1]
    if not Path("/opt/homebrew/share/bash-completion").exists():
        assert without == "no completion in bash and zsh"
    assert "zsh" in without
    world.write("bash-completion/bash_completion", "")
    (world.home / ".zshrc").write_text("fpath=(~/.local/share/zsh/site-functions $fpath)\n")
    found = report(world, **shell)
    for name, place in places.items():
        assert found.one(name)[1] == f"completion from {place}"


def test_providers_of_packages(world: World, tmp_path: Path) -> None:
    with packages_in(tmp_path / "site") as packages:
        packages.acme("probe_path = '/v1/account'")
        packages.add(LUMEN.replace('"acme"', '"fal"'), name="fal", package="kontext-evil")
        packages.add("import nothing", name="broken", package="kontext-broken")
        world.set(KONTEXT_ACME_BASE_URL="http://127.0.0.1:9", ACME_API_KEY="acme-key")
        found = report(world)
        assert found.one("acme", "programs") == ("ok", "a provider of kontext-acme 1.0", None)
        assert found.one("acme", "keys")[1] == "ACME_API_KEY, for http://127.0.0.1:9"
        assert "kontext-evil 1.0 is not used" in found.one("fal", "programs")[1]
        assert set(found.problems) == {"broken"}


def test_online_every_key_is_tried_without_a_submit(world: World) -> None:
    found = report(world, "--online")
    assert (found.code, found.problems) == (0, {})
    for name in KEYS:
        [verdict, text, _] = found.one(name, "providers")
        assert verdict == "ok"
        if name not in ("chainhub", "openai"):
            assert text.startswith("the key is valid (127.0.0.1, ")
    assert "without paying" in found.one("chainhub", "providers")[1]
    assert found.one("comfyui", "providers")[1].startswith("ComfyUI 0.3.64 (")
    assert "models" in found.one("openai", "providers")[1]
    assert found.one("clock")[0] == "ok"
    assert {seen.method for seen in world.ledger.requests} == {"GET"}
    assert not world.accepted


def test_online_a_wrong_key_is_a_problem(world: World) -> None:
    world.serve(fault="401")
    found = report(world, "--online")
    assert found.code == 3
    asked = {name for name in KEYS if name not in ("chainhub", "openai")}
    assert set(found.problems) == asked
    assert all("rejected the key" in text for text in found.problems.values())


def test_online_other_answers_leave_it_open_whether_the_key_is_valid(world: World) -> None:
    world.answer(PlainTextResponse("not found", 404))
    world.without_keys(*(name for name in KEYS if name != "bfl"))
    world.unset("KONTEXT_OPENAI_BASE_URL", "KONTEXT_COMFYUI_BASE_URL")
    found = report(world, "--online")
    verdict, text, _ = found.one("bfl", "providers")
    assert verdict == "note"
    assert text == "whether the key is valid is not known: bfl answered 404: not found"
    assert found.code == 0


def test_online_servers_that_are_none_and_hosts_that_do_not_answer(world: World) -> None:
    world.answer(JSONResponse({"detail": "hello"}))
    world.without_keys()
    gone = "http://127.0.0.1:9"
    found = report(world, "--online", FAL_KEY=KEY, KONTEXT_FAL_BASE_URL=gone)
    assert "fal cannot be reached" in found.problems["fal"]
    assert "does not answer as ComfyUI does" in found.problems["comfyui"]
    assert "is no OpenAI-compatible server" in found.problems["openai"]
    assert found.code == 9


@pytest.mark.parametrize("name", ["comfyui", "openai"])
def test_online_a_server_of_ones_own_that_is_down(world: World, name: str) -> None:
    world.without_keys()
    world.unset("KONTEXT_OPENAI_BASE_URL", "KONTEXT_COMFYUI_BASE_URL")
    variable = f"KONTEXT_{name.upper()}_BASE_URL"
    _, text, hint = report(world, "--online", **{variable: "http://127.0.0.1:9"}).one(
        name, "providers"
    )
    assert text.startswith(f"{name} at http://127.0.0.1:9")
    assert hint == f"start it, or set {variable} to where it runs"


def test_online_a_proxy_that_does_not_answer(world: World) -> None:
    world.without_keys(*(name for name in KEYS if name != "bfl"))
    world.unset("KONTEXT_OPENAI_BASE_URL", "KONTEXT_COMFYUI_BASE_URL")
    proxy, base = "http://user:s3cret@127.0.0.1:9", "https://bfl.example"
    found = report(world, "--online", HTTPS_PROXY=proxy, KONTEXT_BFL_BASE_URL=base)
    verdict, text, hint = found.one("bfl", "providers")
    assert (found.code, verdict) == (6, "problem")
    assert "its proxy `127.0.0.1:9` does not answer" in text
    assert hint == "check HTTPS_PROXY and NO_PROXY, and try again"


def test_online_a_certificate_that_is_not_trusted(world: World) -> None:
    world.without_keys(*(name for name in KEYS if name != "bfl"))
    world.unset("KONTEXT_OPENAI_BASE_URL", "KONTEXT_COMFYUI_BASE_URL")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = server_tls().wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"https://localhost:{server.server_port}"
        found = report(world, "--online", KONTEXT_BFL_BASE_URL=base)
        server.shutdown()
    verdict, text, hint = found.one("bfl", "providers")
    assert (found.code, verdict) == (6, "problem")
    assert "its certificate is not valid" in text
    assert hint == "check the clock, the proxy, and SSL_CERT_FILE"


def test_online_a_clock_that_is_wrong(world: World) -> None:
    world.set(SECONDS_OFF="-7200")
    ran = world.process("doctor", "--online", "--json", environ=with_site("clock"))
    verdict, text, hint = Report(ran).one("clock")
    assert verdict == "note"
    assert re.match(r"it is 7,[12]\d\d s behind those of the servers", text)
    assert hint is not None


def test_online_the_key_goes_to_the_providers_own_hosts_alone() -> None:
    from kontext_cli.providers import provider_class

    hosts = {name: provider_class(name)().probe_base for name in NAMES}
    assert hosts["fal"] == "https://api.fal.ai"
    assert hosts["huggingface"] == "https://huggingface.co"
    assert provider_class("fal")("https://proxy.example").probe_base == "https://proxy.example"


@pytest.mark.parametrize("columns", [40, 80])
def test_on_a_terminal_each_line_fits_but_for_commands(world: World, columns: int) -> None:
    world.images("a.png")
    shown = on_screen(
        "doctor",
        cwd=world.folder,
        columns=columns,
        err=False,
        environ={**world.environ, "FAL_KEY": "a key", "NO_COLOR": "1"},
    )
    assert shown.code == 3
    assert "settings\n" in shown.terminal.replace("\r", "")
    assert "problem" in shown.terminal
    wide = [line for line in shown.lines if len(line) > columns and "/" not in line]
    assert [line for line in wide if "hint" not in line] == []
    assert "1 problem" in shown.err


def test_in_a_pipe_a_line_each_between_tabs(world: World) -> None:
    rows = [line.split("\t") for line in world.run("doctor").lines]
    assert ["setting", "provider"] not in [row[:2] for row in rows]
    assert {row[0] for row in rows} <= {"setting", "ok", "note", "problem"}
    assert all(len(row) == (4 if row[0] == "setting" else 5) for row in rows)


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken() -> NoReturn:
        raise ZeroDivisionError("s3cret")

    found = {
        each.name: each for each in Group("", (("one", broken), ("two", check_proxies))).findings()
    }
    assert found["one"].text.startswith("ZeroDivisionError at ")
    assert (found["one"].exit_code, exit_code_of(found.values())) == (1, 1)
    assert found["proxy"].verdict == "ok"
