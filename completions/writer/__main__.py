"""`python -m completions.writer`: write completion scripts and man page into the checkout."""

from completions.writer.scripts import written
from kontext_cli.cli.main import program

if __name__ == "__main__":
    for path, text in written(program()).items():
        path.write_text(text, encoding="ascii", newline="\n")
