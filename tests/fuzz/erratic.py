"""A provider that gives its answers in turn, whatever it is asked."""

from collections.abc import Sequence
from typing import Any

from fuzz.answers import Answer
from fuzz.readers import browser
from kontext_cli.http.addresses import is_public, is_this_machine, literal
from scripted import Scripted, Seen

ENOUGH = 30
"""Requests after which it knows of nothing any more."""
SURELY_REFUSED = (413, 429, 503)
_STORAGE = "/storage/upload/"


class Erratic(Scripted):
    """Answers in turn, under any host name; in the end it knows of nothing."""

    def __init__(self, given: Sequence[Answer]) -> None:
        super().__init__({})
        self._given = list(given)
        self.paid = 0
        """Submits that may have been accepted."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        seen = seen_as_sent(scope)
        answer = self._given.pop(0) if self._given else Answer(404)
        if len(self.requests) > ENOUGH:
            answer = Answer(404)
        self.requests.append(seen)
        is_submit = seen.method == "POST" and _STORAGE not in seen.url
        self.paid += is_submit and answer.status not in SURELY_REFUSED
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def seen_as_sent(scope: Any) -> Seen:
    """A request with its URL as it was written; bodies are nobody's business here."""
    host, port = scope["server"]
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path, query = scope["raw_path"].decode(), scope["query_string"].decode()
    url = f"{scope['scheme']}://{place}{path}" + (f"?{query}" if query else "")
    headers = {key.decode("latin-1").lower(): value.decode() for key, value in scope["headers"]}
    return Seen(scope["method"], url, headers, b"")


def check_requests(seen: Sequence[Seen], bases: Sequence[str]) -> None:
    """See that the key went to the provider alone, and nobody was asked who is not in public, but
    for those on this machine by a provider that is there too."""
    own = [base for base in map(browser, _without_wildcards(bases)) if base is not None]
    assert len(own) == len(_without_wildcards(bases))
    on_this_machine = any(is_here(base.host) for base in own)
    for request in seen:
        there = browser(request.url)
        assert there is not None
        if {"authorization", "x-key"} & set(request.headers):
            assert any(there.is_below(base) for base in own)
        elif there.server not in {base.server for base in own}:
            here = is_here(there.host)
            address = literal(there.host.strip("[]"))
            public = not here if address is None else is_public(address)
            assert (public and there.scheme == "https") or (here and on_this_machine)


def _without_wildcards(bases: Sequence[str]) -> list[str]:
    return [base.replace("://*.", "://api.eu.") for base in bases]


def is_here(host: str) -> bool:
    """Whether a host as a browser reads it is this machine."""
    address = literal(host.strip("[]"))
    name = host.removesuffix(".")
    by_name = name == "localhost" or name.endswith(".localhost")
    return by_name if address is None else is_this_machine(address)
