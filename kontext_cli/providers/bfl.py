"""Black Forest Labs, who make the models.

Sources: the page of each endpoint, of errors and of prices on docs.bfl.ai, its client `blackforest`
and its skills repository (limits of active tasks); that Kontext takes a tolerance of 0 to 2 with an
input image is from the pages of those who resell it. FLUX.2 is asked for sizes in pixels. The
prices of FLUX 3 for `1.5k`, `2k` and `4k` were not found.
"""

from kontext_cli.providers.dialects.bfl_tasks import BflTasks, base64_list, numbered
from kontext_cli.providers.options import (
    SIZE,
    Endpoint,
    ImageField,
    Option,
    Price,
    as_opposite,
    as_size,
)
from kontext_cli.sizes import ASPECT_RATIOS

_PRO = "v1/flux-kontext-pro"
_MAX = "v1/flux-kontext-max"
_COMMON = (
    Option("prompt"),
    Option("seed", least=0),
    Option("output_format", choices=("jpeg", "png")),
)
_KONTEXT = (
    *_COMMON,
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("enhance_prompt", "prompt_upsampling", default=False),
)
_GENERATE = (*_KONTEXT, Option("safety_tolerance", least=0, most=6, default=2))
_EDIT = (*_KONTEXT, Option("safety_tolerance", least=0, most=2, default=2))
_FLUX_2 = (
    *_COMMON,
    Option("aspect_ratio", SIZE, choices=ASPECT_RATIOS, encode=as_size),
    Option("safety_tolerance", least=0, most=5, default=2),
)
_FLUX_2_PRO = (*_FLUX_2, Option("enhance_prompt", "disable_pup", encode=as_opposite, default=True))
_FLUX_2_FLEX = (
    *_FLUX_2,
    Option("enhance_prompt", "prompt_upsampling", default=True),
    Option("guidance_scale", "guidance", least=1.5, most=10, default=5),
    Option("steps", least=1, most=50, default=50),
)
# Neither a seed nor a format: its schema refuses what it does not know.
_FLUX_3 = (
    Option("prompt"),
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("resolution", choices=("768sq", "1k", "1.5k", "2k", "4k"), default="1k"),
    Option("safety_tolerance", least=0, most=4, default=2),
)
_FOUR = ImageField(1, 4, numbered)
_EIGHT = ImageField(1, 8, numbered)
_TEN = ImageField(1, 10, base64_list)


class Bfl(BflTasks):
    """Black Forest Labs itself: a queue, whose images can be downloaded for ten minutes."""

    name = "bfl"
    home = "https://api.bfl.ai"
    regions = "https://*.bfl.ai"
    key_variables = (("BFL_API_KEY",),)
    probe_path = "/v1/credits"
    # 20 MB an image, counted in base64.
    inline_bytes = 15_000_000
    # So many tasks may be active for kontext-max; 24 for the others.
    jobs = 6
    endpoints = (
        Endpoint(_PRO, "kontext-pro", "generate", _GENERATE),
        Endpoint(_MAX, "kontext-max", "generate", _GENERATE),
        Endpoint(_PRO, "kontext-pro", "edit", _EDIT, _FOUR),
        Endpoint(_MAX, "kontext-max", "edit", _EDIT, _FOUR),
        Endpoint("v1/flux-2-pro", "flux-2-pro", "generate", _FLUX_2_PRO),
        Endpoint("v1/flux-2-max", "flux-2-max", "generate", _FLUX_2_PRO),
        Endpoint("v1/flux-2-flex", "flux-2-flex", "generate", _FLUX_2_FLEX),
        Endpoint("v1/flux-2-pro", "flux-2-pro", "edit", _FLUX_2_PRO, _EIGHT),
        Endpoint("v1/flux-2-max", "flux-2-max", "edit", _FLUX_2_PRO, _EIGHT),
        Endpoint("v1/flux-2-flex", "flux-2-flex", "edit", _FLUX_2_FLEX, _EIGHT),
        Endpoint("v1/flux-3-image", "flux-3", "generate", _FLUX_3, format="png"),
        Endpoint("v1/flux-3-image", "flux-3", "edit", _FLUX_3, _TEN, format="png"),
    )
    prices = (
        Price("kontext-pro", usd=0.04, dated="2026-11-28"),
        Price("kontext-max", usd=0.08, dated="2026-11-28"),
        Price("flux-2-pro", usd=0.03, further=0.015, inputs=0.015, dated="2026-11-28"),
        Price("flux-2-max", usd=0.07, further=0.03, inputs=0.03, dated="2026-11-28"),
        Price("flux-2-flex", usd=0.05, further=0.05, inputs=0.05, dated="2026-11-28"),
        Price("flux-3", usd=0.048, resolutions={"768sq": 0.041, "1k": 0.048}, dated="2026-11-28"),
    )


PROVIDER = Bfl
