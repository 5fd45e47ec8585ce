"""The commands as a user runs them, on every provider, over real sockets.

The oracle is the sandbox's ledger: what it accepted is what would be billed.
"""

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kontext_cli.providers import who_serves, who_takes
from samples import image_file
from world import KEY, KEYS, World

HOSTED = [name for name in KEYS if name in who_serves("generate")]


@pytest.mark.parametrize("provider", [*HOSTED, "sandbox"])
def test_generate(world: World, provider: str) -> None:
    world.serve(plain=False)
    two = ["-n", "2"] if provider in who_takes("generate", "num_images") else []
    code, out, err = world.run("generate", "a red fox", "-p", provider, "-a", "16:9", *two)
    assert code == 0, err
    lines = out.decode().splitlines()
    assert len(lines) == (2 if two else 1)
    assert [Path(line).name for line in lines] == world.files()
    for line in lines:
        with Image.open(line) as image:
            assert (image.format, image.size) == ("JPEG", (1392, 752))
    assert "saved (1392×752 jpeg" in err
    assert world.accepted.total() == (provider != "sandbox")


@pytest.mark.parametrize("provider", ["fal", "aimlapi", "bfl", "sandbox"])
@pytest.mark.parametrize("model", ["kontext-pro", "kontext-max"])
@pytest.mark.parametrize("images", [1, 4])
def test_edit(world: World, provider: str, model: str, images: int) -> None:
    world.serve(plain=False)
    (world.folder / "in.png").write_bytes(image_file("png", (400, 300)))
    inputs = ["-i", "in.png"] * images
    code, out, err = world.run("edit", "make it winter", *inputs, "-p", provider, "-m", model)
    assert code == 0, err
    with Image.open(out.decode().strip()) as image:
        assert image.size == (1184, 880)
    if images == 1:
        assert out == b"in-edit.jpg\n"


@pytest.mark.parametrize("provider", ["fal", "sandbox"])
@pytest.mark.parametrize(
    ("model", "images", "size"),
    [
        ("kontext-dev", 1, (400, 288)),
        ("flux-2-pro", 8, (400, 288)),
        ("flux-2-max", 1, (400, 288)),
        ("flux-2-flex", 2, (400, 288)),
        ("flux-3", 10, (1184, 880)),
    ],
)
def test_edit_with_other_models(
    world: World, provider: str, model: str, images: int, size: tuple[int, int]
) -> None:
    world.serve(plain=False)
    world.write("in.png", image_file("png", (400, 300)))
    inputs = ["-i", "in.png"] * images
    code, out, err = world.run("edit", "make it winter", *inputs, "-p", provider, "-m", model)
    assert code == 0, err
    with Image.open(out.decode().strip()) as image:
        assert image.size == size


@pytest.mark.parametrize(
    ("provider", "model", "argv", "size"),
    [
        ("fal", "flux-2-pro", ("-a", "16:9"), (1312, 736)),
        ("fal", "flux-2-max", ("--no-safety-checker",), (1024, 1024)),
        ("fal", "flux-2-flex", ("--steps", "50", "-g", "1.5"), (1024, 1024)),
        ("fal", "flux-3", ("--resolution", "768sq", "-a", "1:1"), (768, 768)),
        ("fal", "flux-3", ("--resolution", "4k", "--enhance-prompt"), (4096, 4096)),
        ("aimlapi", "flux-2-pro", ("-a", "9:16", "--safety-tolerance", "6"), (736, 1312)),
        ("aimlapi", "flux-2-max", ("--seed", "1"), (1024, 1024)),
        ("bfl", "flux-2-pro", ("-a", "16:9", "--enhance-prompt"), (1312, 736)),
        ("bfl", "flux-2-max", ("-a", "9:21", "--safety-tolerance", "0"), (640, 1504)),
        ("bfl", "flux-2-flex", ("--steps", "50", "-g", "1.5"), (1024, 1024)),
        ("bfl", "flux-3", ("--resolution", "1.5k", "-a", "1:1"), (1536, 1536)),
        ("replicate", "flux-2-pro", ("-a", "16:9"), (1360, 768)),
        ("replicate", "flux-2-flex", ("--steps", "50", "-g", "1.5"), (1024, 1024)),
        ("replicate", "flux-3", ("--resolution", "1.5k", "-a", "1:1"), (1536, 1536)),
        ("sandbox", "flux-3", ("--resolution", "2k"), (2048, 2048)),
    ],
)
def test_generate_with_other_models(
    world: World, provider: str, model: str, argv: tuple[str, ...], size: tuple[int, int]
) -> None:
    world.serve(plain=False)
    code, out, err = world.run("generate", "a red fox", "-p", provider, "-m", model, *argv)
    assert code == 0, err
    with Image.open(out.decode().strip()) as image:
        assert image.size == size
    seeded = "seed" in err
    assert seeded == (model != "flux-3")


def test_edit_reads_an_image_from_standard_input(world: World) -> None:
    code, out, _ = world.run(
        "edit", "make it winter", "-i", "-", "-o", "-", stdin=image_file("png")
    )
    assert code == 0
    with Image.open(BytesIO(out)) as image:
        assert image.format == "JPEG"
    assert world.files() == []
    (entry,) = world.ledger.entries
    head, _, data = entry.payload["image_url"].partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(data) == image_file("png")


def test_a_url_is_passed_on(world: World) -> None:
    url = "https://example.com/images/beach.png?x=1"
    code, out, _ = world.run("edit", "add a bird", "-i", url, "-p", "aimlapi")
    assert (code, out) == (0, b"beach-edit.jpg\n")
    assert world.ledger.entries[0].payload["image_url"] == url


def test_a_prompt_from_standard_input(world: World) -> None:
    code, _, _ = world.run("generate", "-", stdin="\ufeffein Fuchs\r\n".encode())
    assert code == 0
    assert [entry.prompt for entry in world.ledger.entries] == ["ein Fuchs"]


def large_image(folder: Path) -> bytes:
    noise = Image.effect_noise((1350, 900), 90).convert("RGB")
    noise.save(folder / "large.png", compress_level=0)
    return (folder / "large.png").read_bytes()


def test_a_large_input_is_shrunk_with_a_notice(world: World) -> None:
    assert len(large_image(world.folder)) > 2_500_000
    code, _, err = world.run("edit", "calm it", "-i", "large.png", "-p", "aimlapi")
    assert code == 0
    assert "notice: `large.png` is " in err
    assert "sent as 1248×832 JPEG" in err
    (entry,) = world.ledger.entries
    assert len(entry.payload["image_url"]) < 2_500_000 * 4 / 3


def uploads(world: World) -> list[Any]:
    return [seen for seen in world.ledger.requests if seen.method == "PUT"]


def test_a_large_input_goes_to_fals_storage_first(world: World) -> None:
    data = large_image(world.folder)
    code, _, err = world.run("edit", "calm it", "-i", "large.png", "-p", "fal")
    assert code == 0, err
    assert "fal: uploading an input image, " in err
    (put,) = uploads(world)
    assert "authorization" not in put.headers
    assert put.headers["content-length"] == str(len(data))
    assert put.headers["content-type"] == "image/png"
    (entry,) = world.ledger.entries
    assert entry.payload["image_url"] == f"{world.url}{put.path}"
    (initiate,) = [s for s in world.ledger.requests if s.path.endswith("/initiate")]
    assert initiate.headers["authorization"] == f"Key {KEY}"


def test_an_input_that_is_refused_as_too_large_is_uploaded(world: World) -> None:
    world.serve(max_body=10_000)
    Image.effect_noise((200, 200), 90).save(world.folder / "small.png")
    code, _, err = world.run("edit", "calm it", "-i", "small.png", "-p", "fal")
    assert code == 0, err
    assert len(uploads(world)) == 1
    assert world.accepted.total() == 1


def test_only_what_is_too_large_is_uploaded(world: World) -> None:
    large_image(world.folder)
    (world.folder / "small.png").write_bytes(image_file("png"))
    inputs = ("-i", "small.png", "-i", "large.png", "-i", "https://example.com/a.png")
    code, _, err = world.run("edit", "mix them", *inputs, "-p", "fal")
    assert code == 0, err
    small, large, url = world.ledger.entries[0].payload["image_urls"]
    assert small.startswith("data:image/png;base64,")
    assert large.startswith(f"{world.url}/files/uploads/")
    assert url == "https://example.com/a.png"


def test_every_option_reaches_fal(world: World) -> None:
    code, out, err = world.run(
        *("generate", "x", "-p", "fal", "-m", "kontext-max", "-a", "21:9", "-n", "1"),
        *("--seed", "7", "-g", "2.5", "--safety-tolerance", "6", "--output-format", "png"),
        *("--enhance-prompt", "--sync-mode", "-o", "x.png"),
    )
    assert (code, out) == (0, b"x.png\n"), err
    (entry,) = world.ledger.entries
    assert entry.endpoint == "fal-ai/flux-pro/kontext/max/text-to-image"
    assert entry.payload == {
        "prompt": "x",
        "aspect_ratio": "21:9",
        "num_images": 1,
        "seed": 7,
        "guidance_scale": 2.5,
        "safety_tolerance": "6",
        "output_format": "png",
        "enhance_prompt": True,
        "sync_mode": True,
    }


@pytest.mark.parametrize("shape", ["images", "data-url", "data-b64", "both"])
def test_both_answer_shapes_of_aimlapi(world: World, shape: str) -> None:
    world.serve(aimlapi_shape=shape, aimlapi_usage=True)
    code, out, _ = world.run("generate", "x", "-p", "aimlapi", "--json")
    record = json.loads(out)
    assert (code, record["state"], len(record["files"])) == (0, "saved", 1)
    assert record["cost"]["source"] == "provider"


@pytest.mark.parametrize("status_route", [True, False])
@pytest.mark.parametrize("pending", ["detail", "status", "failed-word", "202"])
def test_chainhub_with_and_without_a_status_route(
    world: World, status_route: bool, pending: str
) -> None:
    world.serve(latency=0.2, chainhub_status=status_route, chainhub_pending=pending)
    code, _, err = world.run("generate", "x", "-p", "chainhub")
    assert code == 0, err
    asked = [seen.path for seen in world.ledger.requests if seen.method == "GET"]
    statuses = [path for path in asked if path.endswith("/status")]
    results = [path for path in asked if "/requests/" in path and path not in statuses]
    assert len(results if status_route else statuses) == 1, asked


def test_a_line_feed_behind_a_key_is_no_part_of_it(world: World) -> None:
    world.set(FAL_KEY=f" {KEY}\r\n")
    assert world.run("generate", "x", "-p", "fal")[0] == 0
    assert world.ledger.requests[0].headers["authorization"] == f"Key {KEY}"


def test_a_key_in_two_parts(world: World) -> None:
    world.set(FAL_KEY="", FAL_KEY_ID="id", FAL_KEY_SECRET="secret")
    assert world.run("generate", "x", "-p", "fal")[0] == 0
    assert world.ledger.requests[0].headers["authorization"] == "Key id:secret"


def test_no_key_ever_reaches_the_files(world: World) -> None:
    for provider in HOSTED:
        world.run("generate", provider, "-p", provider, "-d", provider)
    media = [seen for seen in world.ledger.requests if seen.path.startswith("/files")]
    inline = {"together", "openai"}  # their images are in the answer
    assert len(media) == len({*HOSTED} - inline)
    assert all("authorization" not in seen.headers for seen in media)


FAULTS = [
    ("429", 0, 1),
    ("503", 0, 1),
    ("html-502", 11, 0),
    ("reset", 11, 0),
    ("lost-reply", 11, 1),
    ("poll-503", 0, 1),
    ("poll-reset", 0, 1),
    ("unknown-status", 0, 1),
    ("result-503", 0, 1),
    ("failed", 4, 1),
    ("crashed", 4, 1),
    ("timed-out", 4, 1),
    ("invalid", 4, 1),
    ("refused", 5, 1),
    ("flagged", 5, 1),
    ("empty", 4, 1),
    ("truncated-media", 0, 1),
    ("media-503", 0, 1),
    ("media-redirect", 0, 1),
    ("media-404", 4, 1),
    ("401", 3, 0),
    ("402", 3, 0),
    ("403", 3, 0),
    ("png-for-jpeg", 0, 1),
]


@pytest.mark.parametrize(("fault", "code", "accepted"), FAULTS)
def test_each_fault_ends_as_it_should_and_is_never_paid_twice(
    world: World, fault: str, code: int, accepted: int
) -> None:
    ended, out, err = world.run(
        "generate", f"[fault:{fault}] x", "-p", "fal", "--json", "-o", "x.jpg"
    )
    record = json.loads(out)
    assert (ended, world.accepted.total()) == (code, accepted), err
    assert ("fal is busy, again in 1 s, 2 of 5\n" in err) is (fault in ("429", "503"))
    if code == 0:
        suffix = ".png" if fault == "png-for-jpeg" else ".jpg"
        assert record["state"] == "saved"
        assert world.files() == [f"x{suffix}"]
    else:
        assert record["error"]["message"] in err
        assert world.files() == []
    if code == 11:
        assert (record["state"], record["error"]["billed"]) == ("unknown", "maybe")
        assert "may have been billed" in err


@pytest.mark.parametrize("fault", ["503", "html-502", "reset", "lost-reply"])
def test_a_blocking_submit_is_sent_once(world: World, fault: str) -> None:
    code, _, err = world.run("generate", f"[fault:{fault}*9] x", "-p", "aimlapi")
    assert code == 11
    assert "may have been billed" in err
    assert len([seen for seen in world.ledger.requests if seen.method == "POST"]) == 1


def test_fewer_images_than_asked_for_are_told(world: World) -> None:
    code, out, err = world.run("generate", "[fault:fewer] x", "-n", "3", "-p", "fal")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert "notice: fal returned 2 of 3 images" in err


def test_a_flagged_image_is_kept_on_request(world: World) -> None:
    code, out, _ = world.run("generate", "[fault:flagged] x", "-p", "fal", "--keep-flagged")
    assert code == 0
    assert len(out.splitlines()) == 1


def test_timeout_of_a_queue(world: World) -> None:
    argv = ("generate", "[fault:stuck] x", "-p", "fal", "--timeout", "0.45", "--json")
    code, out, err = world.run(*argv)
    assert "fal is still working after 0.45 s" in err
    record = json.loads(out)
    assert (code, record["state"], record["error"]["code"]) == (7, "queued", "still_running")
    assert record["request_id"] == world.ledger.entries[0].request_id
    assert record["request_id"] in err


def test_timeout_of_a_blocking_call(world: World) -> None:
    argv = ("generate", "[fault:stuck] x", "-p", "aimlapi", "--timeout", "0.4", "--json")
    code, out, _ = world.run(*argv)
    record = json.loads(out)
    assert (code, record["state"], record["error"]["code"]) == (11, "unknown", "unknown")


def test_a_provider_that_is_not_there(world: World) -> None:
    with_nobody_listening = "http://127.0.0.1:9/fal"
    world.set(KONTEXT_FAL_BASE_URL=with_nobody_listening)
    code, _, err = world.run("generate", "x", "-p", "fal", "--timeout", "0.5")
    assert code == 6
    assert "not billed" in err


def test_the_json_line(world: World) -> None:
    world.serve(plain=False)
    _, out, err = world.run("generate", "a red fox", "-p", "fal", "--json", "--seed", "5")
    record = json.loads(out)
    (file,) = record.pop("files")
    data = (world.folder / "a-red-fox-5.jpg").read_bytes()
    assert file["path"] == str(world.folder / "a-red-fox-5.jpg")
    assert (file["bytes"], file["width"], file["height"]) == (len(data), 1024, 1024)
    assert len(file["sha256"]) == 64
    assert record["created_at"] <= record["finished_at"]
    for key in ("id", "request_id", "created_at", "finished_at"):
        assert isinstance(record.pop(key), str)
    timings = record["reply"].pop("timings")
    assert isinstance(timings, dict)
    assert record == {
        "schema": 1,
        "type": "job",
        "batch": None,
        "index": None,
        "operation": "generate",
        "provider": "fal",
        "model": "kontext-pro",
        "endpoint": "fal-ai/flux-pro/kontext/text-to-image",
        "request": {
            "prompt": "a red fox",
            "aspect_ratio": "1:1",
            "seed": 5,
            "output_format": "jpeg",
        },
        "state": "saved",
        "seed": 5,
        "cost": {"usd": 0.04, "source": "estimate"},
        "reply": {"prompt": "a red fox"},
        "skipped": False,
        "error": None,
    }
    assert "job " in err


def test_exists(world: World) -> None:
    world.may_be_accepted(3, "x")
    argv = ("generate", "x", "-p", "fal", "-o", "x.jpg")
    assert world.run(*argv)[:2] == (0, b"x.jpg\n")
    first = (world.folder / "x.jpg").read_bytes()
    assert world.run(*argv)[0] == 8
    assert world.run(*argv, "--exists", "skip")[:2] == (0, b"x.jpg\n")
    assert world.accepted.total() == 1
    assert world.run(*argv, "--exists", "number")[:2] == (0, b"x-2.jpg\n")
    assert (world.folder / "x.jpg").read_bytes() == first
    assert world.run(*argv, "--exists", "overwrite")[:2] == (0, b"x.jpg\n")
    assert (world.folder / "x.jpg").read_bytes() != first
    assert world.accepted.total() == 3


def test_skip_says_so_in_json(world: World) -> None:
    argv = ("generate", "x", "-p", "fal", "-o", "x.jpg")
    world.run(*argv)
    code, out, _ = world.run(*argv, "--exists", "skip", "--json")
    record = json.loads(out)
    assert (code, record["skipped"], record["state"]) == (0, True, "saved")
    assert len(record["files"]) == 1


def test_dry_run_needs_no_key_and_sends_nothing(world: World) -> None:
    for variable in KEYS.values():
        world.set(**{variable: ""})
    (world.folder / "in.png").write_bytes(image_file("png"))
    code, out, err = world.run("edit", "x", "-i", "in.png", "--dry-run", "-d", "new", "--seed", "4")
    text = out.decode()
    assert (code, err) == (0, "")
    url = f"{world.url}/fal/fal-ai/flux-pro/kontext"
    assert text.startswith(f"POST {url}\n{{")
    assert '"image_url": "data:image/png;base64,' in text
    assert "characters)" in text
    assert f"file: {Path('new') / 'in-edit.jpg'}\n" in text
    assert "cost: about $0.04" in text
    assert world.ledger.requests == ()
    assert world.files() == ["in.png"]


def test_dry_run_as_json(world: World) -> None:
    code, out, _ = world.run("generate", "x", "-p", "chainhub", "--dry-run", "--json")
    record = json.loads(out)
    assert (code, record["state"], record["cost"]) == (
        0,
        "planned",
        {"usd": None, "source": "unknown"},
    )


def test_quiet_says_nothing_but_errors(world: World) -> None:
    assert world.run("generate", "x", "-p", "fal", "-q")[2] == ""
    assert world.run("generate", "[fault:failed] x", "-p", "fal", "-q")[2].startswith("error: ")


def test_debug_tells_each_request_without_secrets(world: World) -> None:
    _, _, err = world.run("generate", "x", "-p", "fal", "--debug")
    assert f"POST {world.url}/fal/fal-ai/flux-pro/kontext/text-to-image → 200" in err
    assert "/requests/" in err
    assert "?" not in err


def test_plain_lines_follow_the_queue(world: World) -> None:
    world.serve(latency=0.4, plain=False)
    _, _, err = world.run("generate", "x", "-p", "fal")
    lines = [line.partition(": ")[2] for line in err.splitlines() if line.startswith("job ")]
    assert lines[0] == "submitting to fal"
    assert lines[1].startswith("queued at fal, position ")
    assert "running at fal" in lines
    assert lines[-2] == "ready, downloading"
    assert lines[-1].startswith("saved (1024×1024 jpeg, seed ")
    assert "|" not in err
    _, _, err = world.run("generate", "y", "-p", "fal", "--debug")
    assert any(line.startswith("fal: ") and "|" in line for line in err.splitlines())


def test_the_environment_and_the_config_file(world: World) -> None:
    world.may_be_accepted(3, "x")
    world.configure(
        'provider = "aimlapi"\nmodel = "kontext-max"\noutput_dir = "from-config"\n'
        "[prices.aimlapi]\nkontext-max = 0.5\n"
    )
    _, out, _ = world.run("generate", "x", "--json")
    record = json.loads(out)
    assert (record["provider"], record["model"]) == ("aimlapi", "kontext-max")
    assert record["cost"] == {"usd": 0.5, "source": "estimate"}
    assert Path(record["files"][0]["path"]).parent.name == "from-config"

    world.set(KONTEXT_PROVIDER="fal", KONTEXT_MODEL="kontext-pro", KONTEXT_OUTPUT_DIR="from-env")
    _, out, _ = world.run("generate", "x", "--json")
    record = json.loads(out)
    assert (record["provider"], record["model"]) == ("fal", "kontext-pro")
    assert Path(record["files"][0]["path"]).parent.name == "from-env"

    _, out, _ = world.run("generate", "x", "--json", "-p", "chainhub", "-d", "from-flag")
    record = json.loads(out)
    assert record["provider"] == "chainhub"
    assert Path(record["files"][0]["path"]).parent.name == "from-flag"


def test_output_is_relative_to_a_folder_only_when_both_are_typed(world: World) -> None:
    world.may_be_accepted(2, "x")
    world.set(KONTEXT_OUTPUT_DIR="elsewhere")
    assert world.run("generate", "x", "-p", "fal", "-o", "x.jpg")[1] == b"x.jpg\n"
    out = world.run("generate", "x", "-p", "fal", "-o", "x.jpg", "-d", "sub")[1]
    assert out.decode().strip() == str(Path("sub") / "x.jpg")


def test_several_images_by_template(world: World) -> None:
    argv = ("generate", "x", "-p", "fal", "-n", "2", "--seed", "9")
    _, out, _ = world.run(*argv, "--name", "{provider}/{slug}-{seed:04}-{n:02}")
    assert [Path(line).as_posix() for line in out.decode().splitlines()] == [
        "fal/x-0009-01.jpg",
        "fal/x-0009-02.jpg",
    ]


def test_hostile_server_text_is_escaped(world: World) -> None:
    prompt = "\x1b]0;owned\x07 \u202e x"
    code, out, err = world.run("generate", prompt, "-p", "fal")
    assert code == 0
    assert b"\x1b" not in out
    assert "\x1b" not in err
