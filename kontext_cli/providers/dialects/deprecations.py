"""A provider's own list of the models that it withdraws.

Source: AIMLAPI's page of `GET /v1/models/deprecations`. A model may be listed by any of its names.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from kontext_cli.errors import UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.providers.base import Provider
from kontext_cli.providers.failure import failure


class Notice(NamedTuple):
    """What a provider says about one of its models.

    ``status`` is its own word: ``deprecated`` models still serve, until ``shutdown_at`` where that
    is set; ``superseded`` ones go on as another name of ``replaced_by``; ``withdrawn`` ones are
    gone. Dates are ``YYYY-MM-DD``.
    """

    names: frozenset[str]
    status: str
    deprecated_at: str | None
    shutdown_at: str | None
    replaced_by: str | None
    reason: str | None


class DeprecationList(Provider):
    """A provider with such a list; it can be read without a key."""

    list_path: ClassVar[str] = "/v1/models/deprecations"

    def list_deprecations(self) -> Call:
        """The call for the list."""
        return Call("list", "GET", f"{self.base_url}{self.list_path}")

    def deprecations(self, reply: Reply) -> list[Notice]:
        """Read the list. Raises KontextError for any other answer."""
        if not reply.ok:
            raise failure(self, reply, submitted=False)
        rows = reply.object.get("data")
        if not isinstance(rows, list):
            raise UnexpectedReply(f"{self.name} sent no list of deprecated models")
        return [_notice(row) for row in rows if isinstance(row, dict)]


def _notice(row: Mapping[str, Any]) -> Notice:
    return Notice(
        names=frozenset(_names(row)),
        status=_text(row.get("status")) or "deprecated",
        deprecated_at=_text(row.get("deprecated_at")),
        shutdown_at=_text(row.get("shutdown_at")),
        replaced_by=_text(row.get("replaced_by")),
        reason=_text(row.get("reason")),
    )


def _names(row: Mapping[str, Any]) -> Iterator[str]:
    aliases = row.get("aliases")
    for name in (row.get("id"), *(aliases if isinstance(aliases, list) else ())):
        if isinstance(name, str):
            yield name


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
