"""The zsh script: a function for each command, in the language of `_arguments`."""

from collections.abc import Iterator

from completions.writer.tree import Argument, Command, Option, summary

_HEAD = """\
#compdef kontext
# kontext: completion for zsh. Written by `make completions`; not to be edited.
"""

_TAIL = """
# autoloaded from fpath, this file is the function itself; sourced, it registers it
if [[ $funcstack[1] == _kontext ]]; then
    _kontext "$@"
elif (( $+functions[compdef] )); then
    compdef _kontext kontext
else
    print -u2 'kontext: for completion, run this before it: autoload -Uz compinit && compinit'
fi
"""

_ACTIONS = {"file": "_files", "folder": "_files -/", None: " "}


def script(root: Command) -> str:
    """The completion script for zsh, to be autoloaded from `fpath` or sourced."""
    return _HEAD + "".join(map(_function, root.walk())) + _TAIL


def _function(command: Command) -> str:
    specs = [spec for option in command.options for spec in _option(option)]
    if command.subcommands:
        return _group(command, specs)
    specs += [_argument(argument) for argument in command.arguments]
    lines = ["", f"{_name(command)}() {{", *_arguments("-s -S", specs), "}", ""]
    return "\n".join(lines)


def _group(command: Command, specs: list[str]) -> str:
    children = command.subcommands
    specs = [*specs, _quoted("1: :->command"), _quoted("*:: :->rest")]
    lines = [
        "",
        f"{_name(command)}() {{",
        '    local curcontext="$curcontext" state state_descr line subcommands ret=1',
        "    typeset -A opt_args",
        *_arguments("-s -S -C", specs, then=" && ret=0"),
        "    case $state in",
        "        command)",
        "            subcommands=(",
        *(f"                {_described(child)}" for child in children),
        "            )",
        "            _describe -t commands command subcommands && ret=0",
        "            ;;",
        "        rest)",
        "            case $line[1] in",
        *(f"                {child.name}) {_name(child)} && ret=0 ;;" for child in children),
        "            esac",
        "            ;;",
        "    esac",
        "    return ret",
        "}",
        "",
    ]
    return "\n".join(lines)


def _name(command: Command) -> str:
    return "_" + "__".join(command.path)


def _arguments(flags: str, specs: list[str], then: str = "") -> Iterator[str]:
    yield f"    _arguments {flags} \\"
    for spec in specs[:-1]:
        yield f"        {spec} \\"
    yield f"        {specs[-1]}{then}"


def _described(command: Command) -> str:
    return _quoted(f"{_colons(command.name)}:{summary(command.help)}")


def _option(option: Option) -> Iterator[str]:
    """A spec for each of an option's names; each shuts out the others unless it is repeatable."""
    before = "*" if option.repeatable else f"({' '.join(option.flags)})"
    after = f"[{_bracketed(summary(option.help))}]"
    if option.takes_value:
        message = option.flags[-1].lstrip("-") if option.choices else option.metavar
        after += f":{_colons(message)}:{_action(option)}"
    for flag in option.flags:
        yield _quoted(before + flag + _joint(flag, option) + after)


def _joint(flag: str, option: Option) -> str:
    if not option.takes_value:
        return ""
    return "=" if flag.startswith("--") else "+"


def _argument(argument: Argument) -> str:
    places = "*" if argument.repeatable else ("" if argument.required else ":")
    # a mere message here would keep zsh from inserting an option on the first TAB
    action = _action(argument).strip() or "()"
    return _quoted(f"{places}:{_colons(argument.metavar)}:{action}")


def _action(wanted: Option | Argument) -> str:
    if wanted.choices:
        return f"({_colons(' '.join(wanted.choices))})"
    return _ACTIONS[wanted.completes]


def _bracketed(text: str) -> str:
    for sign in "\\[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _colons(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
