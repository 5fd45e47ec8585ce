"""A landscape in layers: sky, sun or moon, ridges in mist, and now and then a lake."""

from dataclasses import dataclass
from random import Random

from PIL import Image

from kontext_cli.sandbox.drawing.palette import Palette
from kontext_cli.sandbox.drawing.ridges import Ridge, raise_ridge
from kontext_cli.sandbox.drawing.sky import drift_clouds, hang_sun, open_sky, sow_stars
from kontext_cli.sandbox.drawing.water import flood

_RIDGES = 6
_LAKES = 0.45
"""The share of images with a lake."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where things stand, in shares of the image's width and height."""

    skyline: float
    sun: tuple[float, float]
    sun_radius: float
    roughness: float
    shore: float | None


def paint(size: tuple[int, int], random: Random, palette: Palette) -> Image.Image:
    """A landscape of the given size in pixels; the same generator state gives the same one."""
    scene = _arrange(random)
    image = open_sky(size, palette, skyline=scene.skyline)
    if palette.mood.stars:
        sow_stars(image, random, palette, skyline=scene.skyline)
    hang_sun(image, palette, centre=scene.sun, radius=scene.sun_radius)
    drift_clouds(image, random, palette, skyline=scene.skyline)
    for ridge in _ridges(scene):
        raise_ridge(image, ridge, random, palette)
    if scene.shore is not None:
        flood(image, random, palette, shore=scene.shore, sun=scene.sun[0])
        raise_ridge(image, _bank(scene), random, palette)
    return image


def _arrange(random: Random) -> Scene:
    skyline = random.uniform(0.50, 0.60)
    aside = random.uniform(0.10, 0.28)
    return Scene(
        skyline=skyline,
        sun=(0.5 + random.choice((-aside, aside)), skyline - random.uniform(0.14, 0.26)),
        sun_radius=random.uniform(0.045, 0.085),
        roughness=random.uniform(0.45, 0.57),
        shore=random.uniform(0.71, 0.76) if random.random() < _LAKES else None,
    )


def _ridges(scene: Scene) -> list[Ridge]:
    """The ridges from far to near; with a lake, only those that stand beyond it."""
    ground = 0.97 if scene.shore is None else scene.shore
    count = _RIDGES if scene.shore is None else _RIDGES - 1
    return [
        Ridge(
            base=scene.skyline + (ground - scene.skyline) * (layer / (count - 1)) ** 1.2 * 0.94,
            swing=0.17 - 0.13 * layer / (count - 1),
            foot=1.0 if scene.shore is None else scene.shore,
            roughness=scene.roughness - 0.05 * layer / (count - 1),
            nearness=layer / (_RIDGES - 1),
            firs=_FIRS.get(count - 1 - layer, 0.0) * (1.0 if scene.shore is None else 0.6),
        )
        for layer in range(count)
    ]


_FIRS = {0: 0.085, 1: 0.05}
"""How tall the firs on the nearest and the next ridge are, as shares of the image's height."""


def _bank(scene: Scene) -> Ridge:
    return Ridge(
        base=0.975, swing=0.05, foot=1.0, roughness=scene.roughness, nearness=1.0, firs=0.10
    )
