"""`kontext models -p PROVIDER`: ask a server of one's own which models it has."""

from collections.abc import Sequence

from kontext_cli.commands.signals import run_until_signal
from kontext_cli.engine.endings import none_left
from kontext_cli.engine.fitting import Fitting
from kontext_cli.errors import Interrupted, KontextError, Unreachable
from kontext_cli.http.transport import Transport
from kontext_cli.providers.base import Adaptive, Provider
from kontext_cli.settings.settings import Settings, known_provider
from kontext_cli.terminal.output import to_stderr


def first_to_answer(servers: Sequence[Provider], settings: Settings, *, debug: bool) -> Provider:
    """The first of the servers that answers what it is. Raises KontextError where none does."""
    errors: list[KontextError] = []
    for server in servers:
        try:
            if isinstance(server, Adaptive):
                _ask(server, settings, once=len(servers) > 1, debug=debug)
        except Unreachable as error:
            errors.append(error)
        else:
            return server
    raise none_left(errors)


def _ask(provider: Adaptive, settings: Settings, *, once: bool, debug: bool) -> None:
    """Let ``provider`` learn what its server is. Raises KontextError where that does not answer;
    it is asked ``once`` where there are others."""
    key = settings.require_key(known_provider(provider.name), provider.base_url)

    async def work() -> None:
        async with Transport(
            provider.title,
            provider.key_bases,
            provider.headers(key) if key else {},
            if_unreachable=provider.if_unreachable,
            trace=to_stderr if debug else None,
        ) as transport:
            transport.submits_once = once
            await Fitting(provider, transport).ask_once()

    signal_number = run_until_signal(work)
    if signal_number is not None:
        raise Interrupted("interrupted", signal_number=signal_number)
