"""Where KONTEXT_JOURNAL says that the journal is."""

import pytest

from world import World


@pytest.mark.parametrize("command", ["status", "cost"])
def test_without_the_library_it_says_what_to_install(world: World, command: str) -> None:
    world.set(KONTEXT_JOURNAL="postgresql://db/kontext", PYTHONPATH=str(world.top / "absent"))
    (world.top / "absent").mkdir()
    (world.top / "absent" / "psycopg.py").write_text("raise ImportError('no module')")
    ran = world.process(command)
    assert ran.code == 2
    assert "pip install 'kontext-cli[postgres]'" in ran.err
