"""The bash script: tables from the tree, and one function that reads a command line by them."""

import shlex
from collections.abc import Iterable, Iterator

from completions.writer.tree import Argument, Command, Option

_HEAD = """\
# kontext: completion for bash 3.2 and newer. Written by `make completions`; not to be edited.
"""

_BODY = r"""
_kontext() {
    local IFS=$' \t\n' words cur kept='' command=kontext place=1 given=' ' pending='' plain=''
    local commands='' options='' values='' kind=''
    COMPREPLY=()
    _kontext_split
    cur=${words[${#words[@]} - 1]//[\"\'\\]/}
    # what readline takes for the word, $2, may be only its end
    if [[ $cur == *"$2" ]]; then kept=${cur%"$2"}; fi
    _kontext_read
    if [[ $pending ]]; then
        _kontext_value "$command" "$pending"
        _kontext_offer_values ''
    elif [[ ! $plain && $cur == --*=* ]]; then
        _kontext_value "$command" "${cur%%=*}" && _kontext_offer_values "${cur%%=*}="
    elif [[ ! $plain && $cur == -* ]]; then
        _kontext_offer_options "$cur"
    else
        if ((place == 1)); then _kontext_offer '' $commands; fi
        _kontext_argument "$command" "$place" && _kontext_offer_values ''
        if [[ ! $plain && ! $cur && ! $values && ! $kind && ! $commands ]]; then
            _kontext_offer_options --
        fi
    fi
}

# Sets `words`, up to the cursor: bash cuts them at `=` and `:`, too.
_kontext_split() {
    local line=${COMP_LINE:0:COMP_POINT} trimmed word last='' i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${line#"${line%%[![:space:]]*}"}
        if ((${#word} > ${#trimmed})); then word=$trimmed; fi
        if ((i > 0)) && [[ $trimmed == "$line" && ($word == [:=]* || $last == *[:=]) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words[${#words[@]}]=$word
        fi
        last=$word
        line=${trimmed#"$word"}
    done
}

# Reads the words before the last: which command, which options, at which argument.
_kontext_read() {
    local word i
    _kontext_command "$command"
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            pending=''
        elif [[ $plain || $word != -?* ]]; then
            if [[ $commands ]] && _kontext_command "$command $word"; then
                command="$command $word" given=' ' place=1
            else
                place=$((place + 1))
            fi
        elif [[ $word == -- ]]; then
            plain=yes
        elif [[ $word == --* ]]; then
            given="$given${word%%=*} "
            if [[ $word != *=* ]] && _kontext_value "$command" "$word"; then pending=$word; fi
        else
            _kontext_read_short "${word#-}"
        fi
    done
    values='' kind=''
}

# Reads the letters of -qn2 or -qn 2.
_kontext_read_short() {
    local letters=$1 flag
    while [[ $letters ]]; do
        flag=-${letters:0:1} letters=${letters:1}
        given="$given$flag "
        if _kontext_value "$command" "$flag"; then
            if [[ ! $letters ]]; then pending=$flag; fi
            return
        fi
    done
}

# Offers those of the words $2 and up that go on from what is typed; $1 stands before each.
_kontext_offer() {
    local before=$1 word
    shift
    for word; do
        word=$before$word
        if [[ $word == "$cur"* ]]; then COMPREPLY[${#COMPREPLY[@]}]=${word#"$kept"}; fi
    done
}

_kontext_offer_values() {
    _kontext_offer "$1" $values
    if [[ $kind ]]; then compopt -o "$kind" 2>/dev/null; fi
}

# Offers the options that begin with $1, but those given already.
_kontext_offer_options() {
    local option flag names
    for option in $options; do
        names=${option%...}
        names=${names//,/ }
        for flag in $names; do
            if [[ $option != *... && $given == *" $flag "* ]]; then continue 2; fi
        done
        for flag in $names; do
            if [[ $flag == "$1"* ]]; then _kontext_offer '' "$flag"; fi
        done
    done
}

# Before 4.2 compopt does not work while bash completes: files are offered whenever nothing else is.
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
    complete -F _kontext kontext
else
    complete -o default -F _kontext kontext
fi
"""

_KINDS = {"file": "default", "folder": "dirnames", None: ""}


def script(root: Command) -> str:
    """The completion script for bash."""
    return _HEAD + "".join(
        [
            _function(
                "_kontext_command",
                "What the command $1 has; fails where there is none.",
                (_command_case(command) for command in root.walk()),
            ),
            _function(
                "_kontext_value",
                "What may follow the option $2 of the command $1; fails where it takes no value.",
                _value_cases(root),
            ),
            _function(
                "_kontext_argument",
                "What the argument number $2 of the command $1 may be; fails where anything may.",
                _argument_cases(root),
            ),
            _BODY,
        ]
    )


def _function(name: str, comment: str, cases: Iterable[str]) -> str:
    lines = [
        "",
        f"# {comment}",
        f"{name}() {{",
        '    case "$*" in',
        *cases,
        "        *) return 1 ;;",
        "    esac",
        "}",
        "",
    ]
    return "\n".join(lines)


def _command_case(command: Command) -> str:
    subcommands = " ".join(each.name for each in command.subcommands)
    options = " ".join(map(_names, command.options))
    return (
        f"        {shlex.quote(' '.join(command.path))})\n"
        f"            commands={shlex.quote(subcommands)}\n"
        f"            options={shlex.quote(options)}\n"
        "            ;;"
    )


def _names(option: Option) -> str:
    return ",".join(option.flags) + ("..." if option.repeatable else "")


def _value_cases(root: Command) -> Iterator[str]:
    for command in root.walk():
        for option in command.options:
            if option.takes_value:
                typed = (" ".join([*command.path, flag]) for flag in option.flags)
                yield _case(" | ".join(map(shlex.quote, typed)), option)


def _argument_cases(root: Command) -> Iterator[str]:
    for command in root.walk():
        for place, argument in enumerate(command.arguments, start=1):
            if argument.choices or argument.completes:
                stem = shlex.quote(" ".join(command.path) + " ")
                yield _case(stem + ("*" if argument.repeatable else str(place)), argument)


def _case(pattern: str, wanted: Option | Argument) -> str:
    values = shlex.quote(" ".join(wanted.choices))
    kind = shlex.quote(_KINDS[wanted.completes])
    return f"        {pattern}) values={values} kind={kind} ;;"
