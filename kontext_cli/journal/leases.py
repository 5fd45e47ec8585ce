"""Which processes own jobs in a database: each renews a lease, by the clock of the server alone."""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from threading import Event, Thread

import psycopg

from kontext_cli.errors import JournalFault
from kontext_cli.journal.server import Address, Connection
from kontext_cli.words import seconds_text

_RENEWALS = 4
"""How often a lease is renewed within its time."""
_ENTER = "INSERT INTO owners (token, expires) VALUES (%s, clock_timestamp() + %s)"
_RENEW = (
    "UPDATE owners SET expires = clock_timestamp() + %s"
    " WHERE token = %s AND (expires > clock_timestamp() OR %s)"
)
_HOLDS = "SELECT 1 FROM owners WHERE token = %s AND expires > clock_timestamp()"
# As of the beginning of a transaction, with whose jobs they are compared.
_LIVING = "SELECT token FROM owners WHERE expires > now()"
_SWEEP = "DELETE FROM owners WHERE expires < clock_timestamp() - interval '1 day'"


class Leases:
    """The processes that share a database, each with a token; this one has its own.

    A thread renews ours over connections of its own, so that neither a busy event loop nor a long
    transaction loses it. A lease that ran out while the server was away is renewed when it is
    back; one that ran out because this process was stopped is lost, and nothing more is submitted.
    That alone protects no job: each submit checks, in its transaction, that its job is still ours.
    """

    def __init__(self, address: Address, db: Callable[[], Connection]) -> None:
        """``db`` returns the connection in use."""
        self._address = address
        self._db = db
        self._ended = Event()
        self._is_lost = False
        self._was_away = False
        self._living: set[str] = set()
        self._asked: set[str] = set()
        self._is_checked = False
        self.token: str | None = None
        """Our own token, None until ``enter``."""

    def enter(self) -> str:
        """Acquire our token, once, in a transaction of its own; returns it.

        Raises psycopg.Error.
        """
        if self.token is None:
            token = secrets.token_hex(8)
            with closing(self._address.connect()) as db:
                db.execute(_SWEEP)
                db.execute(_ENTER, (token, self._seconds))
            self.token = token
            Thread(target=self._renew_until_ended, name="lease", daemon=True).start()
        return self.token

    def begin(self) -> None:
        """To be called with each transaction: what was known of others may have changed."""
        self._living.clear()
        self._asked.clear()
        self._is_checked = False

    def is_alive(self, token: str) -> bool:
        """Whether a process has a lease; of our own, that is not asked.

        A process has its token before it writes, so that what is found after its job was read is
        true for the whole transaction. Raises psycopg.Error.
        """
        if token == self.token:
            return True
        if token not in self._asked:
            self._living = {living for (living,) in self._db().execute(_LIVING)}
            self._asked |= {token, *self._living}
        return token in self._living

    def keep_room(self) -> None:
        """Check that we have a lease. Raises JournalFault where it was lost, and psycopg.Error."""
        self.enter()
        db = self._db()
        if (
            not (self._is_lost or self._is_checked)
            and db.execute(_HOLDS, (self.token,)).fetchone() is None
        ):
            self._renew(db)
        self._is_checked = True
        if self._is_lost:
            raise JournalFault(
                f"this run stood still for longer than {seconds_text(self._address.lease)} s, so"
                " others may have taken over its jobs; nothing more is submitted",
                hint="run it again",
            )

    def note_away(self) -> None:
        """The server could not be reached, so that a lease may have run out that is not lost."""
        self._was_away = True

    def leave(self, db: Connection) -> None:
        """Release our token. Raises psycopg.Error."""
        self._ended.set()
        if self.token is not None:
            db.execute("DELETE FROM owners WHERE token = %s", (self.token,))

    @property
    def _seconds(self) -> str:
        return f"{self._address.lease} seconds"

    def _renew(self, db: Connection) -> None:
        renewed = db.execute(_RENEW, (self._seconds, self.token, self._was_away)).rowcount
        self._is_lost = renewed == 0

    def _renew_until_ended(self) -> None:
        wait = self._address.lease / _RENEWALS
        while not self._ended.wait(wait / 4 if self._was_away else wait):
            began = time.monotonic()
            try:
                with closing(self._address.connect_briefly()) as db:
                    self._was_away |= time.monotonic() - began > wait
                    self._renew(db)
                self._was_away = False
            except psycopg.Error:
                self._was_away = True
            if self._is_lost:
                return
