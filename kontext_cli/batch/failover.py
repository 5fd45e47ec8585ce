"""Fail-over: rows that one provider certainly did not accept go to their next one."""

from collections.abc import Callable, Mapping

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.errors import KontextError


class Failover:
    """Moves rows between the lanes of providers."""

    def __init__(self, lanes: Mapping[str, Lane], notice: Callable[[str], None]) -> None:
        """``notice`` is called with each reason once, as it may concern every row."""
        self._lanes = lanes
        self._notice = notice
        self._noticed: set[str] = set()
        self.ended = False
        """Once true, no row is passed on: the batch stops."""

    def pass_on(self, entry: Entry, why: KontextError | None = None) -> bool:
        """Queue a row at its next provider that is open; False if there is none."""
        _, *others = entry.shared.chain
        for then in () if self.ended else others:
            name = then.provider.name
            if not self._lanes[name].closed:
                if why is not None:
                    self._notice_once(f"{why.message}; trying {name}")
                entry.pass_on(then)
                self._lanes[name].requeue(entry)
                return True
        return False

    def empty(self, lane: Lane, why: KontextError) -> bool:
        """Pass on all rows that wait at a closed lane; False if there is one that cannot be."""
        moved = [self.pass_on(entry, why) for entry in lane.take_makes()]
        return all(moved) and lane.passes_on

    def _notice_once(self, text: str) -> None:
        if text not in self._noticed:
            self._noticed.add(text)
            self._notice(text)
