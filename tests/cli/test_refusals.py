"""Bad input gets a clear sentence and its exit code; nothing is sent, nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.cli.main import run
from samples import image_file

KEY = "canary-key-0123456789"


class Refused:
    """One refused run, in a folder of its own, with a provider that listens."""

    def __init__(self, code: int, out: str, err: str, requests: int, files: set[str]) -> None:
        self.code, self.out, self.err = code, out, err
        self.requests, self.files = requests, files


@pytest.fixture
def refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Refused]:
    server = sandbox()
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "good.png").write_bytes(image_file("png"))
    (folder / "text.png").write_text("not an image at all")
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(image_file("jpeg", (640, 480))[:900])
    (folder / "taken.jpg").write_bytes(b"mine")
    (folder / "folder").mkdir()
    monkeypatch.chdir(folder)
    for name, key in (("FAL", "FAL_KEY"), ("AIMLAPI", "AIML_API_KEY"), ("CHAINHUB", "")):
        monkeypatch.setenv(f"KONTEXT_{name}_BASE_URL", f"{server.url}/{name.lower()}")
        monkeypatch.setenv(key or "CHAINHUB_API_KEY", KEY)
    before = {path.name for path in folder.iterdir()}

    def attempt(*argv: str, **environ: str) -> Refused:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = run(argv)
        streams = capsys.readouterr()
        new = {path.name for path in folder.iterdir()} - before
        return Refused(code, streams.out, streams.err, len(server.ledger.requests), new)

    return attempt


G = ("generate", "x")
E = ("edit", "x")
FIVE = ("-i", "good.png") * 5


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        # the command line
        pytest.param(("genrate", "x"), 2, "did you mean `kontext generate`?", id="unknown command"),
        pytest.param((*G, "--sed", "3"), 2, "--seed", id="unknown option"),
        pytest.param((*G, "--seed", "x"), 2, "`--seed x` should be", id="no number"),
        pytest.param((*G, "-a", "5:4"), 2, "21:9, 16:9", id="unknown ratio"),
        pytest.param((*G, "--output-format", "webp"), 2, "jpeg, png", id="unknown format"),
        pytest.param((*G, "-p", "nobody"), 2, "aimlapi, chainhub", id="unknown provider"),
        pytest.param((*G, "-m", "kontext-ultra"), 2, "kontext-pro, kontext-max", id="model"),
        pytest.param((*G, "--timeout", "0"), 2, "--timeout", id="no time"),
        pytest.param((*G, "--timeout", "nan"), 2, "--timeout", id="time that is no number"),
        pytest.param((*G, "more"), 2, "more", id="two prompts"),
        # the prompt
        pytest.param(("generate",), 2, "the prompt is missing", id="no prompt"),
        pytest.param(("generate", ""), 2, "the prompt is empty", id="empty prompt"),
        pytest.param(("generate", " \n "), 2, "the prompt is empty", id="blank prompt"),
        pytest.param(("generate", "x" * 32_769), 2, "32,769 characters", id="endless prompt"),
        pytest.param(
            ("generate", "x" * 4_001, "-p", "aimlapi"), 2, "at most 4,000", id="long for aimlapi"
        ),
        pytest.param(("generate", "x\udc80"), 2, "not valid UTF-8", id="prompt of broken bytes"),
        # ranges, and providers without an option
        pytest.param((*G, "-n", "0"), 2, "`--num-images` should be 1 to 4, not 0", id="no images"),
        pytest.param(
            (*G, "-n", "5"), 2, "`--num-images` should be 1 to 4, not 5", id="five images out"
        ),
        pytest.param((*G, "-g", "0.9"), 2, "1 to 20, not 0.9", id="guidance too low"),
        pytest.param((*G, "-g", "20.1"), 2, "1 to 20, not 20.1", id="guidance too high"),
        pytest.param((*G, "-g", "nan"), 2, "--guidance-scale", id="guidance no number"),
        pytest.param((*G, "--safety-tolerance", "0"), 2, "1 to 6, not 0", id="tolerance low"),
        pytest.param((*G, "--safety-tolerance", "7"), 2, "1 to 6, not 7", id="tolerance high"),
        pytest.param((*G, "--seed", "-1"), 2, "`--seed` should be at least 0, not -1", id="seed"),
        pytest.param((*G, "--seed", "0", "-p", "aimlapi"), 2, "at least 1", id="aimlapi seed"),
        pytest.param((*G, "--sync-mode", "-p", "aimlapi"), 2, "support it", id="aimlapi sync"),
        pytest.param((*G, "--seed", "1", "-p", "chainhub"), 2, "fal, aimlapi", id="chainhub seed"),
        pytest.param(
            (*E, "-i", "good.png", "-p", "chainhub"),
            2,
            "chainhub has no `edit`",
            id="chainhub edit",
        ),
        # input images
        pytest.param(E, 2, "`edit` needs an image", id="edit of nothing"),
        pytest.param((*E, *FIVE), 2, "1 to 4 images, not 5", id="five images"),
        pytest.param((*E, *FIVE, *FIVE, "-i", "x"), 2, "1 to 10 images", id="eleven images"),
        pytest.param((*E, "-i", "missing.png"), 8, "missing.png", id="missing image"),
        pytest.param((*E, "-i", "empty.png"), 8, "empty.png", id="empty image"),
        pytest.param((*E, "-i", "text.png"), 8, "text.png", id="image that is none"),
        pytest.param((*E, "-i", "cut.jpg"), 8, "cut.jpg", id="image cut short"),
        pytest.param((*E, "-i", "folder"), 8, "folder", id="image that is a folder"),
        pytest.param((*E, "-i", "http://a.example/b.png"), 2, "https", id="plain http image"),
        pytest.param((*E, "-i", "-", "-i", "-"), 2, "standard input", id="standard input twice"),
        pytest.param(("edit", "-", "-i", "-"), 2, "standard input", id="prompt and image"),
        # names
        pytest.param((*G, "-o", "taken.jpg"), 8, "taken.jpg", id="taken name"),
        pytest.param((*G, "-o", "taken.jpg", "--json"), 8, "taken.jpg", id="taken name, JSON"),
        pytest.param((*G, "-o", "x.webp"), 2, "webp", id="a format Kontext does not make"),
        pytest.param((*G, "-o", "folder"), 2, "folder", id="output is a folder"),
        pytest.param((*G, "-d", "taken.jpg"), 8, "taken.jpg", id="folder is a file"),
        pytest.param((*G, "-d", "taken.jpg/deep"), 8, "taken.jpg", id="folder below a file"),
        pytest.param((*G, "--name", "{prompt}"), 2, "{prompt}", id="unknown field"),
        pytest.param((*G, "--name", "../{slug}"), 2, "..", id="template that climbs"),
        pytest.param((*G, "--name", "{stem}"), 2, "stem", id="stem of nothing"),
        pytest.param((*G, "--name", "{seed}", "-p", "chainhub"), 2, "seed", id="no seed to name"),
        # what cannot go together
        pytest.param((*G, "-o", "-", "-n", "2"), 2, "one image", id="two to standard output"),
        pytest.param((*G, "-o", "-", "--json"), 2, "standard output", id="bytes and JSON"),
        pytest.param((*G, "-o", "a.png", "--name", "b"), 2, "--name", id="two names"),
    ],
)
def test_refused(
    refused: Callable[..., Refused], argv: tuple[str, ...], code: int, says: str
) -> None:
    ended = refused(*argv)
    assert (ended.code, ended.requests, ended.files) == (code, 0, set())
    assert says in ended.err
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    if "--json" not in argv:
        assert ended.out == ""


@pytest.mark.parametrize(
    ("environ", "code", "says"),
    [
        ({"FAL_KEY": "two words"}, 3, "FAL_KEY cannot be a key"),
        ({"FAL_KEY": "two\nlines"}, 3, "FAL_KEY cannot be a key"),
        ({"FAL_KEY": "caf\u00e9"}, 3, "FAL_KEY cannot be a key"),
        ({"FAL_KEY": ""}, 3, "set FAL_KEY or FAL_KEY_ID and FAL_KEY_SECRET, or store one"),
        ({"KONTEXT_PROVIDER": "nobody"}, 2, "there is no provider `nobody`"),
        ({"KONTEXT_FAL_BASE_URL": "http://10.0.0.7/fal"}, 2, "plain http to `10.0.0.7`"),
        ({"KONTEXT_FAL_BASE_URL": "fal.example"}, 2, "KONTEXT_FAL_BASE_URL"),
        ({"KONTEXT_MODEL": "kontext-ultra"}, 2, "kontext-ultra"),
    ],
)
def test_refused_settings(
    refused: Callable[..., Refused], environ: dict[str, str], code: int, says: str
) -> None:
    provider = () if "KONTEXT_PROVIDER" in environ else ("-p", "fal")
    ended = refused(*G, *provider, **environ)
    assert (ended.code, ended.requests, ended.files) == (code, 0, set())
    assert says in ended.err
    for value in environ.values():
        if code == 3 and value:
            assert value not in ended.err


def test_no_key_at_all_names_every_variable(refused: Callable[..., Refused]) -> None:
    ended = refused(*G, FAL_KEY="", AIML_API_KEY="", CHAINHUB_API_KEY="")
    assert ended.code == 3
    for name in ("FAL_KEY", "FAL_KEY_ID", "AIML_API_KEY", "AIMLAPI_KEY", "CHAINHUB_API_KEY"):
        assert name in ended.err
    assert "--provider sandbox" in ended.err


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        ((*G, "--json", "-n", "5"), 2, "unsupported_option"),
        ((*G, "--json", "--seed", "x"), 2, "usage"),
        ((*G, "--json", "-o", "taken.jpg"), 8, "name_taken"),
        ((*E, "--json", "-i", "missing.png"), 8, "input"),
        ((*G, "--json", "-d", "taken.jpg/deep"), 8, "output"),
    ],
)
def test_an_error_is_a_line_too(
    refused: Callable[..., Refused], argv: tuple[str, ...], code: int, word: str
) -> None:
    ended = refused(*argv)
    record = json.loads(ended.out)
    assert ended.out.count("\n") == 1
    assert set(record) == {"schema", "type", "code", "message", "hint", "exit_code"}
    assert (record["schema"], record["type"]) == (1, "error")
    assert (record["code"], record["exit_code"]) == (word, code)
    assert record["message"] in ended.err


def test_a_hostile_name_is_escaped(refused: Callable[..., Refused]) -> None:
    ended = refused(*E, "-i", "\x1b]0;owned\x07\u202e.png")
    assert ended.code == 8
    assert "\x1b" not in ended.err
    assert "\u202e" not in ended.err
    assert "\\x1b]0;owned" in ended.err
