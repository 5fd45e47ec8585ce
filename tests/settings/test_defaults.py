"""`[defaults]` of `config.toml`: what flags are when they are not typed."""

import os

import pytest

from completions.writer.tree import tree
from kontext_cli.cli.main import program
from kontext_cli.settings.defaults import COMMANDS_WITH, SWITCHES, TYPED_ONLY
from processes import imported
from world import World

HERE = ("generate", "fox", "-p", "sandbox")


def flags() -> set[tuple[str, str]]:
    """Every flag that there is, as its command and its key."""
    return {
        (command.name, option.flags[-1].removeprefix("--").replace("-", "_"))
        for command in tree(program()).subcommands
        for option in command.options
        if option.flags[-1] != "--help"
    }


def test_every_flag_can_have_a_default_or_it_is_said_why_not() -> None:
    can = {(command, key) for key, commands in COMMANDS_WITH.items() for command in commands}
    assert can <= flags()
    of_the_image = {("replay", key) for command, key in can if command == "generate"}
    unexplained = {
        (command, key) for command, key in flags() - can - of_the_image if key not in TYPED_ONLY
    }
    assert unexplained == {
        ("fetch", "name"),  # a job has its names since it was submitted
        ("doctor", "debug"),  # it runs with a file that cannot be read
    }


def test_switches_are_true_or_false() -> None:
    switches = {
        option.flags[-1].removeprefix("--").replace("-", "_")
        for command in tree(program()).subcommands
        for option in command.options
        if not option.takes_value
    }
    assert switches & COMMANDS_WITH.keys() == SWITCHES


def test_a_flag_that_is_not_typed_has_its_default(world: World) -> None:
    world.configure('[defaults]\nnum_images = 3\nsidecar = true\nname = "{slug}"\ntimeout = "5m"\n')
    ran = world.run(*HERE)
    assert ran.lines == ["fox-1.jpg", "fox-2.jpg", "fox-3.jpg"]
    assert (world.folder / "fox-1.jpg.json").exists()
    typed = world.run(*HERE, "-n", "1", "--no-sidecar", "--name", "typed")
    assert typed.lines == ["typed.jpg"]
    assert not (world.folder / "typed.jpg.json").exists()


def test_the_table_of_a_command_goes_before_that_of_all(world: World) -> None:
    world.configure(
        "[defaults.edit]\nno_wait = false\n[defaults]\nno_wait = true\nquiet = true\n"
        "[defaults.status]\nlimit = 1\n"
    )
    world.images("house.png")
    submitted = world.run(*HERE)
    assert len(submitted.lines[0]) == 12
    assert world.run(*HERE, "--wait").lines[0].endswith(".jpg")
    edited = world.run("edit", "winter", "-i", "house.png", "-p", "sandbox")
    assert (edited.lines, edited.err) == (["house-edit.jpg"], "")
    assert len(world.run("status").lines) == 1
    assert len(world.run("status", "--limit", "9").lines) == 3


@pytest.mark.parametrize(
    ("line", "error"),
    [
        # what the flag itself says
        ("num_images = 9", "for sandbox, `--num-images` should be 1 to 4, not 9"),
        ('num_images = "many"', "`--num-images many` should be a whole number"),
        ('exists = "replace"', "`--exists replace` should be one of error, skip, number"),
        ("timeout = -1", "--timeout should be a duration above 0, not `-1`"),
        ('max_cost = "cheap"', "--max-cost should be US dollars, not `cheap`"),
        ('name = "{nope}"', "the name template `{nope}` has the unknown field"),
        ('resolution = "1k"', "sandbox does not support `--resolution`"),
        # what the file says
        ("num_images = true", "`num_images` should be text or a number"),
        ("sidecar = 1", "`sidecar` should be true or false"),
        ("seed = [1]", "`seed` should be text or a number"),
        ('name = "\\u0000"', "`name` contains a NUL character"),
        ("exists.a = 1", "`exists` should be a value, not a table"),
        ("exits = 1", "there is no flag `exits` that can have a default"),
        ("num-images = 2", "there is no flag `num-images`"),
        ("provider = 'fal'", "`provider` can have no default here: it is set above all tables"),
        ("jobs = 2", "`jobs` can have no default here: it is set for each provider"),
        ("force = true", "`force` can have no default here: it may pay twice"),
        ("json = true", "`json` can have no default here: it decides what scripts get"),
        ("status.exists = 'skip'", "`status` takes no default for `exists`"),
        ("generate.limit = 2", "`limit` can have no default here: it belongs to one run"),
        ("edti.seed = 1", "there is no command `edti` with defaults"),
    ],
)
def test_a_mistake_has_its_line(world: World, line: str, error: str) -> None:
    world.configure(f"provider = 'sandbox'\n[defaults]\n{line}\n")
    ran = world.run("generate", "fox")
    assert ran.code == 2
    assert f"config.toml:3: {error}" in ran.err


def test_a_budget_that_is_too_small_has_its_line(world: World) -> None:
    world.configure("[defaults]\nmax_cost = 0.01\n")
    ran = world.run("generate", "fox", "-p", "fal", "--dry-run")
    assert ran.code == 10
    assert "config.toml:2: the estimated cost of $0.04 exceeds the $0.01" in ran.err


def test_an_age_and_a_limit_can_be_anything(world: World) -> None:
    world.configure(f"[defaults]\nsince = inf\nlimit = {10**30}\n")
    assert "config.toml:2: `--since inf` is not an age" in world.run("cost").err
    assert world.run("status").code == 0


def test_the_file_may_be_one_of_a_windows_editor(world: World) -> None:
    world.configure("")
    path = world.config / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[defaults]\r\nnum_images = 2\r\n")
    assert len(world.run(*HERE).lines) == 2
    path.write_bytes("[defaults]".encode("utf-16"))
    assert f"`{path}` cannot be read: it is not UTF-8" in world.run(*HERE).err


def test_a_file_that_never_ends_is_not_read(world: World) -> None:
    world.configure("#" * 2**20 + "#")
    path = world.config / "config.toml"
    assert f"`{path}` cannot be read: it is larger than 1 MiB" in world.run(*HERE).err
    if hasattr(os, "mkfifo"):
        path.unlink()
        os.mkfifo(path)
        assert f"`{path}` cannot be read: it is no regular file" in world.run(*HERE).err


def test_the_hint_has_the_right_spelling(world: World) -> None:
    world.configure("[defaults]\nnum-images = 2\n")
    assert "did you mean `num_images`?" in world.run(*HERE).err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("--no-sidecarr", "did you mean `--no-sidecar`?"),
        ("-no-sidecar", "did you mean `--no-sidecar`?"),
        ("--no-sidecar=1", "kontext generate --help"),
    ],
)
def test_the_form_that_takes_a_switch_back_is_one_of_its_names(
    world: World, typed: str, hint: str
) -> None:
    ran = world.run(*HERE, typed)
    assert (ran.code, f"hint: {hint}" in ran.err) == (2, True)


def test_a_mistake_in_what_is_typed_is_none_of_the_file(world: World) -> None:
    world.configure("[defaults]\nnum_images = 2\n")
    ran = world.run(*HERE, "-n", "9")
    assert (ran.code, "config.toml" in ran.err) == (2, False)


DEFAULTS = """[defaults]
num_images = 2
sidecar = true
open = true
name = "{slug}"
output_format = "png"
fail_fast = true
max_cost = 5
"""


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        (("-o", "a.jpg", "--no-open", "-n", "1"), ["a.jpg"]),
        (("--no-wait", "--sync-mode"), None),
        (("-f", "prompts.txt", "--max-failures", "1"), ["fox-1.png", "fox-2.png"]),
    ],
)
def test_what_is_typed_rules_out_defaults(
    world: World, typed: tuple[str, ...], lines: list[str] | None
) -> None:
    world.configure(DEFAULTS)
    world.prompts("fox")
    prompt = () if "-f" in typed else ("fox",)
    ran = world.run("generate", *prompt, "-p", "sandbox", *typed)
    if lines is None:
        assert (ran.code, "config.toml" in ran.err) == (2, False)
    else:
        assert (ran.code, ran.lines) == (0, lines)


def test_one_image_on_standard_output_whatever_the_defaults(world: World) -> None:
    world.configure(DEFAULTS)
    ran = world.run(*HERE, "-o", "-")
    assert (ran.code, ran.out[:4]) == (0, b"\x89PNG")


def test_a_page_and_a_sheet_share_the_defaults_of_gallery(world: World) -> None:
    world.configure("[defaults.gallery]\ncolumns = 2\ninline = true\n")
    world.images("a.png", "b.png")
    for output in "page.html", "sheet.png":
        assert world.run("gallery", ".", "-o", output).code == 0
    assert not (world.folder / "page-files").exists()


def test_a_lock_keeps_no_defaults(world: World) -> None:
    world.configure("[defaults]\nguidance_scale = 4\nsidecar = true\nmax_cost = 9\n")
    rows = world.prompts("fox")
    ran = world.batch(rows, "--lock", "-p", "sandbox")
    assert "prompts.lock` is for others, too: your defaults are left out" in ran.err
    assert "(--guidance-scale and --sidecar)" in ran.err
    world.configure("")
    again = world.batch(rows, "-p", "sandbox")
    assert (again.counts, "other defaults" in again.err) == ({"skipped": 1}, False)


def test_the_command_to_go_on_with_waits(world: World) -> None:
    world.configure("[defaults]\nno_wait = true\n")
    ran = world.run("generate", "-f", world.prompts("fox"), "-p", "sandbox")
    assert "continue with: kontext generate -f prompts.txt -p sandbox --wait" in ran.err


def test_what_needs_no_file_reads_none(world: World) -> None:
    world.configure("nonsense")
    for argv in ("--help",), ("generate", "--help"), ("completion", "bash"):
        assert world.run(*argv).code == 0
    assert "no such option" in world.run("generate", "x", "--nope").err
    assert world.run("status").code == 2


def test_without_a_file_nothing_is_imported_for_it() -> None:
    assert "tomllib" not in imported("status")
