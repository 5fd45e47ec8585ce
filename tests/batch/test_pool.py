"""Which server of a pool gets the next job, and when one that failed gets another."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.test_pace import Clock
from kontext_cli.batch.pace import Pace
from kontext_cli.batch.pool import Pool, Server
from kontext_cli.errors import RejectedKey, Unreachable, UsageError
from kontext_cli.providers.fal import Fal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool_of(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pool]:
    """Pools of servers of one's own: as many as named, each with 2 jobs at most."""
    monkeypatch.setattr(Fal, "needs_base_url", True)

    def build(*names: str, most: int = 2) -> Pool:
        in_pool = len(names) > 1
        return Pool(
            [
                Server(Fal(f"http://{name}"), Pace(most, clock=clock), in_pool=in_pool, clock=clock)
                for name in names
            ]
        )

    return build


def took(pool: Pool, jobs: int) -> str:
    """The names of the servers that get the next jobs."""

    async def enter() -> list[Server | None]:
        async with asyncio.timeout(0.05):
            return [await pool.enter() for _ in range(jobs)]

    return "".join(
        server.provider.base_url.removeprefix("http://") if server else "-"
        for server in asyncio.run(enter())
    )


def test_jobs_go_where_the_fewest_are_and_until_one_is_accepted_one_at_a_time(
    pool_of: Callable[..., Pool],
) -> None:
    pool = pool_of("a", "b", "c")
    assert took(pool, 3) == "abc"
    with pytest.raises(TimeoutError):
        took(pool, 1)
    for server in pool.servers:
        server.accepted()
    assert took(pool, 3) == "abc"
    pool.find("http://b").leave()
    assert took(pool, 1) == "b"


def test_one_server_is_filled_at_once(pool_of: Callable[..., Pool]) -> None:
    assert took(pool_of("a"), 2) == "aa"


def test_a_server_that_fails_is_left_alone_longer_each_time(
    pool_of: Callable[..., Pool], clock: Clock
) -> None:
    pool = pool_of("a", "b")
    for server in pool.servers:
        server.accepted()
    away = pool.find("http://a")
    assert took(pool, 2) == "ab"
    away.leave()
    for delay in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        away.failed(Unreachable("no"))
        assert away.wait == delay
        clock.now += delay
        assert took(pool, 1) == "a"
        away.leave()
    assert away.is_down
    assert not pool.is_down
    away.accepted()
    assert took(pool, 3) == "aba"
    away.failed(Unreachable("no"))
    assert away.wait == 0.5


def test_jobs_that_fail_together_are_one_failure(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of("a", "b")
    away = pool.find("http://a")
    for _ in range(20):
        away.failed(Unreachable("no"))
    assert away.wait == 0.5
    assert not away.is_down


def test_only_one_job_finds_out_whether_it_is_back(
    pool_of: Callable[..., Pool], clock: Clock
) -> None:
    pool = pool_of("a", "b")
    for server in pool.servers:
        server.accepted()
    pool.find("http://a").failed(Unreachable("no"))
    clock.now += 1
    assert took(pool, 3) == "abb"


def test_what_was_tried_is_told_when_none_is_left(
    pool_of: Callable[..., Pool], clock: Clock
) -> None:
    pool = pool_of("a", "b")
    for server in pool.servers:
        for _ in range(5):
            assert not pool.is_down
            server.failed(Unreachable(f"{server.provider.title} is away"))
            clock.now += 60
    assert pool.is_down
    told = pool.trouble()
    assert isinstance(told, Unreachable)
    assert told.message == "no server takes jobs: fal at http://a is away; fal at http://b is away"
    for server in pool.servers:
        server.failed(RejectedKey("rejected"))
    assert isinstance(pool.trouble(), RejectedKey)


def test_a_closed_pool_lets_nobody_wait(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of("a", "b")

    async def closed_meanwhile() -> list[Server | None]:
        waiting = [asyncio.ensure_future(pool.enter()) for _ in range(4)]
        await asyncio.sleep(0)
        pool.close()
        return await asyncio.gather(*waiting)

    assert [server is None for server in asyncio.run(closed_meanwhile())] == [
        *(False, False),
        *(True, True),
    ]


def test_a_job_stays_with_its_server(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of("a", "b")
    assert pool.find("http://b") is pool.servers[1]
    assert pool.find(None) is pool.servers[0]
    with pytest.raises(UsageError, match="at http://c, which is not among the base URLs of fal"):
        pool.find("http://c")


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(1, 20),
    st.lists(st.sampled_from(["429", "success", "refused", "nothing"]), max_size=20),
)
def test_all_come_in_at_last_and_no_more_at_once_than_fit(
    limits: list[int], jobs: int, events: list[str]
) -> None:
    clock = Clock()
    pool = Pool(
        [
            Server(Fal(), Pace(most, clock=clock), in_pool=len(limits) > 1, clock=clock)
            for most in limits
        ]
    )
    done = 0
    happens = iter(events)

    async def job() -> None:
        nonlocal done
        server = await pool.enter()
        assert server is not None
        assert server.in_flight <= server.pace.limit
        await asyncio.sleep(0)
        match next(happens, "success"):
            case "429":
                server.pace.throttled(None)
            case "success":
                server.accepted()
                server.pace.succeeded()
            case "refused":
                server.failed(Unreachable("no"))
        clock.now += 100
        server.leave()
        done += 1

    async def all_of_them() -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*(job() for _ in range(jobs)))

    asyncio.run(all_of_them())
    assert done == jobs
    assert [server.in_flight for server in pool.servers] == [0] * len(limits)
