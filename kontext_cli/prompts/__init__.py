"""Reads prompts files into rows, with the line of every fault."""

from kontext_cli.prompts.file import Kind, kind_of, read_prompts
from kontext_cli.prompts.keys import KEYS
from kontext_cli.prompts.rows import Fault, Row, Rows

__all__ = ["KEYS", "Fault", "Kind", "Row", "Rows", "kind_of", "read_prompts"]
