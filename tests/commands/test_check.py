"""`kontext check`: images, prompts and their lock, compared."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.locked import (
    CARDS,
    FOX,
    HEN,
    LOCK,
    OWL,
    WOLF,
    changed,
    check,
    edit_image,
    found,
    make,
    rows,
    state_of,
    wolf,
)
from kontext_cli.lock import read_lock
from processes import imported
from world import World


class TestAgreement:
    def test_nothing_differs_after_a_run(self, world: World) -> None:
        make(world)
        for file in ("cards.jsonl", LOCK):
            done = check(world, file=file)
            assert (done.code, done.out) == (0, b"")
            assert done.err == "cards.jsonl and cards.lock agree: 4 rows, 4 images\n"
            assert check(world, "-q", file=file).err == ""

    def test_the_record(self, world: World) -> None:
        make(world)
        [record] = check(world, "--json").records
        assert record == {
            "schema": 1,
            "type": "check",
            "prompts_file": "cards.jsonl",
            "lock": "cards.lock",
            "rows": 4,
            "images": 4,
            "differences": 0,
            "exit_code": 0,
        }

    def test_several_images_a_row(self, world: World) -> None:
        make(world, [{"id": "fox", "prompt": "a fox", "num_images": 3}])
        assert found(world) == []
        edit_image(world.out / "fox-2.jpg")
        (world.out / "fox-3.jpg").unlink()
        assert found(world) == [("edited by hand", "fox"), ("missing", "fox")]

    def test_another_folder_and_state_and_no_key(self, world: World) -> None:
        make(world)
        world.without_keys()
        world.set(KONTEXT_STATE_DIR=str(world.top / "none"), KONTEXT_CONFIG_DIR="none")
        elsewhere = world.top / "clone" / "deeper"
        shutil.copytree(world.folder, elsewhere)
        done = world.run("check", str(elsewhere / "cards.jsonl"), cwd=world.home)
        assert done.code == 0, done.err
        done = world.run("check", f"deeper/{LOCK}", cwd=elsewhere.parent)
        assert done.code == 0, done.err
        assert not (world.top / "none").exists()

    def test_needs_neither_journal_nor_network(self, world: World) -> None:
        make(world)
        modules = imported("check", str(world.folder / "cards.jsonl"))
        assert "kontext_cli.batch.agreement" in modules
        assert not modules & {"sqlite3", "httpx2", "httpcore2", "asyncio", "rich", "PIL"}

    def test_works_without_a_cache(self, world: World) -> None:
        make(world)
        cache = world.top / "file"
        cache.touch()
        assert world.run("check", LOCK, environ={"XDG_CACHE_HOME": str(cache)}).code == 0

    def test_prompts_from_a_text_file(self, world: World) -> None:
        world.prompts("a fox", "an owl", "a fox")
        argv = ("generate", "-f", "prompts.txt", "-d", "out", "-p", "aimlapi", "--lock")
        world.may_be_accepted(2, "a fox")
        assert world.run(*argv).code == 0
        assert found(world, file="prompts.txt") == []
        world.prompts("an owl", "a fox")
        assert [kind for kind, _ in found(world, file="prompts.txt")] == ["left over"]


def remove_image(world: World) -> None:
    (world.out / "fox.jpg").unlink()


def edit(world: World) -> None:
    edit_image(world.out / "fox.jpg")


def edit_to_the_same_size(world: World) -> None:
    path = world.out / "fox.jpg"
    data = path.read_bytes()
    path.write_bytes(data[:-3] + b"x" + data[-2:])


def put_a_folder_in_its_place(world: World) -> None:
    remove_image(world)
    (world.out / "fox.jpg").mkdir()


SINGLE: dict[str, tuple[Callable[[World], None], list[tuple[str, str]]]] = {
    "nothing": (lambda _world: None, []),
    "a new row": (rows(*CARDS, {"id": "bat", "prompt": "a bat"}), [("new", "bat")]),
    "rows in another order": (rows(*reversed(CARDS)), []),
    "a prompt": (
        rows(*changed(CARDS, "fox", prompt="a blue fox")),
        [("prompt changed", "fox")],
    ),
    "a seed": (rows(*changed(CARDS, "fox", seed=8)), [("option changed: seed", "fox")]),
    "no seed": (rows(*changed(CARDS, "fox", seed=None)), [("option changed: seed", "fox")]),
    "a seed where there was none": (
        rows(*changed(CARDS, "hen", seed=8)),
        [("option changed: seed", "hen")],
    ),
    "an option": (
        rows(*changed(CARDS, "owl", aspect_ratio="3:2")),
        [("option changed: aspect_ratio", "owl")],
    ),
    "two options": (
        rows(*changed(CARDS, "owl", aspect_ratio=None, guidance_scale=3)),
        [("option changed: guidance_scale", "owl"), ("option changed: aspect_ratio", "owl")],
    ),
    "a provider": (
        rows(*changed(CARDS, "hen", provider="fal")),
        [("option changed: provider", "hen")],
    ),
    "a model": (
        rows(*changed(CARDS, "hen", model="kontext-max")),
        [("option changed: model", "hen")],
    ),
    "what is not sent": (rows(*changed(CARDS, "hen", sidecar=True, metadata="off")), []),
    "no row": (rows(FOX, OWL, WOLF), [("left over", "hen")]),
    "an id": (
        rows(*changed(CARDS, "hen", id="hen-2")),
        [("new", "hen-2"), ("left over", "hen")],
    ),
    "no image": (remove_image, [("missing", "fox")]),
    "an image": (edit, [("edited by hand", "fox")]),
    "an image of the same size": (edit_to_the_same_size, [("edited by hand", "fox")]),
    "a folder": (put_a_folder_in_its_place, [("edited by hand", "fox")]),
}


@pytest.mark.parametrize("case", SINGLE)
def test_a_single_change_is_that_difference(world: World, case: str) -> None:
    change, expected = SINGLE[case]
    make(world)
    change(world)
    before = state_of(world.folder)
    for file in ("cards.jsonl", LOCK):
        assert found(world, file=file) == expected
    assert state_of(world.folder) == before, "nothing is changed"


class TestRowsWithoutId:
    def test_another_prompt_is_another_row(self, world: World) -> None:
        make(world)
        rows(FOX, OWL, HEN, {"prompt": "a she-wolf"})(world)
        (new, made), (old, left) = found(world)
        assert (new, old, left) == ("new", "left over", wolf(world))
        assert made.startswith("~")

    def test_equal_rows_are_counted(self, world: World) -> None:
        world.may_be_accepted(3, "a wolf")
        make(world, [WOLF, WOLF, WOLF])
        assert found(world) == []
        rows(WOLF, WOLF)(world)
        [(kind, row_id)] = found(world)
        assert (kind, row_id[-2:]) == ("left over", "-3")

    def test_they_are_shown_by_their_number(self, world: World) -> None:
        make(world)
        edit_image(next(world.out.glob("*wolf*")))
        [line] = check(world).lines
        assert line.startswith("edited by hand\t4\t")
        assert line.endswith(f" --accept '{wolf(world)}'")
        assert check(world, "--accept", "4").code == 0

    def test_a_number_that_is_an_id_is_the_id(self, world: World) -> None:
        make(world, [{"prompt": "a fox"}, {"id": "1", "prompt": "an owl"}])
        for path in world.out.iterdir():
            edit_image(path)
        assert [line.split()[-1] for line in check(world).lines] == [f"'{wolf(world)}'", "1"]
        check(world, "--accept", "1")
        assert found(world) == [("edited by hand", wolf(world))]


EDITS = (
    {"id": "red", "prompt": "make it red", "images": ["house.jpg"]},
    {"id": "both", "prompt": "put them together", "images": ["house.jpg", "duck.png"]},
)


class TestInputs:
    def make(self, world: World, *argv: str) -> None:
        world.images("house.jpg", "duck.png")
        world.write("cards.jsonl", EDITS)
        usual = ("edit", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
        done = world.run(*usual, *argv)
        assert done.code == 0, done.err

    def test_one_that_is_changed(self, world: World) -> None:
        self.make(world)
        assert found(world) == []
        edit_image(world.folder / "duck.png")
        assert found(world) == [("input changed", "both")]
        edit_image(world.folder / "house.jpg")
        assert found(world) == [("input changed", "red"), ("input changed", "both")]

    def test_a_copy_under_another_name_is_the_same(self, world: World) -> None:
        self.make(world)
        shutil.copy(world.folder / "house.jpg", world.folder / "home.jpg")
        world.write("cards.jsonl", changed(EDITS, "red", images=["home.jpg"]))
        assert found(world) == []

    def test_one_that_is_renamed_is_found_by_the_next_run(self, world: World) -> None:
        world.images("in/a.jpg", "in/b.png")
        argv = ("edit", "make it winter", "-i", "in", "--each", "-d", "out", "-p", "aimlapi")
        assert world.run(*argv, "--lock").code == 0
        (world.folder / "in/b.png").rename(world.folder / "in/c.png")
        lock, before = "out/kontext.lock", world.posts
        assert found(world, file=lock) == [("left over", "../in/b.png")]
        assert world.run(*argv).code == 0
        assert found(world, file=lock) == []
        assert world.posts == before
        names = [row.inputs[0].path for row in read_lock(world.folder / lock).rows]
        assert sorted(names) == ["../in/a.jpg", "../in/c.png"]

    def test_one_that_is_missing_is_a_mistake_of_the_row(self, world: World) -> None:
        self.make(world)
        (world.folder / "duck.png").unlink()
        done = check(world)
        assert done.code == 8
        assert "cards.jsonl:2: row both: cannot read `" in done.err

    def test_of_each_image(self, world: World) -> None:
        world.images("in/a.jpg", "in/b.png", "in/c.png")
        argv = ("edit", "make it winter", "-i", "in", "--each", "-d", "out", "-p", "aimlapi")
        assert world.run(*argv, "--lock").code == 0
        lock = "out/kontext.lock"
        assert found(world, file=lock) == []
        edit_image(world.folder / "in/a.jpg")
        edit_image(world.out / "b-edit.jpg")
        (world.out / "c-edit.jpg").unlink()
        assert found(world, file=lock) == [
            ("input changed", "../in/a.jpg"),
            ("edited by hand", "../in/b.png"),
            ("missing", "../in/c.png"),
        ]
        done = check(world, file=lock)
        assert (
            "kontext edit 'make it winter' --each -i in/c.png -d out -p aimlapi -m kontext-pro"
            in done.out.decode()
        )
        assert check(world, "--accept", "../in/b.png,../in/a.jpg", "-q", file=lock).code == 12
        assert found(world, file=lock) == [("missing", "../in/c.png")]
        edit_image(world.out / "a-edit.jpg", "navy")
        notice = world.run(*argv).err.partition("to keep it: kontext ")[2].partition(";")[0]
        assert world.run(*shlex.split(notice)).code == 0
        (world.folder / "in/a.jpg").unlink()
        assert ("left over", "../in/a.jpg") in found(world, file=lock)


WORDS = [
    (
        "prompt changed\tfox\tout/fox.jpg\tthe next run replaces it; keep it: "
        "kontext check cards.jsonl --accept fox"
    ),
    (
        "option changed: aspect_ratio\towl\tout/owl.jpg\tthe next run replaces it; keep it: "
        "kontext check cards.jsonl --accept owl"
    ),
    (
        "edited by hand\then\tout/hen.jpg\truns leave it alone; keep it as it is: "
        "kontext check cards.jsonl --accept hen"
    ),
    (
        "missing\t4\tout/4-a-wolf.jpg\trestore it, or make another: "
        "kontext generate -f cards.jsonl -d out -p aimlapi -m kontext-pro -n 1 --only 4"
    ),
    (
        "new\tbat\t\tmake it: "
        "kontext generate -f cards.jsonl -d out -p aimlapi -m kontext-pro -n 1 --only bat"
    ),
    "left over\tcat\tout/cat.jpg\tput the row back, or see --prune in `kontext check --help`",
]


def differ_in_every_way(world: World) -> None:
    make(world, [*CARDS, {"id": "cat", "prompt": "a cat"}], "-n", "1")
    after = changed(changed(CARDS, "fox", prompt="a blue fox"), "owl", aspect_ratio="3:2")
    rows(*after, {"id": "bat", "prompt": "a bat"})(world)
    edit_image(world.out / "hen.jpg")
    (world.out / "4-a-wolf.jpg").unlink()


class TestWords:
    def test_of_every_difference(self, world: World) -> None:
        differ_in_every_way(world)
        done = check(world)
        assert done.lines == WORDS
        assert done.err == "cards.jsonl and cards.lock: 6 differences (5 rows, 5 images)\n"

    def test_nothing_that_is_named_destroys_an_image(self, world: World) -> None:
        """Each command that is printed is run; images that are there stay as they are."""
        differ_in_every_way(world)
        before = state_of(world.out)
        for record in check(world, "--json").records[:-1]:
            assert "--force" not in record["hint"]
            assert "overwrite" not in record["hint"]
            command = record["hint"].partition("kontext ")[2]
            if record["difference"] == "left over":
                continue
            done = world.run(*command.split())
            assert done.code in (0, 12), done.err
            assert before.items() <= state_of(world.out).items()
        assert found(world) == [("left over", "cat")]

    def test_a_row_that_was_edited_is_not_said_to_be_replaced(self, world: World) -> None:
        make(world, [{"id": "fox", "prompt": "a fox", "num_images": 2}])
        rows({"id": "fox", "prompt": "a blue fox", "num_images": 2})(world)
        edit_image(world.out / "fox-1.jpg")
        (world.out / "fox-2.jpg").unlink()
        hints = [record["hint"] for record in check(world, "--json").records[:-1]]
        assert [hint.partition(";")[0] for hint in hints] == [
            "runs leave them alone",
            "runs leave it alone",
            "restore it: no run makes another while one of the row is edited",
        ]

    def test_an_image_that_a_run_would_replace_is_not_said_to_be_kept(self, world: World) -> None:
        make(world, [{"id": "fox", "prompt": "a fox", "num_images": 2}])
        (world.out / "fox-2.jpg").unlink()
        (record, _) = check(world, "--json").records
        assert record["hint"] == "restore it: the next run makes all images of the row again"

    def test_records(self, world: World) -> None:
        make(world)
        edit_image(world.out / "owl.jpg")
        record, summary = check(world, "--json").records
        assert record == {
            "schema": 1,
            "type": "difference",
            "difference": "edited by hand",
            "option": None,
            "id": "owl",
            "prompts_file": "cards.jsonl",
            "line": 2,
            "lock": "cards.lock",
            "lock_line": 4,
            "files": ["out/owl.jpg"],
            "hint": "runs leave it alone; keep it as it is: kontext check cards.jsonl --accept owl",
        }
        assert (summary["differences"], summary["exit_code"]) == (1, 12)

    def test_paths_are_from_the_working_folder(self, world: World) -> None:
        make(world)
        edit_image(world.out / "owl.jpg")
        [line] = world.run("check", "here/cards.jsonl", cwd=world.top).lines
        assert "\there/out/owl.jpg\t" in line
        assert line.endswith("kontext check here/cards.jsonl --accept owl")

    def test_several_files(self, world: World) -> None:
        make(world)
        edit_image(world.out / "owl.jpg")
        world.prompts("x")
        done = world.run("check", "cards.jsonl", "prompts.txt", LOCK, "--json")
        assert done.code == 2
        assert [each["type"] for each in done.records] == [
            *("difference", "check"),
            "error",
            *("difference", "check"),
        ]
        assert "hint: write one: kontext generate -f prompts.txt --lock" in done.err

    def test_text_from_the_file_cannot_move_the_cursor(self, world: World) -> None:
        make(world, [{"id": "fo\u202ex", "prompt": "a fox"}])
        edit_image(next(world.out.iterdir()))
        assert "\u202e" not in check(world).out.decode()


class TestActions:
    @pytest.fixture
    def summary(self, world: World) -> Path:
        path = world.top / "summary.md"
        world.set(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(path))
        return path

    def test_annotates_the_rows(self, world: World, summary: Path) -> None:
        make(world)
        edit_image(world.out / "owl.jpg")
        rows(FOX, OWL, WOLF)(world)
        done = check(world)
        commands = [line for line in done.err.splitlines() if line.startswith("::")]
        assert commands == [
            "::error file=cards.jsonl,line=2,title=kontext::row owl: edited by hand: out/owl.jpg; "
            "runs leave it alone; keep it as it is: "
            "kontext check cards.jsonl --accept owl",
            "::error file=cards.lock,line=3,title=kontext::row hen: left over: out/hen.jpg; "
            "put the row back, or see --prune in `kontext check --help`",
        ]
        assert "| rows | images | edited by hand | left over |" in summary.read_text()

    def test_is_quiet_where_nothing_differs(self, world: World, summary: Path) -> None:
        make(world)
        summary.unlink(missing_ok=True)
        assert "::" not in check(world).err
        assert "| rows | images |" in summary.read_text()


def test_exit_codes_of_processes(world: World) -> None:
    make(world)
    assert world.process("check", "cards.jsonl").code == 0
    edit_image(world.out / "owl.jpg")
    assert world.process("check", "cards.jsonl").code == 12
    assert world.process("check", "none.jsonl").code == 8
    assert world.process("check", "cards.jsonl", "--accept", "owl").code == 0
