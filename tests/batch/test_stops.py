"""When a batch stops submitting, what becomes of its rows, and how it goes on."""

import shlex
import sys

import pytest

from world import Ran, World

ROWS = [f"fox {n}" for n in range(1, 11)]


def marked(fault: str, *rows: int) -> list[str]:
    """The prompts, with a fault in these rows (all where none is named)."""
    return [
        f"{prompt} [fault:{fault}]" if not rows or n in rows else prompt
        for n, prompt in enumerate(ROWS, start=1)
    ]


def command(ran: Ran) -> list[str]:
    """The command that was told to continue with."""
    [line] = [line for line in ran.err.splitlines() if line.startswith("hint: continue with: ")]
    return shlex.split(line.removeprefix("hint: continue with: "))


class TestAKeyThatIsRejected:
    @pytest.mark.parametrize("provider", ["aimlapi", "fal", "chainhub"])
    def test_costs_one_request(self, provider: str, world: World) -> None:
        prompts = world.prompts(*marked("401"))
        ran = world.batch(prompts, "-p", provider, "-j", "8")
        assert (ran.code, world.posts, ran.counts) == (3, 1, {"planned": 10})
        assert [error["code"] for error in ran.errors] == ["rejected_key"]
        assert ran.summary["cost"]["usd"] == 0
        assert "no more rows will be submitted" in ran.err

    def test_stops_no_other_provider(self, world: World) -> None:
        world.write(
            "p.jsonl",
            [
                {"prompt": "a [fault:401]", "provider": "fal"},
                {"prompt": "b", "provider": "fal"},
                {"prompt": "c"},
                {"prompt": "d"},
            ],
        )
        ran = world.batch("p.jsonl")
        assert (ran.code, ran.counts) == (3, {"saved": 2, "planned": 2})
        assert world.accepted == {"c": 1, "d": 1}

    def test_is_a_failure_like_others_where_the_first_is_to_end_all(self, world: World) -> None:
        world.serve(latency=0.2)
        world.write(
            "p.jsonl",
            [
                {"prompt": "a [fault:401]", "provider": "fal"},
                *({"prompt": f"{row} [fault:empty]"} for row in ROWS[:4]),
            ],
        )
        assert world.batch("p.jsonl", "--fail-fast", "-j", "1").code != 0
        assert world.posts == 2

    def test_is_mended_and_the_batch_goes_on(self, world: World) -> None:
        prompts = world.prompts(*marked("401*1", 1))
        refused = world.batch(prompts)
        assert (refused.code, refused.counts) == (3, {"planned": 10})
        ran = world.batch(prompts)
        assert (ran.code, ran.counts, ran.reasons) == (0, {"saved": 10}, ["new"] * 10)


class TestAnAccountThatIsEmpty:
    def test_stops_in_the_middle_and_what_is_in_flight_is_collected(self, world: World) -> None:
        prompts = world.prompts(*marked("402*1", 4))
        ran = world.batch(prompts, "-j", "2")
        assert ran.code == 3
        assert [error["code"] for error in ran.errors] == ["no_credit"]
        accepted = len(world.accepted)
        assert ran.counts == {"saved": accepted, "planned": 10 - accepted}
        assert 3 <= accepted < 10
        refused = [job for job in ran.jobs if job["error"]]
        assert [(job["index"], job["state"]) for job in refused] == [(4, "planned")]
        again = world.batch(prompts)
        assert (again.code, again.counts) == (0, {"saved": 10 - accepted, "skipped": accepted})

    def test_leaves_the_sum_of_what_was_spent(self, world: World) -> None:
        ran = world.batch(world.prompts(*marked("402", 3)), "-j", "1")
        assert ran.summary["cost"] == {"usd": 0.104, "source": "estimate"}


class TestARequestThatNobodyTakes:
    @pytest.mark.parametrize("provider", ["aimlapi", "fal"])
    def test_stops_after_five_alike(self, provider: str, world: World) -> None:
        prompts = world.prompts(*ROWS)
        ran = world.batch(prompts, "-p", provider, "-m", "acme/none", "-j", "1")
        assert (ran.code, world.posts, ran.counts) == (4, 5, {"failed": 5, "planned": 5})
        assert "5 identical refusals and no success" in ran.err
        assert world.accepted == {}
        assert world.batch(prompts, "-p", provider, "--limit", "2").counts == {"saved": 2}

    def test_does_not_stop_where_one_succeeded(self, world: World) -> None:
        ran = world.batch(world.prompts("a fox", *marked("invalid")), "-j", "1")
        assert (ran.code, ran.counts) == (9, {"saved": 1, "failed": 10})

    def test_does_not_stop_where_prompts_are_withheld(self, world: World) -> None:
        ran = world.batch(world.prompts(*marked("refused")))
        assert (ran.code, ran.counts) == (5, {"moderated": 10})

    def test_stops_where_jobs_end_alike(self, world: World) -> None:
        ran = world.batch(world.prompts(*marked("invalid")), "-j", "1")
        assert (ran.code, ran.counts) == (4, {"failed": 5, "planned": 5})


class TestFailures:
    def test_stop_nothing_by_themselves(self, world: World) -> None:
        ran = world.batch(world.prompts(*marked("empty", 1, 2, 3, 10)))
        assert (ran.code, ran.counts) == (9, {"saved": 6, "failed": 4})

    @pytest.mark.parametrize(
        ("argv", "saved", "failed"),
        [
            (("--fail-fast",), 1, 1),
            (("--max-failures", "1"), 1, 1),
            (("--max-failures", "2"), 2, 2),
            (("--max-failures", "3"), 7, 3),
            (("--max-failures", "4"), 7, 3),
        ],
    )
    def test_stop_a_batch_when_the_user_says_how_many(
        self, argv: tuple[str, ...], saved: int, failed: int, world: World
    ) -> None:
        prompts = world.prompts(*marked("refused", 2, 4, 10))
        ran = world.batch(prompts, "-j", "1", *argv)
        counts = {"saved": saved, "moderated": failed, "planned": 10 - saved - failed}
        assert (ran.code, ran.counts) == (9, {k: n for k, n in counts.items() if n})
        assert [error["exit_code"] for error in ran.errors] == [9] * (argv[-1] != "4")

    def test_of_earlier_runs_do_not_count(self, world: World) -> None:
        prompts = world.prompts(*marked("empty", 1, 2))
        world.batch(prompts, "--limit", "2")
        ran = world.batch(prompts, "--fail-fast")
        assert (ran.code, ran.counts) == (9, {"saved": 8, "failed": 2})

    def test_of_one_code_give_the_batch_that_code(self, world: World) -> None:
        ran = world.batch(world.prompts(*marked("refused")), "--fail-fast", "-j", "1")
        assert (ran.code, ran.counts) == (5, {"moderated": 1, "planned": 9})


class TestAFolderThatCannotBeWritten:
    def test_stops_before_anything_is_sent(self, world: World) -> None:
        world.write("file", b"no folder")
        ran = world.batch(world.prompts(*ROWS), "-d", "file/out")
        assert (ran.code, world.posts) == (8, 0)
        assert ran.summary["planned"] >= 9
        (world.folder / "file").unlink()
        assert world.batch("prompts.txt", "-d", "file/out").counts == {"saved": 10}

    @pytest.mark.skipif(sys.platform == "win32", reason="nothing is a file and a folder there")
    def test_that_is_the_folder_of_one_row_leaves_the_others_for_later(self, world: World) -> None:
        world.write("out/sub", b"no folder")
        world.write(
            "p.jsonl",
            [
                {"prompt": "a", "output": "a.jpg"},
                {"prompt": "b", "output": "sub/b.jpg"},
                {"prompt": "c", "output": "c.jpg"},
            ],
        )
        ran = world.batch("p.jsonl", "-j", "1")
        assert (ran.code, ran.summary["saved"], world.posts) == (9, 1, 1)
        (world.out / "sub").unlink()
        assert world.batch("p.jsonl").counts == {"saved": 2, "skipped": 1}


class TestTheWayOn:
    def argv(self, world: World) -> list[str]:
        prompts = world.prompts(*marked("402*1", 3), name="my prompts.txt")
        return ["generate", "-f", prompts, "-d", "out", "-p", "aimlapi", "-j", "1"]

    def test_is_the_command_that_was_typed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["pytest", "something", "else"])
        argv = self.argv(world)
        assert command(world.run(*argv)) == ["kontext", *argv]
        assert world.run(*argv).code == 0

    def test_is_told_on_standard_error_alone(self, world: World) -> None:
        ran = world.run(*self.argv(world))
        assert ran.lines == ["out/01-fox-1.jpg", "out/02-fox-2.jpg"]

    def test_is_not_told_where_nothing_is_left(self, world: World) -> None:
        ran = world.run("generate", "-f", world.prompts("a fox"), "-d", "out", "-p", "aimlapi")
        assert "continue with" not in ran.err

    def test_from_jobs_that_were_left_at_the_provider_waits_for_them(self, world: World) -> None:
        argv = ["generate", "-f", world.prompts("a fox"), "-d", "out", "-p", "fal", "--no-wait"]
        ran = world.run(*argv)
        [job] = ran.lines
        if "continue with" in ran.err:
            assert "--no-wait" not in command(ran)
        else:
            assert f"kontext fetch {job}" in ran.err
