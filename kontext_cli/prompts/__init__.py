"""A prompts file, read into rows: every mistake told with its line."""

from kontext_cli.prompts.file import Kind, kind_of, read_prompts
from kontext_cli.prompts.keys import KEYS
from kontext_cli.prompts.rows import Mistake, Row

__all__ = ["KEYS", "Kind", "Mistake", "Row", "kind_of", "read_prompts"]
