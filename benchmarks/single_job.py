"""One job by each client: what it adds to the provider's time, how it asks, how it downloads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from clients import (
    BARE,
    BARE_PYTHON,
    CURL,
    LATENCY,
    OFFICIAL,
    OURS,
    Ground,
    Single,
    present,
    singles,
)
from measures import Run, Series, in_turn, notes
from provider import Provider, certificate
from table import Goal, Row, Section, against, count, ms, number, ratio

_LONG = 5.0
"""Seconds of the job whose requests are counted."""
_PNG_MEGABYTES = 20.0
_DISTANCE = 0.08
"""Seconds of a round trip to a provider on another continent."""

PLAIN = "plain http"
TERMINAL = "on a terminal"
HTTPS = "over https"
BOTH = "on a terminal, over https"
FAR = "on a terminal, over https, 80 ms away"

Contestant = Callable[[int], Single | Run]
Outcome = Mapping[str, Series[Single | Run]]


def measure(ground: Ground, rounds: int) -> Section:
    """A process for each job of 0.30 to 0.40 s, and bare Python among them."""

    def bare_python(_: int) -> Run:
        with ground.folder() as folder:
            return ground.run(BARE_PYTHON, folder)

    contestants: dict[str, Contestant] = {BARE: bare_python}
    contestants |= singles(ground, present(OURS, OFFICIAL, CURL))
    outcome = in_turn(rounds, contestants)
    bare = outcome[BARE].median(lambda each: each.wall if isinstance(each, Run) else None)
    first = _medians(outcome, lambda job: job.to_first_byte)
    waited = _medians(outcome, lambda job: job.to_download)
    cpu = _medians(outcome, lambda job: job.run.cpu)
    start = Row(
        "`generate`: process start to first byte sent",
        ms(first[OURS]),
        f"{ms(bare)} {BARE}",
        ratio(first[OURS], bare),
        goal=Goal(22),
    )
    section = Section([start, against(start.what, first)])
    section.figures["job"] = {"s": LATENCY}
    section.add(_overhead(outcome, PLAIN, "beyond the provider's time", Goal(0.9, stretch=0.8)))
    section.rows += [
        against("CPU time of one `generate`", cpu),
        _itself("image ready to start of download", waited, Goal(60, unit="ms")),
    ]
    return section


def elsewhere(ground: Ground, rounds: int) -> Section:
    """With a terminal, over https, with both as people run it, and from far away."""
    section = Section()
    clients = present(OURS, OFFICIAL, CURL)

    def compare(there: Ground, where: str, goal: Goal | None = None) -> None:
        section.add(_overhead(_outcome(there, rounds, clients), where, where, goal))

    compare(ground.at(ground.provider, on_terminal=True), TERMINAL)
    with over_https(ground) as there:
        compare(there, HTTPS)
        compare(ground.at(there.provider, on_terminal=True), BOTH, Goal(1.0, stretch=0.85))
    with over_https(ground, _DISTANCE) as there:
        compare(ground.at(there.provider, on_terminal=True), FAR)
    return section


@contextmanager
def over_https(ground: Ground, delay: float = 0.0) -> Iterator[Ground]:
    """The same with a provider that speaks https. Raises Failed."""
    with Provider(certificate(ground.folder_of_all), delay) as provider:
        yield ground.at(provider)


def requests(ground: Ground, rounds: int) -> Section:
    """How often each client asks for a job of 5 s, and how late it learns of its end."""
    outcome = _outcome(ground, rounds, present(OURS, OFFICIAL, CURL), seconds=_LONG)
    asked = _medians(outcome, lambda job: job.record.polls)
    sent = _medians(outcome, lambda job: job.record.requests)
    waited = _medians(outcome, lambda job: job.to_download)
    rows = [
        against("status requests for a job of 5 s", asked, goal=Goal(1 / 3), show=count),
        against("all requests for it", sent, show=count),
        _itself("image of it ready to start of download", waited),
    ]
    section = Section(rows, notes(outcome))
    section.keep("requests", sent)
    return section


def download(ground: Ground, rounds: int) -> Section:
    """A PNG of 20 MB, from the request until the client closes the connection with all on disk."""
    clients = present(OURS, OFFICIAL, CURL)
    outcome = _outcome(ground, rounds, clients, output_format="png", seconds=0.3)
    transfer = _medians(outcome, lambda job: job.transfer)
    overhead = _medians(outcome, lambda job: job.overhead)
    speed = {name: ratio(_PNG_MEGABYTES, seconds) for name, seconds in transfer.items()}
    rows = [
        Row(
            "download of a PNG of 20 MB",
            number(speed[OURS], "MB/s"),
            f"{number(speed[peer], 'MB/s')} {peer}",
            ratio(speed[OURS], speed[peer]),
            goal=Goal(0.8, at_least=True) if peer == CURL else None,
        )
        for peer in (CURL, OFFICIAL)
    ]
    rows.append(against("the whole `generate` of it, beyond the provider's time", overhead, CURL))
    return Section(rows, notes(outcome))


def _outcome(
    ground: Ground,
    rounds: int,
    clients: Sequence[str],
    *,
    output_format: str = "jpeg",
    seconds: float | None = None,
) -> Outcome:
    contestants: dict[str, Contestant] = {}
    contestants |= singles(ground, clients, output_format=output_format, seconds=seconds)
    return in_turn(rounds, contestants)


def _overhead(outcome: Outcome, where: str, what: str, goal: Goal | None) -> Section:
    """What each client takes beyond the provider's time; the goal is against the official one."""
    overhead = _medians(outcome, lambda job: job.overhead)
    rows = [
        against(f"one `generate`, {what}", overhead, peer, goal if peer == OFFICIAL else None)
        for peer in (OFFICIAL, CURL)
    ]
    section = Section(rows, [f"{where}: {note}" for note in notes(outcome)])
    section.keep(f"overhead {where}", overhead)
    return section


def _medians(outcome: Outcome, of: Callable[[Single], float | None]) -> dict[str, float | None]:
    """The median of a measure for every client, those included that did not run."""

    def measured(each: Single | Run) -> float | None:
        return of(each) if isinstance(each, Single) else None

    absent: dict[str, float | None] = dict.fromkeys((OURS, OFFICIAL, CURL))
    return absent | {name: series.median(measured) for name, series in outcome.items()}


def _itself(what: str, seconds: Mapping[str, float | None], goal: Goal | None = None) -> Row:
    ours = seconds[OURS]
    value = None if ours is None else ours * 1000
    return Row(what, ms(ours), f"{ms(seconds[OFFICIAL])} {OFFICIAL}", value, "ms", goal)
