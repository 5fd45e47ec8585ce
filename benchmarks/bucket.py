"""The benchmarks' object storage, in a process of its own: prints the URL of a server that answers
as S3 does, with a bucket, and serves until standard input ends."""

import logging
import sys
from http.client import HTTPConnection
from importlib import import_module

from uploading import BUCKET


def main() -> None:
    """Serve; without the libraries it takes, print how to install them."""
    try:
        import_module("obstore")
        library = import_module("moto.server")
    except ImportError:
        print('`pip install obstore "moto[server]"`')
        return
    server = library.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    connection = HTTPConnection(host, port)
    connection.request("PUT", f"/{BUCKET}")
    connection.getresponse().read()
    connection.close()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
