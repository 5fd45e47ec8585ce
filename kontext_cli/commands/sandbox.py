"""`kontext sandbox`: serve emulated providers on this machine."""

import os
import shlex
import sys
from collections.abc import Iterator

from kontext_cli.errors import UsageError
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.faults import FAULTS
from kontext_cli.sandbox.serving import Answered, listen, serve, url_of, watched
from kontext_cli.terminal.output import to_stderr, to_stdout
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.result import Result

_ANY_KEY = "sandbox"


def serve_sandbox(
    host: str, port: int, *, latency: float, fault: str | None, plain: bool, quiet: bool
) -> Result:
    """Serve emulated providers until a signal stops it; prints their URLs when it begins.

    The fault `help` only lists all faults. Raises UsageError for an unknown fault, or an address
    that cannot be used.
    """
    if fault == "help":
        return Result(text=_listed_faults())
    emulated = _emulated(latency, fault, plain=plain)
    listener = listen(host, port)
    url = url_of(listener)
    app = emulated.app if quiet else watched(emulated.app, _log_request)

    def announce() -> None:
        if not quiet:
            to_stderr(f"sandbox at {url}; Ctrl-C stops it")
        for line in exports(url, powershell=sys.platform == "win32"):
            to_stdout(line)
        _close_stdout()

    serve(app, listener, announce)
    return Result(messages=["sandbox stopped"])


def exports(url: str, *, powershell: bool) -> Iterator[str]:
    """Shell lines that set the base URL and key of each provider to the sandbox at ``url``."""
    for name in NAMES:
        provider = provider_class(name)
        if provider.offline:
            continue
        variables = {f"KONTEXT_{name.upper()}_BASE_URL": f"{url}/{name}"}
        for row in provider.key_variables[:1]:
            variables |= dict.fromkeys(row, _ANY_KEY)
        for variable, value in variables.items():
            yield (
                f'$env:{variable} = "{value}"'
                if powershell
                else f"export {variable}={shlex.quote(value)}"
            )


def _listed_faults() -> Iterator[str]:
    """A line for each fault: its name, and what it does."""
    width = max(map(len, FAULTS))
    for name, fault in FAULTS.items():
        yield f"{name:<{width}}  {fault.does}"


def _emulated(latency: float, fault: str | None, *, plain: bool) -> Sandbox:
    if not 0 <= latency < float("inf"):
        raise UsageError(
            f"--latency should be a number of seconds, not {latency:g}",
            hint="0 completes every job immediately",
        )
    try:
        return Sandbox(latency=latency, fault=fault, plain=plain)
    except ValueError:
        hint = (
            f"available faults: {', '.join(FAULTS)}; NAME*K injects a fault only the first K times"
        )
        raise UsageError(f"the sandbox has no fault `{fault}`", hint=hint) from None


def _log_request(answered: Answered) -> None:
    status = answered.status or "no reply"
    line = f"{answered.method:<4} {answered.path} {status}, {answered.seconds * 1000:.0f} ms"
    to_stderr(one_line(line))


def _close_stdout() -> None:
    """Close standard output: a shell that reads the exports with ``$(…)`` waits for its end."""
    if sys.stdout is None or sys.stdout.isatty():
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
