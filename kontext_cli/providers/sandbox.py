"""The sandbox: an emulated fal within this process, without a key and free of charge."""

from kontext_cli.providers.fal import Fal
from kontext_cli.providers.options import Price


class SandboxProvider(Fal):
    """The emulated fal: the same options, the same path of a job, and no network."""

    name = "sandbox"
    # A name that only ever means this machine (RFC 6761), should anyone resolve it.
    home = "http://sandbox.localhost/fal"
    key_variables = ()
    offline = True
    prices = tuple(Price(row.model, usd=0.0, dated=row.dated) for row in Fal.prices)


PROVIDER = SandboxProvider
