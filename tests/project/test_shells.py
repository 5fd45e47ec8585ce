"""The completion scripts in the shells they are for: TAB is pressed, and something comes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer

import shells
from completions.writer.scripts import scripts
from kontext_cli.cli.main import program
from kontext_cli.gallery.contact_sheet import LABELS
from kontext_cli.job import State
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.sandbox.faults import FAULTS
from shells import Shell

SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(shells.missing(name), reason=f"no {name} here"))
    for name in shells.START
]
POSIX = SHELLS[:-1]  # PowerShell has its own way of writing paths
KNOWING_FOLDERS = [
    pytest.param("bash", marks=pytest.mark.skipif(shells.old_bash(), reason="no bash 4.2 here")),
    *POSIX[1:],
]
FILES = ("two birds.png", "albums/", "album.txt")
MODELS = {
    each.model for name in NAMES for each in provider_class(name).endpoints if ":" not in each.model
}

nested = typer.Typer(name="kontext")
deep = typer.Typer(help='It\'s [deep]: `: >ran` $(: >ran) (: >ran) \\ "quoted" – and 日本語…')
deeper = typer.Typer(help="Deeper.")
nested.add_typer(deep, name="deep")
deep.add_typer(deeper, name="deeper")


@deeper.command()
def lend(
    whom: Annotated[Literal["ann", "bob"], typer.Argument()],
    what: Annotated[list[str], typer.Argument(metavar="FILE", help="What's lent: [a] `: >ran`.")],
    until: Annotated[
        Literal["1:30", "1:45"], typer.Option("-u", "--until", help="$(: >ran)")
    ] = "1:30",
    loud: Annotated[bool, typer.Option("--loud/--quiet", help="'")] = False,
) -> None:
    """Lend: it's [not] `: >ran` $(: >ran)."""


@deeper.command("give-away")
def give_away(box: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Give."""


@deeper.command(hidden=True)
def leak() -> None:
    """Never shown."""


def started(name: str, app: typer.Typer, home: Path) -> Shell:
    here = home / "here"
    here.mkdir()
    for each in FILES:
        (here / each).mkdir() if each.endswith("/") else (here / each).touch()
    script = home / shells.SCRIPTS[name]
    script.write_text(scripts(app)[script.name])
    return shells.START[name](script, here)


@pytest.fixture(scope="module", params=SHELLS)
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    it = started(request.param, program(), tmp_path_factory.mktemp("shell"))
    yield it
    it.close()


@pytest.fixture(scope="module", params=SHELLS)
def deep_shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    it = started(request.param, nested, tmp_path_factory.mktemp("shell"))
    yield it
    it.close()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("gen", "generate"),
        ("completion po", "powershell"),
        ("auth se", "set"),
        ("auth set aim", "aimlapi"),
        ("--ver", "--version"),
        ("generate --asp", "--aspect-ratio"),
        ("generate x -p ch", "chainhub"),
        ("generate x --provider ch", "chainhub"),
        ("generate x --provider=ch", "--provider=chainhub"),
        ("generate -a 16:", "16:9"),
        ("generate x --aspect-ratio 16:", "16:9"),
        ("generate x --aspect-ratio=16:", "--aspect-ratio=16:9"),
        ("generate 'a red fox' -q --exists ov", "overwrite"),
        ("generate it\\'s --exists=ov", "--exists=overwrite"),
        ("forget --state=un", "--state=unknown"),
        ("sandbox --fault lo", "lost-reply"),
        ("generate -qn 2 x --enh", "--enhance-prompt"),
        ("generate -qn2 x --enh", "--enhance-prompt"),
        ("generate x -o --json --enh", "--enhance-prompt"),
    ],
)
def test_tab_completes(shell: Shell, line: str, word: str) -> None:
    assert shell.completed(line) == word


@pytest.mark.parametrize("shell", POSIX, indirect=True)
@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("edit x -i tw", "two birds.png"),
        ("edit x -i one.png -i tw", "two birds.png"),
        ("edit x --image tw", "two birds.png"),
        ("edit x --image=tw", "--image=two birds.png"),
        ("generate x -o tw", "two birds.png"),
    ],
)
def test_tab_completes_paths(shell: Shell, line: str, path: str) -> None:
    assert shell.completed(line) == path


@pytest.mark.parametrize("shell", KNOWING_FOLDERS, indirect=True)
@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("generate x -d al", "albums"),
        ("generate x --output-dir al", "albums"),
        ("generate x --output-dir=al", "--output-dir=albums"),
    ],
)
def test_tab_completes_folders_only(shell: Shell, line: str, path: str) -> None:
    assert shell.completed(line).rstrip("/") == path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("auth ", {"set", "status", "remove"}),
        ("auth set ", set(NAMES)),
        ("completion ", {"bash", "zsh", "fish", "powershell"}),
        ("generate x -p ", set(NAMES)),
        ("generate -a ", {"21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"}),
        ("generate x -m ", MODELS),
        ("generate x --exists ", {"error", "skip", "number", "overwrite"}),
        ("edit x -i one.png --im", {"--image"}),
        ("status --state ", set(State)),
        ("sandbox --fault ", set(FAULTS)),
        ("gallery --label ", set(LABELS)),
        ("cost --by ", {"day", "provider", "model", "batch"}),
        ("generate x -n ", {"1", "2", "3", "4"}),
        ("generate x --safety-tolerance ", set("0123456")),
        ("generate -f a.txt --shard ", {"auto"}),
        ("auth remove ", set(NAMES)),
    ],
)
def test_what_is_offered(shell: Shell, line: str, words: set[str]) -> None:
    assert shell.offers(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "generate x -p fal --prov",
        "generate x --provider=fal --prov",
        "generate x -qpfal --prov",
        "generate x -- --prov",
        "generate x --provider gener",
        "auth set fal aim",
        "nonsense gen",
    ],
)
def test_nothing_is_offered(shell: Shell, line: str) -> None:
    assert shell.offers(line) == set()


def test_an_option_that_is_given_is_not_offered_under_any_of_its_names(shell: Shell) -> None:
    offered = shell.offers("edit x -p fal -i one.png -")
    assert {"--model", "-i", "--image"} <= offered
    assert not {"-p", "--provider"} & offered


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("de", "deep"),
        ("deep de", "deeper"),
        ("deep deeper gi", "give-away"),
        ("deep deeper give-away one two --h", "--help"),
        ("deep deeper lend b", "bob"),
        ("deep deeper lend ann -u 1:3", "1:30"),
        ("deep deeper lend ann --until=1:3", "--until=1:30"),
        ("deep deeper lend ann --lo", "--loud"),
    ],
)
def test_groups_inside_groups(deep_shell: Shell, line: str, word: str) -> None:
    assert deep_shell.completed(line) == word


@pytest.mark.parametrize("deep_shell", POSIX, indirect=True)
@pytest.mark.parametrize("line", ["", "one.png ", "one.png --loud two.png "])
def test_an_argument_that_repeats_takes_files_each_time(deep_shell: Shell, line: str) -> None:
    assert deep_shell.completed(f"deep deeper lend ann {line}tw") == "two birds.png"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("deep deeper ", {"lend", "give-away"}),
        ("deep deeper lend ", {"ann", "bob"}),
        ("deep deeper lend ann --quiet --l", set()),
        ("deep lend ", set()),
    ],
)
def test_what_a_deep_group_offers(deep_shell: Shell, line: str, words: set[str]) -> None:
    assert deep_shell.offers(line) == words


def test_help_texts_are_never_run(deep_shell: Shell) -> None:
    for line in ("", "deep ", "deep deeper ", "deep deeper lend ", "deep deeper lend ann -"):
        assert deep_shell.offers(line)
    assert not (deep_shell.cwd / "ran").exists()
