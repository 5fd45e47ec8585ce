"""`--dry-run` of a batch: what would be done and paid; nothing is sent and nothing written."""

import os
from pathlib import Path

from world import World

FOX, HEN, CAT = "a fox", "a hen", "a cat"
NEW = ("make", "new", "fal", "kontext-pro")


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below, with its time and size; not what SQLite needs to read."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


def test_it_tells_rows_names_and_the_total_without_a_key(world: World) -> None:
    world.without_keys()
    prompts = world.prompts(FOX, HEN, FOX)
    before = everything(world.folder)
    ran = world.run("generate", "-f", prompts, "-d", "out", "-n", "2", "--dry-run")
    out = os.path.join(world.out, "")  # noqa: PTH118
    assert [line.split("\t") for line in ran.lines] == [
        ["1", *NEW, "0.08", FOX, f"{out}1-a-fox-1.jpg, {out}1-a-fox-2.jpg"],
        ["2", *NEW, "0.08", HEN, f"{out}2-a-hen-1.jpg, {out}2-a-hen-2.jpg"],
        ["3", *NEW, "0.08", FOX, f"{out}3-a-fox-1.jpg, {out}3-a-fox-2.jpg"],
        ["3 rows, 3 to make: about $0.24"],
    ]
    assert ran.code == 0
    assert everything(world.folder) == before
    assert not world.state.exists()
    assert world.ledger.requests == ()


def test_it_tells_what_would_be_done_with_each_row(world: World) -> None:
    world.write("p.jsonl", [{"id": n, "prompt": f"fox {n}"} for n in range(1, 6)])
    world.batch("p.jsonl", "--limit", "3", "-p", "fal")
    world.batch("p.jsonl", "--only", "4", "-p", "fal", "--no-wait")
    (world.out / "2.jpg").unlink()
    rows = [{"id": n, "prompt": f"fox {n}"} for n in range(1, 6)]
    rows[2]["prompt"] = "a hen"
    rows[4]["prompt"] = "fox 5 [fault:empty]"
    world.write("p.jsonl", rows)
    world.batch("p.jsonl", "--only", "5", "-p", "fal")
    posts, files = world.posts, everything(world.folder)
    ran = world.batch("p.jsonl", "-p", "fal", "--dry-run")
    assert ran.code == 0
    assert ran.reasons == ["saved", "file missing", "changed: prompt", "collected", "failed"]
    assert ran.states == ["saved", "saved", "planned", "queued", "failed"]
    assert ran.summary["cost"] == {"usd": 0.04, "source": "estimate"}
    text = world.run("generate", "-f", "p.jsonl", "-d", "out", "-p", "fal", "--dry-run").lines
    steps = [line.split("\t")[1] for line in text[:-1]]
    assert steps == ["skip", "collect", "make", "collect", "hold"]
    assert text[-1] == "5 rows, 1 to make, 2 to collect, 1 to skip, 1 to hold: about $0.04"
    assert (world.posts, everything(world.folder)) == (posts, files)


def test_it_leaves_the_state_folder_as_it_is(world: World) -> None:
    prompts = world.prompts(FOX)
    world.batch(prompts)
    before = everything(world.state)
    assert world.batch(prompts, "--dry-run").reasons == ["saved"]
    assert everything(world.state) == before


def test_it_finds_what_a_run_would_refuse(world: World) -> None:
    world.write("out/1-a-fox.jpg", b"mine")
    prompts = world.prompts(FOX, HEN)
    assert world.batch(prompts, "--dry-run").code == 8
    argv = ("--exists", "number", "--dry-run")
    assert world.batch(prompts, *argv, "--max-cost", "0.1").code == 10
    assert world.batch(prompts, *argv, "--max-cost", "0.104").code == 0
    assert world.batch(prompts, *argv, "--sync-mode").code == 2
    assert world.posts == 0


def test_as_json_every_row_is_a_planned_job(world: World) -> None:
    ran = world.batch(world.prompts(FOX, HEN), "--dry-run", "--seed", "7")
    assert (ran.states, ran.counts) == (["planned"] * 2, {"planned": 2})
    assert ran.summary["cost"] == {"usd": 0.104, "source": "estimate"}
    assert [job["index"] for job in ran.jobs] == [1, 2]
    assert {job["batch"] for job in ran.jobs} == {ran.summary["batch"]}
    assert ran.jobs[0]["request"] == {
        "prompt": FOX,
        "aspect_ratio": "1:1",
        "seed": 7,
        "output_format": "jpeg",
    }
    assert ran.err == ""
