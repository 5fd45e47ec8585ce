"""The table of recent jobs: one line for each job on a terminal, whole file names in a pipe."""

import sys
from pathlib import Path

import pytest

from journals import job
from kontext_cli.job import File, State
from kontext_cli.terminal.output import to_stdout
from kontext_cli.terminal.table import job_table

NAME = "a-beast-with-a-long-long-prompt-that-goes-on-past-the-edge-1.jpg"


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_long_file_names_are_cut_on_a_terminal_alone(
    on_a_terminal: bool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_a_terminal)
    files = (File(Path("/x") / NAME, "0" * 64, 1, 8, 8, "jpeg"),)
    for line in job_table([job(State.SAVED, files=files), job(State.QUEUED)]):
        to_stdout(line)
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines == [line.rstrip() for line in lines]
    assert (NAME in lines[1]) is not on_a_terminal
    assert (max(map(len, lines)) <= 80) is on_a_terminal
