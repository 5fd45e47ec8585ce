"""Jobs at Black Forest Labs: regional follow-up URLs, no cancel, prices in the reply, C2PA."""

from collections import Counter
from pathlib import Path

import pytest

from kontext_cli.job import State
from kontext_cli.sandbox.drawing.provenance import STORE
from providers.bfl import HOME, ID, POLL, PRO, task
from runs import planned, run
from samples import image_file
from scripted import Answer, Scripted
from world import World

ON_BFL = ("-p", "bfl")


def submitted(world: World, prompt: str = "x") -> str:
    done = world.run("generate", prompt, *ON_BFL, "--no-wait")
    assert done.code == 0, done.err
    return done.lines[0]


def requests(world: World) -> Counter[str]:
    """How often each kind of path was asked for."""
    return Counter(seen.path.split("/")[1] for seen in world.ledger.requests)


def test_a_job_is_fetched_where_its_reply_said(world: World) -> None:
    world.serve()
    job = submitted(world)
    assert world.run("fetch", job).code == 0
    asked = [seen for seen in world.ledger.requests if seen.path.startswith("/bfl/")]
    assert [seen.path for seen in asked] == [f"/bfl/{PRO}", "/bfl/eu/v1/get_result"]
    assert all("x-key" not in seen.headers for seen in world.ledger.requests if seen not in asked)


def test_a_job_of_another_machine_is_fetched_by_its_request_id(world: World) -> None:
    world.serve()
    submitted(world)
    (record,) = world.jobs()
    assert world.run("forget", record["id"]).code == 0
    done = world.run("fetch", record["request_id"], *ON_BFL)
    assert done.code == 0, done.err
    assert len(world.files()) == 1


def test_its_price_is_kept_from_the_submit_on(world: World) -> None:
    world.serve()
    submitted(world)
    (record,) = world.jobs()
    assert record["cost"] == {"usd": 0.04, "source": "provider"}


def test_flux_3_tells_its_price_and_its_format_with_the_image(world: World) -> None:
    world.serve()
    done = world.run("generate", "x", *ON_BFL, "-m", "flux-3", "--resolution", "1k", "--json")
    assert done.code == 0, done.err
    (record,) = done.records
    assert record["cost"] == {"usd": 0.048, "source": "provider"}
    assert Path(record["files"][0]["path"]).suffix == ".png"


@pytest.mark.parametrize("output", ["fox.png", "fox.jpg", "fox"])
def test_a_name_follows_the_format_of_a_model_that_has_no_choice(world: World, output: str) -> None:
    world.serve()
    done = world.run("generate", "x", *ON_BFL, "-m", "flux-3", "-o", output)
    assert (done.code, world.files()) == (0, ["fox.png"])
    assert "bfl sent" not in done.err
    refused = world.run("generate", "x", *ON_BFL, "-m", "flux-3", "--output-format", "png")
    assert refused.code == 2
    rows = world.write("rows.jsonl", [{"prompt": "y", "output": "row.jpg"}])
    for _ in range(2):
        done = world.run("generate", "-f", rows.name, *ON_BFL, "-m", "flux-3", "-d", "made")
        assert (done.code, world.files("made")) == (0, ["row.png"])
    assert len(world.ledger.entries) == 2


@pytest.mark.parametrize(("providers", "made"), [("bfl,fal", "fox.png"), ("fal,bfl", "fox.jpg")])
def test_a_format_is_not_asked_for_where_a_provider_has_no_choice(
    world: World, providers: str, made: str
) -> None:
    world.serve()
    done = world.run("generate", "x", "-p", providers, "-m", "flux-3", "-o", "fox.png")
    assert (done.code, world.files()) == (0, [made])


@pytest.mark.parametrize("model", ["flux-2-pro", "flux-2-max", "flux-2-flex", "flux-3"])
def test_an_edit_costs_what_was_estimated(world: World, model: str) -> None:
    world.serve(plain=False)
    (world.folder / "wide.png").write_bytes(image_file("png", (1920, 1080)))
    (world.folder / "small.png").write_bytes(image_file("png", (64, 64)))
    argv = ("edit", "x", "-i", "wide.png", "-i", "small.png", *ON_BFL, "-m", model, "--json")
    (planned_job,) = world.run(*argv, "--dry-run").records
    (job,) = world.run(*argv).records
    assert planned_job["cost"]["usd"] == job["cost"]["usd"]
    assert (planned_job["cost"]["source"], job["cost"]["source"]) == ("estimate", "provider")


def test_there_is_no_cancel(world: World) -> None:
    world.serve()
    job = submitted(world, "[fault:stuck] x")
    done = world.run("cancel", job)
    assert (done.code, world.jobs()[0]["state"]) == (2, "queued")
    assert "bfl cannot cancel a job" in done.err


@pytest.mark.parametrize(
    ("fault", "said"), [("refused", "Request Moderated"), ("flagged", "Content Moderated")]
)
def test_what_was_moderated_was_not_billed(world: World, fault: str, said: str) -> None:
    world.serve()
    done = world.run("generate", f"[fault:{fault}] x", *ON_BFL)
    assert done.code == 5
    assert said in done.err
    assert "not billed" in done.err


def test_a_dead_link_is_asked_for_once_more(world: World) -> None:
    world.serve()
    done = world.run("generate", "[fault:media-404] x", *ON_BFL)
    assert (done.code, world.jobs()[0]["state"]) == (4, "expired")
    assert requests(world)["files"] == 2
    assert len(world.ledger.entries) == 1


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_the_provenance_of_an_image_is_kept(world: World, kind: str) -> None:
    world.serve()
    done = world.run("generate", "x", *ON_BFL, "--output-format", kind)
    assert STORE in Path(world.folder / done.lines[0]).read_bytes()


def test_a_task_that_failed_with_a_status_of_http_ends_at_once(tmp_path: Path) -> None:
    script = Scripted(
        {
            f"POST {HOME}/{PRO}": {"id": ID, "polling_url": POLL},
            f"GET {POLL}": [Answer(task("Error", details={"error": "no worker"}), 503)] * 2,
        }
    )
    job = run(planned("bfl", {"prompt": "x"}, tmp_path), script)
    assert job.state is State.FAILED
    assert job.error is not None
    assert "no worker" in job.error.message
