"""Which rows belong to a run: `--only`, `--shard` and `--limit`."""

import hashlib
import re
from collections.abc import Sequence
from difflib import get_close_matches

from kontext_cli.errors import UsageError
from kontext_cli.prompts import Row


class Part:
    """Selects rows: those of `--only`, of one shard, up to a limit."""

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        only: str | None = None,
        shard: str | None = None,
        limit: int | None = None,
    ) -> None:
        """Raises UsageError for an unknown row or an invalid shard."""
        self._only = None if only is None else _named(only, rows)
        self._shard = None if shard is None else parse_shard(shard)
        self._left = limit
        self._left_of_only = None if self._only is None else len(self._only)

    @property
    def is_over(self) -> bool:
        """Whether no more rows are selected."""
        return self._left == 0 or self._left_of_only == 0

    def may_take(self, row: Row, key: str) -> bool:
        """Whether a row with this key is selected, as long as the run is not over."""
        is_named = self._only is None or row.index in self._only
        return is_named and (self._shard is None or in_shard(key, *self._shard))

    def takes(self, row: Row, key: str) -> bool:
        """Whether a row with this key is selected; to be called once per row, in order."""
        if self.is_over:
            return False
        if self._only is not None and self._left_of_only is not None:
            if row.index not in self._only:
                return False
            self._left_of_only -= 1
        if self._shard is not None and not in_shard(key, *self._shard):
            return False
        if self._left is not None:
            self._left -= 1
        return True


def in_shard(key: str, shard: int, shards: int) -> bool:
    """Whether a row belongs to shard ``shard`` of ``shards``, counted from 1.

    It depends only on the row's key, so that inserting a row moves no other.
    """
    mark = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8])
    return mark % shards == shard - 1


def parse_shard(given: str) -> tuple[int, int]:
    """Read `I/N`. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", given)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard should be I/N with I from 1 to N, auto or auto/N, not `{given}`")
    return int(found[1]), int(found[2])


def _named(only: str, rows: Sequence[Row]) -> set[int]:
    """The indexes of rows given by id, or else by number."""
    by_name = {str(row.index): row.index for row in rows}
    by_name |= {row.others["id"]: row.index for row in rows if "id" in row.others}
    chosen = set()
    for name in filter(None, (each.strip() for each in only.split(","))):
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            raise UsageError(
                f"--only: there is no row `{name}`",
                hint=f"did you mean `{near[0]}`?" if near else "give rows by id or number",
            )
        chosen.add(by_name[name])
    return chosen
