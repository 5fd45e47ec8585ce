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
    """Why a request was refused or a job failed: the provider's message, its error type, and its
    code, which OpenAI's errors have beside the type."""

    text: str
    type: str = ""
    code: str = ""


def reason(reply: Reply, type_header: str = "") -> Reason:
    """Find the message in an error body, and its type, which may be in a header.

    The message is the first of these: a list of details, a plain ``detail``, ``error`` or
    ``message``, the raw text; an ``error`` in a word goes with its ``message``.
    """
    body = reply.object
    kind = str(body.get("error_type") or reply.headers.get(type_header) or "")
    detail = body.get("detail")
    if isinstance(detail, list) and detail:
        return _details(detail, kind)
    error, message = body.get("error"), body.get("message")
    if isinstance(error, str) and isinstance(message, str) and error and message:
        error = f"{error}: {message}"
    for found in (detail, error, message):
        if isinstance(found, dict):
            return Reason(
                short(found.get("message") or found),
                str(found.get("type") or kind),
                str(found.get("code") or ""),
            )
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
    said = f"{provider.title} {answered}: {why.text}"
    if _withheld(reply, why):
        return Moderated(
            f"{provider.name} withheld it: {why.text}", hint="change the prompt", billed=billed
        )
    if why.type in provider.canceled_types or reply.status == 499:
        return Canceled(f"the job was canceled: {why.text}", billed=billed)
    kinds = {why.type, why.code}
    if (
        reply.status in provider.credit_statuses
        or kinds & provider.credit_types
        or (reply.status == 403 and re.search(_CREDIT, why.text))
    ):
        return NoCredit(f"{said} (no credit, or a locked account)", hint="check the account")
    if reply.status in (401, 403) or kinds & provider.key_types:
        return RejectedKey(
            f"{provider.title} rejected the key: {why.text}", hint=_key_hint(provider)
        )
    if submitted and reply.status in (404, 410):
        return Expired(
            f"{provider.title} does not know the job any more: {why.text}", billed="maybe"
        )
    return JobFailed(said, billed=billed, status=reply.status)


def refusal(provider: Provider, reply: Reply) -> KontextError:
    """The error for the answer that refuses a submit. A 404 is about the model: there is nothing
    else in the request that could be missing."""
    if (own := provider.refused(reply)) is not None:
        return own
    error = failure(provider, reply, submitted=False)
    if isinstance(error, JobFailed) and (hint := provider.model_hint(reply)):
        return error.replace(hint=hint)
    return error


def _withheld(reply: Reply, why: Reason) -> bool:
    may_say_so = reply.ok or reply.status in (400, 403, 422, 451)
    kinds = f"{why.type} {why.code}"
    return bool(re.search(_MODERATION, f"{kinds} {why.text}" if may_say_so else kinds))


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


def short(value: object, longest: int = _LONGEST) -> str:
    """The text of a value, cut after 500 characters, or after ``longest``."""
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
