"""The rows of a prompts file, and the mistakes in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kontext_cli.prompts.keys import Pair, checked, shown


@dataclass(frozen=True, slots=True)
class Row:
    """One wish of a prompts file.

    ``line`` is where it begins and ``index`` its place among all rows of the file, both from 1.
    ``values`` has what the row says and no more; `images` is a tuple of texts as written.
    """

    line: int
    index: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one line of a prompts file, counted from 1."""

    line: int
    text: str


class Rows:
    """The rows read so far, the good ones and the number of all, and the ids they have taken."""

    def __init__(self) -> None:
        self.good: list[Row] = []
        self.mistakes: list[Mistake] = []
        self._count = 0
        self._ids: dict[str, int] = {}

    def add(self, line: int, pairs: Iterable[Pair]) -> None:
        """A row that says ``pairs``: kept if all of it is right."""
        values, wrong = checked(pairs)
        if "id" in values and (first := self._ids.setdefault(values["id"], line)) != line:
            wrong.append(f"the id `{shown(values['id'])}` is that of line {first} already")
        if wrong:
            self.refuse(line, *wrong)
        else:
            self._count += 1
            self.good.append(Row(line, self._count, values))

    def refuse(self, line: int, *wrong: str) -> None:
        """A row that cannot be used, and why."""
        self._count += 1
        self.mistakes.extend(Mistake(line, text) for text in wrong)
