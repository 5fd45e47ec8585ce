"""Check the class of a provider from another package before it is used."""

import inspect
from collections.abc import Iterable, Iterator, Mapping

from kontext_cli.errors import UsageError
from kontext_cli.http.urls import check_base_url, host_of
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMES, interface, provider_class
from kontext_cli.providers.base import Provider, Queue
from kontext_cli.providers.options import Endpoint, Option
from kontext_cli.providers.shapes import fits, hints_of
from kontext_cli.words import listed

_DEAREST = 1_000_000
_TEXT, _WORDS, _RANGE = {"longest"}, {"choices"}, {"least", "most"}
_LIMITS: Mapping[str, set[str]] = {
    "prompt": _TEXT,
    **{
        row.name: _WORDS if row.choices else _RANGE if row.type in (int, float) else set()
        for row in OPTIONS
        if row.sent
    },
}
"""What can limit each option."""


def checked(found: object, name: str) -> type[Provider]:
    """The class that a package has for the provider ``name``. Raises UsageError with what is wrong
    in it."""
    if not isinstance(found, type) or not issubclass(found, Provider):
        raise UsageError("it is not a class based on `Provider`")
    _check_version(found)
    _check_names(found)
    for attribute in interface.ATTRIBUTES:
        if not hasattr(found, attribute):
            raise UsageError(f"`{attribute}` is missing")
        if not fits(getattr(found, attribute), hints_of(Provider)[attribute]):
            raise UsageError(f"`{attribute}` has the wrong type")
    if found.name != name:
        raise UsageError(f"its class has another name, `{found.name}`")
    if found.blocking == issubclass(found, Queue):
        raise UsageError("it should either be `blocking` or be based on `Queue`")
    _check_hosts(found)
    _check_key_variables(found)
    _check_numbers(found)
    _check_endpoints(found)
    _check_texts(found)
    return found


def _check_texts(kind: type[Provider]) -> None:
    """Check that all its texts can be printed: as a line of its own, a word is a command in GitHub
    Actions."""
    for attribute in interface.ATTRIBUTES:
        if not all(map(str.isprintable, _texts(getattr(kind, attribute)))):
            raise UsageError(f"`{attribute}` contains a control character")


def _texts(value: object) -> Iterator[str]:
    """All texts in a value, in whatever it contains."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, Iterable):
        for each in value:
            yield from _texts(each)


def _check_version(kind: type[Provider]) -> None:
    ours, theirs = interface.VERSION, kind.interface
    here = f"this kontext has {ours[0]}.{ours[1]}"
    if theirs is None or not fits(theirs, tuple[int, int]):
        raise UsageError(f"`interface` does not say for which version it is; {here}")
    if theirs[0] != ours[0] or theirs > ours:
        raise UsageError(
            f"it is for version {theirs[0]}.{theirs[1]} of the interface; {here}",
            hint="update kontext-cli" if theirs > ours else None,
        )


def _check_names(kind: type[Provider]) -> None:
    if lacking := sorted(kind.__abstractmethods__):
        raise UsageError(f"it lacks {_quoted(lacking)}")
    for each in inspect.getmro(kind):
        is_ours = each.__module__.partition(".")[0] == __name__.partition(".")[0]
        if not is_ours and (own := sorted(vars(each).keys() & interface.INTERNAL)):
            raise UsageError(f"it sets {_quoted(own)}, not part of the public interface")


def _check_hosts(kind: type[Provider]) -> None:
    check_base_url(kind.home, f"`home`, {kind.home},")
    for base in kind.further_bases:
        plain = base.replace("://*.", "://", 1)
        check_base_url(plain, f"`{base}` of `further_bases`")
        if plain != base and "." not in host_of(plain):
            raise UsageError(f"`{base}` of `further_bases` is a whole top-level domain")


def _check_key_variables(kind: type[Provider]) -> None:
    """Check that the variables of the key are its own: no provider gets the key of another."""
    of_ours = {each for name in NAMES for row in provider_class(name).key_variables for each in row}
    prefix = f"{kind.name.upper()}_"
    for variable in (each for row in kind.key_variables for each in row):
        if not variable.startswith(prefix) or variable in of_ours:
            raise UsageError(f"`{variable}` of `key_variables` should begin with `{prefix}`")


def _check_numbers(kind: type[Provider]) -> None:
    if kind.inline_bytes < 1 or kind.jobs < 1:
        raise UsageError("`inline_bytes` and `jobs` should be at least 1")
    for price in kind.prices:
        amounts = (price.usd, price.further or 0, price.inputs, *price.resolutions.values())
        if not all(0 <= each < _DEAREST for each in amounts):
            raise UsageError(f"a price of `{price.model}` is not of 0 to {_DEAREST:,} US dollars")


def _check_endpoints(kind: type[Provider]) -> None:
    for each in kind.endpoints:
        if not (each.id and each.model):
            raise UsageError(f"`{each.id}` or `{each.model}` is not a name")
        if "prompt" not in each.fields:
            raise UsageError(f"the endpoint `{each.id}` has no option `prompt`")
        if (each.operation == "edit") != (each.images is not None):
            raise UsageError(f"the endpoint `{each.id}`: only `edit` has images, and needs them")
        for row in each.options:
            _check_option(row, each)
    if kind.default_model not in {each.model for each in kind.endpoints}:
        raise UsageError(f"there is no endpoint for `default_model`, `{kind.default_model}`")


def _check_option(row: Option, endpoint: Endpoint) -> None:
    if row.field not in _LIMITS:
        raise UsageError(f"the endpoint `{endpoint.id}` has an unknown option, `{row.field}`")
    what = f"the option `{row.field}` of `{endpoint.id}`"
    limits = {name for name in _TEXT | _WORDS | _RANGE if getattr(row, name) not in (None, ())}
    if wrong := sorted(limits - _LIMITS[row.field]):
        raise UsageError(f"{what} cannot have {_quoted(wrong)}")
    if row.least is not None and row.most is not None and row.least > row.most:
        raise UsageError(f"{what} takes no value")
    if not fits(row.default, bool | float | str | None):
        raise UsageError(f"{what} has a default of the wrong type")


def _quoted(names: list[str]) -> str:
    return listed([f"`{name}`" for name in names])
