"""`kontext cost`: what was spent, as the runs themselves said it."""

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from journals import job
from kontext_cli.errors import JobFailed
from kontext_cli.job import Cost, Job, State
from kontext_cli.journal import Journal
from kontext_cli.terminal.cells import width_of
from screens import Screen, on_screen
from world import World

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")

Line = tuple[str | None, int, float | None, str, float | None]


def cost(world: World, *argv: str) -> dict[str, list[Line]]:
    """The lines of `cost --json` by group: key, jobs, dollars, source, and what is in doubt."""
    done = world.run("cost", "--json", *argv)
    assert done.code == 0, done.err
    groups: dict[str, list[Line]] = {}
    for each in done.records:
        assert each["type"] == "cost"
        values = (each["key"], each["jobs"], each["usd"], each["source"], each["in_doubt"])
        groups.setdefault(each["by"], []).append(values)
    return groups


def keep(world: World, *jobs: Job) -> None:
    """Write these jobs into the journal."""
    with Journal.open(world.state) as journal:
        journal.write([journal.recording(each) for each in jobs])


def many() -> list[Job]:
    """Jobs of ten days, with every kind of cost and of outcome."""
    failed = JobFailed("it failed", billed="maybe")
    return [
        job(
            State.FAILED if day % 3 == 0 else State.SAVED,
            provider=("fal", "aimlapi")[day % 2],
            cost=(Cost(1234.5, "estimate"), Cost(0.052, "provider"), Cost(None, "unknown"))[
                day % 3
            ],
            batch="a batch with a long, long name that no window has room for " * 2,
            row=f"id:{day}",
            error=failed if day % 3 == 0 else None,
            created_at=datetime(2026, 5, 1 + day, 12, tzinfo=UTC),
        )
        for day in range(10)
    ]


def on_terminal(world: World, *argv: str, columns: int = 80) -> Screen:
    environ = {"KONTEXT_STATE_DIR": str(world.state), "TZ": "UTC", "NO_COLOR": "1"}
    return on_screen("cost", *argv, cwd=world.folder, columns=columns, environ=environ)


def test_nothing_was_spent_where_there_is_no_journal(world: World) -> None:
    done = world.run("cost")
    assert (done.code, done.out, done.err) == (0, b"", "nothing was spent\n")
    assert "nothing was spent in the last 30d" in world.run("cost", "--since", "30d").err
    assert cost(world) == {"total": [(None, 0, 0, "estimate", 0)]}
    assert not world.state.exists()


def test_mixed_outcomes_cost_what_the_batch_said(world: World) -> None:
    world.prompts("a", "[fault:failed] b", "[fault:none] refused", "[fault:lost-reply] d", "e")
    done = world.batch("prompts.txt", "-p", "fal", "--batch", "mixed")
    summary = done.summary
    bills = [each["error"]["billed"] if each["error"] else "yes" for each in done.jobs]
    assert set(bills) == {"yes", "maybe", "no"}
    found = cost(world)
    doubted = round(bills.count("maybe") * 0.04, 6)
    billed = len(bills) - bills.count("no")
    assert found["total"] == [(None, billed, summary["cost"]["usd"], "estimate", doubted)]
    assert found["batch"] == [("mixed", *found["total"][0][1:])]


def test_estimates_and_figures_of_providers_have_a_line_each(world: World) -> None:
    world.serve(aimlapi_usage=True)
    for argv in (("a", "-p", "aimlapi"), ("b", "-p", "fal"), ("c", "-p", "sandbox")):
        assert world.run("generate", *argv, "-q").code == 0
    world.serve()
    assert world.run("generate", "d", "-p", "aimlapi", "-q").code == 0
    figure = world.jobs()[-1]["cost"]
    assert figure["source"] == "provider"
    found = cost(world)
    assert found["provider"][-1] == ("sandbox", 1, 0, "estimate", 0)
    assert {line[3] for line in found["provider"] if line[0] == "aimlapi"} == {
        "provider",
        "estimate",
    }
    assert (None, 1, figure["usd"], "provider", 0) in found["total"]
    assert sum(line[1] for line in found["total"]) == 4
    assert found["batch"] == [(None, line[1], line[2], line[3], 0) for line in found["total"]]


def test_a_job_without_a_price_is_counted(world: World) -> None:
    keep(world, job(State.SAVED, cost=Cost(None, "unknown")), job(State.SAVED))
    assert sorted(cost(world)["total"], key=str) == [
        (None, 1, 0.04, "estimate", 0),
        (None, 1, None, "unknown", None),
    ]


def test_days_are_local_and_the_newest_is_first(world: World) -> None:
    moments = (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 1, 31, 9, tzinfo=UTC))
    keep(world, *(job(State.SAVED, created_at=each) for each in moments))

    def days(zone: str) -> list[Any]:
        done = world.process("cost", "--json", "--by", "day", environ={"TZ": zone})
        return [each["key"] for each in done.records if each["by"] == "day"]

    assert days("UTC") == ["2026-01-31"]
    assert days("UTC-1") == ["2026-02-01", "2026-01-31"]


def test_one_table_and_the_total(world: World) -> None:
    keep(world, *many())
    for by in ("day", "provider", "model", "batch"):
        assert set(cost(world, "--by", by)) == {by, "total"}
    assert cost(world, "--since", "1s") == {"total": [(None, 0, 0, "estimate", 0)]}
    assert cost(world)["total"] == cost(world, "--since", "99999d")["total"]


def test_in_a_pipe_full_values(world: World) -> None:
    keep(world, job(State.SAVED, batch="a\tb\x1b[31m", cost=Cost(0.052, "provider")))
    day = world.jobs()[0]["created_at"][:10]
    done = world.process("cost", environ={"TZ": "UTC"})
    rows = [line.split("\t") for line in done.lines]
    assert [row[0] for row in rows] == ["day", "provider", "model", "batch", "total"]
    assert rows[0] == ["day", day, "1", "0.052", "provider", "0"]
    assert "\x1b" not in done.out.decode()
    assert all(len(row) == 6 for row in rows)


@pytest.mark.parametrize("since", ["30", "soon", "", "9" * 30 + "d"])
def test_an_age_that_is_none(world: World, since: str) -> None:
    done = world.run("cost", "--since", since)
    assert done.code == 2
    assert "as in 30d" in done.err


@posix
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_tables_fit_the_window(world: World, columns: int) -> None:
    keep(world, *many())
    for argv in ((), ("--by", "day")):
        shown = on_terminal(world, *argv, columns=columns)
        assert shown.code == 0
        assert max(map(width_of, shown.lines)) <= columns
        (total,) = (line for line in shown.lines if line.startswith("total"))
        assert "10" in total.split()
        assert "~$4938.156 + ?" in total
        assert "in doubt: $4938.00 of the total" in " ".join(shown.terminal.split())


@posix
def test_long_tables_are_shortened_unless_asked_for(world: World) -> None:
    keep(world, *many())
    brief, full = on_terminal(world), on_terminal(world, "--by", "day")
    assert sum(line.startswith("2026-05-") for line in brief.lines) == 7
    assert sum(line.startswith("3 more") for line in brief.lines) == 1
    assert sum(line.startswith("2026-05-") for line in full.lines) == 10
    assert full.lines[0].startswith("local day")
    assert "more" not in full.terminal


@posix
def test_only_columns_that_tell_something(world: World) -> None:
    keep(world, job(State.SAVED, cost=Cost(0.0, "estimate")))
    shown = on_terminal(world)
    assert shown.lines[0].split() == ["local", "day", "jobs", "cost"]
    assert shown.lines[-1].split() == ["total", "1", "free"]
    assert "batch" not in shown.terminal
