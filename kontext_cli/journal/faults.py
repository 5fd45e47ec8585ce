"""Faults of the journal after which others than the user can do something: try again."""

from kontext_cli.errors import JournalFault


class Busy(JournalFault):
    """Another program has had the journal locked for too long."""


class Away(JournalFault):
    """The database of the journal cannot be reached, or has just ended the connection."""
