"""The journal: every job on disk before its request leaves, and at each step from there."""

from kontext_cli.journal.journal import Journal

__all__ = ["Journal"]
