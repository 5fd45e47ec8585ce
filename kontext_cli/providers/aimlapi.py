"""AIMLAPI: one call that blocks until the pictures exist.

Sources: its pages of `flux/kontext-pro` and `flux/kontext-max`, text-to-image and image-to-image;
key names from its SDK and from litellm; prices from litellm's table.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Progress
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint, ImageField, Option, Price, one_or_list
from kontext_cli.providers.results import read_result
from kontext_cli.sizes import ASPECT_RATIOS

_PATH = "/v1/images/generations"
_IMAGES = ImageField("image_url", least=1, most=4, encode=one_or_list)


class Aimlapi(Provider):
    """AIMLAPI. There is no queue: who hangs up loses the picture, and may be billed for it."""

    name = "aimlapi"
    home = "https://api.aimlapi.com"
    key_variables = (("AIML_API_KEY",), ("AIMLAPI_API_KEY",), ("AIMLAPI_KEY",))
    # Nothing is documented; its upstream is fal.
    inline_bytes = 2_500_000
    blocking = True
    # Each holds a connection that a paid picture hangs on; rate limits are not published.
    jobs = 4
    # AIMLAPI's error page: 403 is an account out of credits.
    credit_statuses = frozenset({402, 403})
    endpoints = (
        Endpoint("flux/kontext-pro/text-to-image", "kontext-pro", "generate"),
        Endpoint("flux/kontext-max/text-to-image", "kontext-max", "generate"),
        Endpoint("flux/kontext-pro/image-to-image", "kontext-pro", "edit", _IMAGES),
        Endpoint("flux/kontext-max/image-to-image", "kontext-max", "edit", _IMAGES),
    )
    options = (
        Option("prompt", longest=4_000),
        Option("aspect_ratio", choices=ASPECT_RATIOS),
        Option("num_images", least=1, most=4, default=1),
        Option("seed", least=1),
        Option("guidance_scale", least=1, most=20),
        Option("safety_tolerance", least=1, most=6, encode=str, default=2),
        Option("output_format", choices=("jpeg", "png"), default="jpeg"),
    )
    prices = (
        Price("kontext-pro", usd=0.052, dated="2026-11-21"),
        Price("kontext-max", usd=0.104, dated="2026-11-21"),
    )

    @staticmethod
    def normalised(base_url: str) -> str:
        """People paste the whole URL of the call; the base is what stands before its path."""
        return base_url.rstrip("/").removesuffix(_PATH).removesuffix("/v1")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        body = {"model": endpoint, **payload}
        return Call("submit", "POST", f"{self.base_url}{_PATH}", json=body)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:  # noqa: ARG002
        if not reply.object:
            raise UnexpectedReply(f"{self.name} accepted the job but its answer is not JSON")
        return read_result(self.name, reply)


PROVIDER = Aimlapi
