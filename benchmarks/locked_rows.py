"""Writes `cards.jsonl` with its lock, and an image in `images` for each row, without a provider.

`locked_rows.py ROWS BYTES`. The images are random bytes: `kontext check` decodes none.
"""

import os
import sys
from hashlib import sha256
from pathlib import Path

from kontext_cli.batch.locked_row import row_now
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.remembered import no_stdin, order_of, source_of
from kontext_cli.lock import Header, Lock, LockedFile, Places, lock_path, write_lock
from kontext_cli.settings.settings import Settings, known_provider

_PROMPTS = Path("cards.jsonl")
_DEFAULTS = {"operation": "generate", "provider": "fal", "model": "kontext-pro"}


def main(rows: int, size: int) -> None:
    """Write all of it into the working folder."""
    with _PROMPTS.open("w", encoding="utf-8") as file:
        for number in range(rows):
            prompt = f"a ship with the number {number} in the fog, seen from a tall window"
            file.write(f'{{"id": "card-{number:05}", "prompt": "{prompt}"}}\n')
    header, path = Header(_PROMPTS.name, "images", _DEFAULTS), lock_path(_PROMPTS)
    lock, settings, places = Lock(path, header, {}), Settings.load(os.environ), Places(path)
    source = source_of(lock, str(_PROMPTS))
    planner = Planner(
        order_of(lock, source),
        open_provider=lambda name: settings.open(known_provider(name)),
        stdin=no_stdin,
    )
    Path("images").mkdir()
    write_lock(
        path,
        header,
        [
            row_now(entry, places)._replace(seed=7, files=(_image(entry.row.others["id"], size),))
            for entry in planner.undecided(source)
        ],
    )


def _image(name: str, size: int) -> LockedFile:
    path, data = f"images/{name}.jpg", os.urandom(size)
    Path(path).write_bytes(data)
    return LockedFile(path, sha256(data).hexdigest(), size, 1024, 1024)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
