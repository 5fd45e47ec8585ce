"""One row of a run: its request, and what is to be done for it."""

from dataclasses import dataclass

from kontext_cli.batch.decide import Step
from kontext_cli.batch.requests import RowRequest
from kontext_cli.job import Cost, File, Job
from kontext_cli.prompts import Row


@dataclass(slots=True)
class Entry:
    """A row with its validated request, and what is to be done for it.

    ``id`` is the id of the job to submit, ``key`` identifies the row across runs, and ``job_id`` is
    its job from an earlier run, if any. ``at`` is the provider to use: the row's own, unless an
    earlier job has to be downloaded from another. ``seed`` is sent, whether given or chosen.
    ``attempt`` counts the jobs of the row, including the next one; ``seen`` is the id and state of
    the previous one when it was read. ``paths`` are the names of its images, and ``replaces`` the
    files that they replace. ``saved`` is the job of a row whose files exist, until it is reported.
    """

    row: Row
    request: RowRequest
    id: str
    key: str
    digest: str
    at: str
    seed: int | None
    keep_flagged: bool
    step: Step = Step.MAKE
    reason: str = "new"
    job_id: str | None = None
    attempt: int = 1
    seen: tuple[str, str] | None = None
    paths: tuple[str, ...] = ()
    replaces: tuple[File, ...] = ()
    tries: int = 0
    saved: Job | None = None

    @property
    def provider(self) -> str:
        """The provider that the row asks for."""
        return self.request.shared.provider.name

    @property
    def cost(self) -> Cost:
        """The estimate for its job."""
        return self.request.shared.cost

    def job(self, batch: str) -> Job:
        """The job that the row asks for, to name its files or report on it; it is not sent."""
        job = self.request.job(job_id=self.id, digest=self.digest, seed=self.seed)
        job.batch = batch
        job.row = self.key
        job.attempt = self.attempt
        job.index = self.row.index
        return job
