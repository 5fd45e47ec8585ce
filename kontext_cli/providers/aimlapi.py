"""AIMLAPI: one call that blocks until the images exist.

Sources: its pages and schemas of each model; key names from its SDK and from litellm; prices from
litellm's table, which has none of FLUX.2. It lists no FLUX.2 [flex], no editing with [max], and no
image model of FLUX 3.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Progress
from kontext_cli.providers.dialects.deprecations import DeprecationList
from kontext_cli.providers.options import (
    Endpoint,
    Option,
    Price,
    as_opposite,
    as_size,
    image_list,
    one_or_list,
)
from kontext_cli.providers.results import read_result
from kontext_cli.sizes import ASPECT_RATIOS

_PATH = "/v1/images/generations"
_USD_SPENT = "x-aimlapi-usd-spent"
_IMAGES = one_or_list("image_url")
_PROMPT = Option("prompt", longest=4_000)
_SEED = Option("seed", least=1)
_TOLERANCE = Option("safety_tolerance", least=1, most=6, encode=str, default=2)
_KONTEXT = (
    _PROMPT,
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("num_images", least=1, most=4, default=1),
    _SEED,
    Option("guidance_scale", least=1, most=20),
    _TOLERANCE,
    Option("output_format", choices=("jpeg", "png"), default="jpeg"),
)
# Without a size the image is 4:3, in edits as well.
_SIZE = Option("aspect_ratio", "image_size", choices=ASPECT_RATIOS, encode=as_size, default="4:3")
_CHECKER = Option("no_safety_checker", "enable_safety_checker", encode=as_opposite, default=False)
_FLUX_2_PRO = (
    _PROMPT,
    _SIZE,
    _SEED,
    _TOLERANCE,
    _CHECKER,
    Option("output_format", choices=("jpeg", "png"), default="png"),
)
_FLUX_2_MAX = (
    _PROMPT,
    _SIZE,
    _SEED,
    Option("safety_tolerance", least=1, most=5, encode=str, default=2),
    _CHECKER,
    Option("output_format", choices=("jpeg", "png"), default="jpeg"),
)
_FLUX_2_IMAGES = image_list("image_urls", most=3)


class Aimlapi(DeprecationList):
    """AIMLAPI. There is no queue: if the connection drops, the image is lost, and may be billed."""

    name = "aimlapi"
    home = "https://api.aimlapi.com"
    key_variables = (("AIML_API_KEY",), ("AIMLAPI_API_KEY",), ("AIMLAPI_KEY",))
    probe_path = "/v2/billing"
    # Nothing is documented; its upstream is fal.
    inline_bytes = 2_500_000
    blocking = True
    # Each needs its connection until its paid image arrives; rate limits are not published.
    jobs = 4
    credit_statuses = frozenset({402, 403})  # by AIMLAPI's page of errors
    kept_headers = (_USD_SPENT, "x-inference-id")
    endpoints = (
        Endpoint("flux/kontext-pro/text-to-image", "kontext-pro", "generate", _KONTEXT),
        Endpoint("flux/kontext-max/text-to-image", "kontext-max", "generate", _KONTEXT),
        Endpoint("flux/kontext-pro/image-to-image", "kontext-pro", "edit", _KONTEXT, _IMAGES),
        Endpoint("flux/kontext-max/image-to-image", "kontext-max", "edit", _KONTEXT, _IMAGES),
        Endpoint("blackforestlabs/flux-2-pro", "flux-2-pro", "generate", _FLUX_2_PRO),
        Endpoint(
            "blackforestlabs/flux-2-pro-edit", "flux-2-pro", "edit", _FLUX_2_PRO, _FLUX_2_IMAGES
        ),
        Endpoint("blackforestlabs/flux-2-max", "flux-2-max", "generate", _FLUX_2_MAX),
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
