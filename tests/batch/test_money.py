"""What a batch may cost, and what it says it cost."""

import pytest

from samples import image_file
from world import World

THREE = ("a fox", "a hen", "a cat")


class TestThePlan:
    @pytest.mark.parametrize(
        ("argv", "limit"),
        [
            (("-p", "fal"), "0.1199"),
            (("-p", "fal", "-n", "2"), "0.23"),
            (("-p", "fal", "-m", "kontext-max"), "0.23"),
            (("-p", "aimlapi", "--only", "2,3"), "0.1"),
        ],
    )
    def test_that_would_cost_more_is_refused_whole(
        self, argv: tuple[str, ...], limit: str, world: World
    ) -> None:
        ran = world.batch(world.prompts(*THREE), *argv, "--max-cost", limit)
        assert (ran.code, ran.errors[0]["code"]) == (10, "over_budget")
        assert (world.posts, world.files("out")) == (0, [])
        assert f"exceeds the ${limit}" in ran.err

    def test_that_costs_as_much_as_is_allowed_is_run_whole(self, world: World) -> None:
        prompts = world.prompts(*THREE)
        ran = world.batch(prompts, "-p", "fal", "--max-cost", "0.12")
        assert (ran.code, ran.counts) == (0, {"saved": 3})
        assert ran.summary["cost"] == {"usd": 0.12, "source": "estimate"}
        again = world.batch(prompts, "-n", "2", "--max-cost", "0.312", "--dry-run")
        assert (again.code, again.summary["cost"]["usd"]) == (0, 0.312)

    @pytest.mark.parametrize(
        "argv", [("-p", "chainhub"), ("-p", "fal", "-m", "fal-ai/flux-pro/kontext/text-to-image")]
    )
    def test_of_unknown_price_is_refused(self, argv: tuple[str, ...], world: World) -> None:
        ran = world.batch(world.prompts(*THREE), *argv, "--max-cost", "100")
        assert (ran.code, world.posts) == (10, 0)
        assert "price is not known in advance" in ran.err

    def test_counts_only_what_is_to_be_made(self, world: World) -> None:
        world.batch(world.prompts(*THREE[:2]))
        ran = world.batch(world.prompts(*THREE), "--max-cost", "0.052")
        assert (ran.code, ran.counts) == (0, {"saved": 1, "skipped": 2})

    def test_goes_by_the_prices_of_the_config_file(self, world: World) -> None:
        world.configure(
            "[prices.chainhub]\nkontext-pro = 0.01\n[prices.aimlapi]\nkontext-pro = 1\n"
        )
        prompts = world.prompts(*THREE)
        ran = world.batch(prompts, "-p", "chainhub", "--max-cost", "0.03")
        assert (ran.code, ran.summary["cost"]) == (0, {"usd": 0.03, "source": "estimate"})
        assert world.batch(prompts, "-d", "b", "--max-cost", "2.99").code == 10

    def test_counts_the_images_of_each_row_where_the_price_does(self, world: World) -> None:
        world.write("small.jpg", image_file("jpeg", (512, 512)))
        world.write("large.png", image_file("png", (1920, 1080)))
        rows: list[dict[str, object]] = [
            {"prompt": "a", "images": "small.jpg"},
            {"prompt": "b", "images": "large.png"},
            {"prompt": "c", "images": ["small.jpg", "large.png"]},
            {"prompt": "d", "images": "large.png", "aspect_ratio": "1:1"},
        ]
        world.write("p.jsonl", rows)
        argv = ("edit", "-f", "p.jsonl", "-d", "out", "-p", "fal", "-m", "flux-2-pro", "--json")
        ran = world.run(*argv, "--dry-run")
        costs = [job["cost"]["usd"] for job in ran.jobs]
        assert costs == [0.045, 0.075, 0.075, 0.06]
        assert ran.summary["cost"] == {"usd": 0.255, "source": "estimate"}
        assert world.run(*argv, "--max-cost", "0.254").code == 10
        assert world.posts == 0
        ran = world.run(*argv, "--max-cost", "0.255")
        assert (ran.code, ran.summary["cost"]["usd"]) == (0, 0.255)
        assert [job["cost"]["usd"] for job in ran.jobs] == costs

    def test_is_not_known_where_it_counts_an_image_of_which_only_the_url_is(
        self, world: World
    ) -> None:
        argv = ("edit", "x", "-i", "https://example.com/a.png", "-p", "fal", "-m", "flux-2-max")
        ran = world.run(*argv, "--max-cost", "9")
        assert (ran.code, world.posts) == (10, 0)
        assert "give these as files, not as URLs" in ran.err
        assert "cost: unknown" in world.run(*argv, "--dry-run").out.decode()

    def test_of_the_sandbox_costs_nothing(self, world: World) -> None:
        prompts = world.prompts("a fox")
        argv = ("-p", "sandbox", "-m", "kontext-max", "--max-cost", "0", "--dry-run")
        ran = world.batch(prompts, *argv)
        assert (ran.code, ran.summary["cost"]) == (0, {"usd": 0, "source": "estimate"})

    def test_of_one_job_is_held_against_it_too(self, world: World) -> None:
        argv = ("generate", "a fox", "-p", "fal", "--json", "--max-cost")
        for limit, argv_more in (("0.039", ()), ("0.07", ("-n", "2")), ("1", ("-m", "acme/x"))):
            ran = world.run(*argv, limit, *argv_more)
            assert (ran.code, ran.errors[0]["code"], world.posts) == (10, "over_budget", 0)
        assert world.run(*argv, "0.04").code == 0


class TestTheRun:
    def test_stops_where_the_providers_own_figure_goes_over(self, world: World) -> None:
        world.serve(aimlapi_usage=True)
        world.configure("[prices.aimlapi]\nkontext-pro = 0.04\n")
        prompts = world.prompts(*THREE)
        ran = world.batch(prompts, "--max-cost", "0.12", "-j", "1")
        assert (ran.code, ran.counts, world.posts) == (10, {"saved": 2, "planned": 1}, 2)
        assert ran.summary["cost"] == {"usd": 0.104, "source": "provider"}
        assert ran.jobs[0]["cost"] == {"usd": 0.052, "source": "provider"}
        assert [error["exit_code"] for error in ran.errors] == [10]
        on = world.batch(prompts)
        assert (on.code, on.counts) == (0, {"saved": 1, "skipped": 2})

    @pytest.mark.parametrize(
        ("fault", "usd"),
        [("invalid", 0.104), ("empty", 0.156), ("lost-reply", 0.156), ("402", 0.104)],
    )
    def test_what_is_certainly_not_billed_does_not_count(
        self, fault: str, usd: float, world: World
    ) -> None:
        prompts = world.prompts("first", "second", f"third [fault:{fault}]")
        ran = world.batch(prompts, "-j", "1", "--max-cost", "0.156")
        assert (ran.summary["saved"], ran.summary["cost"]["usd"]) == (2, usd)

    def test_what_is_given_back_can_be_spent(self, world: World) -> None:
        world.serve(aimlapi_usage=True)
        world.configure("[prices.aimlapi]\nkontext-pro = 0.1\n")
        prompts = world.prompts(*THREE)
        ran = world.batch(prompts, "--max-cost", "0.3", "-j", "1")
        assert (ran.code, ran.counts, ran.summary["cost"]["usd"]) == (0, {"saved": 3}, 0.156)

    def test_is_told_in_words(self, world: World) -> None:
        world.may_be_accepted(3, *THREE)
        prompts = world.prompts(*THREE)
        argv = ("generate", "-f", prompts, "-d", "out", "-p")
        assert "3 rows: 3 saved; spent about $0.16" in world.run(*argv, "aimlapi").err
        assert "3 rows: 3 skipped; spent nothing" in world.run(*argv, "aimlapi").err
        assert "cost unknown\n" in world.run(*argv, "chainhub").err
        world.serve(aimlapi_usage=True)
        assert "spent $0.156\n" in world.run(*argv, "aimlapi", "--force").err

    def test_of_mixed_sources_is_an_estimate(self, world: World) -> None:
        world.serve(aimlapi_usage=True)
        world.write("p.jsonl", [{"prompt": "a"}, {"prompt": "b", "provider": "fal"}])
        assert world.batch("p.jsonl").summary["cost"] == {"usd": 0.092, "source": "estimate"}
        world.serve()
        unpriced = "flux/kontext-max/text-to-image"
        world.write("q.jsonl", [{"prompt": "c"}, {"prompt": "d", "model": unpriced}])
        assert world.batch("q.jsonl").summary["cost"] == {"usd": 0.052, "source": "unknown"}
