"""One job by each client: what it adds to the provider's time, how it asks, how it downloads."""

from collections.abc import Callable, Mapping

from clients import BARE, BARE_PYTHON, CURL, OFFICIAL, OURS, Ground, Single, present, singles
from measures import Run, Series, in_turn
from provider import Provider, certificate
from table import Goal, Row, Section, ms, number, ratio

_LONG = 5.0
"""Seconds of the job whose polls are counted."""
_PNG_MEGABYTES = 20.0
_DISTANCE = 0.08
"""Seconds that the reply of a provider on another continent is on its way."""

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
    overhead = _medians(outcome, lambda job: job.overhead)
    waited = _medians(outcome, lambda job: job.to_download)
    cpu = _medians(outcome, lambda job: job.run.cpu)
    start = Row(
        "`generate`: process start to first byte sent",
        ms(first[OURS]),
        f"{ms(bare)} {BARE}",
        ratio(first[OURS], bare),
        goal=Goal(22),
    )
    beyond = "one `generate`, beyond the provider's time"
    rows = [
        start,
        _against(start.what, first, OFFICIAL),
        _against(beyond, overhead, OFFICIAL, Goal(1.0, stretch=0.8)),
        _against(beyond, overhead, CURL),
        _against("CPU time of one `generate`", cpu, OFFICIAL),
        _itself("image ready to start of download", waited, Goal(60, unit="ms")),
    ]
    return Section(rows, _notes(outcome))


def on_terminal(ground: Ground, rounds: int) -> Section:
    """As people run it: with a terminal, and a provider that speaks https."""
    clients = present(OURS, OFFICIAL)
    with Provider(certificate(ground.folder_of_all)) as provider:
        near = _outcome(ground.at(provider, on_terminal=True), rounds, clients)
    with Provider(provider.certificate, delay=_DISTANCE) as provider:
        far = _outcome(ground.at(provider, on_terminal=True), rounds, clients)
    first = _medians(near, lambda job: job.to_first_byte)
    beyond, far_beyond = (_medians(each, lambda job: job.overhead) for each in (near, far))
    rows = [
        _against("the same on a terminal, over https: to first byte sent", first, OFFICIAL),
        _against(
            "one `generate` on a terminal, over https", beyond, OFFICIAL, Goal(1.0, stretch=0.85)
        ),
        _against("the same from a server 80 ms away", far_beyond, OFFICIAL),
    ]
    return Section(rows, [*_notes(near), *_notes(far)])


def polls(ground: Ground, rounds: int) -> Section:
    """How often each client asks for a job of 5 s, and how late it learns of its end."""
    outcome = _outcome(ground, rounds, present(OURS, OFFICIAL), seconds=_LONG)
    asked = _medians(outcome, lambda job: job.record.polls)
    waited = _medians(outcome, lambda job: job.to_download)
    row = Row(
        "status requests for a job of 5 s",
        number(asked[OURS], ""),
        f"{number(asked[OFFICIAL], '')} {OFFICIAL}",
        ratio(asked[OURS], asked[OFFICIAL]),
        goal=Goal(1 / 3),
    )
    late = _itself("image of a 5 s job ready to start of download", waited)
    return Section([row, late], _notes(outcome))


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
    rows.append(_against("the whole `generate` of it, beyond the provider's time", overhead, CURL))
    return Section(rows, _notes(outcome))


def _outcome(
    ground: Ground,
    rounds: int,
    clients: list[str],
    *,
    output_format: str = "jpeg",
    seconds: float | None = None,
) -> Outcome:
    contestants: dict[str, Contestant] = {}
    contestants |= singles(ground, clients, output_format=output_format, seconds=seconds)
    return in_turn(rounds, contestants)


def _medians(outcome: Outcome, of: Callable[[Single], float | None]) -> dict[str, float | None]:
    """The median of a measure for every client, those included that did not run."""

    def measured(each: Single | Run) -> float | None:
        return of(each) if isinstance(each, Single) else None

    absent: dict[str, float | None] = dict.fromkeys((OURS, OFFICIAL, CURL))
    return absent | {name: series.median(measured) for name, series in outcome.items()}


def _against(
    what: str, seconds: Mapping[str, float | None], peer: str, goal: Goal | None = None
) -> Row:
    value = ratio(seconds[OURS], seconds[peer])
    return Row(what, ms(seconds[OURS]), f"{ms(seconds[peer])} {peer}", value, goal=goal)


def _itself(what: str, seconds: Mapping[str, float | None], goal: Goal | None = None) -> Row:
    ours = seconds[OURS]
    value = None if ours is None else ours * 1000
    return Row(what, ms(ours), f"{ms(seconds[OFFICIAL])} {OFFICIAL}", value, "ms", goal)


def _notes(outcome: Outcome) -> list[str]:
    return [f"{name}: {series.failed}" for name, series in outcome.items() if series.failed]
