"""From an error reply to one of our errors, with the provider's own message."""

import re
from typing import Any, NamedTuple

from kontext_cli.errors import (
    Billed,
    Canceled,
    Expired,
    JobFailed,
    KontextError,
    Moderated,
    NoCredit,
    RejectedKey,
)
from kontext_cli.http.call import Reply
from kontext_cli.providers.base import Provider

_LONGEST = 500
_MODERATION = (
    r"(?i:content[ _-]?(policy|checker|moderat)|moderation|nsfw|flagged|sensitive content)"
)
_CREDIT = r"(?i:credit|balance|locked|exhausted|insufficient|funds|billing|spend)"


class Reason(NamedTuple):
    """Why a request was refused or a job failed: the provider's message and its error type."""

    text: str
    type: str = ""


def reason(reply: Reply, type_header: str = "") -> Reason:
    """Find the message in an error body, and its type, which may be in a header.

    The message is the first of these: a list of details, a plain ``detail``, ``error`` or
    ``message``, the raw text.
    """
    body = reply.object
    kind = str(body.get("error_type") or reply.headers.get(type_header) or "")
    detail = body.get("detail")
    if isinstance(detail, list) and detail:
        return _details(detail, kind)
    for found in (detail, body.get("error"), body.get("message")):
        if isinstance(found, dict):
            return Reason(short(found.get("message") or found), str(found.get("type") or kind))
        if found:
            return Reason(short(found), kind)
    if reply.is_html:
        return Reason("a web page instead of an answer", kind)
    return Reason(short(reply.text.strip()) or "no reason given", kind)


def failure(provider: Provider, reply: Reply, *, submitted: bool) -> KontextError:
    """The error for ``reply``: an answer of 4xx or 5xx, or of 2xx whose body is of a failed job.

    ``submitted`` is true where it is about a job that was accepted, and false for the refusal of
    a submit, which is never billed.
    """
    why = reason(reply, provider.error_type_header)
    billed: Billed = provider.billed(reply) if submitted else "no"
    answered = "failed" if reply.ok else f"answered {reply.status}"
    said = f"{provider.name} {answered}: {why.text}"
    if _withheld(reply, why):
        return Moderated(
            f"{provider.name} withheld it: {why.text}", hint="change the prompt", billed=billed
        )
    if why.type in provider.canceled_types or reply.status == 499:
        return Canceled(f"the job was canceled: {why.text}", billed=billed)
    if reply.status in provider.credit_statuses or (
        reply.status == 403 and re.search(_CREDIT, why.text)
    ):
        return NoCredit(f"{said} (no credit, or a locked account)", hint="check the account")
    if reply.status in (401, 403):
        return RejectedKey(
            f"{provider.name} rejected the key: {why.text}", hint=_key_hint(provider)
        )
    if submitted and reply.status in (404, 410):
        return Expired(
            f"{provider.name} does not know the job any more: {why.text}", billed="maybe"
        )
    return JobFailed(said, billed=billed, status=reply.status)


def refusal(provider: Provider, reply: Reply) -> KontextError:
    """The error for the answer that refuses a submit. A 404 is about the model: there is nothing
    else in the request that could be missing."""
    if (own := provider.refused(reply)) is not None:
        return own
    error = failure(provider, reply, submitted=False)
    if reply.status in (404, 410) and isinstance(error, JobFailed):
        hint = f"{provider.name} does not have this model, or no longer: `kontext models --check`"
        return error.replace(hint=hint)
    return error


def _withheld(reply: Reply, why: Reason) -> bool:
    may_say_so = reply.ok or reply.status in (400, 403, 422, 451)
    return bool(re.search(_MODERATION, f"{why.type} {why.text}" if may_say_so else why.type))


def _key_hint(provider: Provider) -> str | None:
    names = [" and ".join(row) for row in provider.key_variables]
    return f"check {', or '.join(names)}" if names else None


def _details(details: list[Any], kind: str) -> Reason:
    rows = [row for row in details if isinstance(row, dict)]
    if not rows:
        return Reason(short(details), kind)
    text = "; ".join(_detail(row) for row in rows)
    return Reason(short(text), str(rows[0].get("type") or kind))


def _detail(row: dict[str, Any]) -> str:
    place = row.get("loc")
    field = str(place[-1]) if isinstance(place, list) and place else ""
    text = str(row.get("msg") or row.get("type") or row)
    return f"{field}: {text}" if field and field != "body" else text


def short(value: object) -> str:
    """The text of a value, cut after 500 characters."""
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
