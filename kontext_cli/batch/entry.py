"""What holds for all rows of a batch, and what is to be done with each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.forms import Form
from kontext_cli.files.names import Exists
from kontext_cli.job import Cost, File, Job, Operation
from kontext_cli.prompts import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What holds for all rows of a batch.

    ``defaults`` are the fields of a request, and ``provider``, ``model`` and ``keep_flagged``, for
    rows that do not say. ``images`` of rows are relative to the folder that ``bases`` has for their
    file; what is made belongs in ``folder``. ``template`` names the files of rows without an id,
    ``id_template`` those of rows with one.
    """

    batch: str
    operation: Operation
    defaults: Mapping[str, Any]
    images: tuple[str, ...]
    bases: Mapping[str, Path]
    folder: Path
    template: str
    id_template: str
    exists: Exists
    by_image: bool = False
    """The key of a row is its image: `--each`."""
    waits: bool = True
    """False: the jobs are submitted and left at the provider."""


@dataclass(slots=True)
class Entry:
    """A row and what is to be done with it; small, for there may be many.

    ``form`` is its validated request, shared with other rows. ``id`` is that of the job it may
    become, ``key`` what the row is known by, ``job_id`` the job of an earlier run, if any. ``at``
    is the provider that has to do with it: its own, but for a job that is to be collected
    elsewhere. ``seed`` is the chosen one, None where the row has its own.
    ``attempt`` counts the jobs of the row, the next one included, and ``seen`` is the one before
    it: its id, and its state when it was looked at. ``paths`` are the names of its images and
    ``replaces`` the files that give way to them. ``saved`` is the job of a row whose files exist,
    until it is reported.
    """

    row: Row
    form: Form
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
    replaces: tuple[File, ...] = field(default=())
    tries: int = 0
    saved: Job | None = None

    @property
    def provider(self) -> str:
        """The provider that the row asks for."""
        return self.form.provider.name

    @property
    def cost(self) -> Cost:
        """The estimate for its job."""
        return self.form.cost
