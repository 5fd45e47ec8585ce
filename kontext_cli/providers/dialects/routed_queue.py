"""fal's queue behind Hugging Face's router, as its official client speaks it.

Endpoints begin with the name that the router has for fal, which is also the last part of the base.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.http.call import Call
from kontext_cli.job import Handle
from kontext_cli.providers.dialects.fal_queue import FalQueue


class RoutedQueue(FalQueue):
    """The queue; its replies name fal's host, where the router's key never goes."""

    trusted_hosts = frozenset({"queue.fal.run"})

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return _in_queue(super().submit(endpoint, payload))

    def handle(
        self, endpoint: str, request_id: str, urls: Mapping[str, Any] | None = None
    ) -> Handle:
        own = endpoint.partition("/")[2]
        return super().handle(own, request_id, urls).with_data(route="fal")

    def poll(self, handle: Handle) -> Call:
        return _in_queue(super().poll(handle))

    def result(self, handle: Handle) -> Call:
        return _in_queue(super().result(handle))

    def cancel(self, handle: Handle) -> Call:
        return _in_queue(super().cancel(handle))


def _in_queue(call: Call) -> Call:
    """The call in fal's queue: without it, the router asks the host that blocks."""
    return call._replace(url=f"{call.url.partition('?')[0]}?_subdomain=queue")
