"""Fail-over: rows that one provider certainly did not accept go to their next one."""

from collections.abc import Callable, Mapping

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.errors import KontextError, TooManyFailures


class Failover:
    """Moves rows between the lanes of providers."""

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        notice: Callable[[str], None],
        *,
        stop: Callable[[KontextError], None],
    ) -> None:
        """``notice`` is called with each reason once, as it may concern every row; ``stop`` with
        the reason why a row has no provider any more."""
        self._lanes = lanes
        self._notice = notice
        self._stop = stop
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

    def close(self, lane: Lane, why: KontextError) -> None:
        """Close a lane, and pass on all rows that wait there. The batch stops if there is one that
        cannot be, or if what was asked for is wrong, which it would be elsewhere too."""
        lane.close()
        if isinstance(why, TooManyFailures):
            self._stop(why)
            return
        moved = [self.pass_on(entry, why) for entry in lane.take_makes()]
        if not (all(moved) and lane.passes_on):
            self._stop(why)

    def leave(self, lane: Lane, entry: Entry) -> None:
        """Pass on a row that was on its way when its lane closed; else the batch stops."""
        why = lane.stopped_by
        if not self.pass_on(entry, why) and why is not None:
            self._stop(why)

    def _notice_once(self, text: str) -> None:
        if text not in self._noticed:
            self._noticed.add(text)
            self._notice(text)
