"""The defaults of `config.toml` for the flags of a command that were not typed."""

import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from kontext_cli.errors import KontextError
from kontext_cli.settings.config import load_config
from kontext_cli.settings.defaults import COMMANDS_WITH, Default, defaults_of
from kontext_cli.settings.paths import config_dir
from kontext_cli.terminal.input import output_path

_Error = TypeVar("_Error", bound=KontextError)


class FileDefaults:
    """A command's `default_map`, from the file, which is read when a flag is first looked up: after
    `--help` and the mistakes in what was typed."""

    def __init__(self, command: str, options: Mapping[str, Any]) -> None:
        """``options`` are those that can have a default, by their keys in the file."""
        self._command = command
        self._options = options
        self.used: dict[str, Default] = {}
        """The defaults of parameters that were not typed."""

    def get(self, name: str) -> str | bool | None:
        """The value of a parameter that was not typed; None where there is no default.

        Raises UsageError.
        """
        default = self._found.get(name)
        if default is None:
            return None
        self.used[name] = default
        return default.value

    @cached_property
    def _found(self) -> Mapping[str, Default]:
        """The defaults by parameter. Raises UsageError for a mistake in the file."""
        config = load_config(config_dir(os.environ) / "config.toml")
        defaults = defaults_of(config.defaults, self._command)
        return {self._options[key].name: default for key, default in defaults.items()}


def use_defaults(context: Any) -> None:
    """Let the flags of a command have their defaults from `config.toml`, and each switch a form
    that takes it back: `--no-sidecar`, `--wait`."""
    command = context.command_path.partition(" ")[2]
    options = {
        key: each
        for each in context.command.params
        if each.param_type_name == "option" and command in COMMANDS_WITH.get(key := _key(each), ())
    }
    for key, option in options.items():
        if option.is_flag:
            opposite = key.removeprefix("no_") if key.startswith("no_") else f"no_{key}"
            option.secondary_opts = [f"--{opposite.replace('_', '-')}"]
    if options:
        context.default_map = FileDefaults(command, options)


def used_defaults(context: Any) -> dict[str, Default]:
    """The defaults of the parameters whose values are from `config.toml`."""
    defaults = context.default_map
    return defaults.used if isinstance(defaults, FileDefaults) else {}


def give_way(context: Any) -> None:
    """Drop the defaults that cannot go with what was typed: that comes first."""
    used = used_defaults(context)
    typed = {name: value for name, value in context.params.items() if value and name not in used}
    ruled_out = _ruled_out(context.command.name, typed)
    for option in context.command.params:
        if option.name in used.keys() & ruled_out:
            del used[option.name]
            context.params[option.name] = option.default


def _ruled_out(command: str, typed: Mapping[str, Any]) -> set[str]:
    """The parameters that the command refuses beside those that were typed."""
    out = {rival for name, rivals in _RIVALS.items() if name in typed for rival in rivals}
    output = output_path(typed.get("output"))
    if output == "-":
        out |= {"num_images", "sidecar", "open_images", "no_wait"}
    elif output is not None:
        from kontext_cli.files.names import format_of

        out |= {"output_format"} if format_of(output) else set()
        out |= {"columns", "label"} if output.endswith(".html") else {"inline"}
    if command == "fetch":
        out |= set() if "jobs" in typed else {"open_images"}
    elif "prompts_file" in typed or "each" in typed or len(typed.get("files", ())) > 1:
        out |= {"open_images"}
    else:
        out |= {"fail_fast", "max_failures"}
    return out


_RIVALS = {
    "output": ("name",),
    "fail_fast": ("max_failures",),
    "max_failures": ("fail_fast",),
    "no_wait": ("sync_mode", "open_images"),
    "sync_mode": ("no_wait",),
    "open_images": ("no_wait",),
}


def located(error: _Error, context: Any) -> _Error:
    """The error with the file and line of the default that it is about, if any: it names the flag,
    or quotes the value."""
    flags = {each.name: _flag(each) for each in context.command.params}
    for name, default in used_defaults(context).items():
        about, value = rf"{flags[name]}(?![\w-])", str(default.value)
        if not value.isalnum():  # a word may be quoted for any reason
            about += f"|`{re.escape(value)}`"
        if re.search(about, error.message):
            return error.replace(f"{default.origin}: {error.message}")
    return error


def _flag(option: Any) -> str:
    names: Sequence[str] = option.opts
    return max(names, key=len)


def _key(option: Any) -> str:
    """The key of an option in the file: ``num_images`` for ``--num-images``."""
    return _flag(option)[2:].replace("-", "_")
