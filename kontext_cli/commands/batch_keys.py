"""Which providers of a batch can be asked: what they support, and whether there are keys."""

from collections.abc import Callable, Sequence

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.generate import check_waiting
from kontext_cli.providers import Name
from kontext_cli.providers.base import Provider
from kontext_cli.settings.settings import Settings, known_provider

WORK = (Step.MAKE, Step.COLLECT, Step.WAIT)
"""The steps for which a provider is asked."""


class BatchKeys:
    """The keys for the providers of a batch, each looked for once."""

    def __init__(self, flags: Flags, settings: Settings, notice: Callable[[str], None]) -> None:
        """``notice`` is called with each provider that is left out."""
        self._flags = flags
        self._settings = settings
        self._notice = notice
        self._without_key: dict[Name, bool] = {}

    def check(self, entries: Sequence[Entry], *, usual: str | None) -> None:
        """Check what the providers support, then that they have keys. ``usual`` are the providers
        if nothing names any. Raises KontextError."""
        settings, work = self._settings, [each for each in entries if each.step in WORK]
        chains = {each.shared.endpoint: each.shared.chain for each in work}
        for shared in (each for chain in chains.values() for each in chain):
            check_waiting(self._flags, shared.provider, shared.endpoint)
        if any("provider" not in entry.row.others for entry in work):
            # names all variables if there is no key
            settings.providers(self._flags.provider, usual=usual)
        for entry in entries:
            if entry.step is Step.MAKE and entry.shared.then is not None:
                self._skip_without_key(entry)
        needed = [each.at for each in entries if self._needs_key(each)]
        # The run opens them all; a command may ask for a passphrase, so before anything is drawn.
        by_command = [
            name for name in providers_of(entries) if name in settings.config.key_commands
        ]
        for name in dict.fromkeys([*needed, *by_command]):
            settings.require_key(known_provider(name))

    def is_usable(self, provider: Provider) -> bool:
        """Whether there is a key for a provider, or it needs none."""
        name = known_provider(provider.name)
        if name not in self._without_key:
            self._without_key[name] = not self._settings.is_usable(name)
            if self._without_key[name]:
                self._notice(f"there is no key for {name}: its rows go to the next provider")
        return not self._without_key[name]

    def _needs_key(self, entry: Entry) -> bool:
        """Whether nothing can be done for a row without a key for its provider; one that is waited
        for may still go to its next provider."""
        if entry.step is Step.WAIT:
            return not any(self.is_usable(each.provider) for each in entry.shared.chain)
        return entry.step in WORK

    def _skip_without_key(self, entry: Entry) -> None:
        """Leave out the first providers of a row for which there is no key, unless none has one."""
        usable = [each for each in entry.shared.chain if self.is_usable(each.provider)]
        if usable and usable[0] is not entry.shared:
            entry.pass_on(usable[0])


def providers_of(entries: Sequence[Entry]) -> list[str]:
    """The providers that a run uses: those of its rows, and of their earlier jobs elsewhere."""
    return list(
        dict.fromkeys(
            name
            for entry in entries
            if entry.step in WORK
            for name in (entry.at, *(each.provider.name for each in entry.shared.chain))
        )
    )
