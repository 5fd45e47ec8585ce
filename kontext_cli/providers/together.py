"""Together AI: one call that blocks until the images exist.

Sources: its pages on image models, reference images and parameters, its API reference, and the
types of its Python client 3.1.1. Of the words for `aspect_ratio` they print five: the others are
Kontext's own. The number of reference images is what Black Forest Labs states for FLUX.2. Its
wording of moderation and of an empty account is not documented: both are recognised as everywhere
else. It lists no FLUX 3, and its documentation has no prices.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Progress
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import (
    SIZE,
    Endpoint,
    Option,
    as_size,
    image_list,
    one_image,
    with_sides,
)
from kontext_cli.providers.results import read_result
from kontext_cli.sizes import ASPECT_RATIOS

_PATH = "/v1/images/generations"
_BFL = "black-forest-labs"
_PROMPT = Option("prompt")
_N = Option("num_images", "n", least=1, most=4, default=1)
_SEED = Option("seed", least=0)
_GUIDANCE = Option("guidance_scale", least=0, most=20, default=3.5)  # no limits are documented
_STEPS = Option("steps", least=1, most=50)
_FORMAT = Option("output_format", choices=("jpeg", "png"), default="jpeg")
_COMMON = (_PROMPT, _N, _SEED, _FORMAT)
_RATIO = Option("aspect_ratio", choices=ASPECT_RATIOS)
_SIZE = Option("aspect_ratio", SIZE, choices=ASPECT_RATIOS, encode=as_size)
_KONTEXT = (*_COMMON, _RATIO, _GUIDANCE)
DEV = (*_KONTEXT, _STEPS, Option("no_safety_checker", "disable_safety_checker", default=False))
_FLUX_2 = (*_COMMON, _SIZE)
_FLEX = (*_FLUX_2, _GUIDANCE, _STEPS)
_ONE = one_image("image_url")
_REFERENCES = image_list("reference_images", most=8)


class Together(Provider):
    """Together AI. There is no queue: if the connection drops, the image is lost, and may be
    billed.

    Images come in the answer itself, as its pages advise for files: it saves a second request, and
    how long its links live is not documented. The answer is larger by a third of the images.
    """

    name = "together"
    home = "https://api.together.ai"
    key_variables = (("TOGETHER_API_KEY",),)
    probe_path = "/v1/models"
    inline_bytes = 2_500_000  # nothing is documented
    blocking = True
    jobs = 4
    endpoints = (
        Endpoint(f"{_BFL}/FLUX.1-kontext-pro", "kontext-pro", "generate", _KONTEXT),
        Endpoint(f"{_BFL}/FLUX.1-kontext-pro", "kontext-pro", "edit", _KONTEXT, _ONE),
        Endpoint(f"{_BFL}/FLUX.1-kontext-max", "kontext-max", "generate", _KONTEXT),
        Endpoint(f"{_BFL}/FLUX.1-kontext-max", "kontext-max", "edit", _KONTEXT, _ONE),
        Endpoint(f"{_BFL}/FLUX.1-kontext-dev", "kontext-dev", "edit", DEV, _ONE),
        Endpoint(f"{_BFL}/FLUX.2-pro", "flux-2-pro", "generate", _FLUX_2),
        Endpoint(f"{_BFL}/FLUX.2-pro", "flux-2-pro", "edit", _FLUX_2, _REFERENCES),
        Endpoint(f"{_BFL}/FLUX.2-max", "flux-2-max", "generate", _FLUX_2),
        Endpoint(f"{_BFL}/FLUX.2-max", "flux-2-max", "edit", _FLUX_2, _REFERENCES),
        Endpoint(f"{_BFL}/FLUX.2-flex", "flux-2-flex", "generate", _FLEX),
        Endpoint(f"{_BFL}/FLUX.2-flex", "flux-2-flex", "edit", _FLEX, _REFERENCES),
    )

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base of a URL that was pasted with the path of the call, or with its version."""
        return base_url.rstrip("/").removesuffix(_PATH).removesuffix("/v1")

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        body = {"model": endpoint, **with_sides(payload), "response_format": "base64"}
        return Call("submit", "POST", f"{self.base_url}{_PATH}", json=body)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        if not reply.object:
            raise UnexpectedReply(f"{self.name} accepted the job but its answer is not JSON")
        return read_result(self.name, reply.object)


PROVIDER = Together
