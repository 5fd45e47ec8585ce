"""`-p fal,aimlapi`: the next provider only where the one before certainly did not accept."""

import random
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from starlette.responses import JSONResponse

from world import World

TWO = ("-p", "fal,aimlapi")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kontext_cli.http.retry.TRIES", 1)


def refuse(
    world: World,
    provider: str,
    status: int,
    detail: str = "no",
    methods: Sequence[str] = ("POST",),
) -> None:
    """Let one provider answer every submit with this status, or every request."""

    def wrap(app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith(f"/{provider}/") and scope["method"] in methods:
                await JSONResponse({"detail": detail}, status)(scope, receive, send)
            else:
                await app(scope, receive, send)

        return answer

    world.stand_behind(wrap)


def unreachable(world: World) -> None:
    world.set(KONTEXT_FAL_BASE_URL="http://127.0.0.1:9")


NOT_TAKEN: dict[str, Callable[[World], None]] = {
    "rejected key": lambda world: refuse(world, "fal", 401),
    "no credit": lambda world: refuse(world, "fal", 402),
    "too many": lambda world: refuse(world, "fal", 429),
    "busy": lambda world: refuse(world, "fal", 503),
    "no connection": unreachable,
    "no key": lambda world: world.without_keys("fal"),
}


@pytest.mark.parametrize("how", NOT_TAKEN)
def test_the_next_provider_makes_what_the_first_did_not_accept(world: World, how: str) -> None:
    NOT_TAKEN[how](world)
    done = world.run("generate", "a fox", *TWO, "--json")
    (job,) = done.jobs
    assert (done.code, job["provider"], job["state"]) == (0, "aimlapi", "saved")
    assert "notice: " in done.err
    assert "trying" in done.err
    assert "fal" in done.err
    assert world.accepted == {"a fox": 1}


def test_both_jobs_have_one_seed_and_one_digest(world: World) -> None:
    refuse(world, "fal", 402)
    assert world.run("generate", "a fox", *TWO).code == 0
    second, first = world.kept()
    assert (first.provider, second.provider) == ("fal", "aimlapi")
    assert (first.seed, first.digest) == (second.seed, second.digest)
    assert first.error is not None
    assert first.error.billed == "no"


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("[fault:lost-reply] x", 11), ("[fault:flagged] x", 5), ("[fault:invalid] x", 4)],
)
def test_an_outcome_is_never_sought_elsewhere(world: World, prompt: str, code: int) -> None:
    done = world.run("generate", prompt, *TWO, "--json")
    assert done.code == code
    assert [each["provider"] for each in done.jobs] == ["fal"]
    assert [job.provider for job in world.kept()] == ["fal"]


def test_where_none_accepts_the_last_error_counts(world: World) -> None:
    refuse(world, "fal", 402)
    refuse(world, "aimlapi", 401)
    done = world.run("generate", "a fox", *TWO)
    assert done.code == 3
    assert "aimlapi rejected the key" in done.err
    assert not world.accepted


def test_options_must_be_had_by_all(world: World) -> None:
    done = world.run("generate", "a fox", *TWO, "--enhance-prompt")
    assert done.code == 2
    assert "aimlapi does not support `--enhance-prompt`" in done.err
    assert not world.posts


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("fal,fal", "listed twice"),
        ("fal,nowhere", "there is no provider `nowhere`"),
        ("fal,", "there is no provider"),
    ],
)
def test_a_bad_list_is_refused(world: World, typed: str, said: str) -> None:
    done = world.run("generate", "a fox", "-p", typed)
    assert done.code == 2
    assert said in done.err


def test_the_dearest_provider_counts_for_the_budget(world: World) -> None:
    done = world.run("generate", "a fox", *TWO, "--max-cost", "0.045")
    assert done.code == 10  # fal asks for 0.04, aimlapi for 0.052
    assert not world.posts


def test_a_dry_run_shows_every_call(world: World) -> None:
    done = world.run("generate", "a fox", *TWO, "--dry-run")
    assert "where fal does not accept it:" in done.out.decode()
    assert done.out.count(b"POST ") == 2


def test_the_list_may_be_set(world: World) -> None:
    refuse(world, "fal", 402)
    world.configure('provider = "fal,aimlapi"\n')
    (job,) = world.run("generate", "a fox", "--json").jobs
    assert job["provider"] == "aimlapi"


def test_a_dry_run_for_programs_has_the_highest_estimate(world: World) -> None:
    (job,) = world.run("generate", "a fox", *TWO, "--dry-run", "--json").jobs
    assert job["cost"] == {"usd": 0.052, "source": "estimate"}


def test_a_name_cannot_say_who_makes_it(world: World) -> None:
    done = world.run("generate", "a fox", *TWO, "--name", "{provider}-{slug}")
    assert done.code == 2
    assert "`{provider}` in a file name is not known" in done.err
    assert not world.posts


@pytest.mark.parametrize("piped", [False, True])
def test_each_provider_gets_the_images_at_the_size_that_it_takes(world: World, piped: bool) -> None:
    noise = BytesIO()
    pixels = random.Random(1).randbytes(3 * 1200 * 900)
    Image.frombytes("RGB", (1200, 900), pixels).save(noise, "png", compress_level=0)
    world.write("noise.png", noise.getvalue())
    source, stdin = ("-", noise.getvalue()) if piped else ("noise.png", b"")
    argv = ("-i", source, *TWO, "-o", "made.jpg")
    done = world.run("edit", "at fal", *argv, stdin=stdin)
    assert done.code == 0
    assert "takes inline" not in done.err
    refuse(world, "fal", 402)
    done = world.run("edit", "elsewhere", *argv, "--exists", "overwrite", stdin=stdin)
    assert done.code == 0
    said = [line for line in done.err.splitlines() if line.startswith("notice: ")]
    assert "trying aimlapi" in said[0]
    assert "more than aimlapi takes inline" in said[1]


def _row(prompt: str) -> dict[str, str]:
    return {"prompt": prompt}


class TestBatches:
    @pytest.mark.parametrize("how", NOT_TAKEN)
    def test_all_rows_go_to_the_next_provider(self, world: World, how: str) -> None:
        NOT_TAKEN[how](world)
        file = world.prompts(*(f"animal {n}" for n in range(12)))
        done = world.batch(file, *TWO)
        assert done.code == 0
        assert done.summary["saved"] == 12
        assert {each["provider"] for each in done.jobs} == {"aimlapi"}
        assert set(world.accepted.values()) == {1}
        assert done.err.count("trying aimlapi") + done.err.count("next provider") == 1

    def test_a_second_run_finds_what_the_other_provider_made(self, world: World) -> None:
        refuse(world, "fal", 402)
        file = world.prompts("a fox", "a wolf")
        assert world.batch(file, *TWO).code == 0
        world.answer()
        again = world.batch(file, *TWO)
        assert (again.code, again.summary["skipped"]) == (0, 2)
        assert set(world.accepted.values()) == {1}

    def test_a_stop_at_the_last_provider_ends_the_batch(self, world: World) -> None:
        refuse(world, "fal", 402)
        refuse(world, "aimlapi", 401)
        done = world.batch(world.prompts("a", "b", "c"), *TWO)
        assert done.code == 3
        assert done.summary["planned"] == 3
        assert not world.accepted

    def test_rows_may_name_lists_of_their_own(self, world: World) -> None:
        refuse(world, "fal", 402)
        world.write(
            "rows.jsonl",
            [{"prompt": "a fox", "provider": "fal,aimlapi"}, {"prompt": "a wolf"}],
        )
        done = world.batch("rows.jsonl", "-p", "aimlapi")
        assert done.code == 0
        assert {each["provider"] for each in done.jobs} == {"aimlapi"}

    def test_a_request_that_is_wrong_is_not_tried_elsewhere(self, world: World) -> None:
        refuse(world, "fal", 422)
        done = world.batch(world.prompts(*(f"animal {n}" for n in range(12))), *TWO, "-j", "1")
        assert done.code == 4
        assert done.counts == {"failed": 5, "planned": 7}
        assert "trying" not in done.err
        assert not world.accepted

    def test_a_row_on_its_way_without_a_second_provider_stops_the_batch(self, world: World) -> None:
        refuse(world, "aimlapi", 402)
        world.write("rows.jsonl", [{"prompt": "a", "provider": "aimlapi,fal"}, *map(_row, "bc")])
        done = world.batch("rows.jsonl", "-p", "aimlapi", "-j", "4")
        assert done.code == 3
        assert done.counts == {"saved": 1, "planned": 2}
        assert "stopped: aimlapi answered 402" in done.err

    def test_a_key_that_is_rejected_as_a_job_is_collected_concerns_its_provider_alone(
        self, world: World
    ) -> None:
        several = ("-p", "fal,replicate")
        file = world.prompts(*"abcd")
        world.may_be_accepted(1, *"abcd")
        assert world.batch(file, *several, "--no-wait", "--limit", "1").code == 0
        refuse(world, "fal", 401, methods=("GET", "POST"))
        done = world.batch(file, *several)
        assert done.code == 9
        assert done.counts == {"saved": 3, "running": 1}
        assert "no more rows" not in done.err

    def test_the_total_of_a_dry_run_is_that_of_its_rows(self, world: World) -> None:
        done = world.batch(world.prompts("a", "b"), *TWO, "--dry-run")
        assert [job["cost"]["usd"] for job in done.jobs] == [0.052, 0.052]
        assert done.summary["cost"]["usd"] == 0.104

    def test_a_row_that_moves_to_another_list_says_so(self, world: World) -> None:
        world.may_be_accepted(2, "a fox")
        world.write("rows.jsonl", [{"id": "x", "prompt": "a fox"}])
        world.batch("rows.jsonl", "-p", "fal")
        assert world.batch("rows.jsonl", *TWO).reasons == ["changed: seed or list of providers"]

    def test_a_row_that_another_provider_of_its_list_made_has_the_same_provider(
        self, world: World
    ) -> None:
        refuse(world, "fal", 402)
        world.write("rows.jsonl", [{"id": "x", "prompt": "a fox"}])
        world.batch("rows.jsonl", *TWO)
        world.write("rows.jsonl", [{"id": "x", "prompt": "a wolf"}])
        assert world.batch("rows.jsonl", *TWO).reasons == ["changed: prompt"]

    def test_what_the_first_refused_is_not_resubmitted_when_the_second_made_the_row(
        self, world: World
    ) -> None:
        refuse(world, "fal", 402)
        (made,) = world.batch(world.prompts("a fox"), *TWO).jobs
        world.answer()
        (refused,) = [job for job in world.kept() if job.provider == "fal"]
        done = world.run("fetch", refused.id, "--resubmit")
        assert done.code == 8
        assert f"a later job was made for its row: {made['id']}" in done.err

    def test_what_the_first_left_unknown_is_resubmitted_there_and_known_by_the_list(
        self, world: World
    ) -> None:
        prompt = "[fault:lost-reply*1] a fox"
        world.may_be_accepted(2, prompt)
        (lost,) = world.batch(world.prompts(prompt), *TWO).jobs
        assert (lost["provider"], lost["state"]) == ("fal", "unknown")
        assert world.batch("prompts.txt", *TWO).counts == {"unknown": 1}
        assert world.run("fetch", lost["id"], "--resubmit").code == 0
        assert world.batch("prompts.txt", *TWO).counts == {"skipped": 1}

    def test_names_cannot_say_who_makes_it(self, world: World) -> None:
        done = world.batch(world.prompts("a fox"), *TWO, "--name", "{provider}-{index}")
        assert done.code == 2
        assert "`{provider}` in a file name is not known" in done.err

    def test_a_row_without_a_second_provider_still_stops_the_batch(self, world: World) -> None:
        refuse(world, "fal", 402)
        rows = [{"prompt": "a fox"}, {"prompt": "a wolf", "provider": "fal,aimlapi"}]
        world.write("rows.jsonl", rows)
        done = world.batch("rows.jsonl", "-p", "fal")
        assert done.code == 3
        assert done.summary["planned"] >= 1
