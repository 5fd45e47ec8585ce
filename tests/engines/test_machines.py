"""A batch on many machines that are killed and stopped, with a journal whose server crashes."""

import random
import sys
from collections.abc import Iterator

import pytest

from cutting import CuttingProxy
from engines.buckets import bucket_of
from engines.machines import IN_FLIGHT, LEASE, PRICE, Fleet, troubles
from postgres_server import PostgresServer, postgres_server
from soaking import seeds, soaked
from world import Build

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")

ROWS = soaked(100, 2000)
MACHINES = soaked(3, 8)
KILLS, STOPS = soaked(6, 100), soaked(2, 20)
RESTARTS, CUTS = soaked(2, 10), soaked(2, 20)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    """What machines reach the server through."""
    made = CuttingProxy(postgres.port)
    yield made
    made.close()


@pytest.mark.parametrize("seed", seeds(1))
def test_machines_that_share_a_state_folder(build: Build, endpoint: str, seed: int) -> None:
    rows = soaked(40, ROWS)
    fleet = build(Fleet, machines=MACHINES, rows=rows, latency=0.2)
    bucket = bucket_of(fleet, endpoint)
    dice = random.Random(seed)
    coming = troubles(dice, 1, rows * 9 // 10, kill=soaked(3, KILLS), stop=soaked(1, STOPS))
    fleet.work(dice, coming, argv=lambda _: ())
    print(fleet.figures())
    fleet.check_complete(bucket, unknown=fleet.struck["kill"] * IN_FLIGHT)


@pytest.mark.parametrize("seed", seeds(1))
def test_machines_that_share_a_database(
    build: Build, endpoint: str, postgres: PostgresServer, proxy: CuttingProxy, seed: int
) -> None:
    """Two shards whose budget is one, and too small; then all rows, with what is left of a budget
    that is just enough."""
    fleet = build(Fleet, machines=MACHINES, rows=ROWS, latency=0.2)
    bucket = bucket_of(fleet, endpoint)
    url = postgres.url(postgres.new_database(), port=proxy.port)
    fleet.keep_journal_at(f"{url}?lease={LEASE}", postgres, proxy)
    dice = random.Random(seed)
    shared, kills, stops, restarts = ROWS * 2 // 3, KILLS // 2, STOPS // 2, RESTARTS // 2
    both = {"kill": kills, "stop": stops, "restart": restarts}
    fleet.work(
        dice,
        troubles(dice, 1, shared * 9 // 10, cut=CUTS, after=CUTS // 2, **both),
        argv=lambda n: ("--max-cost", f"{shared * PRICE:.2f}", "--shard", f"{n % 2 + 1}/2"),
    )
    print(fleet.figures())
    assert fleet.accepted.total() <= shared
    fleet.work(
        dice,
        troubles(dice, shared, ROWS * 9 // 10, cut=CUTS, before=CUTS // 2, after=CUTS // 2, **both),
        argv=lambda _: ("--max-cost", f"{ROWS * PRICE:.2f}"),
    )
    assert fleet.struck["kill"] >= KILLS * 3 // 4
    print(fleet.figures(), f"; {len(fleet.held())} unknown")
    fleet.check_complete(bucket, unknown=(fleet.struck["kill"] + fleet.struck["stop"]) * IN_FLIGHT)
