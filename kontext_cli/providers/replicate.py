"""Replicate: a queue whose results are deleted after an hour.

Sources: its HTTP reference and the API pages of its models. These do not print the words that
`aspect_ratio` takes, nor all limits of FLUX.2 flex: they are from copies of the models' schemas.
The prices of FLUX.2 are as two other programs quote its pages; of FLUX 3 none was found.
"""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Part, Reply
from kontext_cli.providers.base import Place, Storage, neutral_name
from kontext_cli.providers.dialects.predictions import Predictions
from kontext_cli.providers.failure import failure
from kontext_cli.providers.options import Endpoint, Option, Price, image_list, one_image
from kontext_cli.sizes import ASPECT_RATIOS

_BFL = "black-forest-labs"
_FLUX_2_RATIOS = tuple(ratio for ratio in ASPECT_RATIOS if ratio not in ("21:9", "9:21"))


def _format(name: str) -> str:
    return "jpg" if name == "jpeg" else name


def _tolerance(most: int, least: int = 0) -> Option:
    return Option("safety_tolerance", least=least, most=most, default=2)


_PROMPT = Option("prompt")
_SEED = Option("seed", least=0)
_RATIO = Option("aspect_ratio", choices=ASPECT_RATIOS)
_FORMAT = Option("output_format", choices=("jpeg", "png"), encode=_format)
_ENHANCE = Option("enhance_prompt", "prompt_upsampling", default=False)
_MAKE = (_PROMPT, _RATIO, _SEED, _FORMAT, _ENHANCE, _tolerance(6))
_EDIT = (*_MAKE[:-1], _tolerance(2))
_DEV = (
    *(_PROMPT, _RATIO, _SEED, _FORMAT),
    Option("guidance_scale", "guidance", least=0, most=10, default=2.5),
    Option("steps", "num_inference_steps", least=4, most=50, default=30),
    Option("no_safety_checker", "disable_safety_checker", default=False),
)
_FLUX_2 = (
    *(_PROMPT, Option("aspect_ratio", choices=_FLUX_2_RATIOS), _SEED, _FORMAT),
    _tolerance(5, least=1),
)
_FLEX = (
    *_FLUX_2,
    Option("enhance_prompt", "prompt_upsampling", default=True),
    Option("guidance_scale", "guidance", least=1.5, most=10, default=4.5),
    Option("steps", "steps", least=1, most=50, default=30),
)
_FLUX_3 = (
    *(_PROMPT, _RATIO, _FORMAT, _tolerance(4)),
    Option("resolution", choices=("768sq", "1k", "1.5k", "2k", "4k"), default="1k"),
)
_IMAGE = one_image("input_image")
_UP_TO_8, _UP_TO_10 = (image_list("input_images", most=most) for most in (8, 10))
_FLUX_3_IMAGES = image_list("images", most=10)


def _both(edit: Endpoint, generate: tuple[Option, ...] = ()) -> tuple[Endpoint, Endpoint]:
    """The rows of a model that makes images without any input as well, perhaps by other limits."""
    options = generate or edit.options
    return edit._replace(operation="generate", options=options, images=None), edit


class Replicate(Predictions, Storage):
    """Replicate. Images above 256 kB go through its files, which it deletes by itself."""

    name = "replicate"
    home = "https://api.replicate.com"
    key_variables = (("REPLICATE_API_TOKEN",),)
    probe_path = "/v1/account"
    inline_bytes = 256_000
    endpoints = (
        *_both(Endpoint(f"{_BFL}/flux-kontext-pro", "kontext-pro", "edit", _EDIT, _IMAGE), _MAKE),
        *_both(Endpoint(f"{_BFL}/flux-kontext-max", "kontext-max", "edit", _EDIT, _IMAGE), _MAKE),
        Endpoint(f"{_BFL}/flux-kontext-dev", "kontext-dev", "edit", _DEV, _IMAGE),
        *_both(Endpoint(f"{_BFL}/flux-2-pro", "flux-2-pro", "edit", _FLUX_2, _UP_TO_8)),
        *_both(Endpoint(f"{_BFL}/flux-2-max", "flux-2-max", "edit", _FLUX_2, _UP_TO_8)),
        *_both(Endpoint(f"{_BFL}/flux-2-flex", "flux-2-flex", "edit", _FLEX, _UP_TO_10)),
        *_both(Endpoint(f"{_BFL}/flux-3-image", "flux-3", "edit", _FLUX_3, _FLUX_3_IMAGES)),
    )
    # An image of FLUX.2 is of one megapixel: there is no word of ours for its other resolutions.
    prices = (
        Price("kontext-pro", usd=0.04, dated="2026-11-28"),
        Price("kontext-max", usd=0.08, dated="2026-11-28"),
        Price("kontext-dev", usd=0.025, dated="2026-11-28"),
        Price("flux-2-pro", usd=0.03, inputs=0.015, dated="2026-11-28"),
        Price("flux-2-max", usd=0.07, inputs=0.03, dated="2026-11-28"),
        Price("flux-2-flex", usd=0.06, inputs=0.06, dated="2026-11-28"),
    )

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        """The submit; FLUX.2 would make a square image of any input where no ratio is sent."""
        if "input_images" in payload:
            payload = {"aspect_ratio": "match_input_image", **payload}
        return super().submit(endpoint, payload)

    def upload(self, content: bytes, media_type: str) -> Call:
        """The call that stores an image at once, under a neutral file name."""
        part = Part("content", content, neutral_name(media_type), media_type)
        return Call("upload", "POST", f"{self.base_url}/v1/files", parts=(part,))

    def stored(self, reply: Reply) -> Place:
        """Read the answer: the URL that a prediction takes for the file."""
        if not reply.ok:
            raise failure(self, reply, submitted=False)
        urls = reply.object.get("urls")
        url = urls.get("get") if isinstance(urls, dict) else None
        if not isinstance(url, str) or not url:
            raise UnexpectedReply(f"{self.name} named no place for the input image")
        return Place(url)


PROVIDER = Replicate
