"""`-p openai` as a user meets it: settings, models, images, and what is refused."""

import json

import pytest

from samples import image_file
from world import KEY, World

AT = ("-p", "openai")
DEV, KLEIN = "FLUX.1-Kontext-dev", "FLUX.2-klein"


def test_an_image_is_made_and_edited(world: World) -> None:
    made = world.run("generate", "a fox", *AT, "-a", "16:9", "--seed", "7", "-o", "a.png", "--json")
    assert made.code == 0, made.err
    (job,) = made.records
    assert (job["model"], job["endpoint"], job["seed"]) == ("default", "default", 7)
    assert job["cost"] == {"usd": 0, "source": "estimate"}
    world.images("in.jpg", "other.png")
    edited = world.run("edit", "blue", *AT, "-m", KLEIN, "-i", "in.jpg", "-i", "other.png")
    assert edited.code == 0, edited.err
    fox, blue = world.ledger.entries
    assert (fox.payload["size"], fox.seed, "model" in fox.payload) == ("1392x752", 7, False)
    assert (blue.payload["model"], len(blue.payload["images"])) == (KLEIN, 2)
    assert all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in world.ledger.requests)


def test_a_batch_asks_the_server_once(world: World) -> None:
    ran = world.batch(world.prompts("a", "b", "c"), *AT, "-j", "3")
    assert (ran.code, ran.counts) == (0, {"saved": 3})
    paths = [seen.path for seen in world.ledger.requests]
    assert paths.count("/openai/models") == 1
    again = world.batch("prompts.txt", *AT)
    assert again.counts == {"skipped": 3}


def test_it_works_without_a_key(world: World) -> None:
    world.without_keys("openai")
    assert world.run("generate", "a fox", *AT).code == 0
    assert not any("authorization" in seen.headers for seen in world.ledger.requests)


def test_it_is_never_chosen_for_its_key(world: World) -> None:
    world.without_keys(*(name for name in ("fal", "aimlapi", "chainhub", "bfl")))
    world.without_keys("replicate", "together")
    ran = world.run("generate", "a fox")
    assert (ran.code, "OPENAI" in ran.err) == (3, False)


@pytest.mark.parametrize(
    ("argv", "environ", "sent"),
    [
        ((), {}, DEV),
        (("-m", KLEIN), {}, KLEIN),
        ((), {"KONTEXT_MODEL": KLEIN}, KLEIN),
        (("-m", "default"), {}, None),
    ],
)
def test_which_model_is_sent(
    world: World, argv: tuple[str, ...], environ: dict[str, str], sent: str | None
) -> None:
    world.configure(f'model = "kontext-max"\n[providers.openai]\nmodel = "{DEV}"\n')
    assert world.run("generate", "a fox", *AT, *argv, environ=environ).code == 0
    (entry,) = world.ledger.entries
    assert entry.payload.get("model") == sent


def test_the_model_for_others_is_not_sent(world: World) -> None:
    world.configure('model = "kontext-max"\n')
    assert world.run("generate", "a fox", *AT).code == 0
    (entry,) = world.ledger.entries
    assert "model" not in entry.payload


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('[providers.openai]\ndialect = "vlm"\n', ":2: `dialect` should be one of auto, vllm, sdc"),
        ("[providers.openai]\ndialect = 7\n", ":2: `dialect` should be one of auto"),
        ("[providers.openai]\nmodel = 7\n", ":2: `model` should be text"),
        ('[providers.fal]\ndialect = "vllm"\n', ":2: there is no setting `dialect` of a provider"),
        ('[providers.fal]\nmodel = "x"\n', ":2: there is no setting `model` of a provider"),
    ],
)
def test_a_setting_that_is_wrong_is_told_with_its_line(
    world: World, config: str, says: str
) -> None:
    world.configure(config)
    ran = world.run("generate", "a fox", *AT)
    assert (ran.code, world.posts) == (2, 0)
    assert says in ran.err


def test_a_dialect_is_spoken_and_shown(world: World) -> None:
    world.configure('[providers.openai]\ndialect = "sdcpp"\n')
    ran = world.run("generate", "a fox", *AT, "--seed", "7", "--steps", "4", "-o", "a.png")
    assert ran.code == 0, ran.err
    (entry,) = world.ledger.entries
    extra = '{"seed":7,"sample_params":{"sample_steps":4}}'
    assert entry.prompt == f"a fox<sd_cpp_extra_args>{extra}</sd_cpp_extra_args>"
    assert "default (stable-diffusion.cpp)" in world.run("info", "a.png").out.decode()
    assert "providers.openai.dialect = sdcpp" in world.run("models", "-p", "fal", "--debug").err


def test_the_suffix_follows_a_format_that_cannot_be_chosen(world: World) -> None:
    world.configure('[providers.openai]\ndialect = "vllm"\n')
    ran = world.run("generate", "a fox", *AT, "-o", "a.png")
    assert (ran.code, ran.err.count("saved as")) == (0, 0)
    assert world.files() == ["a.png"]
    assert world.run("generate", "a bear", *AT).lines[0].endswith(".png")


class TestModels:
    def test_are_those_of_the_server(self, world: World) -> None:
        records = world.run("models", *AT, "--json").records
        assert [(each["model"], each["operation"]) for each in records] == [
            *((DEV, operation) for operation in ("generate", "edit")),
            *((KLEIN, operation) for operation in ("generate", "edit")),
        ]
        assert records[0]["price"]["usd"] == 0
        assert world.run("models", *AT, "-m", KLEIN).code == 0
        nope = world.run("models", *AT, "-m", "nope")
        assert (nope.code, f"there are {DEV}, {KLEIN}" in nope.err) == (2, True)

    def test_cost_what_the_config_says(self, world: World) -> None:
        world.configure(f'[prices.openai]\n"{DEV}" = 0.01\n')
        records = world.run("models", *AT, "--json").records
        assert [each["price"]["usd"] for each in records] == [0.01, 0.01, 0, 0]

    def test_are_asked_for_nowhere_else(self, world: World) -> None:
        listed = world.run("models", "--json").records
        assert {each["model"] for each in listed if each["provider"] == "openai"} == {"default"}
        assert not world.ledger.requests

    def test_are_not_asked_for_without_a_server(self, world: World) -> None:
        world.unset("KONTEXT_OPENAI_BASE_URL")
        ran = world.run("models", *AT)
        assert (ran.code, "no base URL is set" in ran.out.decode()) == (0, True)

    def test_of_a_server_that_is_none(self, world: World) -> None:
        world.set(KONTEXT_OPENAI_BASE_URL=f"{world.url}/ledger")
        ran = world.run("models", *AT)
        assert (ran.code, ran.out) == (4, b"")
        assert "is no OpenAI-compatible server: GET /models there answered 404" in ran.err


def test_a_dry_run_sends_nothing(world: World) -> None:
    world.write("in.png", image_file("png"))
    ran = world.run("edit", "blue", *AT, "-i", "in.png", "--dry-run")
    assert ran.code == 0
    url, *body = ran.out.decode().partition("\n")
    assert url == f"POST {world.url}/openai/images/edits"
    shown = json.loads(body[1].partition("\nfile: ")[0])
    assert shown == {
        "prompt": "blue",
        "seed": "<seed>",
        "output_format": "jpeg",
        "response_format": "b64_json",
        "image[]": f"({len(image_file('png')):,} bytes, image/png)",
    }
    assert not world.ledger.requests


def test_a_drawn_seed_is_named_wherever_it_is_sent(world: World) -> None:
    world.configure('[providers.openai]\ndialect = "sdcpp"\n')
    shown = world.run("generate", "a fox", *AT, "--dry-run").out.decode()
    assert '{\\"seed\\":<seed>}' in shown


def test_a_lost_answer_is_never_made_good_by_itself(world: World) -> None:
    prompt = "[fault:lost-reply*1] a fox"
    lost = world.run("generate", prompt, *AT)
    assert (lost.code, world.posts) == (11, 1)
    (job,) = world.jobs()
    world.may_be_accepted(2, prompt)
    again = world.run("fetch", job["id"], "--resubmit")
    assert (again.code, world.posts) == (0, 2)


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("--no-wait",), 2, "answers in one call, so --no-wait would lose the image"),
        (("--steps", "4"), 2, "does not take `--steps`"),
        (("-m", "nope"), 4, f"the server has {DEV}, {KLEIN}"),
        (("--safety-tolerance", "2"), 2, "does not support `--safety-tolerance`"),
    ],
)
def test_what_is_refused(world: World, argv: tuple[str, ...], code: int, says: str) -> None:
    ran = world.run("generate", "a fox", *AT, *argv)
    assert (ran.code, world.ledger.entries) == (code, ())
    assert says in ran.err


def test_an_image_at_a_url_is_refused(world: World) -> None:
    ran = world.run("edit", "blue", *AT, "-i", "https://example.com/a.png")
    assert (ran.code, world.posts) == (2, 0)
    assert "takes files, not URLs of images" in ran.err
