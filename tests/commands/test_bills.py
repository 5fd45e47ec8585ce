"""What is said of a job's bill when a command on it fails on this side, or before it is answered.

Only what was learned about the job counts: not that there is no key, no folder, no connection.
"""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse

from batches import Desk

LOST = "[fault:lost-reply] x"
WORDS = {"no": "not billed", "maybe": "may have been billed", "yes": ": billed"}


def submitted(desk: Desk, prompt: str = "x") -> str:
    return str(desk("generate", prompt, "-p", "fal", "--no-wait", "-d", "out").lines[0])


def accepted(desk: Desk) -> str:
    return submitted(desk)


def ready(desk: Desk) -> str:
    job = submitted(desk)
    assert desk("status", job, "--json").states == ["ready"]
    return job


def saved(desk: Desk) -> str:
    job = submitted(desk)
    (path,) = desk("fetch", job).lines
    (desk.folder / path).unlink()
    return job


def unknown(desk: Desk) -> str:
    return str(desk("generate", LOST, "-p", "fal", "--json").records[0]["id"])


def failed(desk: Desk) -> str:
    """Accepted, and failed at the provider, which may bill it."""
    return str(desk("generate", "[fault:invalid] x", "-p", "fal", "--json").records[0]["id"])


def refused(desk: Desk) -> str:
    return str(desk("generate", "[fault:402] x", "-p", "fal", "--json").records[0]["id"])


def no_key(desk: Desk) -> None:
    desk.without_keys("fal")


def bad_key(desk: Desk) -> None:
    desk.set(FAL_KEY="two words")


def open_credentials(desk: Desk) -> None:
    desk.config("")
    path = desk.folder.parent / "config" / "credentials.toml"
    path.write_text('fal = "secret"\n')
    path.chmod(0o644)
    desk.without_keys("fal")


def rejected_key(desk: Desk) -> None:
    async def reject(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"detail": "no such key"}, 401)(scope, receive, send)

    desk.answer(reject)


def bad_proxy(desk: Desk) -> None:
    desk.set(KONTEXT_FAL_BASE_URL="", HTTPS_PROXY="none://proxy.example")


def no_folder(desk: Desk) -> None:
    out = desk.folder / "out"
    if out.is_dir():
        out.rmdir()
    out.write_text("in the way")


FETCH, AGAIN, CANCEL, STATUS = ("fetch",), ("fetch", "--resubmit"), ("cancel",), ("status",)
Step = Callable[[Desk], Any]


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
    desk: Desk, made: Step, broken: Step, command: tuple[str, ...], code: int, billed: str
) -> None:
    job = made(desk)
    broken(desk)
    name, *flags = command
    told = desk(name, job, *flags)
    record = desk(name, job, *flags, "--json").records[0]
    assert told.code == code
    assert WORDS[billed] in told.err
    assert record["error"]["billed"] == billed


def test_a_resubmit_that_was_refused_leaves_the_job_as_it_was(desk: Desk) -> None:
    job = unknown(desk)
    rejected_key(desk)
    assert desk("fetch", job, "--resubmit").code == 3
    desk.answer()
    (found,) = desk("status", job, "--json").records
    assert (found["state"], found["error"]["code"]) == ("unknown", "unknown")
    assert job in desk("fetch").err
    desk.may_be_accepted(2, LOST)
    assert desk("fetch", job, "--resubmit").code == 0
    assert desk.accepted[LOST] == 2
