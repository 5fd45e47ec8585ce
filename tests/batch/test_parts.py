"""Parts of a batch, several providers at once, and jobs that are left at the provider."""

import pytest

from world import World

ROWS = [f"fox {n}" for n in range(1, 13)]


class TestParts:
    def test_the_first_rows(self, world: World) -> None:
        prompts = world.prompts(*ROWS)
        assert [job["index"] for job in world.batch(prompts, "--limit", "3").jobs] == [1, 2, 3]
        ran = world.batch(prompts, "--limit", "5")
        assert ran.reasons == ["saved"] * 3 + ["new"] * 2
        assert ran.paths(world.out)[4] == "05-fox-5.jpg"
        assert ran.summary["total"] == 5

    def test_the_rows_that_are_named(self, world: World) -> None:
        world.write("p.jsonl", [{"id": "x", "prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}])
        ran = world.batch("p.jsonl", "--only", "x,3")
        assert sorted(world.accepted) == ["a", "c"]
        assert ran.paths(world.out) == ["x.jpg", "3-c.jpg"]
        assert world.batch("p.jsonl").reasons == ["saved", "new", "saved"]

    def test_shards_are_disjoint_and_complete(self, world: World) -> None:
        prompts = world.prompts(*ROWS)
        for shards in (1, 2, 5, 7):
            parts = [
                world.batch(prompts, "--shard", f"{shard}/{shards}", "--dry-run").jobs
                for shard in range(1, shards + 1)
            ]
            assert sorted(job["index"] for part in parts for job in part) == list(range(1, 13))

    def test_a_shard_without_rows_is_named(self, world: World) -> None:
        prompts = world.prompts("a fox")
        ran = [world.batch(prompts, "--shard", f"{shard}/2") for shard in (1, 2)]
        empty = min(ran, key=lambda each: each.summary["total"])
        notice = f"notice: none of the rows is in shard {1 + ran.index(empty)}/2"
        assert [notice in each.err for each in ran] == [each is empty for each in ran]
        assert (empty.code, empty.summary["total"]) == (0, 0)

    def test_shards_one_after_the_other_make_the_batch(self, world: World) -> None:
        prompts = world.prompts(*ROWS)
        for shard in (3, 1, 2):
            assert world.batch(prompts, "--shard", f"{shard}/3").code == 0
        assert len(world.accepted) == world.posts == 12
        assert world.batch(prompts).counts == {"skipped": 12}

    def test_shards_of_machines_that_know_nothing_of_each_other_make_no_name_twice(
        self, world: World
    ) -> None:
        prompts = world.prompts(*ROWS)
        for shard in (1, 2):
            world.set(KONTEXT_STATE_DIR=str(world.folder / f"state{shard}"))
            assert world.batch(prompts, "--shard", f"{shard}/2").code == 0
        assert len(world.accepted) == world.posts == 12
        assert [int(name[:2]) for name in world.files("out")] == list(range(1, 13))

    def test_a_row_stays_in_its_shard_when_others_come_and_go(self, world: World) -> None:
        def shard(*lines: str) -> set[str]:
            ran = world.batch(world.prompts(*lines), "--shard", "1/3", "--dry-run")
            return {job["request"]["prompt"] for job in ran.jobs}

        before = shard(*ROWS)
        assert before == shard(*reversed(ROWS)) == shard("a hen", *ROWS, "a cat") & set(ROWS)
        assert shard(*ROWS[6:]) == before & set(ROWS[6:])

    def test_parts_of_parts(self, world: World) -> None:
        prompts = world.prompts(*ROWS)
        named = ("--only", "2,4,6,8", "--limit", "1")
        taken = [
            world.batch(prompts, "--shard", f"{shard}/2", *named, "--dry-run").jobs
            for shard in (1, 2)
        ]
        assert all(len(part) <= 1 for part in taken)
        assert 2 in [job["index"] for part in taken for job in part]


class TestWithoutWaiting:
    def test_ids_are_printed_and_the_batch_collects_them_later(self, world: World) -> None:
        argv = ("generate", "-f", world.prompts(*ROWS[:3]), "-d", "out", "-p", "fal")
        left = world.run(*argv, "--no-wait")
        assert (left.code, len(left.lines), world.files("out")) == (0, 3, [])
        assert all(len(job) == 12 for job in left.lines)
        twice = world.run(*argv, "--no-wait")
        assert (twice.code, sorted(twice.lines)) == (0, sorted(left.lines))
        home = world.run(*argv, "--json")
        assert (home.code, home.reasons) == (0, ["collected"] * 3)
        assert sorted(job["id"] for job in home.jobs) == sorted(left.lines)
        assert home.paths(world.out) == ["1-fox-1.jpg", "2-fox-2.jpg", "3-fox-3.jpg"]
        assert world.posts == 3

    @pytest.mark.parametrize("provider", ["fal", "chainhub"])
    def test_fetch_saves_them_where_the_batch_wanted_them(
        self, provider: str, world: World
    ) -> None:
        prompts = world.prompts(*ROWS[:2])
        ran = world.batch(prompts, "-p", provider, "--no-wait")
        assert (ran.code, ran.counts, ran.states) == (0, {"running": 2}, ["queued"] * 2)
        assert world.run("fetch", ran.jobs[1]["id"]).code == 0
        assert world.files("out") == ["2-fox-2.jpg"]
        again = world.batch(prompts, "-p", provider)
        assert (again.code, again.reasons) == (0, ["collected", "saved"])

    def test_a_provider_that_answers_at_once_is_refused(self, world: World) -> None:
        world.write("p.jsonl", [{"prompt": "a", "provider": "fal"}, {"prompt": "b"}])
        assert world.batch("p.jsonl", "--no-wait").code == 2
        assert world.posts == 0

    def test_the_id_of_a_job_that_took_too_long_is_printed_as_well(self, world: World) -> None:
        argv = ("generate", "-f", world.prompts("a [fault:stuck]"), "-d", "out", "-p", "fal")
        left = world.run(*argv, "--no-wait")
        assert world.run(*argv, "--timeout", "0.1").code == 7
        again = world.run(*argv, "--no-wait")
        assert (again.code, again.lines) == (0, left.lines)

    def test_what_fails_at_once_is_told(self, world: World) -> None:
        prompts = world.prompts("a", "b [fault:402]", "c")
        ran = world.batch(prompts, "-p", "fal", "--no-wait", "-j", "1")
        assert (ran.code, ran.counts) == (3, {"running": 1, "planned": 2})
        argv = ("generate", "-f", world.prompts("d [fault:401]"), "-d", "x", "-p", "fal")
        assert world.run(*argv, "--no-wait").lines == []


class TestSideBySide:
    @pytest.mark.parametrize(
        ("config", "argv"), [("", ("-j", "1")), ("[providers.aimlapi]\njobs = 1\n", ())]
    )
    def test_no_more_are_in_flight_than_the_user_says(
        self, config: str, argv: tuple[str, ...], world: World
    ) -> None:
        world.configure(config)
        prompts = world.prompts("a", "b [fault:empty]", *ROWS)
        ran = world.batch(prompts, "--fail-fast", *argv)
        assert (ran.counts, world.posts) == ({"saved": 1, "failed": 1, "planned": 12}, 2)

    def test_the_first_goes_alone_until_it_is_accepted(self, world: World) -> None:
        prompts = world.prompts("a [fault:lost-reply]", *ROWS[:4])
        ran = world.batch(prompts, "-p", "fal", "-j", "8")
        assert (ran.code, ran.counts) == (9, {"unknown": 1, "saved": 4})

    def test_what_was_left_there_is_collected_before_anything_new_is_sent(
        self, world: World
    ) -> None:
        prompts = world.prompts(*ROWS[:2])
        world.batch(prompts, "-p", "fal", "--no-wait", "--only", "2")
        before = len(world.ledger.requests)
        world.batch(prompts, "-p", "fal", "-j", "1")
        seen = world.ledger.requests[before:]
        submits = [n for n, each in enumerate(seen) if each.method == "POST"]
        files = [n for n, each in enumerate(seen) if each.path.startswith("/files/")]
        assert (len(submits), len(files)) == (1, 2)
        assert files[0] < submits[0] < files[1]
