"""`kontext models --check`: ask the providers which of our models they withdraw."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from kontext_cli.commands.signals import run_until_signal
from kontext_cli.errors import Interrupted, UsageError
from kontext_cli.http.transport import Transport
from kontext_cli.providers import NAMES, Name
from kontext_cli.providers.base import Provider
from kontext_cli.providers.dialects.deprecations import DeprecationList, Notice
from kontext_cli.providers.options import Endpoint
from kontext_cli.settings.settings import Settings
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result
from kontext_cli.words import listed


class Checked(NamedTuple):
    """A provider, and what its list says."""

    provider: Provider
    notices: Sequence[Notice]

    def of_ours(self, model: str | None) -> Iterator[tuple[Endpoint, Notice]]:
        """The endpoints that the list names, of all our models or of one."""
        for endpoint in _offered(self.provider, model):
            for notice in self.notices:
                if endpoint.id in notice.names:
                    yield endpoint, notice


def _offered(provider: Provider, model: str | None) -> list[Endpoint]:
    """The provider's endpoints, or those of one model."""
    return [row for row in provider.endpoints if model in (None, row.model, row.id)]


def check_models(provider: Name | None, model: str | None, *, debug: bool) -> Result:
    """Ask each provider that has a list of deprecations.

    Raises KontextError for faults of the settings and where a provider does not answer.
    """
    settings = Settings.load(os.environ)
    opened = [settings.offered(name) for name in ([provider] if provider else NAMES)]
    asked = [each for each in opened if _offered(each, model)]
    if not asked:
        raise UsageError(f"there is no model `{model}`", hint="`kontext models` lists them")
    checks: list[Checked] = []

    async def work() -> None:
        for each in asked:
            if isinstance(each, DeprecationList):
                checks.append(Checked(each, await _notices(each, debug=debug)))

    signal_number = run_until_signal(work)
    if signal_number is not None:
        raise Interrupted("interrupted", signal_number=signal_number)
    unlisted = [each.name for each in asked if not isinstance(each, DeprecationList)]
    return Result(text=_text(checks, model, unlisted), records=_records(checks, model))


async def _notices(provider: DeprecationList, *, debug: bool) -> list[Notice]:
    """Ask one provider, without a key. Raises KontextError."""
    trace = to_stderr if debug else None
    async with Transport(provider.name, provider.key_bases, {}, trace=trace) as transport:
        return provider.deprecations(await transport.ask(provider.list_deprecations()))


def _text(checks: Iterable[Checked], model: str | None, unlisted: Sequence[str]) -> Iterator[str]:
    for check in checks:
        found = list(check.of_ours(model))
        if not found:
            of = f"{model} is not" if model else "none of its models here is"
            yield f"{check.provider.name}: {of} deprecated, superseded or withdrawn"
        for endpoint, notice in found:
            yield f"{check.provider.name}: {_told(check.provider, endpoint, notice)}"
    if unlisted:
        yield f"these have no list of deprecations: {listed(unlisted)}"


def _told(provider: Provider, endpoint: Endpoint, notice: Notice) -> str:
    """`kontext-pro (generate, flux/…) is withdrawn since 2026-08-10; use flux-2-pro`."""
    words = [
        f"{endpoint.model} ({endpoint.operation}, `{endpoint.id}`) is {one_line(notice.status)}"
    ]
    date = notice.deprecated_at
    if notice.status == "withdrawn":
        date = notice.shutdown_at or date
    if date:
        words.append(f" since {one_line(date)}")
    if notice.status == "deprecated" and notice.shutdown_at:
        words.append(f", and ends on {one_line(notice.shutdown_at)}")
    if notice.replaced_by:
        words.append(f"; it is replaced by {_named(provider, endpoint, notice.replaced_by)}")
    return "".join(words)


def _named(provider: Provider, endpoint: Endpoint, replacement: str) -> str:
    """A model by our name and the provider's, where it is one of ours."""
    ours = [
        row.model
        for row in provider.endpoints
        if row.id == replacement and row.operation == endpoint.operation
    ]
    shown = f"`{one_line(replacement)}`"
    return f"{ours[0]} ({shown})" if ours else shown


def _records(checks: Iterable[Checked], model: str | None) -> Iterator[dict[str, Any]]:
    for check in checks:
        for endpoint, notice in check.of_ours(model):
            yield {
                "schema": SCHEMA,
                "type": "deprecation",
                "provider": check.provider.name,
                "model": endpoint.model,
                "operation": endpoint.operation,
                "endpoint": endpoint.id,
                "status": notice.status,
                "deprecated_at": notice.deprecated_at,
                "shutdown_at": notice.shutdown_at,
                "replaced_by": notice.replaced_by,
                "reason": notice.reason,
            }
