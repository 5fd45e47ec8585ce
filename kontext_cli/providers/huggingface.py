"""Hugging Face: a router in front of fal, Replicate and Together, each with a dialect of its own.

Sources: the Python client huggingface_hub 2.4.0. It speaks fal's queue with `_subdomain=queue`, and
asks Replicate to wait; that its other calls (Replicate's polls, a cancel) pass the router as well
is not documented, and was not seen. Errors are those of the host, or the router's own. Its page on
billing says that it takes no more than the host does.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kontext_cli.errors import UnsupportedOption
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Progress
from kontext_cli.providers.base import Provider
from kontext_cli.providers.dialects.predictions import Predictions
from kontext_cli.providers.dialects.routed_queue import RoutedQueue
from kontext_cli.providers.fal import Fal
from kontext_cli.providers.options import Endpoint, ImageField, Price
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
    probe_home = "https://huggingface.co"
    probe_path = "/api/whoami-v2"
    inline_bytes = 1_250_000  # half of fal's: the official client sends it an image twice


class ThroughFal(_Routed, RoutedQueue):
    """fal's queue behind the router."""


class ThroughReplicate(_Routed, Predictions):
    """Replicate's predictions behind the router; images go inline, as its files are not there."""

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return super().handle(endpoint, request_id).with_data(route="replicate")


class ThroughTogether(_Routed, Together):
    """Together's one call behind the router."""


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
    prices = tuple(
        price._replace(model=f"{_MODEL}:{host.name}")
        for host in (Fal, Replicate, Together)
        for price in host.prices
        if price.model == _MODEL
    )
    _route = "fal"
    endpoints: tuple[Endpoint, ...] = (
        _ROUTES["fal"],
        *(row._replace(model=f"{_MODEL}:{route}") for route, row in _ROUTES.items()),
    )

    def through(self, route: str) -> "Huggingface":
        self._route = route
        self.endpoints = (_ROUTES[route], *self.endpoints[1:])
        return self

    def price(self, model: str) -> Price | None:
        """What the image costs at the host that the model goes to."""
        route = f"{_MODEL}:{self._route}"
        return super().price(model) or (super().price(route) if model == _MODEL else None)

    def at(self, endpoint: str) -> Provider:
        host = endpoint.partition("/")[0]
        if host not in _HOSTS:
            raise UnsupportedOption(
                f"{self.name} has no route `{host}`", hint=f"as in {self.endpoints[0].id}"
            )
        return _HOSTS[host](f"{self.base_url}/{host}")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        """The submit to a host, which has its own id of the endpoint."""
        return self.at(endpoint).submit(endpoint.partition("/")[2], payload)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        return self.at(endpoint).accepted(reply, endpoint)


PROVIDER = Huggingface
