"""`python -m docs.writer`: write the reference of the manual into the checkout."""

from docs.writer.pages import written
from kontext_cli.cli.main import program

if __name__ == "__main__":
    for path, text in written(program()).items():
        path.write_text(text, encoding="utf-8", newline="\n")
