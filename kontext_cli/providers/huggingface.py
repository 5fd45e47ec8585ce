"""Hugging Face: a router in front of fal, Replicate and Together, each with a dialect of its own.

Sources: the Python client huggingface_hub 2.4.0. It speaks fal's queue with `_subdomain=queue`, and
asks Replicate to wait; that its other calls (Replicate's polls, a cancel) pass the router as well
is not documented, and was not seen. Errors are those of the host, or the router's own. No prices
are documented beyond that they are those of the host.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kontext_cli.errors import UnsupportedOption
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Progress
from kontext_cli.providers.base import Provider
from kontext_cli.providers.dialects.fal_queue import FalQueue
from kontext_cli.providers.dialects.predictions import Predictions
from kontext_cli.providers.fal import Fal
from kontext_cli.providers.options import Endpoint, ImageField
from kontext_cli.providers.replicate import Replicate
from kontext_cli.providers.together import Together

_MODEL = "kontext-dev"
_BOTH_FIELDS = ImageField(
    1, 1, lambda images: {"image_url": images[0].uri, "image_urls": [images[0].uri]}
)


class _Routed(Provider):
    """What every route has: the router's key. Endpoints begin with the host's name there."""

    name = "huggingface"
    home = "https://router.huggingface.co"
    key_variables = (("HF_TOKEN",),)
    inline_bytes = 2_500_000  # nothing is documented; fal's is the least


class ThroughFal(_Routed, FalQueue):
    """fal's queue behind the router, whose replies name fal's host: this key never goes there."""

    trusted_hosts = frozenset({"queue.fal.run"})

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return _in_queue(super().submit(_of_host(endpoint), payload))

    def handle(
        self, endpoint: str, request_id: str, urls: Mapping[str, Any] | None = None
    ) -> Handle:
        return super().handle(_of_host(endpoint), request_id, urls).with_data(route="fal")

    def poll(self, handle: Handle) -> Call:
        return _in_queue(super().poll(handle))

    def result(self, handle: Handle) -> Call:
        return _in_queue(super().result(handle))

    def cancel(self, handle: Handle) -> Call:
        return _in_queue(super().cancel(handle))


class ThroughReplicate(_Routed, Predictions):
    """Replicate's predictions behind the router; images go inline, as its files are not there."""

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return super().submit(_of_host(endpoint), payload)

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return super().handle(endpoint, request_id).with_data(route="replicate")


class ThroughTogether(_Routed, Together):
    """Together's one call behind the router."""

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return super().submit(_of_host(endpoint), payload)


_HOSTS: Mapping[str, Callable[[str], Provider]] = {
    "fal-ai": ThroughFal,
    "replicate": ThroughReplicate,
    "together": ThroughTogether,
}


def _row(host: str, provider: type[Provider], images: ImageField | None = None) -> Endpoint:
    """The host's own row of the model, under the router's path."""
    row = next(row for row in provider.endpoints if row.model == _MODEL)
    return row._replace(id=f"{host}/{row.id}", images=images or row.images)


_ROUTES = {
    "fal": _row("fal-ai", Fal, _BOTH_FIELDS),
    "replicate": _row("replicate", Replicate),
    "together": _row("together", Together),
}


class Huggingface(_Routed):
    """The router: `at` an endpoint it is the provider that speaks the dialect of its host."""

    default_model = _MODEL
    routes = tuple(_ROUTES)
    endpoints: tuple[Endpoint, ...] = (
        _ROUTES["fal"],
        *(row._replace(model=f"{_MODEL}:{route}") for route, row in _ROUTES.items()),
    )

    def through(self, route: str) -> "Huggingface":
        self.endpoints = (_ROUTES[route], *self.endpoints[1:])
        return self

    def at(self, endpoint: str) -> Provider:
        host = endpoint.partition("/")[0]
        if host not in _HOSTS:
            raise UnsupportedOption(
                f"{self.name} has no route `{host}`", hint=f"as in {self.endpoints[0].id}"
            )
        return _HOSTS[host](f"{self.base_url}/{host}")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return self.at(endpoint).submit(endpoint, payload)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        return self.at(endpoint).accepted(reply, endpoint)


def _of_host(endpoint: str) -> str:
    """The host's own id of an endpoint."""
    return endpoint.partition("/")[2]


def _in_queue(call: Call) -> Call:
    """The call in fal's queue: without it the router asks the host that blocks."""
    return call._replace(url=f"{call.url.partition('?')[0]}?_subdomain=queue")


PROVIDER = Huggingface
