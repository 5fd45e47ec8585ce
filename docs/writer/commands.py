"""The page of commands: each with its arguments, options and examples."""

from collections.abc import Iterator
from itertools import groupby

from completions.writer.tree import Argument, Command, Option
from docs.writer.markdown import bullets, code, fenced, page, prose

_FIRST = "Options"


def commands_page(root: Command) -> str:
    """Every command of the program, in the order of its help."""
    leaves = [command for command in root.walk() if not command.subcommands]
    contents = (
        (f"[`{' '.join(each.path)}`](#{'-'.join(each.path)})", prose(each.help)) for each in leaves
    )
    return page(
        "Commands",
        [
            "`kontext COMMAND --help` shows the same in a terminal, and `kontext --version` the "
            "version.",
            bullets(contents),
            *(block for command in leaves for block in _command(command)),
        ],
    )


def _command(command: Command) -> Iterator[str]:
    yield f"## {' '.join(command.path)}"
    yield prose(command.help)
    yield fenced("shell", [_synopsis(command)])
    if command.examples:
        yield "Examples:"
        yield fenced("shell", command.examples)
    if command.arguments:
        yield "Arguments:"
        yield bullets((code(each.metavar), _meaning(each)) for each in command.arguments)
    options = sorted(command.options, key=lambda option: _rank(command, option))
    for group, listed in groupby(options, lambda option: option.group or _FIRST):
        yield f"{group}:"
        yield bullets(map(_option, listed))


def _rank(command: Command, option: Option) -> int:
    """The place of an option's group: those without one first, `Output` last."""
    groups = list(dict.fromkeys(each.group for each in command.options if each.group))
    if not option.group:
        return -1
    return len(groups) if option.group == "Output" else groups.index(option.group)


def _synopsis(command: Command) -> str:
    words = [*command.path, "[OPTION]...", *map(_placeholder, command.arguments)]
    return " ".join(words)


def _placeholder(argument: Argument) -> str:
    metavar = argument.metavar + ("..." if argument.repeatable else "")
    return metavar if argument.required else f"[{metavar}]"


def _meaning(argument: Argument) -> str:
    one_of = f" One of {', '.join(argument.choices)}." if argument.choices else ""
    return prose(argument.help + one_of)


def _option(option: Option) -> tuple[str, str]:
    flags = [*map(code, option.flags)]
    if option.takes_value:
        flags[-1] = code(f"{option.flags[-1]} {option.metavar}")
    default = f" Default: {option.default}." if option.default else ""
    return ", ".join(flags), prose(option.help + default)
