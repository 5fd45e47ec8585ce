"""fal.ai: a queue with position and logs.

Sources: fal's pages of each model (`llms.txt`). From elsewhere: the number of input images of
FLUX.2 is what Black Forest Labs states for its API; the price of Kontext [dev] is from a reseller's
list. The prices of FLUX 3 for `2k` and `4k` are not published.
"""

from typing import ClassVar

from kontext_cli.errors import Billed
from kontext_cli.http.call import Reply
from kontext_cli.providers.base import Variables
from kontext_cli.providers.dialects.fal_models import DEV, FLEX, FLUX_2, FLUX_3, KONTEXT
from kontext_cli.providers.dialects.fal_queue import FalQueue
from kontext_cli.providers.dialects.fal_storage import FalStorage
from kontext_cli.providers.options import (
    Endpoint,
    Price,
    image_list,
    one_image,
)

_ONE = one_image("image_url")
_SEVERAL = image_list("image_urls", least=2)
_UP_TO_8 = image_list("image_urls", most=8)
_UP_TO_10 = image_list("image_urls", most=10)
_PRO = "fal-ai/flux-pro/kontext"
_MAX = "fal-ai/flux-pro/kontext/max"
_BFL = "blackforestlabs/flux-3"


class Fal(FalQueue, FalStorage):
    """fal.ai through its queue, where a job survives a dropped connection."""

    name = "fal"
    home = "https://queue.fal.run"
    scheme = "Key"
    # fal's platform API: prices need a key (its page of `GET /v1/models/pricing`).
    probe_home = "https://api.fal.ai"
    probe_path = "/v1/models/pricing?endpoint_id=fal-ai%2Fflux-pro%2Fkontext"
    key_variables: ClassVar[Variables] = (("FAL_KEY",), ("FAL_KEY_ID", "FAL_KEY_SECRET"))
    trusted_hosts = frozenset({"queue.fal.run"})
    # Data URIs are known to fail somewhere between 3 and 10 MB; base64 adds a third.
    inline_bytes = 2_500_000
    streams = True
    endpoints = (
        Endpoint(f"{_PRO}/text-to-image", "kontext-pro", "generate", KONTEXT),
        Endpoint(f"{_MAX}/text-to-image", "kontext-max", "generate", KONTEXT),
        Endpoint(_PRO, "kontext-pro", "edit", KONTEXT, _ONE),
        Endpoint(_MAX, "kontext-max", "edit", KONTEXT, _ONE),
        Endpoint(f"{_PRO}/multi", "kontext-pro", "edit", KONTEXT, _SEVERAL),
        Endpoint(f"{_MAX}/multi", "kontext-max", "edit", KONTEXT, _SEVERAL),
        Endpoint("fal-ai/flux-kontext/dev", "kontext-dev", "edit", DEV, _ONE),
        Endpoint("fal-ai/flux-2-pro", "flux-2-pro", "generate", FLUX_2),
        Endpoint("fal-ai/flux-2-pro/edit", "flux-2-pro", "edit", FLUX_2, _UP_TO_8),
        Endpoint("fal-ai/flux-2-max", "flux-2-max", "generate", FLUX_2),
        Endpoint("fal-ai/flux-2-max/edit", "flux-2-max", "edit", FLUX_2, _UP_TO_8),
        Endpoint("fal-ai/flux-2-flex", "flux-2-flex", "generate", FLEX),
        Endpoint("fal-ai/flux-2-flex/edit", "flux-2-flex", "edit", FLEX, _UP_TO_8),
        Endpoint(f"{_BFL}/text-to-image", "flux-3", "generate", FLUX_3),
        Endpoint(f"{_BFL}/edit-image", "flux-3", "edit", FLUX_3, _UP_TO_10),
    )
    prices: ClassVar[tuple[Price, ...]] = (
        Price("kontext-pro", usd=0.04, dated="2026-11-21"),
        Price("kontext-max", usd=0.08, dated="2026-11-21"),
        Price("kontext-dev", usd=0.025, further=0.025, dated="2026-11-29"),
        Price("flux-2-pro", usd=0.03, further=0.015, inputs=0.015, dated="2026-11-29"),
        Price("flux-2-max", usd=0.07, further=0.03, inputs=0.03, dated="2026-11-29"),
        Price("flux-2-flex", usd=0.05, further=0.05, inputs=0.05, dated="2026-11-29"),
        Price("flux-3", usd=0.048, resolutions={"768sq": 0.041, "1k": 0.048}, dated="2026-11-29"),
    )

    @property
    def storage_url(self) -> str:
        """fal's own host for uploads, or the base URL where the user set another."""
        return "https://rest.fal.ai" if self.base_url == Fal.home else self.base_url

    @property
    def key_bases(self) -> tuple[str, ...]:
        return (self.base_url, self.storage_url)

    def billed(self, reply: Reply) -> Billed:
        """fal's documentation: a 5xx is not billed; a 422 may be, unless it says zero units."""
        free = reply.status >= 500 or reply.headers.get("x-fal-billable-units") == "0"
        return "no" if free else "maybe"


PROVIDER = Fal
