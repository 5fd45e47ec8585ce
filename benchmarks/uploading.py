"""Uploads images: `uploading.py ENDPOINT PREFIX IMAGES ours|bare` prints the seconds that it takes.

``ours``: each image is written to a part file, verified and published, as after a download.
``bare``: its bytes are put into the store. Both have as many threads as the program has.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

BUCKET = "pictures"


def main() -> None:
    """Upload the images."""
    endpoint, prefix, images, kind = sys.argv[1:]
    with TemporaryDirectory(prefix="kontext-bench-") as folder:
        upload = _ours(prefix, Path(folder)) if kind == "ours" else _bare(endpoint, prefix)
        upload("warm")
        began = time.monotonic()
        asyncio.run(_all(upload, int(images)))
        print(time.monotonic() - began)


async def _all(upload: Callable[[str], object], images: int) -> None:
    await asyncio.gather(*(asyncio.to_thread(upload, str(number)) for number in range(images)))


def _ours(prefix: str, folder: Path) -> Callable[[str], object]:
    from kontext_cli.files.part import PartFile
    from kontext_cli.files.place import ObjectPath
    from server import jpeg

    content, top = jpeg(), ObjectPath(f"s3://{BUCKET}/{prefix}")

    def upload(name: str) -> None:
        with PartFile.create(folder) as part:
            part.write(content)
            part.publish(part.verify(len(content)), top / f"{name}.jpg", overwrite=False)

    return upload


def _bare(endpoint: str, prefix: str) -> Callable[[str], object]:
    import obstore
    from obstore.store import from_url

    from server import jpeg

    store: Any = from_url(
        f"s3://{BUCKET}",
        endpoint=endpoint,
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True},
    )
    put = partial(obstore.put, store, mode="create", use_multipart=False)
    content = jpeg()
    return lambda name: put(f"{prefix}/{name}.jpg", content)


if __name__ == "__main__":
    main()
