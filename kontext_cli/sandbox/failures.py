"""The ways a job can end without an image, in fal's two forms of an error body."""

from dataclasses import dataclass, field
from typing import Any

_DOCS = "https://docs.fal.ai/errors/#"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job made no image: the HTTP status of its result, and the body's `detail`.

    With an `error_type` it is an infrastructure error (form B), else the model's own (form A).
    """

    status: int
    detail: str | list[dict[str, Any]]
    error_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the result."""
        if self.error_type is None:
            return {"detail": self.detail}
        return {"detail": self.detail, "error_type": self.error_type}

    @property
    def kind(self) -> str | None:
        """The type of the first error of form A."""
        return None if isinstance(self.detail, str) else self.detail[0]["type"]

    @property
    def message(self) -> str:
        """The failure in a line of text."""
        if isinstance(self.detail, str):
            return self.detail
        return "; ".join(
            f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}".lstrip(": ")
            for one in self.detail
        )


class NoImage(Exception):
    """A job that ends without an image."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def typed(status: int, kind: str, message: str, *, field_name: str, value: str = "") -> Failure:
    """An error of the model itself, of one of fal's documented types."""
    problem = {
        "loc": ["body", field_name],
        "msg": message,
        "type": kind,
        "url": _DOCS + kind,
        "input": value[:120],
        "ctx": {},
    }
    return Failure(status, [problem])


def unreadable(value: str) -> Failure:
    """An input that is no image."""
    message = "Failed to load the image. Please ensure the image file is not corrupted."
    return typed(422, "image_load_error", message, field_name="image_url", value=value)


CANCELED = Failure(499, "Request was cancelled by the client", "client_cancelled")

OUTCOMES = {
    "failed": Failure(500, "Internal server error", "internal_error"),
    "crashed": typed(500, "internal_server_error", "Internal server error", field_name="prompt"),
    "timed-out": Failure(
        504, "Request timed out", "request_timeout", {"x-fal-request-timeout-type": "user"}
    ),
    "invalid": unreadable("https://example.com/broken.png"),
    "refused": typed(
        422,
        "content_policy_violation",
        "The content could not be processed because it contained material flagged by a content "
        "checker.",
        field_name="prompt",
    ),
}
"""How a job ends under the faults of these names."""
