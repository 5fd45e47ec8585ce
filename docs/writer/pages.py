"""Every page of the reference, by the path that `make reference` writes it to."""

import json
from pathlib import Path

import typer

from completions.writer.tree import tree
from docs.writer.commands import commands_page
from docs.writer.configuration import configuration_page
from docs.writer.exit_codes import exit_codes_page
from docs.writer.json_records import json_page
from docs.writer.providers import providers_page
from docs.writer.records import json_schema

REFERENCE = Path(__file__).parents[1] / "reference"


def written(app: typer.Typer) -> dict[Path, str]:
    """The files of the reference of the program ``app``."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    pages = {
        "commands.md": commands_page(tree(app)),
        "providers.md": providers_page(),
        "configuration.md": configuration_page(),
        "exit-codes.md": exit_codes_page(),
        "json.md": json_page(),
        "json.schema.json": f"{schema}\n",
    }
    return {REFERENCE / name: text for name, text in pages.items()}
