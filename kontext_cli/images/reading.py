"""Read image files, and say why one is no image, before the decoder is imported."""

import errno
from pathlib import Path
from stat import S_ISDIR, S_ISREG


class NotAnImage(Exception):
    """The bytes are not a complete image of an allowed format; ``reason`` continues "it is".

    ``kind`` is the reason without the ``excerpt`` of the bytes, for what others are to see.
    """

    def __init__(self, kind: str, excerpt: str = "") -> None:
        self.kind = kind
        self.reason = f"{kind}: `{excerpt}`" if excerpt else kind
        super().__init__(self.reason)


class OtherKind(NotAnImage):
    """The first bytes are those of another kind of file, complete or not."""


def read_regular(path: Path, *, most: int) -> bytes:
    """The bytes of a regular file; checked before it is opened, as opening a pipe can hang.

    Raises OSError, also for what is no file, and NotAnImage for more than ``most`` bytes.
    """
    kind = path.stat().st_mode
    if S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not S_ISREG(kind):
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise NotAnImage(f"larger than {most // 2**20} MiB")
    return data
