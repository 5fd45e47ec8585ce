"""Whatever a provider answers, its adapter makes sense of it or refuses it in our own words."""

import json
import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import JOB, REQUEST_ID, Answer, Raw, answers, encoded, failures, nested
from fuzz.examples import fuzzed
from fuzz.refusals import tried
from journals import job
from kontext_cli.engine.collect import inline_image
from kontext_cli.engine.reading import read
from kontext_cli.errors import Billed, KontextError
from kontext_cli.http.retry import may_submit_again, should_ask_again, was_refused
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.journal.codec import job_of, row_of
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.providers.base import Cancellation, Place, Provider, Queue, Storage
from kontext_cli.providers.failure import failure
from kontext_cli.providers.openai import Openai
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import describe, error_lines

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

PROVIDERS = [provider_class(name)() for name in NAMES]
ROUTER = provider_class("huggingface")()
PROVIDERS += [ROUTER.at(row.id) for row in ROUTER.endpoints[1:]]
ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"
HANDLE = Handle(
    REQUEST_ID,
    {"status_url": f"{JOB}/status", "response_url": JOB, "cancel_url": f"{JOB}/cancel"},
)
NO_STATUS_ROUTE = HANDLE.with_data(status_url=None, misses=3)
RESULT = {"images": [{"url": "https://v3.fal.media/a.jpg"}]}
NO = Answer(400, body=b'{"error": {"message": [], "param": {}, "code": []}}')
HUGE = Raw("1" + "0" * 400)


def result(**more: Any) -> Answer:
    """A good result with something odd in it."""
    return Answer(body=encoded(RESULT | more).encode())


def understood(adapter: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """What an adapter makes of an answer; the error where it refuses it."""
    return tried(KontextError, read, adapter, *given, **more)


def check(outcome: Any) -> None:
    """See that whatever an adapter said can be worked with, told and kept."""
    match outcome:
        case KontextError():
            check_error(outcome)
        case Progress():
            check_progress(outcome)
        case _:
            assert isinstance(outcome, Cancellation | Place)


def check_error(error: KontextError) -> None:
    assert error.billed in get_args(Billed)
    assert isinstance(error.exit_code, int)
    assert error.exit_code > 1
    assert "\x1b" not in "".join(error_lines(error, job()))
    failed = job(State.FAILED, error=error)
    json.loads(as_line(job_record(failed)))
    assert job_of(row_of(failed, None)).error is not None


def check_progress(progress: Progress) -> None:
    assert progress.position is None or type(progress.position) is int
    assert progress.seed is None or type(progress.seed) is int
    assert progress.usd is None or (math.isfinite(progress.usd) and progress.usd >= 0)
    assert all(isinstance(line, str) and line for line in progress.logs)
    assert len(progress.outputs) <= 4
    assert bool(progress.outputs) == (progress.state is State.READY)
    for output in progress.outputs:
        assert isinstance(output.url or output.b64, str)
    told = job(progress.state, position=progress.position, outputs=progress.outputs)
    told.reply, told.handle, told.seed = progress.reply, progress.handle, progress.seed
    assert describe(told)
    json.loads(as_line(job_record(told)))
    kept = job_of(row_of(told, None))
    if "data:" not in f"{told.reply} {told.handle}".lower():  # no image is kept in the journal
        assert (kept.reply, kept.handle, kept.seed) == (told.reply, told.handle, told.seed)


class TestAdapters:
    @fuzzed(60)
    @given(provider=st.sampled_from(PROVIDERS), answer=answers)
    @example(PROVIDERS[1], result(meta={"usage": {"usd_spent": HUGE}}))
    @example(PROVIDERS[1], result(timings={"inference": Raw("1e999")}))
    @example(PROVIDERS[1], result(timings=nested(900)))
    def test_any_answer_to_a_submit(self, provider: Provider, answer: Answer) -> None:
        accepted = understood(provider.accepted, answer.reply, ENDPOINT)
        check(accepted)
        if isinstance(accepted, Progress) and not provider.blocking:
            assert accepted.handle is not None
            body = json.loads(answer.body)
            assert accepted.handle.request_id in (body.get("request_id"), body.get("id"))

    @fuzzed(60)
    @given(
        provider=st.sampled_from([each for each in PROVIDERS if isinstance(each, Queue)]),
        answer=answers,
        handle=st.sampled_from([HANDLE, NO_STATUS_ROUTE]),
    )
    @example(PROVIDERS[0], result(timings={"inference": Raw("1e999")}), HANDLE)
    @example(PROVIDERS[0], result(status=nested(900)), HANDLE)
    def test_any_answer_for_a_job_in_a_queue(
        self, provider: Queue, answer: Answer, handle: Handle
    ) -> None:
        check(understood(provider.progress, answer.reply, handle))
        check(understood(provider.status, answer.reply.object))
        check(understood(provider.outcome, answer.reply))
        check(understood(provider.canceled, answer.reply))

    @fuzzed(60)
    @given(answer=answers, refusal=failures)
    @example(Answer(body=encoded({"data": [{"id": "m", "owned_by": nested(900)}]}).encode()), NO)
    def test_any_answer_of_a_server_that_is_asked_what_it_is(
        self, answer: Answer, refusal: Answer
    ) -> None:
        server = Openai("http://127.0.0.1:8000/v1")
        learned = understood(server.learn, answer.reply)
        assert server.is_known == (learned is None)
        if learned is not None:
            check(learned)
        server.learn_refusal(refusal.reply)
        assert all(map(str.isprintable, server.served))
        assert isinstance(server.model_hint(refusal.reply), str | None)
        assert server.lacking({"prompt": "x"}) == frozenset()

    @fuzzed(60)
    @given(
        provider=st.sampled_from(PROVIDERS),
        answer=failures,
        submitted=st.booleans(),
    )
    def test_any_failure_is_one_of_ours(
        self, provider: Provider, answer: Answer, submitted: bool
    ) -> None:
        error = understood(failure, provider, answer.reply, submitted=submitted)
        check(error)
        assert isinstance(error, KontextError)
        assert submitted or error.billed == "no"
        assert len(error.message) < 600

    @fuzzed(60)
    @given(
        name=st.sampled_from(["fal", "replicate"]),
        base=st.sampled_from([None, "http://127.0.0.1:8000/fal"]),
        answer=answers,
    )
    @example(
        "fal",
        "http://127.0.0.1:8000/fal",
        Answer(body=b'{"upload_url":"https://[","file_url":"x"}'),
    )
    def test_any_answer_of_a_storage(self, name: str, base: str | None, answer: Answer) -> None:
        storage = provider_class(name)(base)
        assert isinstance(storage, Storage)
        check(tried(KontextError, storage.stored, answer.reply))

    @fuzzed(60)
    @given(answer=answers, blocking=st.booleans(), kind=st.sampled_from(["status", "result"]))
    def test_nothing_is_sent_again_that_may_have_been_accepted(
        self, answer: Answer, blocking: bool, kind: Any
    ) -> None:
        assert should_ask_again(kind, answer.reply) in (True, False)
        refused = was_refused(answer.reply, blocking=blocking)
        assert not (refused and answer.status < 400)
        if may_submit_again(answer.reply, blocking=blocking):
            assert refused
            assert answer.status == 429 or (answer.status == 503 and not blocking)


@fuzzed(60)
@given(
    url=st.none()
    | st.text()
    | st.builds("{}{}{}".format, st.just("data:"), st.text(), st.sampled_from([";base64,", ","]))
    | st.builds("data:image/png;base64,{}".format, st.text()),
    b64=st.none() | st.text(),
)
@example("data:image/png;base64,\ud800", None)
@example("data:,\ud800", None)
def test_any_image_within_a_reply(url: str | None, b64: str | None) -> None:
    inside = tried(KontextError, inline_image, Output(url, b64))
    if isinstance(inside, KontextError):
        check_error(inside)
        assert inside.billed == "yes"
        return
    assert inside is None or isinstance(inside, bytes)
    assert (inside is None) == (b64 is None and not (url or "").lower().startswith("data:"))
