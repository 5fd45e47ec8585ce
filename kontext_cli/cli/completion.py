"""`kontext completion`: print the completion script for a shell."""

from typing import Annotated, Literal

import typer

from kontext_cli.terminal.result import show

EXAMPLES = """\b
Examples:
  kontext completion bash > ~/.kontext.bash  # in ~/.bashrc: . ~/.kontext.bash
  kontext completion zsh > ~/.kontext.zsh    # in ~/.zshrc: . ~/.kontext.zsh
  mkdir -p ~/.config/fish/completions
  kontext completion fish > ~/.config/fish/completions/kontext.fish
  kontext completion powershell | Out-String | Invoke-Expression # in $PROFILE

In ~/.zshrc, `autoload -Uz compinit && compinit` comes before.

pipx and `pip install --user` save the scripts where fish finds them, and bash
with the package bash-completion.
"""


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(help="The shell."),
    ],
) -> int:
    """Print the completion script for a shell. It is static: save it again after an update."""
    from kontext_cli.commands.completion import completion_script

    return show(completion_script(shell))
