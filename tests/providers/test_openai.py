"""What real OpenAI-compatible servers want and answer: sd-server and LiteLLM as they were run,
vLLM-Omni and LocalAI as their source says, OpenAI by its reference."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kontext_cli.engine.engine import Engine
from kontext_cli.errors import JobFailed, KontextError, RejectedKey, UnsupportedOption
from kontext_cli.http.call import Reply
from kontext_cli.http.transport import Transport
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job, State
from kontext_cli.metadata.record import provenance_of
from kontext_cli.providers.openai import Openai
from kontext_cli.providers.prepare import prepare
from kontext_cli.request import parse
from runs import planned, run
from samples import image_file
from scripted import Answer, Scripted

BASE = "http://gpu.internal:8000/v1"
MODELS, GENERATIONS, EDITS = (
    f"GET {BASE}/models",
    f"POST {BASE}/images/generations",
    f"POST {BASE}/images/edits",
)
PNG = image_file("png", (64, 48))
INPUT = InputImage("a.png", "a", content=PNG, media_type="image/png", size=(640, 480))
LINKED = InputImage("https://example.com/a.png", "a", url="https://example.com/a.png")
ASKED = {"response_format": "b64_json"}
MADE = {"created": 1, "data": [{"url": f"{BASE}/files/a.png"}]}
FILE = {f"GET {BASE}/files/a.png": PNG}


def listed(*models: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [{"object": "model", **each} for each in models]}


VLLM = listed({"id": "FLUX.1-Kontext-dev", "created": 1, "owned_by": "vllm-omni"})
SDCPP = {"data": [{"id": "sd-cpp-local", "object": "model", "owned_by": "local"}]}
LOCALAI = listed({"id": "flux.1-kontext-dev"}, {"id": "gpt-oss"})
OTHER = listed({"id": "a", "owned_by": "x"}, {"id": "b", "owned_by": "x"})
OF_LITELLM = listed({"id": "flux", "created": 1677610602, "owned_by": "openai"})


class Wish(NamedTuple):
    """What is asked for in a dialect, and the exact body; a form has its fields as lists."""

    dialect: str
    fields: Mapping[str, Any]
    body: Mapping[str, Any]
    images: tuple[InputImage, ...] = ()
    model: str = "default"
    path: str = "/images/generations"


FILE_PART = ("input.png", PNG)
ALL = {"aspect_ratio": "16:9", "num_images": 2, "seed": 7, "guidance_scale": 2.5, "steps": 20}
WISHES = (
    Wish(
        "vllm",
        ALL,
        {
            "model": "flux",
            "prompt": "x",
            "size": "1392x752",
            "n": 2,
            "seed": 7,
            "guidance_scale": 2.5,
            "num_inference_steps": 20,
            **ASKED,
        },
        model="flux",
    ),
    Wish(
        "vllm",
        {"seed": 7},
        {
            "prompt": ["x"],
            "seed": ["7"],
            "response_format": ["b64_json"],
            "image[]": [FILE_PART],
            "url[]": ["https://example.com/a.png"],
        },
        (INPUT, LINKED),
        path="/images/edits",
    ),
    Wish(
        "sdcpp",
        {**ALL, "output_format": "jpeg"},
        {
            "prompt": 'x<sd_cpp_extra_args>{"seed":7,"sample_params":{"guidance":'
            '{"distilled_guidance":2.5},"sample_steps":20}}</sd_cpp_extra_args>',
            "size": "1392x752",
            "n": 2,
            "output_format": "jpeg",
        },
    ),
    Wish(
        "sdcpp",
        {"seed": 7},
        {
            "prompt": ['x<sd_cpp_extra_args>{"seed":7}</sd_cpp_extra_args>'],
            "image[]": [FILE_PART, FILE_PART],
        },
        (INPUT, INPUT),
        path="/images/edits",
    ),
    Wish(
        "localai",
        {"aspect_ratio": "1:1", "seed": 7, "steps": 20},
        {"prompt": "x", "size": "1024x1024", "seed": 7, "step": 20, **ASKED},
    ),
    Wish(
        "localai",
        {"seed": 7},
        {
            "size": "1184x880",
            "prompt": "x",
            "seed": 7,
            "ref_images": [INPUT.base64, "https://example.com/a.png"],
            **ASKED,
        },
        (INPUT, LINKED),
    ),
    Wish(
        "localai",
        {"aspect_ratio": "16:9"},
        {"size": "1392x752", "prompt": "x", "ref_images": [INPUT.base64], **ASKED},
        (INPUT,),
    ),
    Wish(
        "litellm",
        {"seed": 7, "output_format": "png"},
        {"model": "flux", "prompt": "x", "seed": 7, "output_format": "png", **ASKED},
        model="flux",
    ),
)


def form_of(parts: Any) -> dict[str, list[Any]]:
    fields: dict[str, list[Any]] = {}
    for part in parts:
        value = (part.filename, part.content) if part.media_type else part.content.decode()
        fields.setdefault(part.name, []).append(value)
    return fields


def drafted(provider: Openai, wish: Wish) -> Any:
    operation = "edit" if wish.images else "generate"
    sources = tuple(image.source for image in wish.images) or None
    request = parse({"operation": operation, "images": sources, "prompt": "x", **wish.fields})
    return prepare(provider, request, model=wish.model, images=wish.images)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: f"{wish.dialect} {wish.path}")
def test_what_a_server_is_sent(wish: Wish) -> None:
    call = drafted(Openai(BASE).speaking(wish.dialect), wish).call()
    assert call.url == f"{BASE}{wish.path}"
    assert (form_of(call.parts) if call.parts else call.json) == wish.body


@pytest.mark.parametrize(
    ("dialect", "fields", "names"),
    [
        ("litellm", {"steps": 4}, "`--steps`"),
        ("litellm", {"guidance_scale": 4.0}, "`--guidance-scale`"),
        ("localai", {"guidance_scale": 4.0}, "`--guidance-scale`"),
        ("localai", {"num_images": 2}, "`--num-images` should be 1 to 1, not 2"),
        ("localai", {"output_format": "png"}, "`--output-format`"),
        ("vllm", {"output_format": "png"}, "`--output-format`"),
    ],
)
def test_what_a_dialect_lacks_is_refused(
    dialect: str, fields: Mapping[str, Any], names: str
) -> None:
    with pytest.raises(UnsupportedOption) as refused:
        drafted(Openai(BASE).speaking(dialect), Wish(dialect, fields, {}))
    assert names in refused.value.message
    assert "openai" not in (refused.value.hint or "")


@pytest.mark.parametrize("dialect", ["auto", "sdcpp", "litellm"])
def test_an_image_that_is_a_url_is_refused_where_it_is_not_fetched(dialect: str) -> None:
    with pytest.raises(UnsupportedOption, match="takes files, not URLs"):
        drafted(Openai(BASE).speaking(dialect), Wish(dialect, {}, {}, (LINKED,))).call()


def test_a_prompt_that_would_override_its_seed_is_refused() -> None:
    fields = {"prompt": "x <sd_cpp_extra_args>{}</sd_cpp_extra_args>", "seed": 7}
    with pytest.raises(UnsupportedOption, match="sd_cpp_extra_args"):
        drafted(Openai(BASE).speaking("sdcpp"), Wish("sdcpp", fields, {})).call()


class TestOpenaiItself:
    """The dialect of its own host: three sizes, no seed, no form of the answer, no known price."""

    home = Openai("https://api.openai.com/v1")

    def test_is_sent_what_it_takes(self) -> None:
        fields = {"aspect_ratio": "3:2", "output_format": "png", "num_images": 2}
        call = drafted(self.home, Wish("auto", fields, {}, model="gpt-image-1")).call()
        assert call.json == {
            "model": "gpt-image-1",
            "prompt": "x",
            "size": "1536x1024",
            "n": 2,
            "output_format": "png",
        }

    @pytest.mark.parametrize("fields", [{"seed": 7}, {"aspect_ratio": "16:9"}, {"steps": 4}])
    def test_refuses_the_rest(self, fields: Mapping[str, Any]) -> None:
        with pytest.raises(UnsupportedOption):
            drafted(self.home, Wish("auto", fields, {}))

    def test_has_no_price_unless_it_is_set(self) -> None:
        assert self.home.price("gpt-image-1") is None
        own = Openai("https://api.openai.com/v1", {"gpt-image-1": 0.04})
        assert own.price("gpt-image-1") is not None


def sent_to(
    script: Mapping[str, Any],
    folder: Path,
    images: tuple[InputImage, ...] = (),
    provider: Openai | None = None,
    model: str = "default",
    **fields: Any,
) -> tuple[Job, Scripted]:
    """A job that goes to a scripted server, and what arrived there."""
    folder.mkdir(exist_ok=True)
    provider = provider or Openai(BASE)
    plan = planned(
        "openai", {"prompt": "x", **fields}, folder, model=model, images=images, provider=provider
    )
    app = Scripted({**FILE, **script})
    return run(plan, app, provider=provider), app


@pytest.mark.parametrize(
    ("models", "software", "name"),
    [
        (VLLM, "vLLM-Omni", "FLUX.1-Kontext-dev"),
        (SDCPP, "stable-diffusion.cpp", "sd-cpp-local"),
        (OF_LITELLM, "LiteLLM", "flux"),
        (OTHER, "OpenAI-compatible", "default"),
        (Answer({"detail": "Not Found"}, 404), "OpenAI-compatible", "default"),
        (Answer({"error": {"message": "missing scope"}}, 403), "OpenAI-compatible", "default"),
    ],
)
def test_the_list_of_models_tells_what_a_server_is(
    models: Any, software: str, name: str, tmp_path: Path
) -> None:
    job, app = sent_to({MODELS: models, GENERATIONS: MADE}, tmp_path, seed=7)
    assert (job.state, job.error) == (State.SAVED, None)
    assert len(app.submits()) == 1
    mark = provenance_of(job, "mark", tmp_path, (64, 48))
    assert mark.system == f"{name} ({software})"
    assert "gpu.internal" not in str(mark)


def test_a_seed_travels_in_the_prompt_once_sd_server_is_recognized(tmp_path: Path) -> None:
    _, app = sent_to({MODELS: SDCPP, GENERATIONS: MADE}, tmp_path, seed=7)
    (submit,) = app.submits()
    assert submit.json["prompt"] == 'x<sd_cpp_extra_args>{"seed":7}</sd_cpp_extra_args>'


def test_a_server_is_asked_once(tmp_path: Path) -> None:
    provider = Openai(BASE)
    for name in ("a", "b"):
        sent_to(
            {GENERATIONS: MADE, **({MODELS: OTHER} if name == "a" else {})},
            tmp_path / name,
            provider=provider,
        )
    assert provider.is_known


NO_FORMAT = {
    "error": {
        "message": "Unknown parameter: 'response_format'.",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "unknown_parameter",
    }
}
OF_LITELLM_NO_FORMAT = {
    "error": {
        "message": "litellm.UnsupportedParamsError: Setting `response_format` is not supported by "
        "openai, gpt-image-1. To drop it from the call, set `litellm.drop_params = True`.",
        "type": "None",
        "param": "None",
        "code": "400",
    }
}
NO_SEED = {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs"}]}
NO_OUTPUT_FORMAT = {"error": "`output_format` is not a parameter of this model"}


@pytest.mark.parametrize(
    ("refusal", "field"),
    [
        (Answer(NO_FORMAT, 400), "response_format"),
        (Answer(OF_LITELLM_NO_FORMAT, 400), "response_format"),
        (Answer(NO_SEED, 422), "seed"),
        (Answer(NO_OUTPUT_FORMAT, 400), "output_format"),
    ],
)
def test_a_field_that_is_refused_is_left_out_and_remembered(
    refusal: Answer, field: str, tmp_path: Path
) -> None:
    provider = Openai(BASE)
    script = {MODELS: OTHER, GENERATIONS: [refusal, MADE]}
    job, app = sent_to(script, tmp_path / "a", provider=provider)
    assert job.state is State.SAVED
    first, second = [submit.json for submit in app.submits()]
    assert {name for name in first if name not in second} == {field}
    assert (job.seed is None, "seed" not in job.request) == (field == "seed", field == "seed")
    job, app = sent_to({GENERATIONS: MADE}, tmp_path / "b", provider=provider)
    assert [field in submit.json for submit in app.submits()] == [False]
    assert (job.seed is None) == (field == "seed")


def test_a_seed_that_was_asked_for_is_not_left_out(tmp_path: Path) -> None:
    job, app = sent_to({MODELS: OTHER, GENERATIONS: Answer(NO_SEED, 422)}, tmp_path, seed=7)
    assert isinstance(job.error, UnsupportedOption)
    assert (job.error.exit_code, job.error.billed, job.state) == (2, "no", State.FAILED)
    assert len(app.submits()) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_nothing_is_sent_again_where_the_outcome_is_uncertain(status: int, tmp_path: Path) -> None:
    job, app = sent_to({MODELS: OTHER, GENERATIONS: Answer(NO_FORMAT, status)}, tmp_path)
    assert job.state is State.UNKNOWN
    assert len(app.submits()) == 1


def test_a_refusal_that_names_nothing_is_final(tmp_path: Path) -> None:
    wrong = Answer({"error": {"message": "the prompt is too long", "param": "prompt"}}, 400)
    job, app = sent_to({MODELS: OTHER, GENERATIONS: wrong}, tmp_path)
    assert isinstance(job.error, JobFailed)
    assert len(app.submits()) == 1


def test_an_exhausted_account_is_not_asked_again(tmp_path: Path) -> None:
    error = {"message": "You exceeded your current quota", "type": "insufficient_quota"}
    job, app = sent_to({MODELS: OTHER, GENERATIONS: Answer({"error": error}, 429)}, tmp_path)
    assert job.error is not None
    assert (job.error.code, job.error.exit_code) == ("no_credit", 3)
    assert len(app.submits()) == 1


def test_too_many_requests_are_sent_again(tmp_path: Path) -> None:
    busy = Answer({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429)
    job, app = sent_to({MODELS: OTHER, GENERATIONS: [busy, MADE]}, tmp_path)
    assert job.state is State.SAVED
    assert len(app.submits()) == 2


def test_localai_is_recognized_when_it_has_no_edits(tmp_path: Path) -> None:
    nothing = Answer({"error": {"code": 404, "message": "Not Found", "type": ""}}, 404)
    job, app = sent_to({MODELS: LOCALAI, EDITS: nothing, GENERATIONS: MADE}, tmp_path, (INPUT,))
    assert (job.state, job.error) == (State.SAVED, None)
    edit = json.loads(app.submits()[-1].body)
    assert edit["ref_images"] == [INPUT.base64]
    assert provenance_of(job, "mark", tmp_path, (64, 48)).system.endswith("(LocalAI)")


def test_other_servers_without_edits_are_sent_nothing_more(tmp_path: Path) -> None:
    nothing = Answer({"detail": "Not Found"}, 404)
    job, app = sent_to({MODELS: OTHER, EDITS: nothing}, tmp_path, (INPUT,))
    assert isinstance(job.error, JobFailed)
    assert len(app.submits()) == 1


@pytest.mark.parametrize(
    ("models", "refusal", "hint"),
    [
        (
            VLLM,
            Answer({"detail": "Model mismatch: request specifies 'nope'"}, 400),
            "the server has FLUX.1-Kontext-dev",
        ),
        (
            OTHER,
            Answer({"error": {"message": "The model `nope` does not exist"}}, 404),
            "the server has a, b",
        ),
        (
            Answer({"detail": "Not Found"}, 404),
            Answer({"detail": "Not Found"}, 404),
            f"is `{BASE}` right?",
        ),
    ],
)
def test_a_model_that_the_server_does_not_have(
    models: Any, refusal: Answer, hint: str, tmp_path: Path
) -> None:
    job, _ = sent_to({MODELS: models, GENERATIONS: refusal}, tmp_path, model="nope")
    assert job.error is not None
    assert job.error.exit_code == 4
    assert hint in str(job.error.hint)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html><title>It works!</title></html>", "answered 200 with a web page"),
        ({"hello": "world"}, 'answered 200 with {"hello": "world"}'),
        (b"", "answered 200 with nothing"),
        (Answer(b"404 page not found\n", 404), "answered 404 with 404 page not found"),
        (Answer(b"x" * 5_000, 400), f"answered 400 with {'x' * 119}…"),
    ],
)
def test_a_server_that_is_none(answer: Any, says: str, tmp_path: Path) -> None:
    job, app = sent_to({MODELS: answer}, tmp_path)
    assert isinstance(job.error, JobFailed)
    assert f"{BASE} is no OpenAI-compatible server" in job.error.message
    assert says in job.error.message
    assert (job.error.exit_code, job.error.billed) == (4, "no")
    assert app.submits() == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_hides_its_list_is_used_where_its_dialect_is_set(
    status: int, tmp_path: Path
) -> None:
    provider = Openai(BASE).speaking("vllm")
    answers = [Answer(b"<html>Forbidden</html>", status)] * (5 if status == 500 else 1)
    script = {MODELS: answers, GENERATIONS: MADE}
    job, app = sent_to(script, tmp_path, provider=provider)
    assert (job.state is State.SAVED, len(app.submits())) == ((status != 500), int(status != 500))


@pytest.mark.parametrize(
    "refusal",
    [
        Answer({"error": {"message": "Invalid API key"}}, 401),
        Answer({"error": {"message": "No connected db.", "type": "no_db_connection"}}, 400),
    ],
)
def test_a_wrong_key_is_found_before_anything_is_sent(refusal: Answer, tmp_path: Path) -> None:
    job, app = sent_to({MODELS: refusal}, tmp_path)
    assert isinstance(job.error, RejectedKey)
    assert app.submits() == []


def test_what_the_server_turns_out_to_lack_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    job, app = sent_to({MODELS: OF_LITELLM}, tmp_path, steps=4, guidance_scale=2.0)
    assert job.error is not None
    assert "`--guidance-scale` and `--steps`" in job.error.message
    assert (job.error.exit_code, app.submits()) == (2, [])


def test_a_list_of_models_of_any_form_does_no_harm() -> None:
    odd: tuple[Any, ...] = (7, None, [], "\x1b[31m", "m" * 201)
    lists: tuple[Any, ...] = (odd, *([{"id": each, "owned_by": []}] for each in odd))
    for data in lists:
        provider = Openai(BASE)
        provider.learn(Reply(200, {}, json.dumps({"data": data}).encode()))
        assert (provider.served, provider.is_known) == ((), True)
    with pytest.raises(KontextError):
        Openai(BASE).learn(Reply(200, {}, b'{"data": {}}'))


def test_jobs_that_were_refused_together_are_all_sent_again(tmp_path: Path) -> None:
    """What one has learned counts for the others, whose refusal names nothing new."""
    provider = Openai(BASE)
    provider.is_known = True
    plans = [
        planned("openai", {"prompt": f"{number}"}, tmp_path, model="m", provider=provider)
        for number in range(3)
    ]
    refused = Answer(NO_FORMAT, 400)
    app = Scripted({GENERATIONS: [refused, refused, refused, MADE, MADE, MADE]})
    transport = Transport(provider.name, provider.key_bases, {}, app=Together(app, 3))

    async def work() -> None:
        async def record(_job: Job) -> None:
            pass

        async with transport:
            engine = Engine(provider, transport, record=record)
            await asyncio.gather(
                *(engine.submit(plan.job, plan.draft, timeout=60) for plan in plans)
            )

    asyncio.run(work())
    assert [plan.job.state for plan in plans] == [State.READY] * 3
    assert ["response_format" in seen.json for seen in app.submits()] == [True] * 3 + [False] * 3


class Together:
    """An app that answers so many requests at a time, when all of them are there."""

    def __init__(self, app: Scripted, number: int) -> None:
        self._app = app
        self._barrier = asyncio.Barrier(number)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._barrier.wait()
        await self._app(scope, receive, send)
