"""`kontext models --check`: what the providers' own lists say about our models."""

import json
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.clients import client
from world import World

GONE: dict[str, Any] = {
    "id": "flux/kontext-max/text-to-image",
    "aliases": ["kontext-max"],
    "status": "withdrawn",
    "deprecated_at": "2026-10-01",
    "shutdown_at": "2026-11-01",
    "replaced_by": "blackforestlabs/flux-2-max",
    "reason": "provider_delisted",
}
ENDING: dict[str, Any] = {
    "id": "blackforestlabs/kontext-pro-edit",
    "aliases": ["flux/kontext-pro/image-to-image", 7],
    "status": "deprecated",
    "deprecated_at": "2026-11-20",
    "shutdown_at": "2027-01-31",
    "replaced_by": "blackforestlabs/flux-3-edit\x1b[31m",
    "reason": None,
}
FOLDED: dict[str, Any] = {
    "id": "blackforestlabs/flux-2-pro",
    "aliases": [],
    "status": "superseded",
    "deprecated_at": "2026-10-09",
    "shutdown_at": None,
    "replaced_by": None,
    "reason": "consolidated",
}
OTHER = {**GONE, "id": "acme/llm", "aliases": []}


def test_names_what_is_withdrawn_and_what_replaces_it(world: World) -> None:
    world.serve(aimlapi_deprecations=[OTHER, GONE, ENDING, FOLDED])
    world.without_keys()
    ran = world.run("models", "--check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        "aimlapi: kontext-max (generate, `flux/kontext-max/text-to-image`) is withdrawn since "
        "2026-11-01; it is replaced by flux-2-max (`blackforestlabs/flux-2-max`)",
        "aimlapi: kontext-pro (edit, `flux/kontext-pro/image-to-image`) is deprecated since "
        "2026-11-20, and ends on 2027-01-31; it is replaced by "
        "`blackforestlabs/flux-3-edit\\x1b[31m`",
        "aimlapi: flux-2-pro (generate, `blackforestlabs/flux-2-pro`) is superseded since "
        "2026-10-09",
        "these have no list of deprecations: fal, chainhub, bfl, replicate, together, huggingface, "
        "openai, comfyui and sandbox",
    ]
    [asked] = world.ledger.requests
    assert (asked.path, "authorization" in asked.headers) == (
        "/aimlapi/v1/models/deprecations",
        False,
    )


def test_as_records(world: World) -> None:
    world.serve(aimlapi_deprecations=[GONE, ENDING])
    ran = world.run("models", "--check", "-m", "kontext-max", "--json")
    assert ran.records == [
        {
            "schema": 1,
            "type": "deprecation",
            "provider": "aimlapi",
            "model": "kontext-max",
            "operation": "generate",
            "endpoint": "flux/kontext-max/text-to-image",
            "status": "withdrawn",
            "deprecated_at": "2026-10-01",
            "shutdown_at": "2026-11-01",
            "replaced_by": "blackforestlabs/flux-2-max",
            "reason": "provider_delisted",
        }
    ]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "aimlapi: none of its models here is deprecated, superseded or withdrawn"),
        (("-m", "kontext-pro"), "aimlapi: kontext-pro is not deprecated"),
        (("-p", "fal"), "these have no list of deprecations: fal"),
        (("-m", "flux-3"), "these have no list of deprecations: fal, "),
    ],
)
def test_nothing_to_tell(world: World, argv: tuple[str, ...], says: str) -> None:
    world.serve(aimlapi_deprecations=[OTHER])
    ran = world.run("models", "--check", *argv)
    assert (ran.code, ran.lines[0].startswith(says)) == (0, True)


def test_a_model_that_nobody_has(world: World) -> None:
    ran = world.run("models", "--check", "-m", "flux-9")
    assert (ran.code, world.ledger.requests) == (2, ())
    assert "there is no model `flux-9`" in ran.err


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (RedirectResponse("https://elsewhere.example/"), 6, "unreachable"),
        (JSONResponse({"data": None}), 4, "unexpected_reply"),
        (JSONResponse({"message": "no such route"}, 404), 4, "job_failed"),
    ],
)
def test_the_list_cannot_be_read(world: World, answer: Response, code: int, kind: str) -> None:
    world.answer(answer)
    ran = world.run("models", "--check", "--json")
    assert (ran.code, [error["code"] for error in ran.errors]) == (code, [kind])


def test_the_feed_is_filtered_and_has_a_tag(world: World) -> None:
    world.serve(aimlapi_deprecations=[GONE, ENDING, FOLDED])
    with client(f"{world.url}/aimlapi") as http:

        def ids(query: str) -> list[str]:
            rows = http.get(f"/v1/models/deprecations{query}").json()["data"]
            return [row["status"] for row in rows]

        assert ids("?status=Withdrawn,superseded") == ["withdrawn", "superseded"]
        assert ids("?status=withdrawn&status=deprecated") == ["withdrawn", "deprecated"]
        assert ids("?status=odd") == ids("?since=2026-1") == ids("")
        assert ids("?since=2026-11-02") == ["deprecated"]
        whole = http.get("/v1/models/deprecations")
        assert json.loads(whole.content)["object"] == "list"
        tag = whole.headers["etag"]
        again = http.get("/v1/models/deprecations", headers={"if-none-match": tag})
        assert (again.status_code, again.content, tag[:3]) == (304, b"", 'W/"')


@pytest.mark.parametrize("name", ["fal", "aimlapi"])
def test_a_model_that_is_gone_says_where_to_look(world: World, name: str) -> None:
    ran = world.run("generate", "x", "-p", name, "-m", "acme/gone")
    assert ran.code == 4
    assert f"hint: {name} does not have this model, or no longer: `kontext models --check`" in (
        ran.err
    )
