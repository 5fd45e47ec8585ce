"""The ids that we choose for jobs, at providers that take them."""

from kontext_cli.http.call import Call
from kontext_cli.job import Handle, Job
from kontext_cli.providers.base import Provider, Queue
from kontext_cli.providers.prepare import Draft


def chosen_handle(provider: Provider, job: Job) -> Handle | None:
    """A handle with a new id, to be in the journal before the job is sent; None where the provider
    chooses the id."""
    queue = provider.at(job.endpoint)
    if not isinstance(queue, Queue) or not queue.chooses_ids:
        return None
    from uuid import uuid4  # for these providers only: it takes a millisecond to import

    return queue.handle(job.endpoint, str(uuid4()))


def call_of(job: Job, draft: Draft) -> Call:
    """The call that submits a draft, with the id of the job where we chose one."""
    call, queue = draft.call(), draft.provider.at(job.endpoint)
    if job.handle is None or not isinstance(queue, Queue):
        return call
    return queue.named(call, job.handle.request_id)
