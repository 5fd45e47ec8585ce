"""What a prompt asks of an edit: the words that the sandbox knows, each with what it does."""

import re
from collections.abc import Callable
from functools import partial
from random import Random

from PIL import Image, ImageColor

from kontext_cli.sandbox.drawing import framing, styles, subject, toning, weather

Edit = Callable[[Image.Image, Random], Image.Image]

_COLOURS = {
    "red": "#d3202a", "orange": "#f07d14", "yellow": "#f3cd1c", "green": "#2f9e3f",
    "teal": "#128c8c", "turquoise": "#2cc5bd", "cyan": "#18bfe0", "blue": "#2459d8",
    "navy": "#1a2d66", "purple": "#7a35b8", "violet": "#7c4ddb", "magenta": "#d81e9c",
    "pink": "#f27fb2", "brown": "#7d4e28", "gold": "#d9a520", "golden": "#d9a520",
    "silver": "#b4bac2", "white": "#f6f6f4", "black": "#18181c", "grey": "#84888e",
    "gray": "#84888e",
}  # fmt: skip
_ALTERNATIVES = "|".join(_COLOURS)
# In the order in which they are applied.
_EDITS: tuple[tuple[str, Edit], ...] = (
    (r"upside[ -]?down", framing.upside_down),
    (r"flip(ped)?( \w+){0,3} vertical(ly)?|vertical flip", framing.flipped),
    (r"mirror(ed)?|flip(ped)?|flop", framing.mirrored),
    (r"crop(ped)?|zoom(ed|ing)?( in)?(?! out)|close[ -]?up|closer|enlarge", framing.closer),
    (r"blur(red|ry)?( \w+){0,2} background|bokeh|background blur(red|ry)?|portrait mode"
     r"|(shallow )?depth of field", subject.blurred_background),
    (r"spring|blossoms?|springtime|cherry blossoms?", weather.spring),
    (r"summer|summery|sunny|summertime", weather.summer),
    (r"autumn|autumnal|fall (colou?rs|leaves|foliage)|in (the )?fall", weather.autumn),
    (r"winter|wintry|snow|snowy|snowing|snowfall|snow-?covered|christmas|blizzard|frozen",
     weather.winter),
    (r"thunder(storm)?|storm|stormy|lightning", weather.storm),
    (r"rain|rainy|raining|drizzle|downpour", weather.rain),
    (r"fog|foggy|mist|misty|haze|hazy", weather.fog),
    (r"sunset|dusk|golden hour|evening", weather.sunset),
    (r"sunrise|dawn|morning", weather.sunrise),
    (r"night|nighttime|night-time|midnight|moonlight|moonlit|starry|at night", weather.night),
    (rf"bright(er|en)?(?! ({_ALTERNATIVES}))|lighter|lighten|daylight", toning.brighter),
    (rf"dark(er|en)?(?! ({_ALTERNATIVES}))|dim(mer)?|gloomy", toning.darker),
    (r"warm(er)?", toning.warmer),
    (r"cold(er)?|cool(er)?|icy", toning.colder),
    (r"vivid|vibrant|colou?rful|saturated?|more (colou?r|contrast)|hdr", toning.vivid),
    (r"neon|cyberpunk|synthwave|vaporwave", toning.neon),
    (r"oil[ -]?paint(ing|ed)?|impressionis[tm]|van gogh|monet|painting|on canvas",
     styles.oil_painting),
    (r"water-?colou?rs?", styles.watercolour),
    (r"cartoon|comic( book)?|anime|manga|ghibli|cel[ -]shaded", styles.cartoon),
    (r"pixel(s|ate|ated)?([ -]art)?|8[ -]?bit|16[ -]?bit", styles.pixel_art),
    (r"sketch|pencil( (sketch|drawing))?|drawing|charcoal|line art", styles.sketch),
    (r"black[ -](and|&)[ -]white|b&w|bw|monochrome|gr[ea]y-?scale|noir"
     r"|(remove|without|no)( the| any| all)? colou?rs?|desaturated?", toning.black_and_white),
    (r"sepia|vintage|retro|old[ -](photo|photograph|picture|image|print|postcard)"
     r"|nostalgic|antique", toning.sepia),
)  # fmt: skip
_NEW_BACKGROUND = (
    r"(remove|replace|change|swap|cut out|erase|delete|drop|without|no|new|different|another"
    r"|plain|transparent|{colours})( \w+){{0,3}} background|background (removed|replaced|swapped)"
    r"|background( \w+){{0,3}} (?={colours})"
)
_NOT = (
    r"\b(no|not|without|remove|delete|erase|lose|stop|melt|less)( the| any| all| its)? (?P<it>{})\b"
)
_BACKGROUND = re.compile(rf"\b({_NEW_BACKGROUND.format(colours=_ALTERNATIVES)})")
_COLOUR = re.compile(rf"\b({_ALTERNATIVES})\b")


def apply(image: Image.Image, prompt: str, random: Random) -> Image.Image:
    """The image with every edit that a word of the prompt names; with a mild one if none does."""
    edits = _named(" ".join(prompt.casefold().split())) or [toning.grade]
    image = toning.vary(image, random)
    for edit in edits:
        image = edit(image, random)
    return image


def _named(text: str) -> list[Edit]:
    edits: list[Edit] = []
    for pattern, edit in _EDITS:
        wanted = re.sub(_NOT.format(pattern), " ", text)
        left = re.sub(rf"\b({pattern})\b", "·", wanted)
        if left != wanted:
            edits.append(edit)
        text = left
    return _of_colours(text) + edits


def _of_colours(text: str) -> list[Edit]:
    """What is left of a text names colours: of a new background, or of what is in the middle."""
    match = _COLOUR.search(text)
    colour = ImageColor.getrgb(_COLOURS[match[1]])[:3] if match else None
    if _BACKGROUND.search(text):
        return [partial(subject.new_background, colour=colour)]
    return [lambda image, _: subject.recoloured(image, colour)] if colour else []
