"""A batch that is run again does what is missing, and pays for nothing else."""

from pathlib import Path

import pytest

from batches import Desk, Ran

FOX, HEN, CAT = "a fox", "a hen", "a cat"


def idle(desk: Desk, ran: Ran) -> Ran:
    """The run, which sent nothing and ended well."""
    posts = desk.posts
    assert (ran.code, set(ran.counts)) == (0, {"skipped"}), ran.err
    assert desk.posts == posts
    return ran


class TestAFinishedBatch:
    def test_is_skipped_whole_and_its_paths_are_told_all_the_same(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX, HEN, FOX)
        desk.may_be_accepted(2, FOX)
        made = desk.batch(prompts)
        again = idle(desk, desk.batch(prompts))
        assert again.counts == {"skipped": 3}
        assert again.reasons == ["saved"] * 3
        assert all(job["skipped"] for job in again.jobs)
        assert not any(job["skipped"] for job in made.jobs)
        assert again.paths(desk.out) == made.paths(desk.out)
        assert again.summary["cost"] == {"usd": 0, "source": "estimate"}
        assert desk.posts == 3
        argv = ("generate", "-f", prompts, "-d", "out", "-p", "aimlapi")
        printed = desk(*argv)
        assert printed.lines == [f"out/{name}" for name in made.paths(desk.out)]
        assert "3 rows skipped" in printed.err
        assert desk(*argv, "-q").err == ""

    def test_is_known_wherever_one_stands_and_however_its_paths_are_spelled(
        self, desk: Desk
    ) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts)
        for file, folder in (
            ("./prompts.txt", "./out"),
            (str(desk.folder / "prompts.txt"), str(desk.out)),
            ("out/../prompts.txt", "../here/out"),
        ):
            idle(desk, desk.batch(file, "-d", folder))
        desk.stand_in(desk.out)
        idle(desk, desk.batch("../prompts.txt", "-d", "."))

    def test_is_another_one_in_another_folder(self, desk: Desk) -> None:
        desk.may_be_accepted(2, FOX)
        prompts = desk.prompts(FOX)
        assert (
            desk.batch(prompts).summary["batch"] != desk.batch(prompts, "-d", "b").summary["batch"]
        )
        assert desk.accepted[FOX] == 2

    def test_is_known_by_its_name_where_it_has_one(self, desk: Desk) -> None:
        first = desk.batch(desk.prompts(FOX, name="one.txt"), "--batch", "fauna")
        assert {job["batch"] for job in first.jobs} == {first.summary["batch"]} == {"fauna"}
        moved = desk.batch(desk.prompts(FOX, HEN, name="two.txt"), "--batch", "fauna")
        assert moved.reasons == ["saved", "new"]
        idle(desk, desk.batch("one.txt", "--batch", "fauna", "-d", "elsewhere"))

    def test_of_standard_input_is_known_by_its_folder(self, desk: Desk) -> None:
        desk.batch("-", stdin=b"a fox\n")
        assert desk.batch("-", stdin=b'"a hen"\n"a fox"\n').reasons == ["new", "saved"]

    def test_is_made_anew_where_the_user_says_so(self, desk: Desk) -> None:
        desk.may_be_accepted(2, FOX, HEN)
        prompts = desk.prompts(FOX, HEN)
        before = desk.batch(prompts)
        desk.write("out/2-a-hen.jpg", b"edited")
        forced = desk.batch(prompts, "--force")
        assert forced.reasons == ["forced", "forced"]
        assert forced.jobs[0]["seed"] != before.jobs[0]["seed"]
        assert desk.files() == ["1-a-fox.jpg", "2-a-hen-2.jpg", "2-a-hen.jpg"]
        assert (desk.out / "2-a-hen.jpg").read_bytes() == b"edited"
        idle(desk, desk.batch(prompts))

    def test_may_be_asked_for_with_other_waits_and_prints(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts)
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
            idle(desk, desk.batch(prompts, *argv))

    @pytest.mark.parametrize(
        "argv", [("-a", "16:9"), ("--seed", "7"), ("-n", "2"), ("-m", "kontext-max"), ("-g", "3")]
    )
    def test_is_made_where_something_else_is_asked_for(
        self, argv: tuple[str, ...], desk: Desk
    ) -> None:
        desk.may_be_accepted(2, FOX)
        prompts = desk.prompts(FOX)
        before = desk.batch(prompts)
        assert desk.batch(prompts, *argv).reasons == ["new"]
        assert set(before.paths(desk.out)) < set(desk.files())


class TestAFileThatIsGone:
    def test_is_collected_for_nothing_while_its_link_lives(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX, HEN)
        desk.batch(prompts)
        content = (desk.out / "1-a-fox.jpg").read_bytes()
        (desk.out / "1-a-fox.jpg").unlink()
        ran = desk.batch(prompts)
        assert (ran.code, ran.reasons, ran.states) == (
            0,
            ["file missing", "saved"],
            ["saved", "saved"],
        )
        assert ran.counts == {"saved": 1, "skipped": 1}
        assert ran.summary["cost"]["usd"] == 0
        assert (desk.out / "1-a-fox.jpg").read_bytes() == content
        idle(desk, desk.batch(prompts))

    @pytest.mark.parametrize("provider", ["aimlapi", "fal"])
    def test_is_made_again_when_its_link_is_dead(self, provider: str, desk: Desk) -> None:
        desk.may_be_accepted(2, FOX)
        prompts = desk.prompts(FOX, HEN)
        desk.batch(prompts, "-p", provider)
        (desk.out / "1-a-fox.jpg").unlink()
        desk.kill_links()
        ran = desk.batch(prompts, "-p", provider)
        assert (ran.code, ran.reasons) == (0, ["file missing", "saved"])
        assert desk.files() == ["1-a-fox.jpg", "2-a-hen.jpg"]
        assert desk.accepted == {FOX: 2, HEN: 1}
        assert ran.summary["cost"]["usd"] > 0
        idle(desk, desk.batch(prompts, "-p", provider))

    def test_stays_missing_where_making_it_is_not_allowed(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX, HEN)
        desk.batch(prompts)
        (desk.out / "1-a-fox.jpg").unlink()
        desk.kill_links()
        desk.set(AIMLAPI_API_KEY="")
        assert desk.batch(prompts).code == 3
        desk.set(AIMLAPI_API_KEY="again")
        assert desk.batch(prompts, "--max-cost", "0.01").code == 10
        assert desk.batch(prompts, "--dry-run").reasons == ["file missing", "saved"]
        assert desk.accepted == {FOX: 1, HEN: 1}

    def test_is_the_only_one_of_its_job_to_be_collected(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts, "-n", "3")
        (desk.out / "1-a-fox-2.jpg").unlink()
        (desk.out / "1-a-fox-3.jpg").write_bytes(b"edited")
        assert desk.batch(prompts, "-n", "3").reasons == ["file missing"]
        assert desk.files() == [f"1-a-fox-{n}.jpg" for n in (1, 2, 3)]
        assert (desk.out / "1-a-fox-3.jpg").read_bytes() == b"edited"

    def test_goes_back_to_its_old_name_when_its_line_has_moved(self, desk: Desk) -> None:
        desk.batch(desk.prompts(FOX))
        (desk.out / "1-a-fox.jpg").unlink()
        ran = desk.batch(desk.prompts(HEN, FOX))
        assert ran.reasons == ["new", "file missing"]
        assert desk.files() == ["1-a-fox.jpg", "1-a-hen.jpg"]

    def test_is_not_told_as_saved_where_nothing_is_waited_for(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts, "-p", "fal")
        (desk.out / "1-a-fox.jpg").unlink()
        ran = desk.batch(prompts, "-p", "fal", "--no-wait")
        told = [Path(file["path"]) for job in ran.jobs for file in job["files"]]
        assert all(path.exists() for path in told)


class TestAFileThatWasEdited:
    def test_is_left_alone(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts)
        desk.write("out/1-a-fox.jpg", b"edited")
        assert idle(desk, desk.batch(prompts)).reasons == ["file edited"]
        assert (desk.out / "1-a-fox.jpg").read_bytes() == b"edited"

    def test_is_not_one_that_was_only_touched(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts)
        (desk.out / "1-a-fox.jpg").touch()
        assert idle(desk, desk.batch(prompts)).reasons == ["saved"]


class TestWhatFailed:
    def test_is_done_again_by_itself_where_it_was_not_billed(self, desk: Desk) -> None:
        failing = "a [fault:invalid]"
        desk.may_be_accepted(2, failing)
        prompts = desk.prompts(failing, HEN)
        first = desk.batch(prompts)
        assert (first.code, first.states) == (9, ["failed", "saved"])
        assert first.jobs[0]["error"]["billed"] == "no"
        assert first.summary["cost"] == {"usd": 0.052, "source": "estimate"}
        assert desk.batch(prompts).reasons == ["failed", "saved"]
        assert desk.accepted[failing] == 2

    def test_is_held_where_it_may_have_been_billed_until_the_user_says_so(self, desk: Desk) -> None:
        failing = "a [fault:empty]"
        prompts = desk.prompts(failing, HEN)
        assert desk.batch(prompts).states == ["failed", "saved"]
        held = desk.batch(prompts, "--force", "--only", "1")
        assert (held.code, held.reasons, desk.posts) == (4, ["failed"], 2)
        assert held.jobs[0]["error"]["billed"] == "maybe"
        assert not held.jobs[0]["skipped"]
        assert "--retry-failed retries it" in held.err
        desk.may_be_accepted(2, failing)
        assert desk.batch(prompts, "--retry-failed").reasons == ["failed", "saved"]
        assert desk.accepted == {failing: 2, HEN: 1}

    def test_is_done_again_when_its_line_is_changed(self, desk: Desk) -> None:
        desk.write("p.jsonl", [{"id": "x", "prompt": "a [fault:empty]"}])
        desk.batch("p.jsonl")
        desk.write("p.jsonl", [{"id": "x", "prompt": FOX}])
        assert desk.batch("p.jsonl").reasons == ["changed: prompt"]


class TestWhatWasFlagged:
    FLAGGED = "a [fault:flagged]"

    def test_is_held_and_collected_when_it_may_be_kept(self, desk: Desk) -> None:
        prompts = desk.prompts(self.FLAGGED, HEN)
        first = desk.batch(prompts)
        assert (first.code, first.states, desk.files()) == (
            9,
            ["moderated", "saved"],
            ["2-a-hen.jpg"],
        )
        held = desk.batch(prompts)
        assert (held.code, held.reasons) == (9, ["moderated", "saved"])
        kept = desk.batch(prompts, "--keep-flagged")
        assert (kept.code, kept.reasons) == (0, ["collected", "saved"])
        assert kept.summary["cost"]["usd"] == 0
        assert desk.files() == ["1-a-fault-flagged.jpg", "2-a-hen.jpg"]
        idle(desk, desk.batch(prompts))

    def test_is_collected_by_the_word_of_its_row(self, desk: Desk) -> None:
        desk.write("p.jsonl", [{"prompt": self.FLAGGED}])
        desk.batch("p.jsonl")
        desk.write("p.jsonl", [{"prompt": self.FLAGGED, "keep_flagged": True}])
        assert desk.batch("p.jsonl").reasons == ["collected"]

    @pytest.mark.parametrize("fault", ["flagged", "refused"])
    def test_is_made_again_when_the_user_says_so(self, fault: str, desk: Desk) -> None:
        prompt = f"a [fault:{fault}]"
        desk.may_be_accepted(2, prompt)
        prompts = desk.prompts(prompt)
        assert desk.batch(prompts).code == 5
        assert desk.batch(prompts, "--retry-failed").reasons == ["moderated"]
        assert desk.accepted[prompt] == 2

    def test_and_withheld_whole_stays_held_whatever_may_be_kept(self, desk: Desk) -> None:
        prompts = desk.prompts("a [fault:refused]")
        assert desk.batch(prompts).code == 5
        assert desk.batch(prompts, "--keep-flagged").states == ["moderated"]


class TestWhatIsUnknown:
    LOST = "a [fault:lost-reply*1]"

    def test_is_held_until_the_user_says_so(self, desk: Desk) -> None:
        prompts = desk.prompts(self.LOST, HEN)
        first = desk.batch(prompts)
        assert (first.code, first.states) == (9, ["unknown", "saved"])
        for argv in ((), ("--retry-failed",), ("--force", "--only", "1")):
            held = desk.batch(prompts, *argv)
            assert held.jobs[0]["reason"] == "unknown"
            assert held.jobs[0]["error"]["billed"] == "maybe"
        assert desk.accepted == {self.LOST: 1, HEN: 1}
        desk.may_be_accepted(2, self.LOST)
        ran = desk.batch(prompts, "--on-unknown", "resubmit")
        assert (ran.code, ran.reasons) == (0, ["unknown", "saved"])
        assert desk.accepted == {self.LOST: 2, HEN: 1}

    def test_counts_as_spent(self, desk: Desk) -> None:
        ran = desk.batch(desk.prompts(self.LOST))
        assert (ran.code, ran.summary["cost"]["usd"]) == (11, 0.052)


class TestWhatWasLeftThere:
    def test_is_collected_and_not_sent_again(self, desk: Desk) -> None:
        prompts = desk.prompts("a [fault:truncated-media*9]", HEN)
        first = desk.batch(prompts, "-p", "fal", "--no-wait")
        assert (first.code, first.counts, desk.files()) == (0, {"running": 2}, [])
        second = desk.batch(desk.prompts(CAT, HEN), "-p", "fal")
        assert (second.code, second.reasons) == (0, ["new", "collected"])
        assert second.summary["cost"] == {"usd": 0.04, "source": "estimate"}

    def test_and_is_fetched_by_itself_is_saved_here(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        desk.batch(prompts, "-p", "fal", "--no-wait")
        assert desk("fetch").code == 0
        assert idle(desk, desk.batch(prompts, "-p", "fal")).reasons == ["saved"]

    def test_takes_longer_than_one_waits(self, desk: Desk) -> None:
        prompts = desk.prompts("a [fault:stuck]")
        desk.batch(prompts, "-p", "fal", "--no-wait")
        ran = desk.batch(prompts, "-p", "fal", "--timeout", "0.1")
        assert (ran.code, ran.reasons, ran.counts) == (7, ["collected"], {"running": 1})
        assert f"kontext fetch {ran.jobs[0]['id']}" in ran.err

    def test_is_collected_first_where_its_line_was_changed(self, desk: Desk) -> None:
        desk.write("p.jsonl", [{"id": "x", "prompt": FOX}])
        desk.batch("p.jsonl", "-p", "fal", "--no-wait")
        desk.write("p.jsonl", [{"id": "x", "prompt": HEN}])
        ran = desk.batch("p.jsonl", "-p", "fal")
        assert (ran.code, ran.reasons) == (0, ["changed: prompt"])
        assert desk.files() == ["x.jpg"]
        idle(desk, desk.batch("p.jsonl", "-p", "fal"))

    def test_is_collected_there_though_its_line_names_another_provider_now(
        self, desk: Desk
    ) -> None:
        desk.may_be_accepted(2, FOX)
        desk.write("p.jsonl", [{"id": "x", "prompt": FOX, "provider": "fal"}])
        desk.batch("p.jsonl", "-p", "fal", "--no-wait")
        desk.write("p.jsonl", [{"id": "x", "prompt": FOX, "provider": "aimlapi"}])
        ran = desk.batch("p.jsonl")
        assert (ran.code, ran.reasons) == (0, ["changed: provider"])
        assert desk.files() == ["x.jpg"]

    def test_takes_away_the_file_of_the_job_before_it(self, desk: Desk) -> None:
        for prompt, argv in ((FOX, ()), (HEN, ("--no-wait",)), (CAT, ())):
            desk.write("p.jsonl", [{"id": "x", "prompt": prompt}])
            assert desk.batch("p.jsonl", "-p", "fal", *argv).code == 0
        assert desk.files() == ["x.jpg"]

    def test_forgets_what_was_forgotten(self, desk: Desk) -> None:
        prompts = desk.prompts(FOX)
        job = desk.batch(prompts).jobs[0]["id"]
        assert desk("forget", job).code == 0
        assert desk.batch(prompts).code == 8
        assert desk.posts == 1
