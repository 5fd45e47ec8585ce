"""What differs between a row in the lock and the same row now."""

from kontext_cli.lock.rows import LockedRow


def changes(before: LockedRow, now: LockedRow) -> list[str]:
    """The names of what changed, as in a prompts file: `prompt`, `images`, `provider`, `seed`….

    Empty if the request is the same.
    """
    if before.request == now.request:
        return []
    names = dict.fromkeys([*now.options, *before.options])
    found = [name for name in ("prompt", "provider", "model") if _differs(name, before, now)]
    if before.inputs != now.inputs and _contents(before) != _contents(now):
        found.append("images")
    found += [name for name in names if before.options.get(name) != now.options.get(name)]
    return found or ["request"]


def _differs(name: str, before: LockedRow, now: LockedRow) -> bool:
    return bool(getattr(before, name) != getattr(now, name))


def _contents(row: LockedRow) -> list[str]:
    """The images by content, as in the request; those of URLs by name."""
    return [each.sha256 or each.path for each in row.inputs]
