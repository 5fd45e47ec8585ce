"""Batches with a lock: what it knows is never made again, and what was edited is left alone."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from batch.locks import Machine, notices, row
from kontext_cli.lock import encode_row
from world import PATIENCE, Ran, World

EACH = ("edit", "night", "-i", "photos", "--each", "-d", "out", "--json", "-p", "aimlapi")
FOX, OWL, BEAR = row("fox"), row("owl"), row("bear")


@pytest.fixture
def here(world: World) -> Machine:
    """A machine that has nothing yet."""
    return Machine(world)


class TestAFreshClone:
    def test_sends_nothing_for_what_is_locked_and_on_disk(self, here: Machine) -> None:
        here.rows(FOX, {"prompt": "same"}, {"prompt": "same"}, row("two", num_images=2, seed=7))
        here.world.may_be_accepted(2, "same")
        first = here.run("--lock")
        assert first.counts == {"saved": 4}
        there = here.clone("there")
        if hasattr(os, "umask"):
            os.umask(0o077)
        posts, lock = here.world.posts, here.file("cards.lock").read_bytes()
        again = there.run()
        assert (again.code, again.counts, again.reasons) == (0, {"skipped": 4}, ["saved"] * 4)
        assert again.paths(there.folder) == first.paths(here.folder)
        assert [job["seed"] for job in again.jobs] == [job["seed"] for job in first.jobs]
        assert there.file("cards.lock").read_bytes() == lock
        assert here.world.posts == posts

    def test_pays_for_new_and_changed_rows_alone(self, here: Machine) -> None:
        here.rows(FOX, OWL)
        here.run("--lock")
        before = here.locked()
        there = here.clone("there")
        there.rows(FOX, row("owl", "an owl at night"), BEAR)
        again = there.run()
        assert again.reasons == ["saved", "changed: prompt", "new"]
        assert again.code == 0
        assert sorted(path.name for path in there.file("out").iterdir()) == [
            "bear.jpg",
            "fox.jpg",
            "owl.jpg",
        ]
        after = there.locked()
        assert (list(after), after["fox"]) == (["bear", "fox", "owl"], before["fox"])
        assert after["owl"] != before["owl"]

    def test_makes_again_what_is_not_on_disk(self, here: Machine) -> None:
        here.world.may_be_accepted(2, "a fox")
        here.rows(FOX, OWL)
        here.run("--lock")
        there = here.clone("there")
        there.file("out/fox.jpg").unlink()
        assert there.run().reasons == ["file missing", "saved"]
        assert there.run().reasons == ["saved", "saved"]

    def test_is_told_all_by_a_dry_run_which_writes_nothing(self, here: Machine) -> None:
        here.rows(FOX, OWL, BEAR)
        here.run("--lock", "--only", "fox,owl")
        there = here.clone("there")
        there.edit("out/owl.jpg")
        lock = there.file("cards.lock").read_bytes()
        dry = there.run("--dry-run", "-a", "16:9")
        assert dry.reasons == ["changed: aspect_ratio", "file edited", "new"]
        assert dry.counts == {"skipped": 1, "planned": 2}
        assert there.file("cards.lock").read_bytes() == lock
        assert not there.state.joinpath("journal.db").exists()

    def test_needs_no_provider_of_its_own(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock")
        there = here.clone("there")
        again = there.plain("generate", "-f", "cards.jsonl", "-d", "out")
        assert (again.code, again.lines) == (0, ["out/fox.jpg"])
        here.world.without_keys()
        assert there.plain("generate", "-f", "cards.jsonl", "-d", "out").code == 0

    def test_knows_a_list_of_providers_and_not_who_made_it(self, here: Machine) -> None:
        here.rows(FOX)
        here.world.without_keys("fal")
        here.run("--lock", "-p", "fal,aimlapi")
        assert here.locked()["fox"].provider == "fal,aimlapi"
        assert here.clone("there").run("-p", "fal,aimlapi").counts == {"skipped": 1}
        assert here.clone("dry").run("--dry-run").reasons == ["changed: provider"]


class TestTheJournal:
    def test_fills_a_lock_that_is_new_or_lost(self, here: Machine) -> None:
        here.rows(FOX, {"prompt": "a hen"})
        here.run()
        assert not here.file("cards.lock").exists()
        again = here.run("--lock")
        assert again.counts == {"skipped": 2}
        lock = here.file("cards.lock").read_bytes()
        here.file("cards.lock").unlink()
        assert here.plain("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
        assert here.file("cards.lock").read_bytes() == lock
        assert here.clone("there").run().counts == {"skipped": 2}

    def test_counts_for_rows_that_failed(self, here: Machine) -> None:
        here.rows(FOX, row("hen", "a hen [fault:nsfw]"))
        assert here.run("--lock").states == ["saved", "moderated"]
        assert list(here.locked()) == ["fox"]
        assert here.run().reasons == ["saved", "moderated"]

    def test_collects_what_is_missing_where_it_can(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock")
        lock = here.file("cards.lock").read_bytes()
        here.file("out/fox.jpg").unlink()
        assert here.run().reasons == ["file missing"]
        assert here.world.accepted["a fox"] == 1
        assert here.file("cards.lock").read_bytes() == lock

    def test_collects_what_was_not_waited_for(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock", "--no-wait", "-p", "fal")
        assert not here.file("cards.lock").exists()
        assert here.run("--lock", "-p", "fal").reasons == ["collected"]
        assert list(here.locked()) == ["fox"]

    def test_is_asked_before_an_edited_image_is_made_anew(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock", "-p", "fal")
        here.rows(row("fox", "a fox at night"))
        here.run("--no-wait", "-p", "fal")
        content = here.edit("out/fox.jpg")
        assert here.run("-p", "fal").reasons == ["file edited"]
        forced = here.run("-p", "fal", "--force", "--only", "fox")
        assert forced.reasons == ["collected"]
        assert forced.paths(here.folder) == ["out/fox-2.jpg"]
        assert here.file("out/fox.jpg").read_bytes() == content

    def test_is_overruled_by_images_that_came_with_a_newer_lock(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock")
        there = here.clone("there")
        there.rows(row("fox", "a fox at night"))
        there.run()
        for name in ("cards.jsonl", "cards.lock", "out/fox.jpg"):  # a pull
            here.file(name).write_bytes(there.file(name).read_bytes())
        assert here.run().reasons == ["saved"]
        here.rows(row("fox", "a fox at noon"))
        assert here.run().reasons == ["changed: prompt"]

    def test_knows_images_that_the_lock_could_not_be_told_of(self, here: Machine) -> None:
        """As after a kill between an image and the lock."""
        here.rows(FOX)
        here.run("--lock")
        lock = here.file("cards.lock").read_bytes()
        here.rows(row("fox", "a fox at night"))
        here.run()
        here.file("cards.lock").write_bytes(lock)
        assert here.run().reasons == ["saved"]
        here.file("cards.lock").write_bytes(lock)
        here.rows(row("fox", "a fox at noon"))
        assert here.run().reasons == ["changed: prompt"]
        assert here.clone("there").run().counts == {"skipped": 1}


class TestAnEditedImage:
    @pytest.mark.parametrize(
        "argv",
        [
            (),
            ("--force",),
            ("--exists", "overwrite"),
            ("--force", "--exists", "overwrite"),
            ("--force", "--limit", "1"),
            ("--only", "fox"),
        ],
        ids=" ".join,
    )
    @pytest.mark.parametrize("prompt", ["a fox", "a fox at night"])
    @pytest.mark.parametrize("is_new", [False, True], ids=["here", "clone"])
    def test_is_left_alone(
        self, here: Machine, argv: Sequence[str], prompt: str, is_new: bool
    ) -> None:
        here.world.may_be_accepted(2, "a owl")
        here.rows(FOX, OWL)
        here.run("--lock")
        machine = here.clone("there") if is_new else here
        content = machine.edit("out/fox.jpg")
        machine.rows(row("fox", prompt), OWL)
        ran = machine.run(*argv)
        assert machine.file("out/fox.jpg").read_bytes() == content
        assert (ran.code, ran.count("skipped", "saved")) == (0, ran.summary["total"])
        assert ran.jobs[0]["skipped"]
        assert ran.paths(machine.folder)[0] == "out/fox.jpg"
        assert [line for line in notices(ran) if "edited by hand" in line] == [
            "notice: 1 row was edited by hand and left alone; to keep it: "
            "kontext check cards.jsonl --accept fox; to make it anew: --force --only fox"
        ]

    @pytest.mark.parametrize("is_new", [False, True], ids=["here", "clone"])
    def test_is_made_anew_by_name(self, here: Machine, is_new: bool) -> None:
        here.world.may_be_accepted(2, "a fox")
        here.rows(FOX, OWL)
        here.run("--lock")
        machine = here.clone("there") if is_new else here
        content = machine.edit("out/fox.jpg")
        ran = machine.run("--force", "--only", "fox")
        assert (ran.code, ran.counts) == (0, {"saved": 1})
        assert machine.file("out/fox.jpg").read_bytes() != content
        assert machine.run().reasons == ["saved", "saved"]
        assert sorted(path.name for path in machine.file("out").iterdir()) == ["fox.jpg", "owl.jpg"]

    def test_of_a_row_that_is_gone_is_not_overwritten_by_another(self, here: Machine) -> None:
        here.rows(row("fox", output="a.jpg"))
        here.run("--lock")
        here.rows(row("owl", output="a.jpg"))
        content = here.edit("out/a.jpg")
        here.world.may_be_accepted(2, "a owl")
        for machine in (here.clone("there"), here):
            ran = machine.run("--exists", "overwrite")
            assert notices(ran) == ["notice: `a.jpg` belongs to another row; this one is `a-2.jpg`"]
            assert machine.file("out/a.jpg").read_bytes() == content


class TestTheLock:
    def test_keeps_the_lines_of_rows_outside_of_the_run(self, here: Machine) -> None:
        here.rows(FOX, OWL, BEAR)
        here.run("--lock", "--only", "fox")
        before = here.locked()
        here.rows(OWL, BEAR)
        for argv in (("--limit", "1"), ("--only", "bear")):
            here.run(*argv)
        assert list(here.locked()) == ["bear", "fox", "owl"]
        assert here.locked()["fox"] == before["fox"]

    def test_has_the_defaults_of_the_last_run_which_says_what_they_were(
        self, here: Machine
    ) -> None:
        here.world.may_be_accepted(2, "a fox")
        here.rows(FOX)
        here.run("--lock", "--name", "{id}-{model}")
        assert notices(here.run("--name", "{id}-{model}")) == []
        header = here.lock().header
        assert (header.prompts_file, header.output_dir) == ("cards.jsonl", "out")
        assert header.defaults == {
            "operation": "generate",
            "provider": "aimlapi",
            "model": "kontext-pro",
            "name": "{id}-{model}",
        }
        changed = here.run("--seed", "7", "-m", "kontext-max", "--sidecar")
        assert notices(changed) == [
            "notice: `cards.lock` has other defaults: --model was kontext-pro, is kontext-max; "
            "--name was {id}-{model}, is not given; --seed was not given, is 7; "
            "--sidecar was not given, is True"
        ]
        assert here.lock().header.defaults["model"] == "kontext-max"

    def test_has_all_that_was_saved_before_the_run_stopped(self, here: Machine) -> None:
        here.rows(FOX, OWL, row("hen", "a hen [fault:empty]"), BEAR)
        stopped = here.run("--lock", "--fail-fast", "-j", "1")
        assert stopped.counts == {"saved": 2, "failed": 1, "planned": 1}
        assert list(here.locked()) == ["fox", "owl"]

    def test_that_was_broken_meanwhile_is_left_alone(self, here: Machine) -> None:
        here.rows(FOX, OWL)
        here.run("--lock", "--only", "fox")
        whole = here.file("cards.lock").read_bytes()

        def breaking(app: Any) -> Any:
            async def answer(*args: Any) -> None:
                here.file("cards.lock").write_bytes(b"<<<<<<< HEAD\n")
                await app(*args)

            return answer

        here.world.stand_behind(breaking)
        ran = here.run()
        assert (ran.code, ran.counts) == (8, {"saved": 1, "skipped": 1})
        assert "which was changed meanwhile: " in ran.err
        assert here.file("cards.lock").read_bytes() == b"<<<<<<< HEAD\n"
        here.world.answer()
        here.file("cards.lock").write_bytes(whole)
        assert here.run().counts == {"skipped": 2}
        assert list(here.locked()) == ["fox", "owl"]

    def test_takes_the_line_that_fits_of_several(self, here: Machine) -> None:
        here.rows(FOX, OWL)
        here.run("--lock")
        path = here.file("cards.lock")
        kept = path.read_bytes()
        other = here.locked()["fox"]._replace(seed=1, request="0" * 64)
        path.write_bytes(kept.replace(b"\n", b"\r\n") + f"{encode_row(other)}\r\n".encode())
        there = here.clone("there")
        again = there.run()
        assert again.counts == {"skipped": 2}
        assert notices(again) == [
            "notice: `cards.lock` has several lines of `fox`; line 2 fits the files"
        ]
        assert there.file("cards.lock").read_bytes() == kept
        there.file("out/fox.jpg").unlink()
        there.file("cards.lock").write_bytes(path.read_bytes())
        ambiguous = there.run()
        assert ambiguous.code == 2
        assert ambiguous.errors[0]["code"] == "lock"
        assert "lines 2 and 4 are of one row, `fox`, and none of them fits" in ambiguous.err
        assert "hint: remove all but the line that is right; without any" in ambiguous.err
        assert there.run("--only", "owl").code == 0

    def test_is_of_a_shard_beside_that_of_all(self, here: Machine) -> None:
        here.rows(*[row(f"r{n}") for n in range(8)])
        here.run("--lock", "--only", "r0,r1")
        shards = [here.clone(f"shard {n}") for n in (1, 2)]
        for number, shard in enumerate(shards, start=1):
            assert shard.run("--shard", f"{number}/2").code == 0
            name = f"cards.{number}of2.lock"
            here.file(name).write_bytes(shard.file(name).read_bytes())
            for path in shard.file("out").iterdir():
                here.file(f"out/{path.name}").write_bytes(path.read_bytes())
        locks = ["cards.lock", "cards.1of2.lock", "cards.2of2.lock"]
        ids = [each for name in locks for each in here.locked(name)]
        assert sorted(ids) == [f"r{n}" for n in range(8)]
        again = here.clone("whole").run()
        assert again.counts == {"skipped": 8}
        assert notices(again) == [
            "notice: `cards.1of2.lock` and `cards.2of2.lock`: "
            "to unite them: kontext check --merge cards.jsonl"
        ]

    @pytest.mark.parametrize("there", [".gitattributes", None])
    def test_says_once_that_git_needs_a_line(self, here: Machine, there: str | None) -> None:
        here.file(".git").mkdir()
        if there is not None:
            here.file(there).write_text("/cards.lock merge=union\n")
        here.rows(FOX)
        said = [
            "notice: so that branches merge, add `/cards.lock merge=union` to `.gitattributes` "
            "beside `cards.lock`"
        ]
        assert notices(here.run("--lock")) == ([] if there else said)
        assert notices(here.run()) == []


class TestEdits:
    def test_of_images_that_are_the_same_elsewhere(self, here: Machine) -> None:
        here.world.images("a.png", "b.png")
        here.rows({"prompt": "night", "images": "a.png"}, row("x", "fog"))
        edit = ("-i", "b.png", "--lock")
        assert here.run(*edit, command="edit").code == 0
        assert here.lock().header.defaults["images"] == ["b.png"]
        there = here.clone("there")
        assert there.run(*edit, command="edit").counts == {"skipped": 2}
        there.file("b.png").write_bytes(there.file("a.png").read_bytes())
        assert there.run(*edit, command="edit").reasons == ["saved", "changed: images"]

    def each(self, machine: Machine, *argv: str) -> Ran:
        return machine.plain(*EACH, *argv)

    def test_of_each_image_of_a_folder(self, here: Machine) -> None:
        here.world.images("photos/a.png", "photos/b.png")
        here.file("photos/c.png").write_bytes(here.file("photos/a.png").read_bytes())
        here.world.may_be_accepted(2, "night")
        assert self.each(here, "--lock").counts == {"saved": 3}
        rows = here.locked("out/kontext.lock")
        assert sorted(row_id[-2:] for row_id in rows) == ["-1", "-1", "-2"]
        assert {row.inputs[0].path for row in rows.values()} == {
            f"../photos/{name}.png" for name in "abc"
        }
        there = here.clone("there")
        assert self.each(there).counts == {"skipped": 3}
        assert self.each(there, "--only", "3").counts == {"skipped": 1}
        here.world.images("photos/b.png", "other.png")
        there.file("photos/b.png").write_bytes(here.file("other.png").read_bytes())
        assert self.each(there).reasons == ["saved", "changed: images", "saved"]
        assert self.each(there).counts == {"skipped": 3}
        assert len(there.locked("out/kontext.lock")) == 3
        assert sorted(path.name for path in there.file("out").iterdir()) == [
            "a-edit.jpg",
            "b-edit.jpg",
            "c-edit.jpg",
            "kontext.lock",
        ]

    def test_of_an_image_that_was_edited_are_named_by_number(self, here: Machine) -> None:
        here.world.images("photos/a.png")
        self.each(here, "--lock")
        here.edit("out/a-edit.jpg")
        ran = self.each(here)
        assert ran.counts == {"skipped": 1}
        assert notices(ran) == [
            "notice: 1 row was edited by hand and left alone; to keep it: kontext check "
            f"{here.file('out/kontext.lock')} --accept ../photos/a.png; to make it anew: "
            "--force --only 1"
        ]
        here.world.may_be_accepted(2, "night")
        assert self.each(here, "--force", "--only", "1").counts == {"saved": 1}

    def test_with_another_prompt_want_another_folder(self, here: Machine) -> None:
        here.world.images("photos/a.png")
        self.each(here, "--lock")
        again = here.plain(
            *("edit", "day", "-i", "photos", "--each", "-d", "out", "-p", "aimlapi", "--lock")
        )
        assert again.code == 2
        assert "is of images with another prompt" in again.err


@pytest.mark.skipif(sys.platform != "linux", reason="such names are only on Linux")
def test_an_image_whose_name_is_no_text_is_not_in_the_lock(here: Machine) -> None:
    here.world.images("photos/a.png", "photos/b.png")
    here.file("photos/a.png").rename(here.file("photos") / os.fsdecode(b"\xff.png"))
    ran = here.plain(*EACH, "--lock")
    assert (ran.code, ran.counts) == (0, {"saved": 2})
    assert [line for line in notices(ran) if "not in the lock" in line] == [
        "notice: row 2 is not in the lock: it has a name that is not Unicode"
    ]
    assert len(here.locked("out/kontext.lock")) == 1
    assert here.plain(*EACH).counts == {"skipped": 2}


FIRST = '{"kontext_lock":1,"prompts_file":"cards.jsonl","output_dir":"out","defaults":{}}\n'


class TestRefused:
    @pytest.mark.parametrize(
        ("lock", "words"),
        [
            ('{"kontext_lock":2}\n', "was written by a newer version of kontext"),
            (f"<<<<<<< HEAD\n{FIRST}", "has the marks of a merge conflict, in line 1"),
            (FIRST.replace("cards", "other"), "is the lock of `other.jsonl`, not of `cards.jsonl`"),
            (f"{FIRST}{{}}\n", "line 2: `id` is missing"),
            ("", "no line has `kontext_lock`, as the first one should"),
        ],
    )
    def test_a_lock_that_cannot_be_used_is_left_alone(
        self, here: Machine, lock: str, words: str
    ) -> None:
        here.rows(FOX)
        here.file("cards.lock").write_text(lock)
        for argv in ((), ("--lock",), ("--dry-run",)):
            ran = here.run(*argv)
            assert (ran.code, ran.errors[0]["code"]) == (2, "lock")
            assert words in ran.err
        assert here.file("cards.lock").read_text() == lock
        assert here.world.posts == 0

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_a_file_that_is_a_link_out_of_the_folder(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock")
        elsewhere = here.world.top / "elsewhere.jpg"
        here.file("out/fox.jpg").rename(elsewhere)
        here.file("out/fox.jpg").symlink_to(elsewhere)
        ran = here.run("--force")
        assert ran.code == 2
        assert "`out/fox.jpg` is a link out of the folder, and is left alone" in ran.err

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (("-f", "-", "-d", "out"), "--lock needs a prompts file"),
            (("-f", "cards.jsonl", "-f", "b.txt", "-d", "out"), "a lock is of one prompts file"),
            (("-f", "cards.jsonl", "-d", "../out"), "is not in the folder of `cards.lock`"),
            (("-f", "made.jsonl", "-d", "out"), "has the form of those that a lock gives to rows"),
        ],
    )
    def test_what_no_lock_can_be_kept_of(
        self, here: Machine, argv: Sequence[str], words: str
    ) -> None:
        here.rows(FOX)
        here.rows(row("~0123456789ab-1"), name="made.jsonl")
        here.file("b.txt").write_text("a hen\n")
        ran = here.plain("generate", "-p", "aimlapi", "--lock", *argv)
        assert ran.code == 2
        assert words in ran.err
        assert here.world.posts == 0

    @pytest.mark.parametrize(
        ("image", "words"),
        [
            ("-", "a lock cannot name an image from standard input"),
            ("https://example.com/a.png?key=s3cret", "may be signed"),
        ],
    )
    def test_images_that_nobody_else_can_check(self, here: Machine, image: str, words: str) -> None:
        here.rows(FOX)
        ran = here.run("--lock", "-i", image, command="edit")
        assert ran.code == 2
        assert words in ran.err
        assert "s3cret" not in ran.err

    def test_several_files_of_which_one_has_a_lock(self, here: Machine) -> None:
        here.rows(FOX)
        here.run("--lock")
        here.file("b.txt").write_text("a hen\n")
        ran = here.run("-f", "b.txt")
        assert ran.code == 2
        assert "`cards.lock` is there" in ran.err

    def test_the_flag_without_a_batch(self, here: Machine) -> None:
        assert here.plain("generate", "a fox", "--lock").code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("point", ["after-saved", "lock-written", "lock-replaced*2"])
def test_a_killed_run_is_told_to_the_lock_by_the_next(here: Machine, point: str) -> None:
    here.rows(*[row(f"r{n}") for n in range(6)])
    argv = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
    killed = here.world.start(
        *argv, cwd=here.folder, environ={**here.environ, "KONTEXT_TEST_KILL_AT": point}
    )
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode == -9
    there = len(here.locked()) if here.file("cards.lock").exists() else 0
    assert (there > 0) is (point == "lock-replaced*2")
    again = here.run("--lock")
    assert again.count("saved", "skipped", "unknown") == 6
    assert len(here.locked()) == again.count("saved", "skipped")
    ids = ",".join(here.locked())
    assert here.clone("there").run("--only", ids).counts == {"skipped": len(here.locked())}


def test_two_processes_lose_no_row_of_each_other(here: Machine) -> None:
    here.rows(*[row(f"r{n}") for n in range(12)])
    argv = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
    halves = [",".join(f"r{n}" for n in range(start, 12, 2)) for start in (0, 1)]
    runs = [
        here.world.start(
            *argv,
            *("--only", half),
            cwd=here.folder,
            environ={**here.environ, "KONTEXT_STATE_DIR": str(here.world.top / half[:2])},
        )
        for half in halves
    ]
    assert [Ran.of(run).check().code for run in runs] == [0, 0]
    assert len(here.locked()) == 12
