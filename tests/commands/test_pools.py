"""One job at a pool of servers, and the commands that go back to the server that has it."""

import pytest

from kontext_cli.sandbox.app import Sandbox
from own_servers import KINDS, Start
from sandbox.running import Serve
from world import World


@pytest.mark.parametrize("name", KINDS)
def test_the_first_server_that_answers_makes_it(name: str, servers: Start, world: World) -> None:
    pool = servers()
    pool.places[0].kill()
    done = world.run("generate", "a fox", "-p", name, "--json")
    assert done.code == 0, done.err
    assert pool.shares == [0, 1, 0]
    assert [job.server for job in world.kept()] == [f"{pool.places[1].url}/{name}"]
    assert str(pool.places[1].url) not in done.out.decode() + done.err


@pytest.mark.parametrize("name", KINDS)
def test_images_go_to_the_server_that_makes_it(name: str, servers: Start, world: World) -> None:
    pool = servers()
    pool.places[0].kill()
    world.images("house.png")
    done = world.run("edit", "make it winter", "-i", "house.png", "-p", name, "-o", "winter.png")
    assert done.code == 0, done.err
    assert pool.shares == [0, 1, 0]


@pytest.mark.parametrize("name", KINDS)
def test_where_none_answers_it_says_what_was_tried(name: str, servers: Start, world: World) -> None:
    pool = servers()
    for place in pool.places:
        place.kill()
    done = world.run("generate", "a fox", "-p", name, "--json")
    assert done.code == 6
    (job,) = done.jobs
    assert (job["state"], job["error"]["billed"]) == ("failed", "no")
    for place in pool.places:
        assert f"{name} at {place.url}/{name} cannot be reached" in job["error"]["message"]
    assert len(world.kept()) == 1


def test_it_is_lost_at_one_server_and_sent_to_no_other(servers: Start, world: World) -> None:
    pool = servers()
    done = world.run("generate", "[fault:lost-reply] x", "-p", "openai")
    assert done.code == 11
    assert pool.shares == [1, 0, 0]
    assert f"openai at {pool.places[0].url}/openai was sent the job" in done.err


def submit(world: World) -> str:
    """Submit a job without waiting; its id."""
    done = world.run("generate", "a fox", "-p", "comfyui", "--no-wait")
    assert done.code == 0, done.err
    return done.lines[0]


def submitted(servers: Start, world: World, latency: float = 0.0) -> tuple[str, str]:
    """A job at the second of three servers: its id, and the base URL."""
    pool = servers(latency=latency)
    pool.places[0].kill()
    job = submit(world)
    pool.places[0].revive()
    assert pool.shares == [0, 1, 0]
    return job, f"{pool.places[1].url}/comfyui"


def test_the_server_that_has_a_job_is_asked_for_it(servers: Start, world: World) -> None:
    job, base = submitted(servers, world)
    assert world.run("status", job).code == 0
    assert world.run("fetch", job).code == 0
    assert [each.server for each in world.kept()] == [base]


def test_the_server_with_the_fewest_jobs_is_taken_first(servers: Start, world: World) -> None:
    pool = servers(latency=600)
    for place in (pool.places[0], pool.places[0], pool.places[1]):
        pool.use(f"{place.url}/comfyui")
        submit(world)
    pool.places[2].kill()
    pool.use()
    submit(world)
    assert pool.shares == [2, 2, 0]


def test_it_is_canceled_where_it_is(servers: Start, world: World) -> None:
    job, _ = submitted(servers, world, latency=600)
    done = world.run("cancel", job)
    assert done.code == 0, done.err
    assert "removed from the queue" in done.err + done.out.decode()


@pytest.mark.parametrize("command", ["fetch", "status", "cancel"])
def test_a_server_that_is_no_longer_set_is_asked_nothing(
    command: str, servers: Start, world: World
) -> None:
    job, base = submitted(servers, world, latency=600)
    world.set(KONTEXT_COMFYUI_BASE_URL="http://127.0.0.1:9/comfyui")
    done = world.run(command, job)
    assert done.code == 2
    assert f"the job is at {base}, which is not among the base URLs of comfyui" in done.err
    assert f"set KONTEXT_COMFYUI_BASE_URL={base} to ask it" in done.err
    world.set(KONTEXT_COMFYUI_BASE_URL=base)
    assert world.run("status", job).code == 7


def test_a_server_that_was_restarted_and_forgot_a_job_is_named(
    servers: Start, world: World, serve: Serve
) -> None:
    pool = servers(latency=600)
    job = submit(world)
    pool.places[0].kill()
    pool.places[0].upstream = serve(Sandbox(plain=True).app)
    pool.places[0].revive()
    done = world.run("fetch", job)
    assert done.code == 4
    assert f"comfyui at {pool.places[0].url}/comfyui does not know the job any more" in done.err
    (kept,) = world.kept()
    assert kept.state == "expired"


def test_a_server_that_died_with_a_job_is_named(servers: Start, world: World) -> None:
    pool = servers(latency=600)
    job = submit(world)
    pool.places[0].kill()
    done = world.run("fetch", job)
    assert done.code == 6
    assert f"comfyui at {pool.places[0].url}/comfyui cannot be reached" in done.err
    assert pool.shares == [1, 0, 0]


def test_a_job_of_another_program_needs_its_server_named(servers: Start, world: World) -> None:
    pool = servers()
    done = world.run("fetch", "some-request", "-p", "comfyui")
    assert done.code == 2
    assert "which of the 3 servers of comfyui has it is not known" in done.err
    assert f"KONTEXT_COMFYUI_BASE_URL={pool.places[0].url}/comfyui" in done.err


def test_a_job_of_unknown_outcome_is_sent_again_only_on_request(
    servers: Start, world: World
) -> None:
    pool = servers()
    assert world.run("generate", "[fault:lost-reply*1] x", "-p", "openai", "-o", "x.jpg").code == 11
    (job,) = world.kept()
    assert world.run("fetch", job.id, "--resubmit").code == 0
    assert sum(pool.shares) == 2


def test_models_are_those_of_the_first_server_that_answers(servers: Start, world: World) -> None:
    pool = servers()
    pool.places[0].kill()
    listed = world.run("models", "-p", "openai")
    assert (listed.code, f"{pool.places[1].url}/openai" in listed.out.decode()) == (0, True)
    for place in pool.places:
        place.kill()
    listed = world.run("models", "-p", "openai")
    assert listed.code == 6
    for place in pool.places:
        assert f"openai at {place.url}/openai cannot be reached" in listed.err
