"""Find the jobs given as arguments: by our job id, or by a provider's request id."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.job import Cost, Job, State, new_id
from kontext_cli.journal import Journal
from kontext_cli.journal.lookup import AmbiguousJob
from kontext_cli.providers import Name, who_queues
from kontext_cli.providers.base import Provider, Queue
from kontext_cli.providers.options import Endpoint
from kontext_cli.providers.prepare import choose_endpoint
from kontext_cli.terminal.jobs import candidate_lines
from kontext_cli.words import listed

if TYPE_CHECKING:
    from kontext_cli.commands.session import Session


def named_jobs(
    session: "Session", names: Sequence[str], *, provider: Name | None, model: str | None
) -> list[Job]:
    """The jobs with these ids, each once. Raises UsageError for an unknown or ambiguous id."""
    found: dict[str, Job] = {}
    for name in names:
        job = _find(session, name, provider, model)
        found.setdefault(job.id, job)
    return list(found.values())


def find_job(journal: Journal, name: str) -> Job:
    """The job of an id, of the start of one, or of a request id.

    Raises UsageError, for an ambiguous name with a table of the candidates.
    """
    try:
        return journal.find(name)
    except AmbiguousJob as error:
        rest = ["and more"] if error.are_more else []
        details = [*candidate_lines(error.candidates), *rest]
        raise error.replace(details=details) from None


def _find(session: "Session", name: str, provider: Name | None, model: str | None) -> Job:
    try:
        return find_job(session.journal, name)
    except UsageError:
        if provider is None:
            raise
    return _foreign(session, name, provider, model)


def _foreign(session: "Session", request_id: str, provider_name: Name, model: str | None) -> Job:
    """A job that was submitted elsewhere, recorded in the journal under a new id.

    Raises KeyFault before it is recorded: a job that cannot be asked for has no place there.
    """
    provider = session.settings.open(provider_name)
    if len(servers := session.settings.servers(provider_name)) > 1:
        raise UsageError(
            f"which of the {len(servers)} servers of {provider_name} has it is not known",
            hint=f"name one, as in KONTEXT_{provider_name.upper()}_BASE_URL={provider.base_url}",
        )
    endpoint = _endpoint(provider, model or provider.default_for("generate"))
    queue = provider.at(endpoint.id)
    if not isinstance(queue, Queue):
        raise UnsupportedOption(
            f"{provider_name} has no queue, so a job cannot be found by its request id",
            hint=f"{listed(who_queues(offline=False))} have request ids",
        )
    session.settings.require_key(provider_name, provider.base_url)
    job = Job(
        operation=endpoint.operation,
        provider=provider_name,
        package=provider.package,
        model=endpoint.model,
        endpoint=endpoint.id,
        request={},
        seed=None,
        cost=Cost(None, "unknown"),
        id=new_id(),
        state=State.QUEUED,
        request_id=request_id,
        server=provider.server,
        handle=queue.handle(endpoint.id, request_id),
    )
    session.journal.record(job)
    return job


def _endpoint(provider: Provider, model: str) -> Endpoint:
    """An endpoint of the model: the URLs of jobs are the same for both operations.

    Raises UsageError for a model that the provider does not have.
    """
    of_model = (row for row in provider.endpoints if row.model == model)
    return next(of_model, None) or choose_endpoint(provider, model, "generate", 0)
