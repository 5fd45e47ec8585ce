"""Black Forest Labs, who make the models.

Sources: the page of each endpoint, of errors and of prices on docs.bfl.ai, its client `blackforest`
and its skills repository (limits of active tasks); that Kontext takes a tolerance of 0 to 2 with an
input image is from the pages of those who resell it.
"""

from kontext_cli.providers.dialects.bfl_tasks import BflTasks, numbered
from kontext_cli.providers.options import Endpoint, ImageField, Option, Price
from kontext_cli.sizes import ASPECT_RATIOS

_PRO = "v1/flux-kontext-pro"
_MAX = "v1/flux-kontext-max"
_COMMON = (
    Option("prompt"),
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    Option("seed", least=0),
    Option("output_format", choices=("jpeg", "png")),
    Option("enhance_prompt", "prompt_upsampling", default=False),
)
_GENERATE = (*_COMMON, Option("safety_tolerance", least=0, most=6, default=2))
_EDIT = (*_COMMON, Option("safety_tolerance", least=0, most=2, default=2))
_FOUR = ImageField(1, 4, numbered)


class Bfl(BflTasks):
    """Black Forest Labs itself: a queue, whose images can be downloaded for ten minutes."""

    name = "bfl"
    home = "https://api.bfl.ai"
    regions = "https://*.bfl.ai"
    key_variables = (("BFL_API_KEY",),)
    # 20 MB an image, counted in base64.
    inline_bytes = 15_000_000
    # So many tasks may be active for kontext-max; 24 for the others.
    jobs = 6
    endpoints = (
        Endpoint(_PRO, "kontext-pro", "generate", _GENERATE),
        Endpoint(_MAX, "kontext-max", "generate", _GENERATE),
        Endpoint(_PRO, "kontext-pro", "edit", _EDIT, _FOUR),
        Endpoint(_MAX, "kontext-max", "edit", _EDIT, _FOUR),
    )
    prices = (
        Price("kontext-pro", usd=0.04, dated="2026-11-28"),
        Price("kontext-max", usd=0.08, dated="2026-11-28"),
    )


PROVIDER = Bfl
