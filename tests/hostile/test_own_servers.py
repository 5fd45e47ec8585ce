"""What a server of one's own answers, whatever it is, ends in a message, and soon."""

import json

import pytest

from kontext_cli.engine.reading import read
from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.providers.comfyui import Comfyui
from kontext_cli.providers.offers import offers_of
from kontext_cli.providers.openai import Openai
from kontext_cli.terminal.models import provider_details


def answer(body: object, status: int = 200) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


def refusal(details: str) -> str:
    """What is printed of a workflow that is refused with these details of one fault."""
    fault = {"type": "value_not_in_list", "message": "Value not in list", "details": details}
    nodes = {"1": {"class_type": "Loader", "errors": [fault]}}
    error = Comfyui().refused(answer({"error": {}, "node_errors": nodes}, 400))
    return str(error)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ("vae_name: 'a' not in ['b', 'c']", "vae_name `a` is not there; it has b, c"),
        ("vae_name: 'a' not in []", "vae_name `a` is not there; it has none"),
        ("vae_name: 'a' not in (list of length 99)", "`a` is not there; it has list of length 99"),
        ("vae_name: 'it' not in [' not in ['b']", "vae_name `it' not in [` is not there; it has b"),
        ("vae_name: 'a' not in ['b'", "Value not in list: vae_name: 'a' not in ['b'"),
        ("a: b: 'a' not in ['b']", "Value not in list: a: b: 'a' not in"),
        ("a: '" + "' not in [" * 100_000, "Value not in list: a: '' not in ["),
    ],
)
def test_a_file_that_is_missing_is_found_in_any_details(details: str, told: str) -> None:
    assert told in refusal(details)


def test_a_number_of_jobs_that_is_none() -> None:
    for number in (b"1e999", b'"many"', b"null", b"[]"):
        said = Reply(200, {}, b'{"exec_info": {"queue_remaining": %s}}' % number)
        with pytest.raises(UnexpectedReply):
            read(Comfyui().jobs_there, said)


def test_half_a_character_is_sent_back_as_it_came() -> None:
    stored = Comfyui().stored(answer({"name": "\ud800é.png"}))
    sent = Call("submit", "POST", "http://gpu/prompt", json={"image": stored.url}).body()
    assert sent is not None
    assert json.loads(sent[1]) == {"image": "\ud800é.png"}


def test_a_list_of_very_many_models() -> None:
    server = Openai("http://gpu:8000/v1")
    entries = [{"id": f"m{number % 20_000}"} for number in range(40_000)]
    server.learn(answer({"data": entries}))
    lines = list(provider_details([*offers_of(server)]))
    assert lines.count("    generate           m7") == 1
