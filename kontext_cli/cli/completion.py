"""`kontext completion`: print the completion script for a shell."""

from typing import Annotated, Literal

import typer

from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext completion bash > ~/.local/share/bash-completion/completions/kontext
  kontext completion zsh > ~/.zfunc/_kontext  # a directory in your fpath
  kontext completion fish > ~/.config/fish/completions/kontext.fish
  kontext completion powershell >> $PROFILE
"""


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(help="The shell."),
    ],
) -> int:
    """Print the completion script for a shell."""
    from kontext_cli.commands.completion import completion_script

    return show(completion_script(shell))
