"""Batches at a pool of servers that die, come back, or are none; the ledgers are the oracle."""

from collections.abc import Callable
from threading import Thread

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kontext_cli.job import State
from own_servers import KINDS, Start
from sandbox.running import Serve
from world import World


def then(condition: Callable[[], object], *work: Callable[[], object]) -> Thread:
    """Do the work, beside what runs meanwhile, once a condition that waits is met."""

    def both() -> None:
        condition()
        for each in work:
            each()

    thread = Thread(target=both, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("name", KINDS)
def test_all_servers_make_their_share(name: str, servers: Start, world: World) -> None:
    pool = servers(latency=0.05)
    rows = [f"image {number}" for number in range(18)]
    done = world.batch(world.prompts(*rows), "-p", name, "-j", "2")
    assert (done.code, done.counts) == (0, {"saved": 18}), done.err
    assert pool.accepted == dict.fromkeys(rows, 1)
    assert min(pool.shares) >= 4
    bases = {f"{place.url}/{name}" for place in pool.places}
    assert {job.server for job in world.kept()} == bases
    assert not any(base in done.err for base in bases)
    assert not world.accepted


def test_jobs_is_for_each_server(servers: Start, world: World) -> None:
    pool = servers(fault="stuck")
    rows = [f"image {number}" for number in range(9)]
    file = world.prompts(*rows)
    world.batch(file, "-p", "comfyui", "-j", "2", "--timeout", "0.3", "--limit", "6")
    assert pool.shares == [2, 2, 2]


@pytest.mark.parametrize("name", KINDS)
def test_a_server_that_is_killed_loses_and_doubles_nothing(
    name: str, servers: Start, world: World
) -> None:
    pool = servers(latency=0.05)
    rows = [f"image {number}" for number in range(24)]
    file = world.prompts(*rows)
    killed, ledger = pool.places[1], pool.ledgers[1]
    killing = then(lambda: ledger.wait_for(3, seconds=10), killed.kill)
    first = world.batch(file, "-p", name, "-j", "2", "--timeout", "20")
    killing.join(timeout=10)
    assert max(pool.accepted.values()) == 1
    assert first.count("failed", "planned") == 0, first.err
    left = first.count("unknown", "running", "ready")
    assert first.count("saved") == len(rows) - left
    assert left <= 2
    killed.revive()
    again = world.batch(file, "-p", name)
    assert max(pool.accepted.values()) == 1
    assert again.count("saved", "skipped", "unknown") == len(rows)
    assert again.count("unknown") <= first.count("unknown")
    lost = {job.request["prompt"] for job in world.kept() if job.state is State.UNKNOWN}
    assert set(pool.accepted) | lost == set(rows)


@pytest.mark.parametrize("name", KINDS)
def test_a_server_that_is_away_at_first_returns(name: str, servers: Start, world: World) -> None:
    pool = servers(latency=0.02)
    pool.places[0].kill()
    rows = [f"image {number}" for number in range(30)]
    reviving = then(lambda: pool.ledgers[2].wait_for(2, seconds=10), pool.places[0].revive)
    done = world.batch(world.prompts(*rows), "-p", name, "-j", "1")
    reviving.join(timeout=10)
    assert (done.code, done.counts) == (0, {"saved": 30}), done.err
    assert pool.accepted == dict.fromkeys(rows, 1)
    assert min(pool.shares) > 0
    told = [line for line in done.err.splitlines() if "trying another server" in line]
    assert len(told) == 1
    assert f"{name} at {pool.places[0].url}/{name} cannot be reached" in told[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_slow_server_gets_fewer_jobs(name: str, servers: Start, world: World) -> None:
    pool = servers(latency=0.02, first={"latency": 1.0})
    done = world.batch(world.prompts(*(f"image {number}" for number in range(20))), "-p", name)
    assert (done.code, done.counts) == (0, {"saved": 20}), done.err
    assert 1 <= pool.shares[0] <= 10


@pytest.mark.parametrize("name", KINDS)
def test_where_none_answers_the_rows_stay_planned(name: str, servers: Start, world: World) -> None:
    pool = servers()
    for place in pool.places:
        place.kill()
    file = world.prompts(*(f"image {number}" for number in range(12)))
    done = world.batch(file, "-p", name)
    assert (done.code, done.counts) == (6, {"planned": 12}), done.err
    assert "no server takes jobs: " in done.err
    for place in pool.places:
        assert f"{name} at {place.url}/{name} cannot be reached" in done.err
        place.revive()
    assert world.batch(file, "-p", name).counts == {"saved": 12}


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("404: Not Found", 404)(scope, receive, send)


async def _no_such_method(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"detail": "Method Not Allowed"}, 405)(scope, receive, send)


async def _asks_for_a_key(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"detail": "Unauthorized"}, 401)(scope, receive, send)


async def _is_busy(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("busy", 429)(scope, receive, send)


def _choosy(app: ASGIApp) -> ASGIApp:
    """The app, but for submits whose prompt is bad: they are refused."""

    async def choosy(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if b'"bad' in message.get("body", b""):
            await JSONResponse({"detail": "bad"}, 400)(scope, receive, send)
            return
        messages = iter([message])

        async def again() -> Message:
            return next(messages, None) or await receive()

        await app(scope, again, send)

    return choosy


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("app", [_not_found, _no_such_method, _asks_for_a_key, _is_busy])
def test_one_that_is_no_such_server_gets_no_row_lost(
    app: object, name: str, servers: Start, world: World, serve: Serve
) -> None:
    pool = servers()
    pool.use(serve(app), *(f"{place.url}/{name}" for place in pool.places[:2]))
    rows = [f"image {number}" for number in range(12)]
    done = world.batch(world.prompts(*rows), "-p", name)
    assert (done.code, done.counts) == (0, {"saved": 12}), done.err
    assert pool.accepted == dict.fromkeys(rows, 1)


@pytest.mark.parametrize("name", KINDS)
def test_where_all_refuse_all_the_batch_stops(
    name: str, servers: Start, world: World, serve: Serve
) -> None:
    servers().use(serve(_not_found), serve(_no_such_method), serve(_not_found))
    done = world.batch(world.prompts(*(f"image {number}" for number in range(30))), "-p", name)
    assert done.code == 4, done.err
    assert done.count("failed", "planned") == 30
    assert done.count("failed") <= 5


@pytest.mark.parametrize(("name", "lost"), [("comfyui", 1), ("openai", 0)])
def test_a_web_page_in_place_of_an_answer_costs_at_most_one_row(
    name: str,
    lost: int,
    servers: Start,
    world: World,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kontext_cli.batch.pool._FIRST_DELAY", 60)
    pool = servers()
    pool.use(serve(HTMLResponse("<p>hello")), *(f"{place.url}/{name}" for place in pool.places))
    done = world.batch(world.prompts(*(f"image {number}" for number in range(12))), "-p", name)
    assert done.count("saved") == 12 - lost, done.err
    assert done.count("unknown") == lost


@pytest.mark.parametrize("name", KINDS)
def test_a_request_that_all_refuse_fails_alone(name: str, servers: Start, world: World) -> None:
    pool = servers(wrap=_choosy)
    rows = ["bad", *(f"image {number}" for number in range(8)), "bad too"]
    done = world.batch(world.prompts(*rows), "-p", name)
    assert (done.code, done.counts) == (9, {"saved": 8, "failed": 2}), done.err
    assert pool.accepted == dict.fromkeys(rows[1:-1], 1)


def test_a_job_is_collected_from_its_own_server(servers: Start, world: World) -> None:
    pool = servers(latency=0.2)
    rows = [f"image {number}" for number in range(6)]
    file = world.prompts(*rows)
    submitted = world.batch(file, "-p", "comfyui", "--no-wait")
    assert submitted.counts == {"running": 6}
    there = pool.shares[0]
    assert 1 <= there <= 4
    lost = f"{pool.places[0].url}/comfyui"
    pool.use(*(f"{place.url}/comfyui" for place in pool.places[1:]))
    done = world.batch(file, "-p", "comfyui")
    assert done.counts == {"saved": 6 - there, "running": there}
    assert f"the job is at {lost}, which is not among the base URLs of comfyui" in done.err
    pool.use()
    assert world.batch(file, "-p", "comfyui").counts == {"saved": there, "skipped": 6 - there}
    assert pool.accepted == dict.fromkeys(rows, 1)
    assert {job.state for job in world.kept()} == {State.SAVED}
