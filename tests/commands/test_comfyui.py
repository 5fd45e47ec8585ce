"""One's own ComfyUI from end to end: no run is lost, and none is made twice."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image

from kontext_cli.job import State
from own_servers import Start
from relay import UNREAD, Relay, relaying
from samples import image_file
from soaking import soaked
from world import PATIENCE, Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
AT = ("-p", "comfyui")
API = "/comfyui"
KILL_POINTS = [
    ("before-submitting", 0, None),
    ("after-submitting", 0, State.FAILED),
    ("sent", 1, State.SAVED),
    ("replied", 1, State.SAVED),
    ("before-queued", 1, State.SAVED),
    ("after-queued", 1, State.SAVED),
    ("polling", 1, State.SAVED),
    ("after-ready", 1, State.SAVED),
    ("renamed", 1, State.SAVED),
]


def calls(world: World, path: str) -> list[Any]:
    """The requests to one of its routes."""
    return [seen for seen in world.ledger.requests if seen.path.startswith(f"{API}/{path}")]


def ids(world: World) -> list[str]:
    return [job["id"] for job in world.jobs()]


def submit(world: World, prompt: str) -> str:
    """Submit without waiting; the job id."""
    done = world.run("generate", prompt, *AT, "--no-wait")
    assert done.code == 0, done.err
    return done.lines[0]


def states(world: World) -> list[str]:
    return [job["state"] for job in world.jobs()]


def refused(ran: Ran, *words: str) -> None:
    """See that a run sent nothing, and says why in these words."""
    assert ran.code == 2, ran
    for each in words:
        assert each in ran.err


def test_the_calls_of_a_job(world: World) -> None:
    ran = world.run("generate", "x", *AT, "-a", "16:9", "--seed", "7", "--json")
    assert ran.code == 0, ran.err
    (job,) = ran.records
    (file,) = job["files"]
    assert (file["width"], file["height"], file["format"]) == (87, 47, "png")
    assert (job["model"], job["cost"]) == ("kontext-dev", {"usd": 0.0, "source": "estimate"})
    (entry,) = world.ledger.entries
    assert entry.request_id == job["request_id"]
    assert (entry.seed, entry.payload["width"], entry.payload["height"]) == (7, 1392, 752)
    assert len(calls(world, "prompt")) == 1
    assert not any("authorization" in seen.headers for seen in world.ledger.requests)


def test_what_made_an_image_is_named_without_its_host(world: World) -> None:
    assert world.run("generate", "x", *AT, "--metadata", "full", "-o", "x.png").code == 0
    said = world.run("info", "x.png").out.decode()
    assert "kontext-dev (ComfyUI)" in said
    assert "127.0.0.1" not in (world.folder / "x.png").read_bytes().decode("latin-1")


def test_input_images_are_uploaded_by_their_content(world: World) -> None:
    Image.new("RGB", (300, 200), "red").save(world.folder / "secret-name.png")
    world.write("small.png", image_file("png"))
    inputs = ("-i", "secret-name.png", "-i", "small.png", "-i", "secret-name.png")
    assert world.run("edit", "mix them", *AT, *inputs).code == 0
    assert world.run("edit", "mix them again", *AT, *inputs).code == 0
    first, again = world.ledger.entries
    assert first.payload["images"] == again.payload["images"]
    red, small, same = first.payload["images"]
    assert red == same != small
    assert red.startswith("kontext/")
    assert "secret" not in json.dumps(first.payload)
    assert len(calls(world, "upload")) == 4


def test_an_edit_keeps_the_shape_unless_a_ratio_is_given(world: World) -> None:
    world.write("wide.png", image_file("png", (210, 90)))
    for ratio, size in (((), (1568, 672)), (("-a", "1:1"), (1024, 1024))):
        ran = world.run("edit", f"x {ratio}", *AT, "-i", "wide.png", *ratio, "--json")
        (file,) = ran.records[0]["files"]
        assert (file["width"], file["height"]) == (size[0] // 16, size[1] // 16)


@pytest.mark.parametrize("fault", ["lost-reply", "html-502", "reset"])
def test_a_lost_answer_is_settled_in_the_same_run(world: World, fault: str) -> None:
    """What was accepted is found; what was not, is reported as such."""
    ran = world.run("generate", f"x [fault:{fault}]", *AT, "-o", "x.png")
    accepted = len(world.ledger.entries)
    assert (ran.code, accepted) == ((0, 1) if fault == "lost-reply" else (6, 0))
    if not accepted:
        assert "does not have it: it was not accepted" in ran.err
        assert "not billed" in ran.err
        assert world.run("fetch", *ids(world), "--resubmit").code == 0
    assert states(world) == ["saved"]
    assert len(world.ledger.entries) == 1


def test_an_answer_that_breaks_off_at_any_byte(world: World) -> None:
    """From the request that nobody reads to the last byte of the answer: each row is made once."""
    points = [UNREAD, *range(0, 260, soaked(26, 1))]
    prompts = [f"row {number}" for number, _ in enumerate(points)]
    file, left = world.prompts(*prompts), [*points]

    def cuts(method: str, path: str) -> int | None:
        return left.pop() if left and (method, path) == ("POST", f"{API}/prompt") else None

    with relaying(Relay(world.url, cuts=cuts)) as relay:
        world.move(relay.url)
        ran = world.batch(file, *AT, "-j", "4")
    assert (ran.code, ran.counts) == (0, {"saved": len(points)}), ran.err
    assert left == []
    assert sorted(entry.prompt for entry in world.ledger.entries) == sorted(prompts)


@posix
@pytest.mark.parametrize(("point", "accepted", "state"), soaked(KILL_POINTS[1::2], KILL_POINTS))
def test_killed_at_any_moment(world: World, point: str, accepted: int, state: State | None) -> None:
    argv = ("generate", "x", *AT, "--seed", "5")
    killed = world.process(*argv, environ={"KONTEXT_TEST_KILL_AT": point})
    assert killed.code == -9, (killed.out, killed.err)
    if point == "sent":
        world.ledger.wait_for(1, seconds=PATIENCE)
    after = world.run("fetch")
    assert after.code == (6 if state is State.FAILED else 0), after.err
    assert len(world.ledger.entries) == accepted
    assert states(world) == ([] if state is None else [state])
    assert world.files() == (["x-5.png"] if state is State.SAVED else [])


@posix
@pytest.mark.parametrize(("point", "accepted"), [("after-submitting", 0), ("replied", 1)])
def test_a_batch_that_was_killed_makes_each_row_once(
    world: World, point: str, accepted: int
) -> None:
    file = world.prompts("a", "b", "c")
    argv = ("generate", "-f", file, "-d", "out", *AT, "-j", "1")
    killed = world.process(*argv, environ={"KONTEXT_TEST_KILL_AT": f"{point}*2"})
    assert killed.code == -9
    assert len(world.ledger.entries) == 1 + accepted
    again = world.batch(file, *AT)
    assert (again.code, again.counts) == (0, {"saved": 2, "skipped": 1})
    assert sorted(entry.prompt for entry in world.ledger.entries) == ["a", "b", "c"]


@posix
@pytest.mark.parametrize("command", ["status", "fetch", "cancel"])
def test_a_job_of_unknown_outcome_is_asked_for(world: World, command: str) -> None:
    killed = world.process("generate", "x", *AT, environ={"KONTEXT_TEST_KILL_AT": "replied"})
    assert killed.code == -9
    assert states(world) == ["unknown"]
    ran = world.run(command, *ids(world))
    assert "unknown" not in ran.out.decode()
    assert len(world.ledger.entries) == 1
    assert ran.code == (4 if command == "cancel" else 0), ran.err


@posix
def test_interrupted_while_it_is_asked(world: World) -> None:
    """What is not known by then is not said to be known."""
    started: list[subprocess.Popen[bytes]] = []

    def interrupting(app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith(f"{API}/history"):
                started[0].send_signal(signal.SIGINT)
            await app(scope, receive, send)

        return answer

    world.stand_behind(interrupting)
    started.append(world.start("generate", "x [fault:reset]", *AT))
    ran = Ran.of(started[0])
    assert ran.code == 130
    assert "may have been accepted" in ran.err
    assert f"kontext fetch {ids(world)[0]}" in ran.err
    assert states(world) == ["unknown"]


def test_the_server_is_away_when_it_is_asked(world: World) -> None:
    """The job stays unknown, and the command that asks again is printed."""

    def gone(app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == f"{API}/queue":
                await _page(send, 404)
            else:
                await app(scope, receive, send)

        return answer

    world.stand_behind(gone)
    ran = world.run("generate", "x [fault:lost-reply]", *AT)
    assert ran.code == 11
    assert "it cannot be asked" in ran.err
    (job,) = ids(world)
    assert f"kontext fetch {job}` asks comfyui for it" in ran.err
    assert "--resubmit" not in ran.err
    world.answer()
    # the word of the user does not make a second run of one that is there
    assert world.run("fetch", job, "--resubmit").code == 0
    assert len(world.ledger.entries) == 1


async def _page(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"<html>nginx</html>"})


@posix
def test_only_the_server_that_may_have_a_job_is_asked_for_it(servers: Start, world: World) -> None:
    pool = servers()
    pool.places[0].kill()
    killed = world.process("generate", "x", *AT, environ={"KONTEXT_TEST_KILL_AT": "replied"})
    assert (killed.code, pool.shares) == (-9, [0, 1, 0])
    pool.places[0].revive()
    ran = world.run("fetch", *ids(world), "--resubmit")
    assert (ran.code, pool.shares) == (0, [0, 1, 0]), ran.err


def test_a_job_that_a_restarted_server_forgot_is_expired(world: World) -> None:
    file = world.prompts("x [fault:forgotten]")
    ran = world.batch(file, *AT)
    assert (ran.code, ran.states) == (4, ["expired"])
    assert "was restarted" in ran.err
    world.may_be_accepted(2, "x [fault:forgotten]")
    assert world.batch(file, *AT).reasons == ["expired"]
    assert len(world.ledger.entries) == 2


def test_a_job_that_waits_is_removed_and_one_that_runs_is_interrupted(world: World) -> None:
    world.serve(latency=600.0)
    waiting = submit(world, "x")
    ran = world.run("cancel", waiting)
    assert (ran.code, "removed" in ran.err) == (0, True), ran.err
    assert [seen.path for seen in calls(world, "interrupt")] == []

    clock = [0.0]
    world.serve(latency=30.0, clock=lambda: clock[0])
    running = submit(world, "y")
    clock[0] = 15.0
    ran = world.run("cancel", running)
    assert (ran.code, "it runs already" in ran.err) == (0, True), ran.err
    assert len(calls(world, "interrupt")) == 1
    after = world.run("fetch", running)
    assert (after.code, "interrupted in KSampler" in after.err) == (4, True)
    assert world.run("cancel", running).code == 4


def test_what_fails_in_a_node_names_it(world: World) -> None:
    ran = world.run("generate", "x [fault:failed]", *AT)
    assert ran.code == 4
    assert "ComfyUI failed in KSampler (node sampler): Internal server error" in ran.err


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def saved(image: str, prefix: str = "own") -> dict[str, Any]:
    """The node that saves an image; that it needs the text of node 2, too, is only here."""
    return node("SaveImage", images=[image, 0], filename_prefix=prefix, caption=["2", 0])


TEXT_ENCODERS = {
    "clip_name1": "clip_l.safetensors",
    "clip_name2": "t5xxl_fp8_e4m3fn_scaled.safetensors",
    "type": "flux",
}
TEXT = {
    "2": node("CLIPTextEncode", text="old", clip=["3", 0]),
    "3": node("DualCLIPLoader", **TEXT_ENCODERS),
}
GRAPH: dict[str, Any] = {
    **TEXT,
    "1": node("EmptyImage", width=64, height=48, batch_size=1, color=0),
    "4": saved("1"),
    "5": node("PreviewImage", images=["1", 0]),
}
SIDES = 'width = "1.width"\nheight = "1.height"\n'
MAP = f'prompt = "2.text"\n{SIDES}'


def configure(
    world: World, map_lines: str = MAP, graph: Any = GRAPH, more: str = 'workflow = "graph.json"'
) -> None:
    """Write a workflow beside the config file, and the map of it."""
    table = f"[providers.comfyui]\n{more}\n[providers.comfyui.map]\n{map_lines}"
    world.configure(table)
    content = graph if isinstance(graph, str) else json.dumps(graph)
    (world.config / "graph.json").write_text(content)


def test_a_workflow_of_the_users_own(world: World) -> None:
    configure(world)
    ran = world.run("generate", "x", *AT, "-a", "3:2", "--json")
    assert ran.code == 0, ran.err
    (job,) = ran.records
    assert (job["model"], job["endpoint"].partition("@")[0]) == ("graph", "graph.json")
    assert job["seed"] is None
    (entry,) = world.ledger.entries
    graph = entry.payload["graph"]
    assert graph["2"]["inputs"]["text"] == "x"
    assert (graph["1"]["inputs"]["width"], graph["1"]["inputs"]["color"]) == (1248, 0)


def test_a_changed_workflow_is_a_changed_request(world: World) -> None:
    configure(world)
    file = world.prompts("x")
    assert world.batch(file, *AT).counts == {"saved": 1}
    assert world.batch(file, *AT).counts == {"skipped": 1}
    world.may_be_accepted(2, "x")
    configure(
        world,
        graph={
            **GRAPH,
            "4": GRAPH["4"] | {"inputs": {**GRAPH["4"]["inputs"], "filename_prefix": "new"}},
        },
    )
    assert world.batch(file, *AT).counts == {"saved": 1}


def test_a_job_is_not_sent_again_with_another_workflow(world: World) -> None:
    configure(world)
    assert world.run("generate", "x [fault:reset]", *AT).code == 6
    configure(world, graph={**GRAPH, "4": saved("1", "new")})
    refused(world.run("fetch", *ids(world), "--resubmit"), "the workflow has changed")
    assert len(world.ledger.entries) == 0


@pytest.mark.parametrize("model", ["kontext-max", "fal-ai/flux"])
def test_the_model_for_all_providers_is_not_that_of_a_workflow(world: World, model: str) -> None:
    configure(world)
    assert world.run("generate", "x", *AT, environ={"KONTEXT_MODEL": model}).code == 0
    refused(world.run("generate", "x", *AT, "-m", "kontext-max"), "kontext-max")


EDITS: dict[str, Any] = {**TEXT, "1": node("LoadImage", image="old.png"), "4": saved("1")}
EDIT_MAP = 'prompt = "2.text"\nimages = "1.image"\n'


def test_a_workflow_with_a_place_for_one_image(world: World) -> None:
    configure(world, EDIT_MAP, EDITS)
    world.images("a.png", "b.png")
    assert world.run("edit", "x", *AT, "-i", "a.png").code == 0
    (entry,) = world.ledger.entries
    assert entry.payload["images"] == [entry.payload["graph"]["1"]["inputs"]["image"]]
    two = world.run("edit", "x", *AT, "-i", "a.png", "-i", "b.png")
    refused(two, "takes 1 image, not 2", 'images = ["1.image", "NODE.image"]')
    refused(world.run("generate", "x", *AT), "comfyui has no `generate`", "places for images")


def test_workflows_apart(world: World) -> None:
    both = EDIT_MAP + 'width = "7.width"\nheight = "7.height"\n'
    graph = {**TEXT, "7": GRAPH["1"], "9": saved("7")}
    configure(world, both, EDITS, 'edit = "graph.json"\ngenerate = "other.json"')
    (world.config / "other.json").write_text(json.dumps(graph))
    world.images("a.png")
    assert world.run("generate", "x", *AT, "-a", "1:1").code == 0
    assert world.run("edit", "y", *AT, "-i", "a.png").code == 0
    refused(world.run("edit", "y", *AT, "-i", "a.png", "-a", "1:1"), "--aspect-ratio", "width = ")


def test_an_own_workflow_for_edits_leaves_the_shipped_one_to_generate(world: World) -> None:
    configure(world, EDIT_MAP, EDITS, 'edit = "graph.json"')
    assert world.run("generate", "x", *AT, "--steps", "9").code == 0
    assert world.ledger.entries[0].payload["graph"]["sampler"]["inputs"]["steps"] == 9


SAVED_BY_THE_UI = {"nodes": [], "links": [], "version": 0.4}


@pytest.mark.parametrize(
    ("map_lines", "graph", "words"),
    [
        (MAP, SAVED_BY_THE_UI, ("not in API format", "File → Export (API)")),
        (MAP, "{", ("is not JSON",)),
        (MAP, [1], ("is not a workflow",)),
        (MAP, {"1": {"inputs": {}}}, ("`1` is no node", "Export (API)")),
        ('prompt = "9.text"', GRAPH, ("there is no node 9", "1 (EmptyImage)")),
        (
            'prompt = "2.txt"',
            GRAPH,
            ("node 2 (CLIPTextEncode)", "no input `txt`", "it has text, clip"),
        ),
        (
            'width = "1.width"\nheight = "1.height"',
            GRAPH,
            ("no place for `prompt`", 'prompt = "2.text"'),
        ),
        (
            'prompt = "2.text"\nwidth = "1.width"',
            GRAPH,
            ("no place for `height`", 'height = "1.height"'),
        ),
        ('prompt = "text"', GRAPH, ('`prompt` should be "NODE.INPUT"', "config.toml:")),
        ("prompt = []", GRAPH, ('`prompt` should be "NODE.INPUT"',)),
        ('promt = "2.text"', GRAPH, ("there is no `promt` in a map", "did you mean `prompt`?")),
    ],
)
def test_a_workflow_or_map_that_does_not_fit(
    world: World, map_lines: str, graph: Any, words: tuple[str, ...]
) -> None:
    configure(world, map_lines, graph)
    refused(world.run("generate", "x", *AT), *words)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('workflow = "none.json"', ("cannot be read", "none.json")),
        ('workflow = "graph.json"\nedit = "graph.json"', ("`workflow` is for both operations",)),
        ("workflow = 7", ("`workflow` should be text",)),
        ('edit = "graph.json"', ("no place for `images`", 'images = "NODE.image"')),
        ('worklow = "graph.json"', ("did you mean `workflow`?",)),
    ],
)
def test_files_of_workflows_that_cannot_be(
    world: World, lines: str, words: tuple[str, ...]
) -> None:
    configure(world, MAP, GRAPH, lines)
    refused(world.run("generate", "x", *AT), *words)


def test_an_option_without_a_place_is_refused_with_the_line_to_add(world: World) -> None:
    configure(world, 'prompt = "2.text"')
    refused(world.run("generate", "x", *AT, "-a", "1:1"), 'width = "1.width", height = "1.height"')
    refused(world.run("generate", "x", *AT, "--seed", "7"), 'seed = "NODE.seed"')
    refused(world.run("generate", "x", *AT, "--safety-tolerance", "2"), "fal")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("edit", "x", *AT, "-i", "https://example.com/a.png"), ("does not fetch images",)),
        (("generate", "x", *AT, "-n", "2"), ("--num-images",)),
    ],
)
def test_what_it_does_not_have(world: World, argv: tuple[str, ...], words: tuple[str, ...]) -> None:
    refused(world.run(*argv), *words)


def test_a_url_in_a_row_is_refused_before_anything_is_sent(world: World) -> None:
    world.images("a.png")
    rows = [
        {"prompt": "x", "images": ["a.png"]},
        {"prompt": "y", "images": ["https://e.com/a.png"]},
    ]
    world.write("rows.jsonl", rows)
    refused(world.run("edit", "-f", "rows.jsonl", *AT), "rows.jsonl:2", "does not fetch images")
    assert calls(world, "") == []


def test_there_is_no_base_url(world: World) -> None:
    world.unset("KONTEXT_COMFYUI_BASE_URL")
    refused(world.run("generate", "x", *AT), "no base URL", "KONTEXT_COMFYUI_BASE_URL=http")


@pytest.mark.parametrize("edit", [False, True])
def test_a_server_that_is_no_comfyui(world: World, edit: bool) -> None:
    world.images("a.png")
    world.set(KONTEXT_COMFYUI_BASE_URL=f"{world.url}/fal")
    argv = ("edit", "x", "-i", "a.png") if edit else ("generate", "x")
    ran = world.run(*argv, *AT)
    assert ran.code in (4, 3), ran
    assert "does not answer as ComfyUI does (4" in ran.err
    assert f"is a ComfyUI at {world.url}/fal?" in ran.err


def test_a_missing_file_is_named(world: World) -> None:
    graph = {
        **GRAPH,
        "3": {
            "class_type": "DualCLIPLoader",
            "inputs": {**GRAPH["3"]["inputs"], "clip_name1": "my.safetensors"},
        },
    }
    configure(world, graph=graph)
    ran = world.run("generate", "x", *AT)
    assert ran.code == 4
    assert "DualCLIPLoader (node 3): clip_name1 `my.safetensors` is not there" in ran.err
    assert "models/text_encoders" in ran.err
    assert "not billed" in ran.err


def test_the_workflow_is_shown_before_it_is_sent(world: World) -> None:
    world.images("a.png")
    shown = world.run("edit", "x", *AT, "-i", "a.png", "--dry-run").out.decode()
    assert '"class_type": "FluxKontextImageScale"' in shown
    assert "… (" in shown
    assert "image_2" not in shown
    assert world.ledger.requests == ()


def test_another_price(world: World) -> None:
    world.configure("[prices.comfyui]\nkontext-dev = 0.002")
    (job,) = world.run("generate", "x", *AT, "--json").records
    assert job["cost"] == {"usd": 0.002, "source": "estimate"}
