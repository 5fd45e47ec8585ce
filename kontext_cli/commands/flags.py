"""The flags of `generate` and `edit` as they were typed."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from kontext_cli.files.names import Exists
from kontext_cli.job import Operation
from kontext_cli.options import OPTIONS
from kontext_cli.settings.config import Preview
from kontext_cli.settings.paths import from_home
from kontext_cli.words import flag

_OF_BATCHES = (
    "batch",
    "jobs",
    "limit",
    "only",
    "shard",
    "lock",
    "fail_fast",
    "max_failures",
    "retry_failed",
    "force",
)


class Flags(NamedTuple):
    """The flags of a run by their names. ``argv`` is the command line itself, ``options`` holds
    those that are sent with the request; one that was not given, or a switch that is off, is None.
    ``files`` are the images to make again. ``recipe_prompt`` stands in for ``prompt``: it is that
    of a record, in which `-` is not standard input. ``defaulted`` are the names of those whose
    values are defaults of `config.toml`.
    """

    operation: Operation
    argv: Sequence[str]
    options: Mapping[str, Any]
    prompt: str | None
    provider: str | None
    model: str | None
    keep_flagged: bool
    metadata: str | None
    sidecar: bool
    output: str | None
    output_dir: str | None
    name: str | None
    exists: Exists | None
    prompts_file: list[str] | None
    batch: str | None
    jobs: int | None
    limit: int | None
    only: str | None
    shard: str | None
    fail_fast: bool
    max_failures: int | None
    retry_failed: bool
    on_unknown: str
    force: bool
    max_cost: float | None
    no_wait: bool
    timeout: float
    dry_run: bool
    json: bool
    quiet: bool
    debug: bool
    preview: Preview | None
    open_images: bool
    image: list[str] | None = None
    each: bool = False
    lock: bool = False
    recipe_prompt: str | None = None
    files: Sequence[str] = ()
    defaulted: Collection[str] = ()

    @classmethod
    def of(
        cls,
        operation: Operation,
        argv: Sequence[str],
        given: Mapping[str, Any],
        defaulted: Collection[str] = (),
    ) -> "Flags":
        """The flags of a command from the arguments of its function."""
        sent = {row.name: row.type for row in OPTIONS if row.sent}
        options = {
            name: given[name] or None if kind is bool else given[name]
            for name, kind in sent.items()
        }
        rest = {name: value for name, value in given.items() if name not in sent}
        return cls(operation=operation, argv=argv, options=options, defaulted=defaulted, **rest)

    @property
    def is_batch(self) -> bool:
        """Whether the run has one job per row or per image."""
        return bool(self.prompts_files) or self.each or len(self.files) > 1

    def without_defaults(self, names: Collection[str]) -> "Flags":
        """The flags without those of ``names`` that are defaults of `config.toml`."""
        dropped = {*names} & {*self.defaulted}
        options = {name: None if name in dropped else each for name, each in self.options.items()}
        rest: dict[str, Any] = {
            name: False if getattr(self, name) is True else None
            for name in dropped - options.keys()
        }
        return self._replace(options=options, defaulted={*self.defaulted} - dropped, **rest)

    def of_batches_only(self) -> list[str]:
        """The options given that apply only to batches, as they are typed."""
        values = ((name, getattr(self, name)) for name in _OF_BATCHES)
        given = [name for name, value in values if value is not None and value is not False]
        return [flag(name) for name in given] + (
            ["--on-unknown"] if self.on_unknown != "hold" else []
        )

    @property
    def prompts_files(self) -> tuple[str, ...]:
        """The prompts files in the order they were typed."""
        return tuple(self.prompts_file or ())

    @property
    def images(self) -> tuple[str, ...]:
        """The input images in the order they were typed."""
        return tuple(map(from_home, self.image or ()))

    @property
    def forces_rows(self) -> bool:
        """Whether rows are to be made anew that are named one by one."""
        return self.force and self.only is not None

    @property
    def when_taken(self) -> Exists:
        """What to do if a file exists. By default, a name that we choose for a single job gets a
        number; in a batch that could pay for everything again, so it is an error."""
        made_up = not self.is_batch and self.output is None and self.name is None
        return self.exists or ("number" if made_up else "error")

    def with_shard(self, shard: str) -> "Flags":
        """The flags with another value of `--shard`, which was given; also as they are typed."""
        typed = [
            shard
            if before == "--shard"
            else f"--shard={shard}"
            if each.startswith("--shard=")
            else each
            for before, each in pairwise(["", *self.argv])
        ]
        return self._replace(shard=shard, argv=typed)

    def request_fields(self) -> dict[str, Any]:
        """The fields of a request that flags set."""
        return {"operation": self.operation, "images": self.images or None, **self.options}
