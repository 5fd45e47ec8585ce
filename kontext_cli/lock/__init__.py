"""The lock of a prompts file: which image was made from which row, kept in git with both."""

from kontext_cli.lock.changes import changes
from kontext_cli.lock.choosing import choose
from kontext_cli.lock.places import Places, lock_path, shard_locks, shard_of
from kontext_cli.lock.reading import check_belongs, check_row, parse_lock, read_lock
from kontext_cli.lock.rows import (
    Header,
    Line,
    Lock,
    LockedFile,
    LockedInput,
    LockedRow,
)
from kontext_cli.lock.shards import United, unite
from kontext_cli.lock.writing import encode_lock, encode_row, locking, write_lock

__all__ = [
    "Header",
    "Line",
    "Lock",
    "LockedFile",
    "LockedInput",
    "LockedRow",
    "Places",
    "United",
    "changes",
    "check_belongs",
    "check_row",
    "choose",
    "encode_lock",
    "encode_row",
    "lock_path",
    "locking",
    "parse_lock",
    "read_lock",
    "shard_locks",
    "shard_of",
    "unite",
    "write_lock",
]
