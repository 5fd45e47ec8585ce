"""Two people with different settings, and one lock: it stands in for what neither of them types."""

import pytest

from batch.locks import Machine, notices, row
from samples import image_file
from world import World

ROUTE = '[providers.huggingface]\nroute = "{}"\n'


@pytest.fixture
def here(world: World) -> Machine:
    """Rows that edit one image."""
    machine = Machine(world)
    machine.rows(row("fox"), row("hen", model="kontext-dev"))
    machine.file("house.jpg").write_bytes(image_file())
    return machine


def test_the_route_of_a_router_is_remembered(world: World, here: Machine) -> None:
    typed = ("edit", "-f", "cards.jsonl", "-i", "house.jpg", "-d", "out", "--json")
    world.configure(ROUTE.format("replicate"))
    assert here.plain(*typed, "-p", "huggingface", "--lock").counts == {"saved": 2}
    for settings in "", ROUTE.format("replicate"):
        world.configure(settings)
        there = here.clone(f"there{len(settings)}")
        assert there.plain("check", "cards.jsonl").code == 0
        ran = there.plain(*typed)
        assert (ran.counts, notices(ran)) == ({"skipped": 2}, [])
    world.configure(ROUTE.format("together"))
    assert there.plain("check", "cards.jsonl").code == 0
    ran = there.plain(*typed, "--dry-run")
    assert ran.counts == {"planned": 2}
    assert "other defaults: route was replicate, is together" in notices(ran)[0]


def test_the_dialect_and_the_model_of_a_server_are_remembered(world: World, here: Machine) -> None:
    typed = ("generate", "-f", "cards.jsonl", "-d", "out", "--json")
    here.rows(row("fox"))
    world.configure('[providers.openai]\ndialect = "vllm"\nmodel = "FLUX.1-Kontext-dev"\n')
    assert here.plain(*typed, "-p", "openai", "--lock").counts == {"saved": 1}
    world.configure("")
    there = here.clone("there")
    assert there.plain("check", "cards.jsonl").code == 0
    ran = there.plain(*typed)
    assert (ran.counts, notices(ran)) == ({"skipped": 1}, [])


def test_images_of_a_lost_lock_are_not_said_to_be_overwritten(here: Machine) -> None:
    here.rows(row("fox"))
    here.run("--lock")
    there = here.clone("there")
    there.file("cards.lock").unlink()
    ran = there.run("--lock")
    assert (ran.code, ran.errors[0]["hint"]) == (
        8,
        "restore the lock, if it had this; or use `--exists number` or `skip`",
    )


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        ('provider = "fal"\nmodel = "kontext-max"\n', {}),
        ("", {"KONTEXT_PROVIDER": "fal", "KONTEXT_MODEL": "kontext-max"}),
    ],
)
def test_provider_and_model_are_remembered(
    world: World, here: Machine, config: str, environ: dict[str, str]
) -> None:
    typed = ("generate", "-f", "cards.jsonl", "-d", "out", "--json")
    here.rows(row("fox"))
    world.configure(config)
    assert here.plain(*typed, "--lock", **environ).counts == {"saved": 1}
    world.configure("")
    there = here.clone("there")
    ran = there.plain(*typed)
    assert (ran.counts, notices(ran)) == ({"skipped": 1}, [])
    ran = there.plain(*typed, "-p", "aimlapi", "--dry-run")
    assert (ran.counts, ran.jobs[0]["model"]) == ({"planned": 1}, "kontext-pro")
    ran = there.plain(*typed, "-m", "kontext-pro", "--dry-run")
    assert (ran.counts, ran.jobs[0]["model"]) == ({"planned": 1}, "kontext-pro")
    assert "--model was kontext-max, is kontext-pro" in notices(ran)[0]
