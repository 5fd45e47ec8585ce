"""The fish script: a `complete` line for each option, under conditions that read the line."""

from collections.abc import Iterator

from completions.writer.tree import Argument, Command, Completes, Option, summary

_HEAD = """\
# kontext: completion for fish. Written by `make completions`; not to be edited.

# Reads the words before the cursor, once for each change: which command, which options.
function __kontext_read
    set -l words (commandline -opc)
    test "$words" = "$__kontext_words"; and return
    set -g __kontext_words $words
    set -g __kontext_command kontext
    set -g __kontext_given
    set -g __kontext_place 1
    set -l pending
    set -l plain
    set -e words[1]
    for word in $words
        if test -n "$pending"
            set -a __kontext_given $pending
            set pending
        else if test -n "$plain"; or not string match -qr '^-.' -- $word
            if __kontext_is_command "$__kontext_command $word"
                set __kontext_command "$__kontext_command $word"
                set __kontext_given
                set __kontext_place 1
            else
                set __kontext_place (math $__kontext_place + 1)
            end
        else if test "$word" = --
            set plain yes
        else if string match -qr '^--' -- $word
            set -l parts (string split -m 1 = -- $word)
            if test (count $parts) -eq 1; and __kontext_takes_value "$__kontext_command $word"
                set pending $word
            else
                set -a __kontext_given $parts[1]
            end
        else
            set pending (__kontext_read_short $word)
        end
    end
end

# Reads the letters of -qn2 or -qn 2; prints the one whose value is the next word.
function __kontext_read_short
    set -l letters (string split '' -- (string sub -s 2 -- $argv))
    while set -q letters[1]
        set -l flag -$letters[1]
        set -e letters[1]
        if __kontext_takes_value "$__kontext_command $flag"; and not set -q letters[1]
            printf '%s\n' $flag
            return
        end
        set -a __kontext_given $flag
        __kontext_takes_value "$__kontext_command $flag"; and return
    end
end

# The line is in the command $argv[1].
function __kontext_in
    __kontext_read
    test "$__kontext_command" = $argv[1]
end

# The line is in the command $argv[1], at its argument number $argv[2].
function __kontext_at
    __kontext_in $argv[1]; and test $__kontext_place -eq $argv[2]
end

# The line is in the command $argv[1], at its argument number $argv[2] or behind it.
function __kontext_from
    __kontext_in $argv[1]; and test $__kontext_place -ge $argv[2]
end

# The line is in the command $argv[1] and has none of the options after it.
function __kontext_lacks
    __kontext_in $argv[1]; or return
    for flag in $argv[2..-1]
        contains -- $flag $__kontext_given; and return 1
    end
    return 0
end
"""

_ALONE = [
    "# fish loads a file for kontext at the first TAB, which may be one that it generated from the",
    "# man page: have it loaded now, and forget it.",
    "complete -C 'kontext ' >/dev/null",
    "complete -c kontext -e",
]

_VALUES: dict[Completes, str] = {
    "file": " -r -F",
    "folder": " -x -a '(__fish_complete_directories)'",
    None: " -x",
}


def script(root: Command) -> str:
    """The completion script for fish."""
    commands = [" ".join(each.path) for each in root.walk()]
    valued = [
        " ".join([*each.path, flag])
        for each in root.walk()
        for option in each.options
        if option.takes_value
        for flag in option.flags
    ]
    lines = [
        *_listing("__kontext_is_command", "The words are a command.", commands),
        *_listing("__kontext_takes_value", "The words are a command and its option.", valued),
        "set -e __kontext_words",
        *_ALONE,
        "complete -c kontext -f",
        *(line for command in root.walk() for line in _command(command)),
    ]
    return _HEAD + "\n" + "\n".join(lines) + "\n"


def _listing(name: str, comment: str, words: list[str]) -> list[str]:
    listed = [f"        {_quoted(each)}" for each in words]
    return [
        f"# {comment}",
        f"function {name}",
        '    contains -- "$argv" \\',
        *(f"{line} \\" for line in listed[:-1]),
        listed[-1],
        "end",
        "",
    ]


def _command(command: Command) -> Iterator[str]:
    yield ""
    for child in command.subcommands:
        yield _complete(_at(command, 1), f" -a {child.name}", summary(child.help))
    for place, argument in enumerate(command.arguments, start=1):
        if argument.choices or argument.completes:
            where = _from(command, place) if argument.repeatable else _at(command, place)
            yield _complete(where, _argument_value(argument), summary(argument.help))
    for option in command.options:
        where = _in(command) if option.repeatable else _lacks(command, option)
        value = _option_value(option) if option.takes_value else ""
        yield _complete(where, _flags(option) + value, summary(option.help))


def _complete(where: str, what: str, description: str) -> str:
    return f"complete -c kontext -n {_quoted(where)}{what} -d {_quoted(description)}"


def _in(command: Command) -> str:
    return f'__kontext_in "{" ".join(command.path)}"'


def _at(command: Command, place: int) -> str:
    return f'__kontext_at "{" ".join(command.path)}" {place}'


def _from(command: Command, place: int) -> str:
    return f'__kontext_from "{" ".join(command.path)}" {place}'


def _lacks(command: Command, option: Option) -> str:
    return f'__kontext_lacks "{" ".join(command.path)}" {" ".join(option.flags)}'


def _flags(option: Option) -> str:
    return "".join(
        f" -l {flag[2:]}" if flag.startswith("--") else f" -s {flag[1:]}" for flag in option.flags
    )


def _argument_value(argument: Argument) -> str:
    if argument.choices:
        return f" -a {_quoted(' '.join(argument.choices))}"
    return " -F" if argument.completes == "file" else " -a '(__fish_complete_directories)'"


def _option_value(option: Option) -> str:
    if option.choices:
        return f" -x -a {_quoted(' '.join(option.choices))}"
    return _VALUES[option.completes]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
