"""Whole jobs against providers that answer anything: none is called saved for nonsense."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import JOB, MEDIA, REQUEST_ID, WHOLE, Answer, Raw, answers, encoded, nested
from fuzz.erratic import Erratic, check_requests
from fuzz.examples import fuzzed
from kontext_cli.errors import KontextError
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job, State
from kontext_cli.journal.codec import job_of, row_of
from kontext_cli.providers import NAMES, Name, provider_class, who_serves
from kontext_cli.providers.base import Provider
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import error_lines
from runs import KEY, planned, run

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

ACCEPTED = Answer(
    body=encoded(
        {
            "request_id": REQUEST_ID,
            "status_url": f"{JOB}/status",
            "response_url": JOB,
            "cancel_url": f"{JOB}/cancel",
        }
    ).encode()
)
COMPLETED = Answer(body=b'{"status": "COMPLETED"}')
RESULT = Answer(body=encoded({"images": [{"url": MEDIA}], "seed": 42}).encode())
IMAGE = Answer(body=WHOLE[0])
ASTRAY = {"location": "https://vxn--.fal.media/a.jpg"}
"""To a host that is no name, by the rules for names in other scripts."""
PLACE = Answer(
    body=encoded(
        {"upload_url": "https://storage.example/put?signed", "file_url": "https://v3.fal.media/i"}
    ).encode()
)
PREDICTION = Answer(201, body=encoded({"id": REQUEST_ID, "status": "starting"}).encode())
SUCCEEDED = Answer(
    body=encoded({"id": REQUEST_ID, "status": "succeeded", "output": MEDIA}).encode()
)
TASK = Answer(body=encoded({"id": REQUEST_ID, "cost": 4.0}).encode())
READY = Answer(
    body=encoded({"id": REQUEST_ID, "status": "Ready", "result": {"sample": MEDIA}}).encode()
)
PROMPT = Answer(body=encoded({"prompt_id": REQUEST_ID, "node_errors": {}}).encode())
EMPTY = Answer(body=encoded({"queue_running": [], "queue_pending": []}).encode())
SAVED = {"9": {"images": [{"filename": "a.png", "type": "output"}]}}
HISTORY = Answer(body=encoded({REQUEST_ID: {"outputs": SAVED}}).encode())
MODELS = Answer(body=encoded({"data": [{"id": "flux", "owned_by": "vllm"}]}).encode())
QUEUE = (ACCEPTED, COMPLETED, RESULT, IMAGE)
GOOD: dict[Name, tuple[Answer, ...]] = {
    "fal": QUEUE,
    "chainhub": QUEUE,
    "sandbox": QUEUE,
    "aimlapi": (RESULT, IMAGE),
    "bfl": (TASK, READY, IMAGE),
    "replicate": (PREDICTION, SUCCEEDED, IMAGE),
    "together": (RESULT, IMAGE),
    "huggingface": QUEUE,
    "openai": (MODELS, RESULT, IMAGE),
    "comfyui": (PROMPT, EMPTY, EMPTY, HISTORY, IMAGE),
}
UPLOAD = (Answer(413), PLACE, Answer(), *QUEUE)
"""fal's answers to an edit whose input image is too large for the request."""
INPUT = InputImage("in.png", "in", content=WHOLE[1], media_type="image/png")


def keep(job: Job) -> None:
    """What the journal does with a job, and what is made of it when it is read back."""
    job_of(row_of(job, None))


def opened(name: Name) -> Provider:
    """A provider at its own host, or at an example of a server."""
    kind = provider_class(name)
    return kind(kind.home if kind.needs_base_url else None)


def ran(
    name: Name, given: Sequence[Answer], folder: Path, *images: InputImage
) -> tuple[Job, Erratic]:
    """A job from its plan to its end."""
    erratic = Erratic(given)
    images = images or (() if name in who_serves("generate") else (INPUT,))
    model = provider_class(name).default_model
    provider = opened(name)
    fields = {"prompt": "a red fox"}
    plan = planned(name, fields, folder, model=model, images=images, provider=provider)
    return run(plan, erratic, record=keep, provider=provider), erratic


def check_end(job: Job) -> None:
    """See that a job is saved, or tells why it is not."""
    assert (job.state is State.SAVED) == (job.error is None)
    line = as_line(job_record(job))
    assert json.loads(line)["state"] == job.state
    told = [line]
    if job.error is not None:
        assert isinstance(job.error, KontextError)
        assert job.error.exit_code > 1
        told += error_lines(job.error, job)
    assert KEY not in "".join(told)


def check_run(name: Name, given: Sequence[Answer], *images: InputImage) -> None:
    """See that a job comes to its end, whatever is answered, and nobody pays twice."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job, erratic = ran(name, given, folder, *images)
        check_end(job)
        check_files(job, folder)
        check_requests(erratic.requests, opened(name).key_bases)
        assert erratic.paid <= 1


def check_files(job: Job, folder: Path) -> None:
    """See that there is nothing on disk but images that came whole, and those of a saved job."""
    there = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert set(there) == {file.path for file in job.files}
    assert set(there.values()) <= {WHOLE[0], WHOLE[1]}
    assert job.state is not State.SAVED or len(job.files) == len(job.outputs) > 0


@st.composite
def scripts(draw: st.DrawFn) -> tuple[Name, list[Answer]]:
    """The answers that a good provider gives, some of them damaged, doubled or replaced."""
    name = draw(st.sampled_from(NAMES))
    return name, draw(erring(GOOD[name]))


@st.composite
def erring(draw: st.DrawFn, script: Sequence[Answer]) -> list[Answer]:
    given: list[Answer] = []
    for good in script:
        match draw(st.integers(0, 9)):
            case 0:
                given += draw(st.lists(answers, max_size=2))
            case 1:
                odd = draw(answers)
                given.append(replace(good, body=odd.body, headers=odd.headers))
            case 2:
                given += [replace(good, status=draw(answers).status), good]
            case 3:
                given.append(replace(good, body=good.body[: draw(st.integers(0, len(good.body)))]))
            case 4:
                given += [draw(answers), good]
            case _:
                given.append(good)
    return given


class TestJobs:
    @pytest.mark.parametrize("name", NAMES)
    def test_the_script_itself_ends_well(self, name: Name, tmp_path: Path) -> None:
        job, erratic = ran(name, GOOD[name], tmp_path)
        assert job.state is State.SAVED
        assert erratic.paid == 1
        check_files(job, tmp_path)

    def test_an_edit_with_an_upload_ends_well(self, tmp_path: Path) -> None:
        job, erratic = ran("fal", UPLOAD, tmp_path, INPUT)
        assert job.state is State.SAVED
        assert [seen.method for seen in erratic.requests[:4]] == ["POST", "POST", "PUT", "POST"]
        assert erratic.paid == 1

    @fuzzed(50)
    @given(script=scripts())
    @example(("fal", [Answer(302, headers=ASTRAY), *QUEUE]))
    @example(("fal", [ACCEPTED, Answer(302, headers=ASTRAY), *QUEUE[1:]]))
    @example(("fal", [*QUEUE[:3], Answer(302, headers=ASTRAY), IMAGE]))
    @example(("sandbox", [*QUEUE[:2], Answer(body=b'{"images": [{"url": "https://[::1]/"}]}')]))
    @example(("aimlapi", [replace(RESULT, headers={"x-aimlapi-usd-spent": "1e999"}), IMAGE]))
    @example(("aimlapi", [Answer(body=b'{"images": [{"url": "data:,\\ud800"}]}')]))
    @example(
        (
            "aimlapi",
            [Answer(body=encoded({"images": [MEDIA], "seed": Raw("9" * 4300)}).encode()), IMAGE],
        )
    )
    def test_whatever_is_answered(self, script: tuple[Name, list[Answer]]) -> None:
        check_run(*script)

    @fuzzed(25)
    @given(given=erring(UPLOAD))
    @example([Answer(413), Answer(body=b'{"upload_url": "https://[", "file_url": ""}')])
    @example([*UPLOAD[:2], Answer(307, headers=ASTRAY), *UPLOAD[2:]])
    def test_whatever_is_answered_to_an_upload(self, given: list[Answer]) -> None:
        check_run("fal", given, INPUT)

    @pytest.mark.parametrize(("status", "key"), [(200, "timings"), (400, "detail")])
    def test_an_answer_as_deep_as_can_be_read(self, status: int, key: str, tmp_path: Path) -> None:
        """How deep that is depends on where one stands, for reading as for writing."""
        for depth in range(850, 1000, 2):
            answer = Answer(status, encoded({"images": [MEDIA], key: nested(depth)}).encode())
            job, _ = ran("aimlapi", [answer, IMAGE], tmp_path / str(depth))
            check_end(job)
