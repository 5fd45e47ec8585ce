"""Explains usage errors of Typer, and suggests the command line to type instead."""

import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from kontext_cli.cli.defaults import located
from kontext_cli.cli.foreign import same_command, same_option, why_absent
from kontext_cli.errors import UsageError
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.sizes import meant_ratio
from kontext_cli.words import nearest

_IMAGE = re.compile(r".+\.(jpe?g|png|webp|gif|bmp|tiff?|hei[cf]|avif)", re.IGNORECASE)
_KEY = re.compile(r"(?=\S*\d)[^\s/.]{20,}")
"""Possibly a pasted key: long, with digits, and neither prose nor a path."""
_HIDDEN = "…"
_ONE_DASH = re.compile(r"-[A-Za-z][A-Za-z_-]+")


class Line(NamedTuple):
    """A command line split by its command: plain words, and options with their values."""

    words: list[str]
    options: list[str]


def explained(error: Exception, argv: Sequence[str]) -> UsageError:
    """Turn Typer's usage error for the command line ``argv`` into a UsageError."""
    if "auth" in argv[:1]:
        return _auth_error(argv)
    context = getattr(error, "ctx", None)
    message = getattr(error, "format_message", error.__str__)()
    path = context.command_path if context else _NAME
    if context is not None:
        for rule in _RULES:
            if found := rule(error, context, argv):
                return located(found, context)
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=f"{path} --help")


def unknown_command(argv: Sequence[str], commands: Sequence[str], edit: Any) -> UsageError:
    """The error for an unknown command; ``edit`` is the command that has all options."""
    word = argv[0]
    if near := nearest(word, commands):
        return UsageError(f"unknown command `{word}`", hint=f"did you mean `kontext {near}`?")
    if word in NAMES:
        return UsageError(
            f"`{word}` is a provider, not a command",
            hint=f'kontext generate "a red fox" --provider {word}',
        )
    line = split(argv, edit)
    known = same_command(word.casefold())
    if known and ("auth" in known or not _is_prose(line.words)):
        return UsageError(f"unknown command `{word}`", hint=f"did you mean `{known}`?")
    if len(line.words) == 1 and " " not in word:
        return UsageError(f"unknown command `{_shown(word)}`", hint="kontext --help")
    command = "edit" if {"-i", "--image"} & set(line.options) else "generate"
    return UsageError(
        f"unknown command `{_shown(word)}`; give a prompt after `generate` or `edit`",
        hint=_to_type(command, line),
    )


def _is_prose(words: Sequence[str]) -> bool:
    """Whether words are an unquoted prompt: `make it winter`, but not `make "a red fox"`."""
    return len(words) > 2 and not any(" " in each for each in words)


def split(typed: Sequence[str], command: Any) -> Line:
    """Split the arguments of a command by its options."""
    takes_value = {
        name: not (each.is_flag or each.count)
        for each in command.params
        if each.param_type_name == "option"
        for name in each.opts
    }
    line = Line([], [])
    rest = list(typed)
    while rest:
        piece = rest.pop(0)
        if piece == "--":
            line.words.extend(rest)
            break
        if len(piece) < 2 or not piece.startswith("-"):
            line.words.append(piece)
            continue
        line.options.append(piece)
        last = piece if piece.startswith("--") else f"-{piece[-1]}"
        if takes_value.get(last) and rest and _ends_cluster(piece, takes_value):
            line.options.append(rest.pop(0))
    return line


def _ends_cluster(piece: str, takes_value: dict[str, bool]) -> bool:
    """Whether the last option of a piece takes its value from the next piece."""
    return piece.startswith("--") or not any(takes_value.get(f"-{each}") for each in piece[1:-1])


def _dashed_once(_error: Exception, context: Any, argv: Sequence[str]) -> UsageError | None:
    """`-seed 3` and `-size 512x512` are parsed as clusters of short options; nobody means that."""
    options = _options(context)
    for piece in argv:
        word = piece[1:].replace("_", "-")
        if _ONE_DASH.fullmatch(piece) and (
            f"--{word}" in options or same_option(word) or why_absent(word)
        ):
            return _no_option(piece, context, argv)
    return None


def _unknown_option(error: Exception, context: Any, argv: Sequence[str]) -> UsageError | None:
    if not hasattr(error, "possibilities"):
        return None
    typed = str(getattr(error, "option_name", ""))
    return (
        _of_no_command(typed, argv) if context.parent is None else _no_option(typed, context, argv)
    )


def _of_no_command(typed: str, argv: Sequence[str]) -> UsageError:
    """The error for an option before the command."""
    from kontext_cli.cli.help import COMMANDS

    command = next((each for each in argv if each in COMMANDS), 'generate "a red fox"')
    word = typed.lstrip("-").casefold()
    hint = f"give options after the command: kontext {command} {typed}"
    if word == "v":
        hint = "did you mean `--version`?"
    return UsageError(f"`kontext` itself has no option {typed}", hint=why_absent(word) or hint)


def _no_option(typed: str, context: Any, argv: Sequence[str]) -> UsageError:
    word = typed.lstrip("-").replace("_", "-")
    word = word if len(word) == 1 else word.casefold()
    return UsageError(
        f"no such option: {typed}",
        hint=_instead(word, context, argv) or f"{context.command_path} --help",
    )


def _instead(word: str, context: Any, argv: Sequence[str]) -> str | None:
    """The hint for an unknown option, given without dashes."""
    options = _options(context)
    if f"--{word}" in options:
        return f"did you mean `--{word}`?"
    ours = same_option(word)
    if ours == "--aspect-ratio" and ours in options:
        return _shape(argv)
    if ours is not None and ours.partition(" ")[0] in options:
        return f"did you mean `{ours}`?"
    if (ours == "--image" or word in ("image", "i")) and "--prompts-file" in options:
        return '`kontext edit` takes images: kontext edit "make it winter" -i house.jpg'
    if reason := why_absent(word):
        return reason
    near = nearest(word, [each for each in options if each.startswith("--")])
    return f"did you mean `{near}`?" if near else None


def _shape(argv: Sequence[str]) -> str:
    """The hint for `--size 1024x768`, or `--width 1024 --height 768`: the aspect ratio."""
    values: dict[str, str] = {}
    for place, piece in enumerate(argv):
        name, has_value, value = piece.partition("=")
        if name.startswith("-") and same_option(name.lstrip("-").replace("_", "-")):
            values[name.lstrip("-").casefold()] = (
                value if has_value else "".join(argv[place + 1 :][:1])
            )
    sides = [values.get(long) or values.get(long[0], "") for long in ("width", "height")]
    for typed in ("x".join(sides), *values.values()):
        if meant := meant_ratio(typed):
            how = "" if meant[1] else ", the nearest supported ratio"
            return f"did you mean `--aspect-ratio {meant[0]}`{how}? It determines the size"
    return "did you mean `--aspect-ratio`, as in --aspect-ratio 16:9?"


def _missing_value(error: Exception, context: Any, _argv: Sequence[str]) -> UsageError | None:
    typed = getattr(error, "option_name", None)
    parameter = _options(context).get(typed or "")
    if typed is None or parameter is None:
        return None
    if parameter.is_flag:
        return UsageError(f"{typed} takes no value", hint=f"{context.command_path} --help")
    return UsageError(f"{typed} needs a value", hint=f"{context.command_path} --help")


def _wrong_choice(error: Exception, context: Any, argv: Sequence[str]) -> UsageError | None:
    found = re.search(
        r"""["'](.*)["'] is not one of (.+?)\.?$""", str(getattr(error, "message", "")), re.DOTALL
    )
    parameter = getattr(error, "param", None)
    if found is None or parameter is None:
        return None
    typed, choices = found[1], re.findall(r"'([^']+)'", found[2])
    name = max(parameter.opts, key=len)
    if typed.startswith("-") and typed in argv:
        return UsageError(
            f"{name} needs a value, but is followed by {typed}",
            hint=f"{context.command_path} --help",
        )
    if name == "--provider":
        return _no_provider(typed, argv)
    hint = _near_choice(name, typed, choices) or f"{context.command_path} --help"
    given = f"{name} {_shown(typed)}" if name.startswith("-") else _shown(typed)
    return UsageError(f"`{given}` should be one of {', '.join(choices)}", hint=hint)


def _wrong_number(error: Exception, context: Any, _argv: Sequence[str]) -> UsageError | None:
    message, parameter = str(getattr(error, "message", "")), getattr(error, "param", None)
    if parameter is None:
        return None
    if found := re.search(r"'(.*)' is not a valid (int|float)", message):
        wanted = "a whole number" if found[2] == "int" else "a number"
    elif found := re.search(r"(\S+) is not in the range (\d+)<=x<=(\d+)", message):
        wanted = f"{found[2]} to {found[3]}"
    elif found := re.search(r"(\S+) is not in the range x>=(\d+)", message):
        wanted = f"at least {found[2]}"
    else:
        return None
    name = max(parameter.opts, key=len)
    return UsageError(
        f"`{name} {_shown(found[1])}` should be {wanted}", hint=f"{context.command_path} --help"
    )


def _near_choice(name: str, typed: str, choices: Sequence[str]) -> str | None:
    if name == "--aspect-ratio":
        if meant := meant_ratio(typed):
            same = "did you mean" if meant[1] else "the nearest is"
            return f"{same} `--aspect-ratio {meant[0]}`{'?' if meant[1] else ''}"
        return None
    near = nearest(typed, choices)
    return f"did you mean `{near}`?" if near else None


def _no_provider(typed: str, argv: Sequence[str]) -> UsageError:
    if " " in typed and argv[0] in ("generate", "edit"):
        return UsageError(
            "-p sets the provider; the prompt is an argument",
            hint=_to_type(argv[0], Line([typed], [])),
        )
    from kontext_cli.settings.settings import unknown_provider

    return unknown_provider(typed, _shown(typed))


def _extra_words(error: Exception, context: Any, argv: Sequence[str]) -> UsageError | None:
    if "unexpected extra argument" not in str(getattr(error, "message", "")):
        return None
    command = context.info_name
    line = split(argv[1:], context.command)
    if not any(each.name == "prompt" for each in context.command.params):
        named = [each for each in line.words if each in NAMES]
        hint = f"{context.command_path} --help"
        if named and "--provider" in _options(context):
            hint = f"kontext {command} --provider {named[0]}"
        return UsageError(f"unexpected argument: {_shown(line.words[-1])}", hint=hint)
    images = line.words[1:]
    if "--image" in _options(context) and all(map(_IMAGE.fullmatch, images)):
        return UsageError(
            f"each image needs its own -i, but `{images[0]}` has none",
            hint="-i A -i B for one job; --each -i FOLDER for one job per image",
        )
    return UsageError(
        "expected one PROMPT, but got several words; put quotes around it",
        hint=_to_type(command, line),
    )


def _auth_error(argv: Sequence[str]) -> UsageError:
    """The usage error of `auth`. It repeats no argument, which may be a key."""
    keyed = ", ".join(name for name in NAMES if provider_class(name).key_variables)
    if len(argv) == 1:
        message = "`kontext auth` needs a command: set, status or remove"
        return UsageError(message, hint="kontext auth --help")
    if argv[1] in ("set", "remove"):
        message = f"`kontext auth {argv[1]}` needs a provider: {keyed}"
        if len(argv) > 2:
            message = (
                f"`kontext auth {argv[1]}` takes only a provider: {keyed}; "
                "keys are never given as arguments"
            )
        return UsageError(message, hint=f"kontext auth {argv[1]} {keyed.partition(',')[0]}")
    return UsageError(
        "unknown `kontext auth` command; keys are never given as arguments",
        hint="kontext auth --help",
    )


def _to_type(command: str, line: Line) -> str:
    """The command line with its words as one quoted prompt, for this system's shell."""
    typed = ["kontext", command, " ".join(map(_shown, line.words)), *line.options]
    if sys.platform != "win32":
        return shlex.join(typed)
    from subprocess import list2cmdline

    return list2cmdline(typed)


def _options(context: Any) -> dict[str, Any]:
    """The options of a command by each of their names."""
    return {
        name: each
        for each in context.command.get_params(context)
        if each.param_type_name == "option"
        for name in (*each.opts, *each.secondary_opts)
    }


def _shown(word: str) -> str:
    """A word as typed, unless it may be a key."""
    return _HIDDEN if _KEY.fullmatch(word) else word


_NAME = "kontext"
_RULES = (
    _dashed_once,
    _unknown_option,
    _missing_value,
    _wrong_choice,
    _wrong_number,
    _extra_words,
)
"""Each explains one kind of error, and returns None for others."""
