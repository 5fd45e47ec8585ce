"""`python -m kontext_cli.cli.completions`: write them into the checkout."""

from kontext_cli.cli import program
from kontext_cli.cli.completions import written

if __name__ == "__main__":
    for path, text in written(program()).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii", newline="\n")
