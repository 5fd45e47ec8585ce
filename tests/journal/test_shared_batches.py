"""A batch that machines share: what is on the disk of one, and the budget of all."""

import pytest

from postgres_server import HOW_TO_INSTALL, programs
from world import Ran, World

if programs() is None:
    pytest.skip(HOW_TO_INSTALL, allow_module_level=True)

FOX, HEN, CAT = "a fox", "a hen", "a cat"


class Machines:
    """Machines that run the same batch, each with a disk and a state folder of its own."""

    def __init__(self, world: World, database: str) -> None:
        self.world = world
        world.set(KONTEXT_JOURNAL=database)

    def run(self, name: str, *argv: str, at: str = "work", prompts: tuple[str, ...] = ()) -> Ran:
        """Run the program on a machine, whose disk is found ``at`` a folder meanwhile."""
        disk, mounted = self.world.top / f"disk-{name}", self.world.top / at
        disk.mkdir(exist_ok=True)
        disk.rename(mounted)
        (mounted / "prompts.txt").write_text("".join(f"{each}\n" for each in prompts))
        state = str(self.world.top / f"state-{name}")
        try:
            return self.world.run(*argv, cwd=mounted, environ={"KONTEXT_STATE_DIR": state}).check()
        finally:
            mounted.rename(disk)

    def batch(self, name: str, *argv: str, prompts: tuple[str, ...] = (FOX, HEN)) -> Ran:
        """Run a batch on a machine."""
        given = ("generate", "-f", "prompts.txt", "-d", "out", "--json")
        where = () if "-p" in argv else ("-p", "aimlapi")
        return self.run(name, *given, *where, *argv, prompts=prompts)

    def files(self, name: str) -> list[str]:
        """The files in the output folder of a machine."""
        return sorted(path.name for path in (self.world.top / f"disk-{name}" / "out").iterdir())


@pytest.fixture
def machines(world: World, database: str) -> Machines:
    return Machines(world, database)


def test_a_batch_needs_a_name(machines: Machines) -> None:
    ran = machines.batch("a")
    assert ran.code == 2
    assert "--batch NAME" in ran.err
    assert machines.batch("a", "--dry-run").code == 0
    assert machines.world.posts == 0


def test_what_another_machine_saved_is_skipped_until_it_is_forced(machines: Machines) -> None:
    machines.world.may_be_accepted(2, FOX, HEN)
    assert machines.batch("a", "--batch", "cards").counts == {"saved": 2}
    other = machines.batch("b", "--batch", "cards")
    assert (other.code, other.counts) == (0, {"skipped": 2})
    assert other.reasons == ["saved on another machine"] * 2
    assert other.err.count("2 rows were saved on another machine") == 1
    assert machines.world.posts == 2
    again = machines.batch("a", "--batch", "cards")
    assert again.reasons == ["saved"] * 2
    forced = machines.batch("b", "--batch", "cards", "--force")
    assert forced.counts == {"saved": 2}
    assert machines.batch("b", "--batch", "cards").reasons == ["saved"] * 2
    assert machines.batch("a", "--batch", "cards").reasons == ["saved on another machine"] * 2


def test_a_missing_file_of_the_same_machine_is_made_again(machines: Machines) -> None:
    machines.world.may_be_accepted(2, FOX)
    limited = ("--batch", "cards")
    machines.batch("a", *limited, prompts=(FOX,))
    (name,) = machines.files("a")
    (machines.world.top / "disk-a" / "out" / name).unlink()
    assert machines.batch("a", *limited, prompts=(FOX,)).counts == {"saved": 1}


def test_a_job_is_fetched_under_the_folder_of_the_other_machine(machines: Machines) -> None:
    submitted = machines.run("a", "generate", FOX, "-p", "fal", "-d", "out", "--no-wait")
    (job,) = submitted.lines
    (listed,) = machines.run("b", "status", "--json").records
    assert listed["id"] == job
    fetched = machines.run("b", "fetch", job, at="elsewhere")
    assert fetched.code == 0, fetched.err
    assert "its files are saved under this folder" in fetched.err
    (name,) = machines.files("b")
    assert name.startswith("a-fox-")
    assert machines.files("a") == []
    assert machines.run("a", "status", "--json").records[0]["state"] == "saved"


def test_a_batch_collects_what_another_machine_submitted(machines: Machines) -> None:
    queue = ("-p", "fal", "--batch", "cards")
    assert machines.batch("a", *queue, "--no-wait").code == 0
    assert machines.batch("b", *queue).counts == {"saved": 2}
    assert machines.files("b") == ["1-a-fox.jpg", "2-a-hen.jpg"]
    assert machines.world.posts == 2


def test_a_budget_is_one_for_all_machines(machines: Machines) -> None:
    limited = ("--batch", "cards", "--max-cost", "0.15")
    assert machines.batch("a", *limited).counts == {"saved": 2}
    over = machines.batch("b", *limited, prompts=(FOX, HEN, CAT))
    assert over.code == 10
    assert "left of --max-cost" in over.err
    assert machines.world.posts == 2
    more = machines.batch("b", "--batch", "cards", "--max-cost", "0.16", prompts=(FOX, HEN, CAT))
    assert more.counts == {"skipped": 2, "saved": 1}
    total = machines.run("b", "cost", "--json").records[-1]
    assert (total["by"], total["jobs"]) == ("total", 3)
