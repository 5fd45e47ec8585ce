"""The files that people edit by hand: settings and keys, in any state of repair."""

import contextlib
import io
import math
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.examples import fuzzed
from fuzz.refusals import tried
from kontext_cli.cli.main import run
from kontext_cli.errors import InvalidKey, KeyFault, KontextError, UsageError
from kontext_cli.providers import NAMES
from kontext_cli.settings.config import Config, load_config
from kontext_cli.settings.credentials import FILE, Credentials
from kontext_cli.settings.origins import all_settings
from kontext_cli.settings.settings import Settings

CANARY = "canary0123456789"

STRINGS = st.sampled_from(
    [
        *('"fal"', '"sandbox"', '"kontext-pro"', "'.'", '"\\u0000"', '"\\ud800"', '"""a\nb"""'),
        "'x",
        *('"https://proxy.example"', '"http://127.0.0.1:8000/fal"', '"https://u:p@h"'),
        '"https://["',
        *('"ａ"', '"\\u202e"', '"a\\tb"', '"../.."', '"/dev/null"', '"~"', '""', '"fal-ai/x/y"'),
    ]
)
NUMBERS = st.sampled_from(
    [
        *("0", "1", "-1", "8", "1_000", "0x7fffffffffffffffffff", "9" * 5000, "1e999", "nan"),
        "-inf",
        *("0.04", "1e6", "999999.9", "1" + "0" * 400, "07", "+1", "1.", "0b1"),
    ]
)
OTHERS = st.sampled_from(
    [
        *("true", "[]", "{}", "[1, 2]", "{a = 1}", "2026-11-21", "2026-02-31T25:00:00Z", "12:00"),
        *("[" * 2000, "[" * 2000 + "]" * 2000, "{a=" * 1000, "", "{", "nope", "\x00", "\ufeff"),
    ]
)
KEYS = st.sampled_from(
    [
        *("provider", "model", "output_dir", "providers", "prices", "providers.fal", "prices.fal"),
        *("base_url", "jobs", "providers.fal.base_url", "providers.fal.jobs", '"kontext-pro"'),
        *("prices.fal.kontext-pro", "fal", "nope", '"a.b"', "''", "a.b.c.d", "pr\u00f6vider"),
    ]
)
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, STRINGS | NUMBERS | OTHERS),
    st.builds("[{}]".format, KEYS),
    st.builds("[[{}]]".format, KEYS),
    st.sampled_from(
        ["", "# a comment", "# \u2028 \x85", "[", "]", "=", '"""', "'''", "\\", "\x00"]
    ),
    st.text(max_size=10),
)
FILES = st.one_of(
    st.lists(LINES, max_size=6).map("\n".join).map(lambda text: text.encode(errors="replace")),
    st.lists(LINES, max_size=3).map("\r\n".join).map(lambda text: text.encode("utf-16")),
    st.binary(max_size=60),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings; all else of this run lies beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KONTEXT_STATE_DIR", str(tmp_path / "state"))
    made = tmp_path / "config"
    made.mkdir()
    monkeypatch.setenv("KONTEXT_CONFIG_DIR", str(made))
    return made


def check_config(config: Config) -> None:
    texts = (config.provider, config.model, config.output_dir, *config.base_urls.values())
    assert all(text is None or isinstance(text, str) for text in texts)
    assert {*config.base_urls, *config.jobs, *config.prices} <= set(NAMES)
    assert all(type(jobs) is int and jobs >= 1 for jobs in config.jobs.values())
    prices = [usd for table in config.prices.values() for usd in table.values()]
    assert all(type(usd) is float and math.isfinite(usd) and usd >= 0 for usd in prices)


class TestConfig:
    @fuzzed(75)
    @given(content=FILES)
    @example(b"provider = " + b"[" * 2000)
    @example(b"providers.fal.jobs = " + b"9" * 5000)
    def test_any_file_is_read_or_refused(self, folder: Path, content: bytes) -> None:
        (folder / "config.toml").write_bytes(content)
        config = tried(UsageError, load_config, folder / "config.toml")
        if isinstance(config, UsageError):
            assert str(folder / "config.toml") in config.message
            return
        check_config(config)
        settings = Settings({}, config, Credentials(folder))
        for name in NAMES:
            with contextlib.suppress(KontextError):
                assert settings.open(name).jobs >= 1
        with contextlib.suppress(KontextError):
            assert {*settings.providers(None, needs_key=False)} <= {*NAMES}
        with contextlib.suppress(KontextError):
            assert all_settings(settings)["model"]

    @fuzzed(20)
    @given(content=FILES)
    @example(b'output_dir = "\\u0000"')
    @example(b'model = "\\u0000/x"')
    @example(b'[defaults]\nseed = 99999999999999999999\nname = "{\\u2028}"')
    @example(b"[defaults]\nguidance_scale = nan\ntimeout = inf")
    @example(b'[defaults]\nedit = {}\nshow = 1\n"" = 2')
    @example(b'[providers.fal]\nkey_command = ["\\u001b[2J"]')
    def test_any_file_leaves_a_program_that_works(self, folder: Path, content: bytes) -> None:
        (folder / "config.toml").write_bytes(content)
        code, _, err = kontext("generate", "a red fox", "--dry-run")
        assert code != 1
        assert "bug in kontext" not in err

    @pytest.mark.parametrize("name", ["\\u0000", "a\\u0000b", "x" * 300, "config.toml/x"])
    def test_a_folder_that_cannot_be_is_told(self, folder: Path, name: str) -> None:
        (folder / "config.toml").write_text(f'output_dir = "{folder}/{name}"\n', encoding="ascii")
        code, _, err = kontext("generate", "a red fox", "-p", "sandbox", "--timeout", "1")
        assert "bug in kontext" not in err
        assert code in (0, 2, 8)

    @fuzzed(75)
    @given(
        before=st.lists(
            st.sampled_from(
                [
                    *('provider = "fal"', "# nopes = 1", "", "# \u2028", "# \x85 é"),
                    'model = "a\u2028b"',
                    *('output_dir = """\nfal\n"""', "providers.fal.jobs = 3"),
                    "prices.fal = {x = 1}",
                ]
            ),
            unique=True,
        ),
        end=st.sampled_from(["\n", "\r\n"]),
    )
    def test_a_mistake_is_told_with_its_line(
        self, folder: Path, before: list[str], end: str
    ) -> None:
        text = end.join([*(line.replace("\n", end) for line in before), "nope = 1"])
        (folder / "config.toml").write_bytes(text.encode())
        with pytest.raises(UsageError) as refused:
            load_config(folder / "config.toml")
        line = text.count("\n") + 1
        assert refused.value.message == (
            f"{folder / 'config.toml'}:{line}: there is no setting `nope`"
        )


def kontext(*argv: str) -> tuple[int, str, str]:
    """The command line in this process: exit code, standard output, standard error."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = run(argv)
    return code, out.getvalue(), err.getvalue()


KEY_LINES = st.one_of(
    st.builds(
        "{} = {}".format,
        st.sampled_from([*NAMES, f'"{CANARY}"', "nope", "fal.x"]),
        st.sampled_from(
            [f'"{CANARY}"', f'"{CANARY}', f"'{CANARY}\n'", f'"{CANARY} x"', f'["{CANARY}"]', CANARY]
        )
        | OTHERS
        | NUMBERS,
    ),
    st.sampled_from([CANARY, f"# {CANARY}", f"[{CANARY}]", f'"{CANARY}', f"{CANARY} = = 1"]),
    st.text(max_size=6),
)
CREDENTIALS = st.one_of(
    st.lists(KEY_LINES, max_size=4).map("\n".join).map(lambda text: text.encode(errors="replace")),
    st.binary(max_size=20).map(lambda junk: junk + CANARY.encode()),
)
VISIBLE = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1)


def store(folder: Path, content: bytes) -> Credentials:
    path = folder / FILE
    path.write_bytes(content)
    path.chmod(0o600)
    return Credentials(folder)


class TestKeys:
    @fuzzed(75)
    @given(content=CREDENTIALS)
    @example(b"fal = " + b"[" * 2000)
    @example(b"fal = " + b"9" * 5000)
    def test_any_file_of_keys_is_read_or_refused_without_a_word_of_it(
        self, folder: Path, content: bytes
    ) -> None:
        credentials = store(folder, content)
        for name in NAMES:
            key = tried(KeyFault, credentials.key, name)
            if isinstance(key, KeyFault):
                assert CANARY not in told(key)
            else:
                assert key is None or is_sendable(key)

    @fuzzed(50)
    @given(content=CREDENTIALS, name=st.sampled_from(NAMES), key=VISIBLE)
    def test_a_stored_key_is_found_again(
        self, folder: Path, content: bytes, name: Any, key: str
    ) -> None:
        credentials = store(folder, content)
        try:
            credentials.store(name, key)
        except KeyFault:
            assert (folder / FILE).read_bytes() == content
            return
        assert Credentials(folder).key(name) == key
        assert credentials.remove(name)
        assert Credentials(folder).key(name) is None

    @fuzzed(75)
    @given(value=st.text() | st.builds("{}{}{}".format, st.text(), st.just(CANARY), st.text()))
    @example(f"{CANARY}\nX-Header: 1")
    def test_any_variable_is_a_key_or_refused_without_its_value(
        self, folder: Path, value: str
    ) -> None:
        settings = Settings({"FAL_KEY": value}, Config(), Credentials(folder))
        found = tried(InvalidKey, settings.key, "fal")
        if isinstance(found, InvalidKey):
            assert CANARY not in told(found)
        elif found is None:
            assert not value.strip()
        else:
            assert found.value == value.strip()
            assert is_sendable(found.value)


def told(fault: KeyFault) -> str:
    """All that is ever said of an error, with what it came from."""
    causes = f"{fault.__cause__!r} {fault.__context__!r}" if not fault.__suppress_context__ else ""
    return f"{fault.message} {fault.hint} {fault.details} {causes}"


def is_sendable(key: str) -> bool:
    """Whether a key can stand in a header."""
    return bool(key) and all("!" <= character <= "~" for character in key)
