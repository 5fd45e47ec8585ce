"""`kontext sandbox`: serve emulated providers on this machine."""

from typing import Annotated

import typer

from kontext_cli.cli import options
from kontext_cli.terminal.result import show

_PORT = 8787

EXAMPLES = """\b
Examples:
  kontext sandbox --latency 5 --fault "429*2"
  eval "$(kontext sandbox -q & echo pid=$!)"; kontext generate fox; kill $pid
  kontext generate "a fox [fault:flagged]" -p fal  # a fault for one request
  curl http://127.0.0.1:8787/ledger                     # the accepted submits
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
        help="Inject a fault, always or the first K times. `help` lists them all.",
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
    from kontext_cli.commands.sandbox import serve_sandbox

    return show(
        serve_sandbox(host, port, latency=latency, fault=fault, plain=plain, quiet=quiet),
        quiet=quiet,
    )
