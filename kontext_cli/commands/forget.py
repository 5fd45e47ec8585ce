"""`kontext forget`: delete jobs from the journal."""

import os
from collections.abc import Sequence

from kontext_cli.commands.ages import age_of
from kontext_cli.commands.find import find_job
from kontext_cli.errors import JournalFault, UsageError
from kontext_cli.job import State
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers
from kontext_cli.settings.paths import journal_location, state_dir
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.result import Result


def run_forget(names: Sequence[str], *, older_than: str | None, states: Sequence[State]) -> Result:
    """Delete the named jobs, or all jobs that match the given age and states."""
    if not names and older_than is None and not states:
        raise UsageError(
            "`kontext forget` needs a JOB, --older-than or --state",
            hint="kontext forget --older-than 30d",
        )
    if names and (older_than is not None or states):
        raise UsageError("give either JOBs, or --older-than and --state, not both")
    age = None if older_than is None else age_of("--older-than", older_than)
    with Journal.open(journal_location(os.environ), log=to_stderr) as journal:
        ids = [_id(journal, name) for name in names]
        count = journal.forget(ids=ids, older_than=age, states=states)
    answers = Answers(state_dir(os.environ))
    for job_id in ids:
        answers.drop(job_id)
    return Result(messages=[f"forgot {count} job{'' if count == 1 else 's'}"])


def _id(journal: Journal, name: str) -> str:
    """The id of a job; a damaged job can be given only by its full id."""
    try:
        return find_job(journal, name).id
    except JournalFault:
        return name
