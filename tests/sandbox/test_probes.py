"""Requests that check a key and cost nothing, at each provider that has one."""

from kontext_cli.providers import NAMES, provider_class
from sandbox.clients import client
from sandbox.running import StartSandbox

PROVIDERS = [provider_class(name) for name in NAMES]
KEYED = [each for each in PROVIDERS if each.probe_path and each.key_variables]


def test_it_is_answered_with_a_key_alone(sandbox: StartSandbox) -> None:
    there = sandbox()
    with client(there.url) as http:
        for provider in KEYED:
            url = f"/{provider.name}{provider.probe_path}"
            assert http.get(url).status_code in (401, 403), provider.name
            answer = http.get(url, headers=dict(provider().headers("a-key")))
            assert answer.status_code == 200, provider.name
            assert answer.json(), provider.name
    assert {each.name for each in KEYED} == {
        *("fal", "aimlapi", "bfl", "replicate", "together", "huggingface")
    }
