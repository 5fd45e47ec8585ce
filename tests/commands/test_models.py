"""The catalogue: the providers' tables, without key or network."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from kontext_cli.cli.main import run
from kontext_cli.providers import NAMES, Name, provider_class


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KONTEXT_CONFIG_DIR", str(tmp_path))
    return tmp_path / "config.toml"


@pytest.mark.parametrize("name", NAMES)
def test_every_endpoint_and_option_of_a_provider_is_listed(
    name: Name, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "-p", name]) == 0
    out = capsys.readouterr().out
    for endpoint in provider_class(name).endpoints:
        assert f"  {endpoint.id}\n" in out
        for field in endpoint.fields - {"prompt"}:
            assert f"  --{field.replace('_', '-')} " in out


def test_details_tell_keys_prices_and_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "-p", "fal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  key: FAL_KEY or FAL_KEY_ID and FAL_KEY_SECRET" in lines
    assert "  kontext-pro  about $0.04 (2026-11-21)" in lines
    assert "    edit, 2–4 images  fal-ai/flux-pro/kontext/multi" in lines
    assert "  --guidance-scale    1 to 20 (default 3.5)" in lines
    assert run(["models", "-p", "chainhub"]) == 0
    assert "price unknown" in capsys.readouterr().out


def test_without_arguments_there_is_a_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split() for line in lines if line.startswith("model ")]
    assert [name for head in heads for name in head[1:]] == list(NAMES)
    first = lines[: lines.index("")]
    rows = {(row := re.split(r"  +", line))[0]: row for line in first}
    assert rows["kontext-pro"][1:5] == ["g, e", "$0.04", "g, e", "$0.052"]
    assert rows["kontext-dev"][1:4] == ["e", "$0.025+", "–"]
    assert len(lines) <= 24
    assert "default: the one that your own server has." in " ".join(lines)
    assert lines[-1].endswith("kontext models -p PROVIDER")


@pytest.mark.parametrize("columns", [30, 40, 80, 120])
def test_the_matrix_fits_the_window(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    *table, command = lines
    assert max(map(len, table)) <= max(columns, 28)
    assert "kontext models -p PROVIDER" in command
    for model in ("kontext-pro", "kontext-max"):
        assert model in "".join(lines)


def test_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "-p", "fal", "-m", "kontext-max", "--json"]) == 0
    generate, edit = map(json.loads, capsys.readouterr().out.splitlines())
    options = {option.pop("name"): option for option in generate.pop("options")}
    assert generate == {
        "schema": 1,
        "type": "model",
        "provider": "fal",
        "model": "kontext-max",
        "operation": "generate",
        "endpoints": [{"id": "fal-ai/flux-pro/kontext/max/text-to-image", "images": None}],
        "price": {
            "usd": 0.08,
            "source": "estimate",
            "dated": "2026-11-21",
            "further_megapixel": None,
            "input_megapixel": None,
            "resolutions": None,
        },
    }
    assert options["guidance_scale"] == {
        "least": 1,
        "most": 20,
        "longest": None,
        "choices": None,
        "default": 3.5,
    }
    assert [each["images"] for each in edit["endpoints"]] == [[1, 1], [2, 4]]


@pytest.mark.parametrize(
    ("argv", "field", "values"),
    [
        ([], "provider", NAMES),
        (["-p", "chainhub"], "provider", ["chainhub"]),
        (["-m", "kontext-max"], "model", ["kontext-max"]),
    ],
)
def test_narrowed(
    argv: list[str], field: str, values: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "--json", *argv]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record[field] for record in records} == set(values)


def test_a_model_that_nobody_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "-m", "kontext-ultra"]) == 2
    assert "there is no model `kontext-ultra`" in capsys.readouterr().err


def test_prices_and_origins_of_settings(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(
        'provider = "fal"\noutput_dir = "images"\n'
        '[providers.fal]\nbase_url = "https://proxy.example/fal"\njobs = 4\n'
        "[prices.fal]\nkontext-max = 0.07\n[defaults]\nsidecar = true\n"
    )
    monkeypatch.setenv("KONTEXT_OUTPUT_DIR", "elsewhere")
    assert run(["models", "-p", "fal", "--debug"]) == 0
    out, err = capsys.readouterr()
    assert "fal  https://proxy.example/fal" in out
    assert "about $0.07 (from the config)" in out
    assert err.splitlines() == [
        f"provider = fal ({config}:1)",
        "model = kontext-pro (default)",
        "output_dir = elsewhere (KONTEXT_OUTPUT_DIR)",
        "metadata = mark (default)",
        "preview = off (default)",
        f"providers.fal.base_url = https://proxy.example/fal ({config}:4)",
        f"providers.fal.jobs = 4 ({config}:5)",
        f"prices.fal.kontext-max = 0.07 ({config}:7)",
        f"defaults.sidecar = true ({config}:9)",
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('provider = "fal"\nprovder = 1\n', 2, "there is no setting `provder`"),
        ("model = 7\n", 1, "`model` should be text"),
        ('[providers.fal]\nbase_ulr = "x"\n', 2, "no setting `base_ulr` of a provider"),
        ("\n[providers.nobody]\n", 2, "there is no provider `nobody`"),
        ("[providers.fal]\njobs = 0\n", 2, "`jobs` should be a whole number"),
        ("[providers.fal]\njobs = true\n", 2, "`jobs` should be a whole number"),
        ("[prices.fal]\nkontext-pro = -1\n", 2, "the price of `kontext-pro`"),
        ('[prices.fal]\n"kontext-pro" = "x"\n', 2, "the price of `kontext-pro`"),
        ("[prices]\nfal = 3\n", 2, "`prices.fal` should be a table"),
        ("providers = 3\n", 1, "`providers` should be a table"),
    ],
)
def test_mistakes_in_the_config_have_their_line(
    config: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, says: str
) -> None:
    config.write_text(text)
    assert run(["models"]) == 2
    err = capsys.readouterr().err
    assert f"{config}:{line}: " in err
    assert says in err


@pytest.mark.parametrize("text", ["provider = \n", "[", "\x00", "a = 1\na = 2\n"])
def test_a_config_that_is_no_toml(
    config: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    config.write_text(text)
    assert run(["models"]) == 2
    assert str(config) in capsys.readouterr().err


def test_an_unsafe_base_url_in_the_config(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('[providers.fal]\nbase_url = "http://proxy.example"\n')
    assert run(["models"]) == 2
    assert "plain http" in capsys.readouterr().err
