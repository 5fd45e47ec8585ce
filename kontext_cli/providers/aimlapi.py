"""AIMLAPI: one call that blocks until the images exist.

Sources: its pages of `flux/kontext-pro` and `flux/kontext-max`, text-to-image and image-to-image;
key names from its SDK and from litellm; prices from litellm's table.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Progress
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint, Option, Price, one_or_list
from kontext_cli.providers.results import read_result
from kontext_cli.sizes import ASPECT_RATIOS

_PATH = "/v1/images/generations"
_USD_SPENT = "x-aimlapi-usd-spent"
_IMAGES = one_or_list("image_url")
_OPTIONS = (
    Option("prompt", longest=4_000),
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("num_images", least=1, most=4, default=1),
    Option("seed", least=1),
    Option("guidance_scale", least=1, most=20),
    Option("safety_tolerance", least=1, most=6, encode=str, default=2),
    Option("output_format", choices=("jpeg", "png"), default="jpeg"),
)


class Aimlapi(Provider):
    """AIMLAPI. There is no queue: if the connection drops, the image is lost, and may be billed."""

    name = "aimlapi"
    home = "https://api.aimlapi.com"
    key_variables = (("AIML_API_KEY",), ("AIMLAPI_API_KEY",), ("AIMLAPI_KEY",))
    # Nothing is documented; its upstream is fal.
    inline_bytes = 2_500_000
    blocking = True
    # Each needs its connection until its paid image arrives; rate limits are not published.
    jobs = 4
    # AIMLAPI's error page: 403 is an account out of credits.
    credit_statuses = frozenset({402, 403})
    kept_headers = (_USD_SPENT, "x-inference-id")
    endpoints = (
        Endpoint("flux/kontext-pro/text-to-image", "kontext-pro", "generate", _OPTIONS),
        Endpoint("flux/kontext-max/text-to-image", "kontext-max", "generate", _OPTIONS),
        Endpoint("flux/kontext-pro/image-to-image", "kontext-pro", "edit", _OPTIONS, _IMAGES),
        Endpoint("flux/kontext-max/image-to-image", "kontext-max", "edit", _OPTIONS, _IMAGES),
    )
    prices = (
        Price("kontext-pro", usd=0.052, dated="2026-11-21"),
        Price("kontext-max", usd=0.104, dated="2026-11-21"),
    )

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base of a URL that was pasted with the path of the call."""
        return base_url.rstrip("/").removesuffix(_PATH).removesuffix("/v1")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        body = {"model": endpoint, **payload}
        return Call("submit", "POST", f"{self.base_url}{_PATH}", json=body)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        if not reply.object:
            raise UnexpectedReply(f"{self.name} accepted the job but its answer is not JSON")
        return read_result(self.name, reply.object)._replace(usd=_usd(reply))


def _usd(reply: Reply) -> float | None:
    """What the call cost, from ``meta.usage.usd_spent`` or else from a header."""
    meta = reply.object.get("meta")
    usage = meta.get("usage") if isinstance(meta, dict) else None
    spent = usage.get("usd_spent") if isinstance(usage, dict) else None
    try:
        usd = float(spent if spent is not None else reply.headers.get(_USD_SPENT, ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return usd if 0 <= usd < float("inf") else None


PROVIDER = Aimlapi
