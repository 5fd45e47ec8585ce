"""How batches end: exit codes, counters, and what is printed of rows that did not end well."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from world import World


@pytest.mark.parametrize(
    ("provider", "prompts", "code", "counts"),
    [
        ("aimlapi", ["a", "b"], 0, {"saved": 2}),
        ("aimlapi", ["a [fault:flagged]", "b [fault:refused]"], 5, {"moderated": 2}),
        ("fal", ["a [fault:failed]", "b [fault:crashed]", "c [fault:timed-out]"], 4, {"failed": 3}),
        ("aimlapi", ["a [fault:empty]"], 4, {"failed": 1}),
        ("aimlapi", ["a [fault:lost-reply]", "b [fault:failed]"], 11, {"unknown": 2}),
        ("aimlapi", ["a [fault:media-404]"], 4, {"expired": 1}),
        ("aimlapi", ["a [fault:refused]", "b"], 9, {"saved": 1, "moderated": 1}),
        ("aimlapi", ["a [fault:empty]", "b [fault:refused]"], 9, {"failed": 1, "moderated": 1}),
        ("aimlapi", ["a [fault:empty]", "b [fault:reset]"], 9, {"failed": 1, "unknown": 1}),
        ("aimlapi", ["a [fault:invalid]", "b"], 9, {"saved": 1, "failed": 1}),
        ("aimlapi", ["a [fault:fewer]"], 4, {"failed": 1}),
    ],
)
def test_the_exit_code_is_what_all_rows_have_in_common_else_9(
    provider: str, prompts: list[str], code: int, counts: dict[str, int], world: World
) -> None:
    ran = world.batch(world.prompts(*prompts), "-p", provider)
    assert (ran.code, ran.counts) == (code, counts)
    assert all((job["error"] is None) is (job["state"] == "saved") for job in ran.jobs)


@pytest.mark.parametrize(
    ("rows", "argv", "code", "counts"),
    [
        (["a [fault:lost-reply*1]", "b"], ("--only", "1"), 11, {"unknown": 1}),
        (["a [fault:lost-reply*1]", "b"], (), 9, {"unknown": 1, "skipped": 1}),
        (["a [fault:flagged]", "b"], ("--only", "1"), 5, {"moderated": 1}),
        (["a [fault:flagged]", "b"], (), 9, {"moderated": 1, "skipped": 1}),
        (["a [fault:empty]", "b"], ("--only", "1"), 4, {"failed": 1}),
        (["a [fault:empty]", "b"], ("--only", "2"), 0, {"skipped": 1}),
        (["a", "b"], ("--limit", "0"), 0, {}),
    ],
)
def test_rows_that_are_held_count_as_what_they_are(
    rows: list[str], argv: tuple[str, ...], code: int, counts: dict[str, int], world: World
) -> None:
    prompts = world.prompts(*rows)
    world.batch(prompts)
    posts = world.posts
    ran = world.batch(prompts, *argv)
    assert (ran.code, ran.counts, world.posts) == (code, counts, posts)


def test_each_failure_is_told_with_its_line_its_bill_and_a_way_on(world: World) -> None:
    world.write("p.txt", "# first\n\na [fault:empty]\nb [fault:lost-reply]\nc\n")
    ran = world.run("generate", "-f", "p.txt", "-d", "out", "-p", "aimlapi", "-q")
    assert ran.lines == ["out/3-c.jpg"]
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert sorted(line.split(": ")[1] for line in errors) == ["p.txt:3", "p.txt:4"]
    assert ran.err.count(": may have been billed\n") == 2
    assert "--resubmit` submits it again" in ran.err


def test_hostile_words_of_a_provider_cannot_touch_the_terminal(world: World) -> None:
    prompt = "a \x1b]0;owned\x07 \u202e [fault:empty]"
    world.write("p.jsonl", [{"prompt": prompt, "id": "\u202ex"}])
    ran = world.batch("p.jsonl")
    assert not set("\x1b\x07\u202e") & set(ran.err + ran.out.decode())


def test_json_streams_a_line_as_each_row_ends_and_then_the_summary(world: World) -> None:
    world.write("p.jsonl", [{"id": "fox", "prompt": "a fox"}, {"prompt": "b [fault:empty]"}])
    ran = world.batch("p.jsonl")
    assert [record["type"] for record in ran.records] == ["job", "job", "summary"]
    fox, failed = ran.jobs
    assert (fox["index"], fox["operation"], fox["state"], fox["skipped"], fox["error"]) == (
        1,
        "generate",
        "saved",
        False,
        None,
    )
    assert fox["batch"] == ran.summary["batch"]
    assert set(failed["error"]) == {"code", "message", "hint", "billed"}
    assert (failed["error"]["billed"], failed["files"]) == ("maybe", [])
    expected: dict[str, Any] = {
        "schema": 1,
        "type": "summary",
        "batch": fox["batch"],
        "total": 2,
        "saved": 1,
        "skipped": 0,
        "failed": 1,
        "moderated": 0,
        "unknown": 0,
        "ready": 0,
        "running": 0,
        "canceled": 0,
        "expired": 0,
        "planned": 0,
        "cost": {"usd": 0.104, "source": "estimate"},
        "exit_code": 9,
    }
    assert ran.lines[-1] == json.dumps(expected, separators=(",", ":"))


def test_fewer_images_than_asked_for_are_noticed(world: World) -> None:
    ran = world.batch(world.prompts("a [fault:fewer]"), "-n", "3")
    assert (ran.code, len(world.files("out"))) == (0, 2)
    assert "aimlapi returned 2 of 3 images" in ran.err


def test_failures_of_the_moment_leave_no_trace(world: World) -> None:
    faults = ("truncated-media", "media-redirect", "poll-reset", "unknown-status", "result-503")
    prompts = world.prompts(*(f"a [fault:{fault}]" for fault in faults))
    ran = world.batch(prompts, "-p", "fal")
    assert (ran.code, ran.counts, ran.summary["cost"]["usd"]) == (0, {"saved": 5}, 0.2)


def test_a_row_whose_job_cannot_be_read_is_not_paid_for_again_until_it_is_forgotten(
    world: World,
) -> None:
    prompts = world.prompts("a", "b")
    (first, _) = world.batch(prompts).jobs
    with closing(sqlite3.connect(world.state / "journal.db", isolation_level=None)) as raw:
        raw.execute("UPDATE jobs SET details = '{}' WHERE id = ?", (first["id"],))
    ran = world.batch(prompts, "--exists", "number")
    assert (ran.code, ran.counts) == (9, {"failed": 1, "skipped": 1})
    assert f"job `{first['id']}` in the journal is damaged" in ran.err
    assert "kontext forget" in ran.err
    world.may_be_accepted(2, "a")
    assert world.run("forget", first["id"]).code == 0
    assert world.batch(prompts, "--exists", "number").counts == {"saved": 1, "skipped": 1}
