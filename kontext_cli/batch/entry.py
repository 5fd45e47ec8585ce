"""One row of a run: its request, and what is to be done for it."""

from dataclasses import dataclass

from kontext_cli.batch.decide import Step
from kontext_cli.batch.requests import RowRequest, SharedRequest
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Cost, File, Job, new_id
from kontext_cli.lock import LockedRow
from kontext_cli.prompts import Row
from kontext_cli.request import chosen_seed


@dataclass(slots=True)
class Entry:
    """A row with its validated request, and what is to be done for it.

    There may be a million, so that what can be derived is not kept. ``own_key`` identifies a row
    with an id or an image of its own across runs; all others are identified by their digest and
    the number of ``equal`` rows before them. ``job_id`` is its job from an earlier run, if any.
    ``at`` is the provider to use: the row's own, unless an earlier job has to be downloaded from
    another. ``drawn_id`` and ``drawn_seed`` are those of the job to submit, once they are drawn.
    ``attempt`` counts the jobs of the row, including the next one; ``seen`` is the id and state of
    the previous one when it was read. ``paths`` are the names of its images (those it
    has, if it is skipped), and ``replaces`` the files that they replace. ``locked`` is its row in
    the lock, if that is what decided.
    """

    row: Row
    shared: SharedRequest
    prompt: str
    given_seed: int | None
    images: tuple[InputImage, ...]
    own_key: str | None
    digest: str
    equal: int
    at: str
    keep_flagged: bool
    step: Step = Step.MAKE
    reason: str = "new"
    job_id: str | None = None
    attempt: int = 1
    seen: tuple[str, str] | None = None
    paths: tuple[str, ...] = ()
    replaces: tuple[File, ...] = ()
    tries: int = 0
    drawn_id: str | None = None
    drawn_seed: int | None = None
    locked: LockedRow | None = None

    @property
    def key(self) -> str:
        """Identifies the row across runs."""
        return self.own_key or f"{self.digest}#{self.equal}"

    @property
    def request(self) -> RowRequest:
        """Its request."""
        return RowRequest(self.shared, self.prompt, self.given_seed, self.images)

    @property
    def provider(self) -> str:
        """The provider that the row asks for."""
        return self.shared.provider.name

    @property
    def cost(self) -> Cost:
        """The estimate for its job, at the dearest of its providers."""
        flat = self.shared.cost if self.shared.then is None else None
        return flat or self.request.dearest

    def pass_on(self, then: SharedRequest) -> None:
        """Ask another provider for it, with a job of its own."""
        self.shared, self.at = then, then.provider.name
        self.step, self.drawn_id, self.tries = Step.MAKE, None, 0

    def again(self, job: Job) -> None:
        """Ask for it with another job, after one that was certainly not accepted."""
        self.step, self.attempt, self.drawn_id = Step.MAKE, job.attempt + 1, None
        self.seen = job.id, job.state.value

    def draw(self) -> tuple[str, int | None]:
        """The id and the seed of its job, drawn where there are none yet."""
        self.drawn_id, seed = self.drawn_id or new_id(), self._seed()
        if self.given_seed is None:
            self.drawn_seed = seed
        return self.drawn_id, seed

    def job(self, batch: str) -> Job:
        """The job that the row asks for, to report on it; it is not sent."""
        job_id = self.drawn_id or new_id()
        job = self.request.job(job_id=job_id, digest=self.digest, seed=self._seed())
        job.batch = batch
        job.row = self.key
        job.attempt = self.attempt
        job.index = self.row.index
        return job

    def _seed(self) -> int | None:
        """The seed that was given or drawn, else a new one; None where the provider takes none."""
        if self.given_seed is not None or self.shared.seed is None:
            return self.given_seed
        return chosen_seed() if self.drawn_seed is None else self.drawn_seed
