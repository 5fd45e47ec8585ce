"""The servers of a provider whose base URL is the user's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kontext_cli.errors import KontextError, UsageError
from kontext_cli.providers.fal import Fal
from kontext_cli.settings.config import load_config
from kontext_cli.settings.settings import Settings

Load = Callable[..., Settings]
VARIABLE = "KONTEXT_FAL_BASE_URL"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Settings of an environment and a config file, where fal's servers are one's own."""
    monkeypatch.setattr(Fal, "needs_base_url", True)
    monkeypatch.setattr(Fal, "key_hosts", {"FAL_KEY": frozenset({"fal.example"})})

    def settings(config: str = "", **environ: str) -> Settings:
        (tmp_path / "config.toml").write_text(config)
        return Settings.load({"KONTEXT_CONFIG_DIR": str(tmp_path), **environ})

    return settings


def bases(settings: Settings) -> list[str]:
    return [server.base_url for server in settings.servers("fal")]


def test_without_a_base_url_the_lines_to_write_are_named(load: Load, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        load().open("fal")
    assert refused.value.message == "fal has no base URL: its servers are your own"
    assert refused.value.hint is not None
    assert f"{VARIABLE}={Fal.home}" in refused.value.hint
    assert f'{tmp_path / "config.toml"}: [providers.fal] base_url = "{Fal.home}"' in (
        refused.value.hint
    )


def test_a_list_is_a_pool(load: Load) -> None:
    written = load('[providers.fal]\nbase_url = ["http://gpu:8188/", "https://b.example"]')
    assert bases(written) == ["http://gpu:8188", "https://b.example"]
    given = load(**{VARIABLE: "http://a.local, http://127.0.0.1:80/,"})
    assert bases(given) == ["http://a.local", "http://127.0.0.1"]
    assert given.open("fal").base_url == "http://a.local"
    assert bases(load('[providers.fal]\nbase_url = "http://gpu"')) == ["http://gpu"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("http://gpu:8188,http://GPU:8188/", "lists a server twice: http://gpu:8188, http://GPU"),
        ("http://gpu,http://gpu.:80", "twice"),
        ("http://gpu,nonsense", "not an http(s) URL"),
        ("http://gpu,http://example.com", "on no local network"),
        (",", "an empty list"),
    ],
)
def test_mistakes_in_a_list(load: Load, value: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(**{VARIABLE: value}).open("fal")
    assert reason in refused.value.message
    assert VARIABLE in refused.value.message


@pytest.mark.parametrize("value", ["[]", "[1]", "7", "{}"])
def test_mistakes_in_the_file(load: Load, value: str) -> None:
    with pytest.raises(UsageError, match=r"config\.toml:2: `base_url` should be"):
        load(f"[providers.fal]\nbase_url = {value}")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ('model = "a"\n[providers.openai]\nmodel = 5', 3),
        ('[providers.openai]\nbase_url = "http://a"\n[providers.comfyui]\nbase_url = 5', 4),
        ("[prices.comfyui]\n[providers.openai]\njobs = 1\n[providers.fal]\njobs = 0", 5),
        ("[prices.openai]\na = 1\n[prices.fal]\na = -1", 4),
        ("[prices.openai]\na = 1\n[providers.fal]\na = 1", 4),
        ('providers.openai.base_url = "http://a"\nproviders.fal.jobs = 0', 2),
        ("[providers.openai]\nmodel = 'a'\n[prices.nobody]\na = 1", 3),
        ("[providers.comfyui]\njobs = 1\n[providers.comfyui.map]\nprompt = '6.text'", 3),
    ],
)
def test_a_mistake_is_told_with_the_line_of_its_own_table(
    load: Load, config: str, line: int
) -> None:
    with pytest.raises(UsageError, match=rf"config\.toml:{line}: "):
        load(config)


def test_hosted_providers_are_no_pool(load: Load) -> None:
    urls = "https://a.example,https://b.example"
    with pytest.raises(UsageError, match="is a list, but together is one service"):
        load(KONTEXT_TOGETHER_BASE_URL=urls).open("together")


def test_a_key_goes_over_no_plain_http(load: Load) -> None:
    keyed = {"FAL_KEY_ID": "a", "FAL_KEY_SECRET": "b"}
    with pytest.raises(UsageError, match="sends the key over plain http to `gpu`"):
        load(**{VARIABLE: "http://gpu", **keyed}).open("fal")
    for url in ("https://gpu", "http://127.0.0.1:9"):
        settings = load(**{VARIABLE: url, **keyed})
        assert settings.require_key("fal", settings.open("fal").base_url) == "a:b"


def test_a_key_for_some_hosts_goes_to_no_other(load: Load) -> None:
    urls = "http://gpu,https://fal.example,http://localhost:8000,https://b.example"
    settings = load(**{VARIABLE: urls, "FAL_KEY": "secret"})
    keys = [settings.require_key("fal", each.base_url) for each in settings.servers("fal")]
    assert keys == [None, "secret", "secret", None]


def test_no_key_is_needed(load: Load) -> None:
    settings = load(**{VARIABLE: "http://gpu"})
    assert settings.is_usable("fal")
    assert settings.require_key("fal", "http://gpu") is None


def test_a_file_that_cannot_be_read_as_settings_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[providers.fal]\njobs = 3\nbase_url = ["a", "b\\u0000"]')
    with pytest.raises(KontextError, match=r"config\.toml:3: `base_url` contains a NUL"):
        load_config(path)
