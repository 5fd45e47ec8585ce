"""The benchmarks' PostgreSQL server, in a process of its own.

Prints `ready`, or how to install one; then each line on standard input makes an empty database,
whose URL is printed.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from postgres_server import HOW_TO_INSTALL, PostgresServer, programs


def main() -> int:
    """Serve until standard input ends."""
    bin_folder = programs()
    if bin_folder is None:
        print(HOW_TO_INSTALL)
        return 1
    with TemporaryDirectory(prefix="kontext-bench-") as folder:
        server = PostgresServer(Path(folder), bin_folder, fsync="on")
        try:
            server.create()
            print("ready", flush=True)
            for _ in sys.stdin:
                print(server.url(server.new_database(), tcp=True), flush=True)
        finally:
            server.stop("fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
