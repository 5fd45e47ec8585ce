"""Every job on disk, before its request leaves and at each step after."""

from kontext_cli.journal.journal import Journal

__all__ = ["Journal"]
