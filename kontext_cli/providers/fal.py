"""fal.ai: a queue with position and logs.

Sources: fal's page of `flux-pro/kontext/text-to-image` and the generated types of its JavaScript
client for the edit endpoints; prices from its model pages.
"""

from typing import ClassVar

from kontext_cli.errors import Billed
from kontext_cli.http.call import Reply
from kontext_cli.providers.base import Variables
from kontext_cli.providers.dialects.fal_queue import FalQueue
from kontext_cli.providers.dialects.fal_storage import FalStorage
from kontext_cli.providers.options import (
    Endpoint,
    Option,
    Price,
    image_list,
    one_image,
)
from kontext_cli.sizes import ASPECT_RATIOS

_ONE = one_image("image_url")
_SEVERAL = image_list("image_urls", least=2)
_PRO = "fal-ai/flux-pro/kontext"
_MAX = "fal-ai/flux-pro/kontext/max"
_OPTIONS = (
    Option("prompt"),
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("num_images", least=1, most=4, default=1),
    Option("seed", least=0),
    Option("guidance_scale", least=1, most=20, default=3.5),
    Option("safety_tolerance", least=1, most=6, encode=str, default=2),
    Option("output_format", choices=("jpeg", "png"), default="jpeg"),
    Option("enhance_prompt", default=False),
    Option("sync_mode", default=False),
)


class Fal(FalQueue, FalStorage):
    """fal.ai through its queue, where a job survives a dropped connection."""

    name = "fal"
    home = "https://queue.fal.run"
    scheme = "Key"
    key_variables: ClassVar[Variables] = (("FAL_KEY",), ("FAL_KEY_ID", "FAL_KEY_SECRET"))
    trusted_hosts = frozenset({"queue.fal.run"})
    # Data URIs are known to fail somewhere between 3 and 10 MB; base64 adds a third.
    inline_bytes = 2_500_000
    streams = True
    endpoints = (
        Endpoint(f"{_PRO}/text-to-image", "kontext-pro", "generate", _OPTIONS),
        Endpoint(f"{_MAX}/text-to-image", "kontext-max", "generate", _OPTIONS),
        Endpoint(_PRO, "kontext-pro", "edit", _OPTIONS, _ONE),
        Endpoint(_MAX, "kontext-max", "edit", _OPTIONS, _ONE),
        Endpoint(f"{_PRO}/multi", "kontext-pro", "edit", _OPTIONS, _SEVERAL),
        Endpoint(f"{_MAX}/multi", "kontext-max", "edit", _OPTIONS, _SEVERAL),
    )
    prices = (
        Price("kontext-pro", usd=0.04, dated="2026-11-21"),
        Price("kontext-max", usd=0.08, dated="2026-11-21"),
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
