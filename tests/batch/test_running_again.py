"""A batch that is run again does what is missing, and pays for nothing else."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from world import Ran, World

FOX, HEN, CAT = "a fox", "a hen", "a cat"


def idle(world: World, ran: Ran) -> Ran:
    """The run, which sent nothing and ended well."""
    posts = world.posts
    assert (ran.code, set(ran.counts)) == (0, {"skipped"}), ran.err
    assert world.posts == posts
    return ran


class TestAFinishedBatch:
    def test_is_skipped_whole_and_its_paths_are_told_all_the_same(self, world: World) -> None:
        prompts = world.prompts(FOX, HEN, FOX)
        world.may_be_accepted(2, FOX)
        made = world.batch(prompts)
        again = idle(world, world.batch(prompts))
        assert again.counts == {"skipped": 3}
        assert again.reasons == ["saved"] * 3
        assert all(job["skipped"] for job in again.jobs)
        assert not any(job["skipped"] for job in made.jobs)
        assert again.paths(world.out) == made.paths(world.out)
        assert again.summary["cost"] == {"usd": 0, "source": "estimate"}
        assert world.posts == 3
        argv = ("generate", "-f", prompts, "-d", "out", "-p", "aimlapi")
        printed = world.run(*argv)
        assert printed.lines == [f"out/{name}" for name in made.paths(world.out)]
        assert "3 rows skipped" in printed.err
        assert world.run(*argv, "-q").err == ""

    def test_is_known_wherever_one_stands_and_however_its_paths_are_spelled(
        self, world: World
    ) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts)
        for file, folder in (
            ("./prompts.txt", "./out"),
            (str(world.folder / "prompts.txt"), str(world.out)),
            ("out/../prompts.txt", "../here/out"),
        ):
            idle(world, world.batch(file, "-d", folder))
        world.cwd = world.out
        idle(world, world.batch("../prompts.txt", "-d", "."))

    def test_is_another_one_in_another_folder(self, world: World) -> None:
        world.may_be_accepted(2, FOX)
        prompts = world.prompts(FOX)
        assert (
            world.batch(prompts).summary["batch"]
            != world.batch(prompts, "-d", "b").summary["batch"]
        )
        assert world.accepted[FOX] == 2

    def test_is_known_by_its_name_where_it_has_one(self, world: World) -> None:
        first = world.batch(world.prompts(FOX, name="one.txt"), "--batch", "fauna")
        assert {job["batch"] for job in first.jobs} == {first.summary["batch"]} == {"fauna"}
        moved = world.batch(world.prompts(FOX, HEN, name="two.txt"), "--batch", "fauna")
        assert moved.reasons == ["saved", "new"]
        idle(world, world.batch("one.txt", "--batch", "fauna", "-d", "elsewhere"))

    def test_of_standard_input_is_known_by_its_folder(self, world: World) -> None:
        world.batch("-", stdin=b"a fox\n")
        assert world.batch("-", stdin=b'"a hen"\n"a fox"\n').reasons == ["new", "saved"]

    def test_is_made_anew_where_the_user_says_so(self, world: World) -> None:
        world.may_be_accepted(2, FOX, HEN)
        prompts = world.prompts(FOX, HEN)
        before = world.batch(prompts)
        world.write("out/2-a-hen.jpg", b"edited")
        forced = world.batch(prompts, "--force")
        assert forced.reasons == ["forced", "forced"]
        assert forced.jobs[0]["seed"] != before.jobs[0]["seed"]
        assert world.files("out") == ["1-a-fox.jpg", "2-a-hen-2.jpg", "2-a-hen.jpg"]
        assert (world.out / "2-a-hen.jpg").read_bytes() == b"edited"
        idle(world, world.batch(prompts))

    def test_may_be_asked_for_with_other_waits_and_prints(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts)
        for argv in (
            ("--timeout", "9"),
            ("-j", "1"),
            ("--max-cost", "0"),
            ("--exists", "overwrite"),
            ("--name", "x-{index}"),
            ("-a", "1:1"),
            ("--output-format", "jpeg"),
            ("--keep-flagged",),
            ("--retry-failed", "--on-unknown", "resubmit"),
        ):
            idle(world, world.batch(prompts, *argv))

    @pytest.mark.parametrize(
        "argv", [("-a", "16:9"), ("--seed", "7"), ("-n", "2"), ("-m", "kontext-max"), ("-g", "3")]
    )
    def test_is_made_where_something_else_is_asked_for(
        self, argv: tuple[str, ...], world: World
    ) -> None:
        world.may_be_accepted(2, FOX)
        prompts = world.prompts(FOX)
        before = world.batch(prompts)
        assert world.batch(prompts, *argv).reasons == ["new"]
        assert set(before.paths(world.out)) < set(world.files("out"))


class TestAFileThatIsGone:
    def test_is_collected_for_nothing_while_its_link_lives(self, world: World) -> None:
        prompts = world.prompts(FOX, HEN)
        world.batch(prompts)
        content = (world.out / "1-a-fox.jpg").read_bytes()
        (world.out / "1-a-fox.jpg").unlink()
        ran = world.batch(prompts)
        assert (ran.code, ran.reasons, ran.states) == (
            0,
            ["file missing", "saved"],
            ["saved", "saved"],
        )
        assert ran.counts == {"saved": 1, "skipped": 1}
        assert ran.summary["cost"]["usd"] == 0
        assert (world.out / "1-a-fox.jpg").read_bytes() == content
        idle(world, world.batch(prompts))

    @pytest.mark.parametrize("provider", ["aimlapi", "fal"])
    def test_is_made_again_when_its_link_is_dead(self, provider: str, world: World) -> None:
        world.may_be_accepted(2, FOX)
        prompts = world.prompts(FOX, HEN)
        world.batch(prompts, "-p", provider)
        (world.out / "1-a-fox.jpg").unlink()
        world.kill_links()
        ran = world.batch(prompts, "-p", provider)
        assert (ran.code, ran.reasons) == (0, ["file missing", "saved"])
        assert world.files("out") == ["1-a-fox.jpg", "2-a-hen.jpg"]
        assert world.accepted == {FOX: 2, HEN: 1}
        assert ran.summary["cost"]["usd"] > 0
        idle(world, world.batch(prompts, "-p", provider))

    def test_stays_missing_where_making_it_is_not_allowed(self, world: World) -> None:
        prompts = world.prompts(FOX, HEN)
        world.batch(prompts)
        (world.out / "1-a-fox.jpg").unlink()
        world.kill_links()
        world.set(AIMLAPI_API_KEY="")
        assert world.batch(prompts).code == 3
        world.set(AIMLAPI_API_KEY="again")
        assert world.batch(prompts, "--max-cost", "0.01").code == 10
        assert world.batch(prompts, "--dry-run").reasons == ["file missing", "saved"]
        assert world.accepted == {FOX: 1, HEN: 1}

    def test_is_the_only_one_of_its_job_to_be_collected(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts, "-n", "3")
        (world.out / "1-a-fox-2.jpg").unlink()
        (world.out / "1-a-fox-3.jpg").write_bytes(b"edited")
        assert world.batch(prompts, "-n", "3").reasons == ["file missing"]
        assert world.files("out") == [f"1-a-fox-{n}.jpg" for n in (1, 2, 3)]
        assert (world.out / "1-a-fox-3.jpg").read_bytes() == b"edited"

    def test_goes_back_to_its_old_name_when_its_line_has_moved(self, world: World) -> None:
        world.batch(world.prompts(FOX))
        (world.out / "1-a-fox.jpg").unlink()
        ran = world.batch(world.prompts(HEN, FOX))
        assert ran.reasons == ["new", "file missing"]
        assert world.files("out") == ["1-a-fox.jpg", "1-a-hen.jpg"]

    def test_is_not_told_as_saved_where_nothing_is_waited_for(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts, "-p", "fal")
        (world.out / "1-a-fox.jpg").unlink()
        ran = world.batch(prompts, "-p", "fal", "--no-wait")
        told = [Path(file["path"]) for job in ran.jobs for file in job["files"]]
        assert all(path.exists() for path in told)


class TestAFileThatWasEdited:
    def test_is_left_alone(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts)
        world.write("out/1-a-fox.jpg", b"edited")
        assert idle(world, world.batch(prompts)).reasons == ["file edited"]
        assert (world.out / "1-a-fox.jpg").read_bytes() == b"edited"

    def test_is_not_one_that_was_only_touched(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts)
        (world.out / "1-a-fox.jpg").touch()
        assert idle(world, world.batch(prompts)).reasons == ["saved"]


def damage(world: World, job_id: str, **values: object) -> None:
    """Replace values of a job in the journal."""
    with closing(sqlite3.connect(world.state / "journal.db", isolation_level=None)) as db:
        (details,) = db.execute("SELECT details FROM jobs WHERE id = ?", (job_id,)).fetchone()
        damaged = json.dumps(json.loads(details) | values)
        db.execute("UPDATE jobs SET details = ? WHERE id = ?", (damaged, job_id))


class TestASavedJobThatIsDamaged:
    @pytest.mark.parametrize("values", [{"reply": 5}, {"cost": []}, {"request": None}])
    def test_is_skipped_where_only_its_details_are(
        self, values: dict[str, object], world: World
    ) -> None:
        prompts = world.prompts(FOX, HEN)
        made = world.batch(prompts)
        damage(world, made.jobs[0]["id"], **values)
        for again in (idle(world, world.batch(prompts)), world.batch(prompts, "--dry-run")):
            assert (again.code, again.reasons) == (0, ["saved", "saved"])
            assert again.paths(world.out) == made.paths(world.out)
        assert "is damaged" in world.batch(prompts).err
        printed = world.run("generate", "-f", prompts, "-d", "out", "-p", "aimlapi")
        assert (printed.code, printed.lines) == (0, ["out/1-a-fox.jpg", "out/2-a-hen.jpg"])

    @pytest.mark.parametrize(
        "values",
        [{"files": "x"}, {"files": [{}]}, {"digest": 5}, {"provider": None}, {"files": [5]}],
    )
    def test_is_not_paid_for_again_where_its_files_or_its_request_are(
        self, values: dict[str, object], world: World
    ) -> None:
        prompts = world.prompts(FOX, HEN)
        damage(world, world.batch(prompts).jobs[0]["id"], **values)
        for argv in ((), ("--dry-run",)):
            ran = world.batch(prompts, "--exists", "number", *argv)
            assert ran.counts["skipped"] == 1
            assert "is damaged; it is skipped" in ran.err
        assert world.accepted == {FOX: 1, HEN: 1}


class TestWhatFailed:
    def test_is_done_again_by_itself_where_it_was_not_billed(self, world: World) -> None:
        failing = "a [fault:invalid]"
        world.may_be_accepted(2, failing)
        prompts = world.prompts(failing, HEN)
        first = world.batch(prompts)
        assert (first.code, first.states) == (9, ["failed", "saved"])
        assert first.jobs[0]["error"]["billed"] == "no"
        assert first.summary["cost"] == {"usd": 0.052, "source": "estimate"}
        assert world.batch(prompts).reasons == ["failed", "saved"]
        assert world.accepted[failing] == 2

    def test_is_held_where_it_may_have_been_billed_until_the_user_says_so(
        self, world: World
    ) -> None:
        failing = "a [fault:empty]"
        prompts = world.prompts(failing, HEN)
        assert world.batch(prompts).states == ["failed", "saved"]
        held = world.batch(prompts, "--force", "--only", "1")
        assert (held.code, held.reasons, world.posts) == (4, ["failed"], 2)
        assert held.jobs[0]["error"]["billed"] == "maybe"
        assert not held.jobs[0]["skipped"]
        last = held.err.splitlines()[-1]
        assert last.startswith("hint: to submit again what may have been billed: kontext ")
        assert last.endswith(" --retry-failed")
        world.may_be_accepted(2, failing)
        assert world.batch(prompts, "--retry-failed").reasons == ["failed", "saved"]
        assert world.accepted == {failing: 2, HEN: 1}

    def test_is_done_again_when_its_line_is_changed(self, world: World) -> None:
        world.write("p.jsonl", [{"id": "x", "prompt": "a [fault:empty]"}])
        world.batch("p.jsonl")
        world.write("p.jsonl", [{"id": "x", "prompt": FOX}])
        assert world.batch("p.jsonl").reasons == ["changed: prompt"]


class TestWhatWasFlagged:
    FLAGGED = "a [fault:flagged]"

    def test_is_held_and_collected_when_it_may_be_kept(self, world: World) -> None:
        prompts = world.prompts(self.FLAGGED, HEN)
        first = world.batch(prompts)
        assert (first.code, first.states, world.files("out")) == (
            9,
            ["moderated", "saved"],
            ["2-a-hen.jpg"],
        )
        held = world.batch(prompts)
        assert (held.code, held.reasons) == (9, ["moderated", "saved"])
        kept = world.batch(prompts, "--keep-flagged")
        assert (kept.code, kept.reasons) == (0, ["collected", "saved"])
        assert kept.summary["cost"]["usd"] == 0
        assert world.files("out") == ["1-a-fault-flagged.jpg", "2-a-hen.jpg"]
        idle(world, world.batch(prompts))

    def test_is_collected_by_the_word_of_its_row(self, world: World) -> None:
        world.write("p.jsonl", [{"prompt": self.FLAGGED}])
        world.batch("p.jsonl")
        world.write("p.jsonl", [{"prompt": self.FLAGGED, "keep_flagged": True}])
        assert world.batch("p.jsonl").reasons == ["collected"]

    @pytest.mark.parametrize("fault", ["flagged", "refused"])
    def test_is_made_again_when_the_user_says_so(self, fault: str, world: World) -> None:
        prompt = f"a [fault:{fault}]"
        world.may_be_accepted(2, prompt)
        prompts = world.prompts(prompt)
        assert world.batch(prompts).code == 5
        assert world.batch(prompts, "--retry-failed").reasons == ["moderated"]
        assert world.accepted[prompt] == 2

    def test_and_withheld_whole_stays_held_whatever_may_be_kept(self, world: World) -> None:
        prompts = world.prompts("a [fault:refused]")
        assert world.batch(prompts).code == 5
        assert world.batch(prompts, "--keep-flagged").states == ["moderated"]


class TestWhatIsUnknown:
    LOST = "a [fault:lost-reply*1]"

    def test_is_held_until_the_user_says_so(self, world: World) -> None:
        prompts = world.prompts(self.LOST, HEN)
        first = world.batch(prompts)
        assert (first.code, first.states) == (9, ["unknown", "saved"])
        for argv in ((), ("--retry-failed",), ("--force", "--only", "1")):
            held = world.batch(prompts, *argv)
            assert held.jobs[0]["reason"] == "unknown"
            assert held.jobs[0]["error"]["billed"] == "maybe"
        assert world.accepted == {self.LOST: 1, HEN: 1}
        world.may_be_accepted(2, self.LOST)
        ran = world.batch(prompts, "--on-unknown", "resubmit")
        assert (ran.code, ran.reasons) == (0, ["unknown", "saved"])
        assert world.accepted == {self.LOST: 2, HEN: 1}

    def test_counts_as_spent(self, world: World) -> None:
        ran = world.batch(world.prompts(self.LOST))
        assert (ran.code, ran.summary["cost"]["usd"]) == (11, 0.052)


class TestWhatWasLeftThere:
    def test_is_collected_and_not_sent_again(self, world: World) -> None:
        prompts = world.prompts("a [fault:truncated-media*9]", HEN)
        first = world.batch(prompts, "-p", "fal", "--no-wait")
        assert (first.code, first.counts, world.files("out")) == (0, {"running": 2}, [])
        second = world.batch(world.prompts(CAT, HEN), "-p", "fal")
        assert (second.code, second.reasons) == (0, ["new", "collected"])
        assert second.summary["cost"] == {"usd": 0.04, "source": "estimate"}

    def test_and_is_fetched_by_itself_is_saved_here(self, world: World) -> None:
        prompts = world.prompts(FOX)
        world.batch(prompts, "-p", "fal", "--no-wait")
        assert world.run("fetch").code == 0
        assert idle(world, world.batch(prompts, "-p", "fal")).reasons == ["saved"]

    def test_takes_longer_than_one_waits(self, world: World) -> None:
        prompts = world.prompts("a [fault:stuck]")
        world.batch(prompts, "-p", "fal", "--no-wait")
        ran = world.batch(prompts, "-p", "fal", "--timeout", "0.1")
        assert (ran.code, ran.reasons, ran.counts) == (7, ["collected"], {"running": 1})
        assert f"kontext fetch {ran.jobs[0]['id']}" in ran.err

    def test_is_collected_first_where_its_line_was_changed(self, world: World) -> None:
        world.write("p.jsonl", [{"id": "x", "prompt": FOX}])
        world.batch("p.jsonl", "-p", "fal", "--no-wait")
        world.write("p.jsonl", [{"id": "x", "prompt": HEN}])
        ran = world.batch("p.jsonl", "-p", "fal")
        assert (ran.code, ran.reasons) == (0, ["changed: prompt"])
        assert world.files("out") == ["x.jpg"]
        idle(world, world.batch("p.jsonl", "-p", "fal"))

    def test_is_collected_there_though_its_line_names_another_provider_now(
        self, world: World
    ) -> None:
        world.may_be_accepted(2, FOX)
        world.write("p.jsonl", [{"id": "x", "prompt": FOX, "provider": "fal"}])
        world.batch("p.jsonl", "-p", "fal", "--no-wait")
        world.write("p.jsonl", [{"id": "x", "prompt": FOX, "provider": "aimlapi"}])
        ran = world.batch("p.jsonl")
        assert (ran.code, ran.reasons) == (0, ["changed: provider"])
        assert world.files("out") == ["x.jpg"]

    def test_takes_away_the_file_of_the_job_before_it(self, world: World) -> None:
        for prompt, argv in ((FOX, ()), (HEN, ("--no-wait",)), (CAT, ())):
            world.write("p.jsonl", [{"id": "x", "prompt": prompt}])
            assert world.batch("p.jsonl", "-p", "fal", *argv).code == 0
        assert world.files("out") == ["x.jpg"]

    def test_forgets_what_was_forgotten(self, world: World) -> None:
        prompts = world.prompts(FOX)
        job = world.batch(prompts).jobs[0]["id"]
        assert world.run("forget", job).code == 0
        assert world.batch(prompts).code == 8
        assert world.posts == 1
