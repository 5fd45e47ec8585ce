"""`kontext sandbox`: serve emulated providers on this machine."""

import os
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.errors import UsageError
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.terminal.output import to_stderr, to_stdout
from kontext_cli.terminal.printable import one_line

if TYPE_CHECKING:
    from kontext_cli.sandbox.app import Sandbox
    from kontext_cli.sandbox.serving import Answered

_PORT = 8787
_ANY_KEY = "sandbox"

EXAMPLES = """\b
Examples:
  kontext sandbox --latency 5 --fault "429*2"
  eval "$(kontext sandbox -q & echo "pid=$!")"; kontext generate "a fox"; kill "$pid"
  kontext generate "a fox [fault:flagged]" -p fal  (a fault for one request)
  curl http://127.0.0.1:8787/ledger                     (the accepted submits)
"""

Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="A loopback address, or localhost.")
]
Port = Annotated[
    int, typer.Option("--port", metavar="N", min=0, max=65_535, help="0 picks a free port.")
]
Latency = Annotated[float, typer.Option("--latency", metavar="SECONDS", help="Duration of a job.")]
Fault = Annotated[
    str | None,
    typer.Option(
        "--fault",
        metavar="NAME[*K]",
        help="Inject a fault, always or the first K times. An unknown name lists them all.",
    ),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Make small images of a single color, for thousands of jobs."),
]


def sandbox(
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    latency: Latency = 0.5,
    fault: Fault = None,
    plain: Plain = False,
    quiet: options.Quiet = False,
) -> int:
    """Serve emulated providers on this machine.

    Prints the environment variables to set. Ctrl-C and SIGTERM stop it, with exit code 0.
    """
    from kontext_cli.sandbox.serving import listen, serve, url_of, watched

    emulated = _emulated(latency, fault, plain=plain)
    listener = listen(host, port)
    url = url_of(listener)
    app = emulated.app if quiet else watched(emulated.app, _tell)

    def announce() -> None:
        if not quiet:
            to_stderr(f"sandbox at {url}; Ctrl-C stops it")
        for line in exports(url, powershell=sys.platform == "win32"):
            to_stdout(line)
        _close_stdout()

    serve(app, listener, announce)
    if not quiet:
        to_stderr("sandbox stopped")
    return 0


def exports(url: str, *, powershell: bool) -> Iterator[str]:
    """Shell lines that set the base URL and key of each provider to the sandbox at ``url``."""
    for name in NAMES:
        provider = provider_class(name)
        if provider.offline:
            continue
        variables = {f"KONTEXT_{name.upper()}_BASE_URL": f"{url}/{name}"}
        variables |= dict.fromkeys(provider.key_variables[0], _ANY_KEY)
        for variable, value in variables.items():
            yield (
                f'$env:{variable} = "{value}"'
                if powershell
                else f"export {variable}={shlex.quote(value)}"
            )


def _emulated(latency: float, fault: str | None, *, plain: bool) -> "Sandbox":
    if not 0 <= latency < float("inf"):
        raise UsageError(
            f"--latency should be a number of seconds, not {latency:g}",
            hint="0 completes every job immediately",
        )
    from kontext_cli.sandbox.app import Sandbox
    from kontext_cli.sandbox.faults import FAULTS

    try:
        return Sandbox(latency=latency, fault=fault, plain=plain)
    except ValueError:
        hint = f"there are {', '.join(FAULTS)}; NAME*K injects a fault only the first K times"
        raise UsageError(f"the sandbox has no fault `{fault}`", hint=hint) from None


def _tell(answered: "Answered") -> None:
    status = answered.status or "no reply"
    line = f"{answered.method:<4} {answered.path} {status}, {answered.seconds * 1000:.0f} ms"
    to_stderr(one_line(line))


def _close_stdout() -> None:
    """Close standard output: a shell that reads the exports with ``$(…)`` waits for its end."""
    if sys.stdout is None or sys.stdout.isatty():
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
