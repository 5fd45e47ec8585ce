"""What is said of a job's bill when a command on it fails on this side, or before it is answered.

Only what was learned about the job counts: not that there is no key, no folder, no connection.
"""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse

from world import World

LOST = "[fault:lost-reply] x"
WORDS = {"no": "not billed", "maybe": "may have been billed", "yes": ": billed"}


def submitted(world: World, prompt: str = "x") -> str:
    return str(world.run("generate", prompt, "-p", "fal", "--no-wait", "-d", "out").lines[0])


def accepted(world: World) -> str:
    return submitted(world)


def ready(world: World) -> str:
    job = submitted(world)
    assert world.run("status", job, "--json").states == ["ready"]
    return job


def saved(world: World) -> str:
    job = submitted(world)
    (path,) = world.run("fetch", job).lines
    (world.folder / path).unlink()
    return job


def unknown(world: World) -> str:
    return str(world.run("generate", LOST, "-p", "fal", "--json").records[0]["id"])


def failed(world: World) -> str:
    """Accepted, and failed at the provider, which may bill it."""
    return str(world.run("generate", "[fault:invalid] x", "-p", "fal", "--json").records[0]["id"])


def refused(world: World) -> str:
    return str(world.run("generate", "[fault:402] x", "-p", "fal", "--json").records[0]["id"])


def no_key(world: World) -> None:
    world.without_keys("fal")


def bad_key(world: World) -> None:
    world.set(FAL_KEY="two words")


def open_credentials(world: World) -> None:
    world.configure("")
    path = world.folder.parent / "config" / "credentials.toml"
    path.write_text('fal = "secret"\n')
    path.chmod(0o644)
    world.without_keys("fal")


def rejected_key(world: World) -> None:
    async def reject(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"detail": "no such key"}, 401)(scope, receive, send)

    world.answer(reject)


def bad_proxy(world: World) -> None:
    world.set(KONTEXT_FAL_BASE_URL="", HTTPS_PROXY="none://proxy.example")


def no_folder(world: World) -> None:
    out = world.folder / "out"
    if out.is_dir():
        out.rmdir()
    out.write_text("in the way")


FETCH, AGAIN, CANCEL, STATUS = ("fetch",), ("fetch", "--resubmit"), ("cancel",), ("status",)
Step = Callable[[World], Any]


@pytest.mark.parametrize(
    ("made", "broken", "command", "code", "billed"),
    [
        (accepted, no_key, FETCH, 3, "maybe"),
        (accepted, no_key, CANCEL, 3, "maybe"),
        (accepted, no_key, STATUS, 3, "maybe"),
        (accepted, bad_key, FETCH, 3, "maybe"),
        (accepted, open_credentials, FETCH, 3, "maybe"),
        (accepted, rejected_key, FETCH, 3, "maybe"),
        (accepted, rejected_key, CANCEL, 3, "maybe"),
        (accepted, bad_proxy, FETCH, 2, "maybe"),
        (accepted, bad_proxy, CANCEL, 2, "maybe"),
        (accepted, no_folder, FETCH, 8, "maybe"),
        (ready, no_key, FETCH, 3, "yes"),
        (ready, no_key, CANCEL, 3, "yes"),
        (ready, no_folder, FETCH, 8, "yes"),
        (saved, no_key, FETCH, 3, "yes"),
        (saved, no_key, CANCEL, 3, "yes"),
        (saved, no_folder, FETCH, 8, "yes"),
        (unknown, no_key, AGAIN, 3, "maybe"),
        (unknown, bad_proxy, AGAIN, 2, "maybe"),
        (unknown, rejected_key, AGAIN, 3, "maybe"),
        (failed, no_key, AGAIN, 3, "maybe"),
        (failed, rejected_key, AGAIN, 3, "maybe"),
        (refused, no_key, AGAIN, 3, "no"),
        (refused, rejected_key, AGAIN, 3, "no"),
    ],
)
def test_only_what_was_learned_of_a_job_speaks_of_its_bill(
    world: World, made: Step, broken: Step, command: tuple[str, ...], code: int, billed: str
) -> None:
    job = made(world)
    broken(world)
    name, *flags = command
    told = world.run(name, job, *flags)
    record = world.run(name, job, *flags, "--json").records[0]
    assert told.code == code
    assert WORDS[billed] in told.err
    assert record["error"]["billed"] == billed


def test_a_resubmit_that_was_refused_leaves_the_job_as_it_was(world: World) -> None:
    job = unknown(world)
    rejected_key(world)
    assert world.run("fetch", job, "--resubmit").code == 3
    world.answer()
    (found,) = world.run("status", job, "--json").records
    assert (found["state"], found["error"]["code"]) == ("unknown", "unknown")
    assert job in world.run("fetch").err
    world.may_be_accepted(2, LOST)
    assert world.run("fetch", job, "--resubmit").code == 0
    assert world.accepted[LOST] == 2
