"""The command that runs a batch again."""

import shlex

from kontext_cli.commands.flags import Flags
from kontext_cli.http.urls import abridged, is_url


def command_again(flags: Flags) -> str:
    """The command line of a batch, to run it again; jobs in flight are then waited for."""
    images = [image for image in flags.images if is_url(image)]
    typed = [each for each in flags.argv if each != "--no-wait"]
    if flags.no_wait and "no_wait" in flags.defaulted:
        typed.append("--wait")
    return shlex.join(["kontext", *(_unsigned(each, images) for each in typed)])


def _unsigned(argument: str, images: list[str]) -> str:
    """An argument as it was typed, but without the signature of an image's URL."""
    for image in images:
        if argument.endswith(image):
            return argument.removesuffix(image) + abridged(image)
    return argument
