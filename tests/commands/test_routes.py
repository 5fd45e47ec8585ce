"""Hugging Face's router: one key, three ways to the model, each with its own kind of job."""

import json
import sys

import pytest

from samples import image_file
from world import KEY, KEYS, Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
AT = ("-p", "huggingface")
ROUTES = ("fal", "replicate", "together")
QUEUES = ("fal", "replicate")


@pytest.fixture(autouse=True)
def image(world: World) -> None:
    (world.folder / "in.png").write_bytes(image_file("png", (400, 300)))


def edit(world: World, route: str = "", *more: str, prompt: str = "x") -> Ran:
    model = ("-m", f"kontext-dev:{route}") if route else ()
    return world.run("edit", prompt, "-i", "in.png", *AT, *model, *more)


def hosts(world: World) -> set[str]:
    """The hosts behind the router that were asked."""
    paths = (seen.path.split("/") for seen in world.ledger.requests)
    return {parts[2] for parts in paths if parts[1] == "huggingface"}


@pytest.mark.parametrize(
    ("route", "host"),
    [("", "fal-ai"), ("fal", "fal-ai"), ("replicate", "replicate"), ("together", "together")],
)
def test_each_way_makes_the_image(world: World, route: str, host: str) -> None:
    ran = edit(world, route)
    assert ran.code == 0, ran.err
    assert "in-edit.jpg" in world.files()
    assert hosts(world) == {host}
    asked = [seen for seen in world.ledger.requests if seen.path.startswith("/huggingface")]
    assert {seen.headers["authorization"] for seen in asked} == {f"Bearer {KEY}"}
    others = [seen for seen in world.ledger.requests if seen not in asked]
    assert all("authorization" not in seen.headers for seen in others)


@pytest.mark.parametrize("route", QUEUES)
def test_a_job_is_fetched_by_the_way_it_went(world: World, route: str) -> None:
    (job_id,) = edit(world, route, "--no-wait").lines
    other = "together" if route == "replicate" else "replicate"
    world.configure(f'[providers.huggingface]\nroute = "{other}"\n')
    assert world.run("fetch", job_id).code == 0
    assert "in-edit.jpg" in world.files()


@pytest.mark.parametrize("route", QUEUES)
def test_a_request_id_is_fetched(world: World, route: str) -> None:
    (record,) = edit(world, route, "--no-wait", "--json").records
    ran = world.run("fetch", record["request_id"], *AT, "-m", f"kontext-dev:{route}")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("route", QUEUES)
def test_a_job_is_canceled(world: World, route: str) -> None:
    world.serve(latency=30.0)
    (job_id,) = edit(world, route, "--no-wait").lines
    ran = world.run("cancel", job_id)
    assert (ran.code, "removed from the queue" in ran.err) == (0, True)


def test_one_call_cannot_be_waited_for_later(world: World) -> None:
    ran = edit(world, "together", "--no-wait")
    assert (ran.code, "answers in one call" in ran.err) == (2, True)
    assert not world.accepted


@pytest.mark.parametrize("route", ROUTES)
def test_the_config_file_sets_the_way(world: World, route: str) -> None:
    world.configure(f'[providers.huggingface]\nroute = "{route}"\n')
    ran = edit(world, "", "--json")
    assert ran.code == 0, ran.err
    assert hosts(world) == {"fal-ai" if route == "fal" else route}
    assert ran.records[0]["model"] == "kontext-dev"
    usd = None if route == "together" else 0.025
    assert ran.records[0]["cost"]["usd"] == usd
    listed = world.run("models", "--debug", *AT)
    assert f"providers.huggingface.route = {route}" in listed.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[providers.huggingface]\nroute = "nscale"\n', ":2: `route` should be one of fal, repl"),
        ("[providers.huggingface]\nroute = 7\n", ":2: `route` should be one of"),
        ('[providers.fal]\nroute = "fal"\n', ":2: there is no setting `route` of a provider"),
    ],
)
def test_a_faulty_route(world: World, text: str, message: str) -> None:
    world.configure(text)
    ran = edit(world)
    assert ran.code == 2
    assert message in ran.err


def test_its_key_alone_chooses_nothing(world: World) -> None:
    world.without_keys(*(name for name in KEYS if name != "huggingface"))
    ran = world.run("edit", "x", "-i", "in.png")
    assert (ran.code, "HF_TOKEN" in ran.err) == (3, False)
    assert edit(world).code == 0


@pytest.mark.parametrize(
    ("variable", "key", "provider", "what"),
    [
        ("FAL_KEY", "hf_0123", "fal", "a Hugging Face token"),
        ("HF_TOKEN", "r8_0123", "huggingface", "a Replicate token"),
    ],
)
def test_a_key_of_another_form_is_not_sent(
    world: World, variable: str, key: str, provider: str, what: str
) -> None:
    world.unset(f"KONTEXT_{provider.upper()}_BASE_URL")
    world.set(**{variable: key})
    ran = world.run("edit", "x", "-i", "in.png", "-p", provider, "-m", "kontext-dev", "--json")
    assert ran.code == 3
    (error,) = ran.errors
    assert error["message"] == f"{variable}: this looks like {what}, not like a key for {provider}"
    assert key not in json.dumps(error)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("fault", "state"), [("402", "failed"), ("lost-reply", "unknown")])
def test_faults(world: World, route: str, fault: str, state: str) -> None:
    ran = edit(world, route, "--json", prompt=f"[fault:{fault}] x")
    assert ran.records[0]["state"] == state
    assert ran.records[0]["error"]["billed"] == ("no" if fault == "402" else "maybe")
    assert world.accepted.total() == (fault == "lost-reply")


KILLED = [
    *((route, "replied", "unknown") for route in ROUTES),
    *((route, point, "saved") for route in QUEUES for point in ("after-queued", "polling")),
    ("together", "before-ready", "saved"),
    *((route, "downloading", "saved") for route in ROUTES),
]


@posix
@pytest.mark.parametrize(("route", "point", "state"), KILLED)
def test_a_killed_job_is_neither_lost_nor_paid_twice(
    world: World, route: str, point: str, state: str
) -> None:
    argv = ("edit", "x", "-i", "in.png", *AT, "-m", f"kontext-dev:{route}")
    killed = world.process(*argv, environ={"KONTEXT_TEST_KILL_AT": point})
    assert killed.code == -9, killed.err
    world.run("fetch")
    (job,) = world.jobs()
    assert job["state"] == state
    assert world.accepted.total() == 1
