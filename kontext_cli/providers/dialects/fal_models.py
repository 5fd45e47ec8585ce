"""What the models at fal take, there and behind gateways.

Sources: fal's pages of each model (`llms.txt`), and the generated types of its JavaScript client
1.10.1, which have no ranges. Those of FLUX.2 [flex] are Black Forest Labs', those of Kontext [dev]
are of fal's Kontext LoRA. FLUX 3 is as three readers of fal's OpenAPI wrote it down in October
2026.
"""

from kontext_cli.providers.options import Option, as_opposite, as_size
from kontext_cli.sizes import ASPECT_RATIOS

_PROMPT = Option("prompt")
_SEED = Option("seed", least=0)
_NUM_IMAGES = Option("num_images", least=1, most=4, default=1)
_FORMAT = Option("output_format", choices=("jpeg", "png"), default="jpeg")
_ENHANCE = Option("enhance_prompt", default=False)
_INLINE = Option("sync_mode", default=False)
_CHECKER = Option("no_safety_checker", "enable_safety_checker", encode=as_opposite, default=False)

KONTEXT = (
    _PROMPT,
    Option("aspect_ratio", choices=ASPECT_RATIOS),
    _NUM_IMAGES,
    _SEED,
    Option("guidance_scale", least=1, most=20, default=3.5),
    Option("safety_tolerance", least=1, most=6, encode=str, default=2),
    _FORMAT,
    _ENHANCE,
    _INLINE,
)
DEV = (
    _PROMPT,
    Option("aspect_ratio", "resolution_mode", choices=ASPECT_RATIOS),
    _NUM_IMAGES,
    _SEED,
    Option("guidance_scale", least=1, most=20, default=2.5),
    _CHECKER,
    Option("steps", "num_inference_steps", least=10, most=50, default=28),
    _FORMAT,
    _ENHANCE,
    _INLINE,
)
FLUX_2 = (
    _PROMPT,
    Option("aspect_ratio", "image_size", choices=ASPECT_RATIOS, encode=as_size),
    _SEED,
    Option("safety_tolerance", least=1, most=5, encode=str, default=2),
    _CHECKER,
    _FORMAT,
    _INLINE,
)
FLEX = (
    *FLUX_2,
    Option("guidance_scale", least=1.5, most=10, default=3.5),
    Option("steps", "num_inference_steps", least=1, most=50, default=28),
)
FLUX_3 = (
    _PROMPT,
    Option("aspect_ratio", choices=tuple(row for row in ASPECT_RATIOS if row != "9:21")),
    Option("resolution", choices=("768sq", "1k", "2k", "4k"), default="1k"),
    Option("safety_tolerance", least=0, most=4, default=2),
    _FORMAT,
    Option("enhance_prompt", "enable_prompt_expansion", default=False),
    _INLINE,
)
