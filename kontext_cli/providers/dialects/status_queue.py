"""Queues whose status carries the result of a job that is done: no other call asks for it."""

from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Progress
from kontext_cli.providers.base import Queue
from kontext_cli.providers.failure import failure


class StatusQueue(Queue):
    """A queue without a call for the result; ``status`` reads the images, too.

    ``is_about`` must be strict here: on a shared connection, it alone tells whose result it is.
    """

    def progress(self, reply: Reply, handle: Handle) -> Progress:
        return self.outcome(reply)

    def result(self, handle: Handle) -> Call:
        return self.poll(handle)._replace(kind="result")

    def outcome(self, reply: Reply) -> Progress:
        if not reply.ok:
            raise failure(self, reply, submitted=True)
        return self.status(reply.object)
