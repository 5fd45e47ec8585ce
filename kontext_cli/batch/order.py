"""What holds for all rows of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kontext_cli.batch.decide import Rules
from kontext_cli.files.names import Exists
from kontext_cli.job import Operation
from kontext_cli.prompts import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What holds for all rows of a batch.

    ``defaults`` are the fields of a request, and ``provider``, ``model`` and the options that
    are not sent, for rows that do not set them. ``images`` of rows are relative to the folder that
    ``bases`` has for their file; images are saved in ``folder``. ``template`` names the files of
    rows without an id, ``id_template`` those of rows with one.
    """

    batch: str
    operation: Operation
    defaults: Mapping[str, Any]
    images: tuple[str, ...]
    bases: Mapping[str, Path]
    folder: Path
    template: str
    id_template: str
    exists: Exists
    rules: Rules
    by_image: bool = False
    """Rows are identified by their image: `--each`."""
    waits: bool = True
    """False: submit the jobs and leave them at the provider."""

    def of_row(self, row: Row, name: str) -> Any:
        """The value of an option that is not sent: the row's own, else the default."""
        return row.others.get(name, self.defaults.get(name))
