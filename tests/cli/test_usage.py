"""What is said of a command line that cannot work: the message, and the line to type instead.

Every line is typed by somebody without a key, so that none of these is taken for a missing one.
"""

import json
import shlex
from pathlib import Path

import pytest

from completions.writer.tree import Command, tree
from kontext_cli.cli import foreign
from kontext_cli.cli.help import COMMANDS
from kontext_cli.cli.main import program, run
from kontext_cli.providers import NAMES
from samples import image_file

KEY = "sk-0123456789abcdef0123"

TABLE = [
    # words that are no command
    ("genrate x", "unknown command `genrate`", "did you mean `kontext generate`?"),
    ("gen 'a fox'", "unknown command `gen`", "did you mean `kontext generate`?"),
    ("create 'a fox'", "unknown command `create`", "did you mean `kontext generate`?"),
    ("list", "unknown command `list`", "did you mean `kontext status`?"),
    ("version", "unknown command `version`", "did you mean `kontext --version`?"),
    ("fal", "`fal` is a provider, not a command", "--provider fal"),
    ("fox", "unknown command `fox`", "kontext --help"),
    ("help fox", "unknown command `fox`", "kontext --help"),
    # a prompt without its command, or without its quotes
    ("'a fox'", "unknown command `a fox`; give a prompt after", "kontext generate 'a fox'"),
    ("a red fox -p fal -d 'my out'", "", "kontext generate 'a red fox' -p fal -d 'my out'"),
    ("make it winter -i a.png", "", "kontext edit 'make it winter' -i a.png"),
    ("generate a red fox", "put quotes around it", "kontext generate 'a red fox'"),
    ("generate a -n2 red -qd out fox", "", "kontext generate 'a red fox' -n2 -qd out"),
    ('generate "it\'s" red', "", """kontext generate 'it'"'"'s red'"""),
    ("generate a fox -- --not-a-flag", "", "kontext generate 'a fox --not-a-flag'"),
    ("edit make it 'very cold' -i a.png", "", "kontext edit 'make it very cold' -i a.png"),
    ("edit x -i a.png b.png c.JPG", "each image needs its own -i, but `b.png`", "-i A -i B"),
    ("models fal", "unexpected argument: fal", "kontext models --provider fal"),
    ("models x", "unexpected argument: x", "kontext models --help"),
    # options before their command
    ("-p fal generate x", "`kontext` itself has no option -p", "kontext generate -p"),
    ("--json 'a fox'", "`kontext` itself has no option --json", "give options after"),
    ("-V", "", "did you mean `--version`?"),
    # options of other tools
    ("generate x --size 1024x1024", "no such option: --size", "`--aspect-ratio 1:1`"),
    ("generate x --size=1792x1024", "no such option: --size", "`--aspect-ratio 16:9`"),
    ("generate x --size 5x4", "", "`--aspect-ratio 4:3`, the nearest supported ratio?"),
    ("generate x --size big", "", "did you mean `--aspect-ratio`, as in"),
    ("generate x --width 1024 --height 768", "no such option: --width", "`--aspect-ratio 4:3`"),
    ("generate x -W 512 -H 768", "no such option: -W", "`--aspect-ratio 2:3`"),
    ("generate x --ar 16:9", "no such option: --ar", "`--aspect-ratio 16:9`"),
    ("generate x -ar 16:9", "no such option: -ar", "`--aspect-ratio 16:9`"),
    ("generate x --num-inference-steps 30", "no such option", "did you mean `--steps`?"),
    ("generate x -steps 30", "no such option: -steps", "did you mean `--steps`?"),
    ("generate x --negative-prompt y", "no such option: --negative-prompt", "no negative prompt"),
    ("generate x --negative_prompt=y", "", "no negative prompt"),
    ("generate x --show", "no such option: --show", "did you mean `--preview auto`?"),
    ("generate x --quality hd", "no such option: --quality", "--model kontext-max"),
    ("generate x --n 2", "no such option: --n", "did you mean `--num-images`?"),
    ("generate x --count 2", "", "did you mean `--num-images`?"),
    ("generate x --cfg 3", "", "did you mean `--guidance-scale`?"),
    ("generate x --guidance 3", "", "did you mean `--guidance-scale`?"),
    ("generate x --style vivid", "", "describe the style in the prompt"),
    ("edit x -i a.png --strength 0.5", "", "say in the instruction how much"),
    ("generate x --format png", "", "did you mean `--output-format`?"),
    ("generate x --out a.png", "", "did you mean `--output`?"),
    ("generate x --model-id y", "", "did you mean `--model`?"),
    ("generate x --overwrite", "", "did you mean `--exists overwrite`?"),
    ("generate --prompt 'a fox'", "no such option: --prompt", "the prompt is an argument"),
    ("generate x -v", "no such option: -v", "did you mean `--debug`?"),
    ("generate x --image a.png", "no such option: --image", "`kontext edit` takes images"),
    ("generate x -i a.png", "no such option: -i", "`kontext edit` takes images"),
    ("edit x --input a.png", "no such option: --input", "did you mean `--image`?"),
    # slips
    ("generate x --sed 3", "no such option: --sed", "did you mean `--seed`?"),
    ("generate x --num_images 2", "no such option: --num_images", "did you mean `--num-images`?"),
    ("generate x --Seed 2", "no such option: --Seed", "did you mean `--seed`?"),
    ("generate x --lighting warm", "no such option: --lighting", "kontext generate --help"),
    ("generate x -Z", "no such option: -Z", "kontext generate --help"),
    ("generate x -seed 3", "no such option: -seed", "did you mean `--seed`?"),
    ("generate x -p sandbox -dry-run", "no such option: -dry-run", "did you mean `--dry-run`?"),
    ("generate x -p sandbox -debug", "no such option: -debug", "did you mean `--debug`?"),
    ("fetch --resubmi", "no such option: --resubmi", "did you mean `--resubmit`?"),
    # values that are missing
    ("generate x -p", "-p needs a value", "kontext generate --help"),
    ("generate x --output", "--output needs a value", "kontext generate --help"),
    ("edit x -i", "-i needs a value", "kontext edit --help"),
    ("fetch --timeout", "--timeout needs a value", "kontext fetch --help"),
    (
        "generate x -p --quiet",
        "--provider needs a value, but is followed by --quiet",
        "generate --help",
    ),
    ("cancel", "missing argument 'JOB...'", "kontext cancel --help"),
    # values that are none
    (
        "generate x -p midjourney",
        "there is no provider `midjourney`",
        "there are fal, aimlapi, chain",
    ),
    ("generate x -p openai", "openai has no base URL", "KONTEXT_OPENAI_BASE_URL=http://"),
    ("generate x -p fal-ai", "there is no provider `fal-ai`", "did you mean `fal`?"),
    ("generate x -p FAL", "", "did you mean `fal`?"),
    ("generate -p 'a fox'", "-p sets the provider", "kontext generate 'a fox'"),
    ("edit -p 'add fog' -i a.png", "-p sets the provider", "kontext edit 'add fog'"),
    ("generate x --dry-run=yes", "--dry-run takes no value", "kontext generate --help"),
    ("generate x -a 1024x1024", "`--aspect-ratio 1024x1024` should be one of 21:9", "ratio 1:1`?"),
    ("generate x -a 16x9", "", "did you mean `--aspect-ratio 16:9`?"),
    ("generate x -a landscape", "", "did you mean `--aspect-ratio 3:2`?"),
    ("generate x -a 5:4", "", "the nearest is `--aspect-ratio 4:3`"),
    ("generate x -a auto", "should be one of 21:9", "kontext generate --help"),
    ("generate x --output-format jpg", "should be one of jpeg, png", "did you mean `jpeg`?"),
    ("generate x --output-format webp", "should be one of jpeg, png", "kontext generate --help"),
    ("generate x --seed many", "--seed", "generate --help"),
    ("generate x -g much", "--guidance-scale", "generate --help"),
    ("generate -f p.txt -j 0", "--jobs", "kontext generate --help"),
    ("status --limit 0", "--limit", "kontext status --help"),
    ("generate x --timeout soon", "--timeout should be a duration above 0, not `soon`", "5m"),
    ("generate x --timeout 0s", "--timeout should be a duration above 0, not `0s`", "5m"),
    ("fetch --timeout 0", "--timeout should be a duration above 0", "5m"),
    ("generate x --max-cost ''", "--max-cost should be US dollars", "write 5, or '$5'"),
    ("generate x --max-cost €5", "--max-cost should be US dollars, not `€5`", "'$5'"),
    ("forget --older-than 30", "`--older-than 30` is not an age", "30d"),
    ("models -m flux", "there is no model `flux`", "there are kontext-pro, kontext-max"),
    # what no provider, or not this one, can do: before a word about keys
    ("generate x -m flux-dev", "does not generate with the model `flux-dev`", "kontext-pro"),
    ("generate x -m flux-kontext-max", "", "did you mean `kontext-max`?"),
    ("generate x -m kontext-por", "", "did you mean `kontext-pro`?"),
    ("generate x -n 9", "for fal, `--num-images` should be 1 to 4, not 9", ""),
    ("generate ''", "the prompt is empty", ""),
    ("generate x -p chainhub --seed 3", "chainhub does not support `--seed`", "fal, aimlapi"),
    ("edit x -p chainhub -i a.png", "chainhub has no `edit`", ""),
    ("generate x -p aimlapi --no-wait", "aimlapi answers in one call", ""),
    ("generate x -o a.webp", "webp", ""),
    ("generate -f p.txt -p chainhub --seed 3", "1 error; nothing was sent", ""),
    ("generate -f p.txt -m flux-dev", "1 error; nothing was sent", ""),
    ("generate -f p.txt -p aimlapi --no-wait", "aimlapi answers in one call", ""),
    ("edit x -i a.png --each -p chainhub", "1 error; nothing was sent", ""),
    ("cancel x -p aimlapi", "aimlapi has no queue", ""),
    ("cancel x -p fal -m flux-dev", "does not generate with the model `flux-dev`", ""),
    ("fetch x -p aimlapi", "aimlapi has no queue", ""),
    ("fetch x -p fal -m flux-dev", "does not generate with the model `flux-dev`", ""),
    ("fetch x -p fal -o a.webp", "webp", ""),
    # keys are no arguments, and are not repeated
    (f"generate x --api-key {KEY}", "no such option: --api-key", "kontext auth set PROVIDER"),
    (f"{KEY}", "unknown command `…`", "kontext --help"),
    (f"login {KEY}", "unknown command `login`", "did you mean `kontext auth set PROVIDER`?"),
    (f"set fal {KEY}", "unknown command `set`", "did you mean `kontext auth set PROVIDER`?"),
    (f"fal {KEY}", "`fal` is a provider", ""),
    (f"generate x -p {KEY}", "there is no provider `…`", "there are fal"),
    (f"generate x y {KEY}", "", "kontext generate 'x y …'"),
    (f"models {KEY}", "unexpected argument: …", "kontext models --help"),
    (f"auth {KEY}", "unknown `kontext auth` command", "kontext auth --help"),
    (
        f"auth set {KEY}",
        "takes only a provider: fal, aimlapi, chainhub",
        "auth set fal",
    ),
    (f"auth set fal {KEY}", "keys are never given as arguments", "kontext auth set fal"),
    (f"auth set fal --key {KEY}", "keys are never given as arguments", "kontext auth set fal"),
    ("auth set", "needs a provider: fal, aimlapi, chainhub", "kontext auth set fal"),
    ("auth remove", "needs a provider: fal, aimlapi, chainhub", "kontext auth remove fal"),
    ("auth", "needs a command: set, status or remove", "kontext auth --help"),
]


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(image_file("png"))
    Path("p.txt").write_text("a fox\n")


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(("typed", "message", "hint"), TABLE, ids=[row[0] for row in TABLE])
def test_a_mistake_is_told_with_what_to_type(
    typed: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shlex.split(typed)) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    if hint:
        assert lines[-1].startswith("hint: ")
        assert hint in lines[-1]
    assert KEY not in out + err
    if "--json" in typed:
        (record,) = map(json.loads, out.splitlines())
        assert (record["type"], record["code"], record["exit_code"]) == ("error", "usage", 2)
    else:
        assert out == ""


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "typed",
    [
        "generate x",
        "generate x -p fal --timeout 5m --max-cost $5",
        "generate x -p fal --timeout 1h30m --max-cost '5 USD'",
        "generate x -p aimlapi",
        "generate -f p.txt",
        "generate -f p.txt -p fal",
        "edit x -i a.png",
        "edit x -i a.png --each -p fal",
    ],
)
def test_what_could_be_done_lacks_only_the_key(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shlex.split(typed)) == 3
    assert capsys.readouterr().err.startswith("error: there is no key for ")


def test_a_signed_url_is_not_repeated_in_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://images.example/a.png?X-Signature=0123456789"
    assert run(["edit", "make", "it", "winter", "-i", url]) == 2
    err = capsys.readouterr().err
    assert "kontext edit 'make it winter' -i" in err
    assert "0123456789" not in err


@pytest.mark.parametrize("argv", [["help"], ["help", "generate"], ["help", "auth", "set"]])
def test_help_is_shown_where_it_is_asked_for(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 0
    asked = capsys.readouterr().out
    assert run([*argv[1:], "--help"]) == 0
    assert capsys.readouterr().out == asked


def _flags() -> dict[str, set[str]]:
    """The options of each command."""
    return {
        each.path[-1]: {flag for option in each.options for flag in option.flags}
        for each in _tree().walk()
    }


def _tree() -> Command:
    return tree(program())


def test_the_table_of_foreign_options_holds_what_is_true() -> None:
    flags = _flags()
    ours = flags["generate"] | flags["edit"]
    words = [
        word
        for table in (foreign.SAME, foreign.ABSENT)
        for each in table.values()
        for word in each.split()
    ]
    assert {each.partition(" ")[0] for each in foreign.SAME} <= ours
    assert not {f"--{word}" for word in words} & ours
    assert len(words) == len(set(words))


def test_the_table_of_foreign_commands_holds_what_is_true() -> None:
    known = {" ".join(each.path) for each in _tree().walk()} | {"kontext --version"}
    words = [word for each in foreign.COMMANDS.values() for word in each.split()]
    assert {
        each.replace(" PROVIDER", "").replace(" SHELL", "").replace(" -f FILE", "")
        for each in foreign.COMMANDS
    } <= known
    assert not {*words} & {*COMMANDS, *NAMES}
    assert len(words) == len(set(words))


def test_the_list_of_commands_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("  ") and line.endswith("...")]
