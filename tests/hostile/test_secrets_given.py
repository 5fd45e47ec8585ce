"""Keys and passwords are taken from where they are kept, and never repeated: by no command, in no
error, whatever is wrong with them."""

import json
import sys
from collections.abc import Callable, Sequence

import pytest
from starlette.responses import Response

from hostile.canary import AIMLAPI, FAL, FAL_SECRET, PASSWORD, STORED, Canary
from hostile.watched import FLAGS, SOON, TOLD_ALL, Watched, noise
from soaking import soaked

COMMANDS: list[tuple[str, ...]] = [
    ("generate", "x", "-p", "fal", "-o", "x.jpg", *SOON),
    ("generate", "x", "-p", "fal", "--dry-run"),
    ("generate", "x", "-p", "fal", "--no-wait"),
    ("generate", "-f", "rows.txt", "-p", "fal", "-d", "out"),
    ("generate", "-f", "rows.txt", "-p", "fal", "-d", "out", "--dry-run"),
    ("edit", "x", "-i", "noise.png", "-p", "fal"),
    ("status",),
    ("status", "764cabcf", "-p", "fal"),
    ("fetch",),
    ("fetch", "764cabcf", "-p", "fal", *SOON),
    ("cancel", "764cabcf", "-p", "fal"),
    ("models",),
    ("forget", "--older-than", "0s"),
]


def everything(watched: Watched, commands: Sequence[tuple[str, ...]]) -> None:
    """Run commands that have to do with jobs, with all that can be told."""
    noise(watched.folder)
    watched.write("here/rows.txt", "one\ntwo\n")
    for argv in commands:
        for flags in FLAGS:
            ran = watched.run(*argv, *(flags if argv[0] != "forget" else ()))
            assert ran.code != 2, ran.err
    for argv in (("auth", "status"), ("auth", "status", "--json"), ("completion", "bash")):
        assert watched.run(*argv).code == 0
    for flags in ((), ("--online", "--json"), ("--online", "--debug")):
        assert watched.run("doctor", *flags).code != 2


def by_environment(_watched: Watched) -> Canary:
    return FAL


def in_two_parts(watched: Watched) -> Canary:
    watched.unset("FAL_KEY")
    watched.set(FAL_KEY_ID="an-id-of-fal", FAL_KEY_SECRET=FAL_SECRET.value)
    return FAL_SECRET


def by_file(watched: Watched) -> Canary:
    watched.unset("FAL_KEY")
    watched.store(f"fal = {json.dumps(STORED.value)}\n")
    return STORED


def by_command(watched: Watched) -> Canary:
    watched.unset("FAL_KEY")
    watched.own.add(watched.write("config/key", STORED.value))
    words = json.dumps([sys.executable, "-c", "print(open('key').read())"])
    watched.write("config/config.toml", f"[providers.fal]\nkey_command = {words}\n")
    return STORED


@pytest.mark.parametrize(
    "given",
    soaked([in_two_parts, by_command], [by_environment, in_two_parts, by_file, by_command]),
)
def test_every_command_with_a_key_from(
    watched: Watched, given: Callable[[Watched], Canary]
) -> None:
    key = given(watched)
    everything(watched, soaked(COMMANDS[1::2] if given is by_command else COMMANDS[::2], COMMANDS))
    carried = [asked for asked in watched.between.asked if key.value in asked.authorization]
    assert len(carried) > 5


def test_every_command_with_nobody_there(watched: Watched) -> None:
    watched.set(KONTEXT_FAL_BASE_URL="http://127.0.0.1:9/fal")
    for flags in ((), TOLD_ALL):
        assert watched.run("generate", "x", "-p", "fal", *SOON, *flags).code == 6


BROKEN = {
    "a line break": "\n",
    "a carriage return": "\r\n",
    "a space": " ",
    "a tab": "\t",
    "an escape": "\x1b[8m",
    "an accent": "é",
    "a wide letter": "ｋ",
    "a bidi mark": "\u202e",
    "a delete": "\x7f",
}


@pytest.mark.parametrize("between", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_a_key_is_refused_unseen(watched: Watched, between: str) -> None:
    broken = f"{FAL.value[:20]}{between}{FAL.value[20:]}"
    watched.set(FAL_KEY=broken)
    for argv in soaked([], COMMANDS):
        watched.run(*argv)
    ran = watched.run("generate", "x", "-p", "fal", *TOLD_ALL)
    assert (ran.code, "FAL_KEY cannot be a key" in ran.err) == (3, True)
    assert watched.run("auth", "set", "fal", stdin=broken.encode()).code == 3
    watched.unset("FAL_KEY")
    watched.store(f"fal = {json.dumps(broken)}\n")
    assert watched.run("generate", "x", "-p", "fal").code == 3
    assert "not usable" in watched.run("auth", "status").out.decode()
    assert watched.between.asked == []


@pytest.mark.parametrize(
    "content",
    [
        'fal = "KEY\\u0000"',
        'fal = "KEY',
        "fal = KEY",
        'fal = ["KEY"]',
        'fal = { key = "KEY" }',
        '[fal]\nkey = "KEY"',
        '"KEY" = "fal"',
        'KEY = "fal"',
        'fal = "x"\nfal = "KEY"',
        "[KEY]\n[KEY]",
        '\xff = "KEY"',
    ],
)
def test_a_damaged_file_of_keys_is_told_without_what_is_in_it(
    watched: Watched, content: str
) -> None:
    watched.unset("FAL_KEY")
    watched.store(content.replace("KEY", PASSWORD.value).encode("latin-1"))
    assert watched.run("generate", "x", "-p", "fal", *TOLD_ALL).code == 3
    assert b"not usable" in watched.run("auth", "status").out
    watched.run("auth", "status", "--json")
    assert watched.run("auth", "remove", "fal").code in (0, 3)


LONG = FAL.value * 100


@pytest.mark.parametrize("source", ["environment", "file"])
def test_a_key_that_is_too_long(watched: Watched, source: str) -> None:
    if source == "environment":
        watched.set(FAL_KEY=LONG)
    else:
        watched.unset("FAL_KEY")
        watched.store(f"fal = {json.dumps(LONG)}\n")
    watched.between.instead["submit"] = lambda _asked: Response("too long", 431)
    assert watched.run("generate", "x", "-p", "fal", *TOLD_ALL).code != 0


def test_a_key_is_stored_whole_or_not_at_all(watched: Watched) -> None:
    watched.unset("FAL_KEY")
    key = LONG + LONG
    assert len(key) > 4096
    ran = watched.run("auth", "set", "fal", stdin=key.encode())
    stored = watched.config / "credentials.toml"
    assert ran.code != 0 or json.dumps(key) in stored.read_text()


def test_keys_are_stored_shown_and_removed_unseen(watched: Watched) -> None:
    watched.unset("FAL_KEY", "AIML_API_KEY")
    key = f"\ufeff {STORED.value}\r\n".encode()
    for provider in ("fal", "aimlapi"):
        assert watched.run("auth", "set", provider, stdin=key).code == 0
    for argv in (("auth", "status"), ("auth", "status", "--json"), ("models", "--debug")):
        assert watched.run(*argv).code == 0
    assert watched.run("auth", "remove", "fal").code == 0
    assert watched.run("auth", "remove", "aimlapi").code == 0
    assert STORED.found_in((watched.config / "credentials.toml").read_bytes()) == []


@pytest.mark.parametrize(
    "argv",
    [
        ("auth", "set", "fal", AIMLAPI.value),
        ("auth", "set", AIMLAPI.value),
        ("auth", "set", f"fal={AIMLAPI.value}"),
        ("auth", "set", "fal", f"--key={AIMLAPI.value}"),
        ("auth", "set", "fal", "--key", AIMLAPI.value),
        ("auth", "status", AIMLAPI.value),
        ("auth", AIMLAPI.value),
        ("generate", "x", f"--api-key={AIMLAPI.value}"),
        ("generate", "x", "--api-key", AIMLAPI.value),
    ],
    ids=lambda argv: " ".join(argv).replace(AIMLAPI.value, "KEY"),
)
def test_a_key_that_was_typed_where_none_goes_is_not_repeated(
    watched: Watched, argv: tuple[str, ...]
) -> None:
    assert watched.run(*argv).code == 2
    assert watched.run(*argv, "--json").code == 2


HELP: list[tuple[str, ...]] = [(), ("auth",), ("generate",), ("edit",), ("status",), ("fetch",)]
HELP += [("cancel",), ("forget",), ("models",), ("sandbox",), ("completion",)]
HELP += [("auth", name) for name in ("set", "status", "remove")]


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_help_tells_nothing_of_the_environment(watched: Watched, command: tuple[str, ...]) -> None:
    for name in ("PROVIDER", "MODEL", "OUTPUT_DIR"):
        watched.set(**{f"KONTEXT_{name}": PASSWORD.value})
    assert watched.run(*command, "--help").code == 0
    watched.run(*command, "--no-such-option")


URLS = [
    "https://user:{secret}@other.example/fal",
    "https://{secret}@other.example/fal",
    "https://{secret}:x@127.0.0.1/fal",
    "http://user:{secret}@127.0.0.1:9/fal",
    "http://user:{secret}@10.0.0.7/fal",
    "https://other.example/fal?token={secret}",
    "https://other.example/fal#{secret}",
    "https://other.example/../{secret}",
    "https://other.example:{secret}/",
    "ftp://user:{secret}@other.example",
    "{secret}",
    "https://[{secret}]/",
    "https://other.example/ {secret}",
]


@pytest.mark.parametrize("url", soaked(URLS[::2], URLS))
def test_a_base_url_with_a_secret_in_it(watched: Watched, url: str) -> None:
    url = url.format(secret=PASSWORD.value)
    config = watched.config / "config.toml"
    watched.own.add(config)
    watched.set(KONTEXT_FAL_BASE_URL=url)
    for argv in (COMMANDS[0], ("models",)):
        assert watched.run(*argv, *TOLD_ALL).code == 2
    watched.unset("KONTEXT_FAL_BASE_URL")
    watched.write("config/config.toml", f'[providers.fal]\nbase_url = "{url}"\n')
    for argv in (COMMANDS[7], ("models",)):
        assert watched.run(*argv, *TOLD_ALL).code == 2


PROXIES = [
    "http://user:{secret}@127.0.0.1:9",
    "https://user:{secret}@127.0.0.1:9",
    "user:{secret}@127.0.0.1:9",
    "ftp://user:{secret}@proxy.example",
    "socks5://user:{secret}@127.0.0.1:9",
    "http://user:{secret}@[x]",
    "http://user:{secret}@proxy:port",
    "http://user:{secret}@",
    "http://é:{secret}@127.0.0.1:9",
    "http://user:{secret}\x7f@127.0.0.1:9",
]
NOWHERE = "https://192.0.2.1"
"""An address that is nobody's (RFC 5737)."""


@pytest.mark.parametrize("proxy", soaked(PROXIES[::2], PROXIES))
def test_a_proxy_with_a_password(watched: Watched, proxy: str) -> None:
    watched.set(KONTEXT_FAL_BASE_URL=NOWHERE)
    watched.set(HTTPS_PROXY=proxy.format(secret=PASSWORD.value))
    assert watched.run("generate", "x", "-p", "fal", *SOON, *TOLD_ALL).code in (2, 6)
    assert watched.run("models", "--debug").code == 0


BAD_CONFIG = [
    'fal_key = "KEY"',
    '[providers.fal]\nkey = "KEY"',
    '[providers.fal]\njobs = "KEY"',
    '[providers.fal]\nbase_url = [7, "KEY"]',
    '[prices.fal]\nkontext-pro = "KEY"',
    '[providers.fal]\nkey_command = "KEY"',
    '[providers.fal]\nkey_command = ["KEY", 7]',
    '[defaults]\nseed = ["KEY"]',
    '[defaults]\nsidecar = "KEY"',
    'output_dir = ["KEY"]',
    'model = { key = "KEY" }',
    'model = "KEY',
    "model = KEY",
    'model = "a"\nmodel = "KEY"',
    'model = "KEY\\q"',
    '\xff = "KEY"',
]


def test_a_key_in_the_place_of_the_command_that_prints_it(watched: Watched) -> None:
    watched.unset("FAL_KEY")
    text = f'[providers.fal]\nkey_command = ["{PASSWORD.value}"]\n'
    watched.own.add(watched.write("config/config.toml", text))
    assert watched.run("auth", "status").code == watched.run("models", "--debug").code == 0
    assert watched.run("generate", "x", "-p", "fal", *TOLD_ALL).code == 3


@pytest.mark.parametrize("content", BAD_CONFIG)
def test_a_config_file_with_a_key_in_the_wrong_place(watched: Watched, content: str) -> None:
    text = content.replace("KEY", PASSWORD.value).encode("latin-1")
    watched.own.add(watched.write("config/config.toml", text))
    for argv in (COMMANDS[3], ("models",)):
        assert watched.run(*argv, *TOLD_ALL).code == 2
