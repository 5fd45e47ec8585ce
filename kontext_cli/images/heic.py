"""Decodes a HEIC file in a process of its own: `python heic.py MOST_PIXELS MOST_SIDE < in > out`.

libheif and libde265 can crash on a damaged file, and a crash must not end a run that has paid
jobs. Imports nothing of ours, so that it runs wherever it lies.
"""

import io
import json
import sys
from contextlib import suppress

NO_DECODER = 3
"""Exit code where pi-heif cannot be imported."""
_MOST_MEMORY = 4 * 2**30


def main(most_pixels: int, most_side: int) -> int:
    """Write a line of JSON, the colour profile and the pixels of the image on standard input.

    The line has the ``mode`` and ``size`` of the image, how many bytes its ``profile`` takes, and
    whether the image is ``whole``: one of more than the given pixels is not decoded.
    """
    _limit_memory()
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        return NO_DECODER
    image = HeifImageFile(io.BytesIO(sys.stdin.buffer.read()))
    width, height = image.size
    whole = 0 < width * height <= most_pixels and max(width, height) <= most_side
    profile = image.info.get("icc_profile") or b"" if whole else b""
    pixels = image.tobytes() if whole else b""
    head = {"mode": image.mode, "size": image.size, "profile": len(profile), "whole": whole}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + profile + pixels)
    return 0


def _limit_memory() -> None:
    """What a file says of its size is checked, but not what the data within it come to."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY or most > _MOST_MEMORY:
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, most))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
