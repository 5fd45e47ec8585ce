"""What an earlier run made of a row: its files, and how its request differs from that of now."""

from collections.abc import Callable
from typing import NamedTuple

from kontext_cli.batch.entry import Entry
from kontext_cli.job import File, Job


class Earlier(NamedTuple):
    """The files of an earlier run, which the next ones of the row replace.

    ``changes`` names the values in which the row, whose job would be the one given, differs now.
    """

    files: tuple[File, ...]
    changes: Callable[[Entry, Job], list[str]]


def of_job(job: Job) -> Earlier:
    """What a job of an earlier run made, or was to replace where it failed."""
    files = job.files or (job.target.replaces if job.target else ())
    return Earlier(files, lambda entry, now: _changes(job, entry, now))


def _changes(earlier: Job, entry: Entry, now: Job) -> list[str]:
    """The names of the values in which a row, whose job would be ``now``, differs from its earlier
    job. That one does not know its list of providers."""
    found = []
    if earlier.provider not in {each.provider.name for each in entry.shared.chain}:
        found.append("provider")
    if earlier.model != now.model:
        found.append("model")
    names = dict.fromkeys([*now.request, *earlier.request])
    found += [
        name
        for name in names
        if name not in ("images", "seed") and earlier.request.get(name) != now.request.get(name)
    ]
    if [each.sha256 or each.name for each in earlier.sources] != [
        each.sha256 or each.name for each in now.sources
    ]:
        found.append("images")
    is_seed = entry.given_seed not in (None, earlier.seed)
    return found or ["seed" if is_seed else "seed or list of providers"]
