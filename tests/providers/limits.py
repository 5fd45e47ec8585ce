"""Options that several providers take with the same limits."""

from kontext_cli.providers.cases import Limit

PROMPT = Limit("prompt", "prompt", {"x": "x", "x" * 32_768: "x" * 32_768})
ASPECT_RATIO = Limit(
    "aspect_ratio",
    "aspect_ratio",
    {"21:9": "21:9", "9:21": "9:21"},
    {
        "5:7": "`--aspect-ratio 5:7` should be "
        "'21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16' or '9:21'"
    },
)
NUM_IMAGES = Limit(
    "num_images",
    "num_images",
    {1: 1, 4: 4},
    {0: "`--num-images` should be 1 to 4, not 0", 5: "`--num-images` should be 1 to 4, not 5"},
)
GUIDANCE_SCALE = Limit(
    "guidance_scale",
    "guidance_scale",
    {1.0: 1.0, 20.0: 20.0},
    {
        0.5: "`--guidance-scale` should be 1 to 20, not 0.5",
        20.5: "`--guidance-scale` should be 1 to 20, not 20.5",
    },
)
SAFETY_TOLERANCE = Limit(
    "safety_tolerance",
    "safety_tolerance",
    {1: "1", 6: "6"},
    {
        0: "`--safety-tolerance` should be 1 to 6, not 0",
        -1: "`--safety-tolerance` should be 1 to 6, not -1",
        7: "`--safety-tolerance` should be 1 to 6, not 7",
    },
)
OUTPUT_FORMAT = Limit(
    "output_format",
    "output_format",
    {"jpeg": "jpeg", "png": "png"},
    {"webp": "`--output-format webp` should be 'jpeg' or 'png'"},
)
