"""chainhub: a gateway that speaks fal's queue with a key of its own.

Sources: its API page for `/fal-ai/flux-pro/kontext/text-to-image`, and the manuals of gateways that
share its template, for what that page leaves out: how to ask for the result.
"""

from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Progress, State
from kontext_cli.providers.dialects.fal_queue import FalQueue, is_pending
from kontext_cli.providers.options import Endpoint, Option
from kontext_cli.sizes import ASPECT_RATIOS

_GRACE = 3
"""How many polls may not find a job that was just accepted."""
_OPTIONS = (
    Option("prompt"),
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("num_images", least=1, most=4, default=1),
    Option("guidance_scale", least=1, most=20, default=3.5),
    Option("safety_tolerance", least=1, most=6, encode=str, default=2),
    Option("output_format", choices=("jpeg", "png"), default="jpeg"),
)


class Chainhub(FalQueue):
    """The gateway. Its replies name fal's host, which must never see this key.

    Beside fal's URLs, its handles have ``misses``, the polls so far that did not find the job.
    ``status_url`` is None once it turned out that there is no status route.
    """

    name = "chainhub"
    home = "https://api.chainhub.tech"
    key_variables = (("CHAINHUB_API_KEY",),)
    trusted_hosts = frozenset({"queue.fal.run"})
    inline_bytes = 2_500_000
    endpoints = (
        Endpoint("fal-ai/flux-pro/kontext/text-to-image", "kontext-pro", "generate", _OPTIONS),
    )

    def poll(self, handle: Handle) -> Call:
        """The call for the status, or for the result where there is no status route."""
        return super().poll(handle) if _has_status(handle) else self.result(handle)

    def progress(self, reply: Reply, handle: Handle) -> Progress:
        if not _has_status(handle):
            return self._result_so_far(reply, handle)
        if reply.ok and isinstance(reply.object.get("status"), str):
            return super().progress(reply, handle)
        if reply.status in (401, 402, 403):
            return super().progress(reply, handle)
        return Progress(State.QUEUED, handle=handle.with_data(status_url=None))

    def _result_so_far(self, reply: Reply, handle: Handle) -> Progress:
        misses = handle.data.get("misses")
        misses = misses if isinstance(misses, int) else 0
        if reply.status == 404 and not is_pending(reply) and misses < _GRACE:
            return Progress(State.QUEUED, handle=handle.with_data(misses=misses + 1))
        return self.outcome(reply)


def _has_status(handle: Handle) -> bool:
    return handle.data.get("status_url") is not None


PROVIDER = Chainhub
