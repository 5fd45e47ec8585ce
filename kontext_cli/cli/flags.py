"""What was typed for `generate` or `edit`, before anything is made of it."""

from dataclasses import dataclass, field
from typing import Any

from kontext_cli.job import Operation

_REQUEST_FIELDS = (
    "aspect_ratio",
    "num_images",
    "seed",
    "guidance_scale",
    "safety_tolerance",
    "output_format",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of one job, by the names of the options."""

    operation: Operation
    prompt: str | None
    image: list[str] | None = field(default=None)
    provider: str | None
    model: str | None
    aspect_ratio: str | None
    num_images: int | None
    seed: int | None
    guidance_scale: float | None
    safety_tolerance: int | None
    output_format: str | None
    enhance_prompt: bool
    sync_mode: bool
    keep_flagged: bool
    output: str | None
    output_dir: str | None
    name: str | None
    exists: Any
    no_wait: bool
    timeout: float
    dry_run: bool
    json: bool
    quiet: bool
    debug: bool

    @property
    def images(self) -> tuple[str, ...]:
        """The input images in the order they were typed."""
        return tuple(self.image or ())

    def request_fields(self) -> dict[str, Any]:
        """The fields of a request that flags set; a switch that is off was not given."""
        given = {name: getattr(self, name) for name in _REQUEST_FIELDS}
        switches = {
            "enhance_prompt": self.enhance_prompt or None,
            "sync_mode": self.sync_mode or None,
        }
        return {"operation": self.operation, "images": self.images or None, **given, **switches}
