"""JSON Lines: one string or object per line."""

from kontext_cli.prompts.json_values import decoded, pairs_of
from kontext_cli.prompts.keys import Refused
from kontext_cli.prompts.rows import Rows, lines


def read_json_lines(text: str, rows: Rows) -> None:
    """Add each line that is not blank as a row."""
    for number, line in enumerate(lines(text, rows), start=1):
        if not line.strip():
            continue
        try:
            rows.add(number, pairs_of(decoded(line.rstrip("\r\n")), "a line"))
        except Refused as refused:
            rows.refuse(number, str(refused))


def is_text(line: str) -> bool:
    """Whether a line is one JSON string."""
    try:
        return line.startswith('"') and isinstance(decoded(line), str)
    except Refused:
        return False
