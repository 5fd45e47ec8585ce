"""Guard the functions of a provider from another package.

An exception in one, or a result of the wrong form, becomes an error that names the package and ends
one job. This is no sandbox: the package runs with the rights of the user.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from types import NoneType
from typing import Any

from kontext_cli.errors import BrokenProvider, Facts, KontextError
from kontext_cli.http.call import Call, Kind
from kontext_cli.job import ACCEPTED, Progress
from kontext_cli.providers import interface
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint
from kontext_cli.providers.shapes import fits, hints_of, misfit

_AFTER_SUBMIT = frozenset(
    {
        *("accepted", "poll", "progress", "status", "stream", "is_about", "result", "outcome"),
        *("cancel", "canceled"),
    }
)
"""Methods that are called once a job may have been accepted."""
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "submit": ("submit",),
    "poll": ("status", "result"),
    "stream": ("stream",),
    "result": ("result",),
    "cancel": ("cancel",),
    "upload": ("upload",),
}
"""The kinds of calls that a method may write. One that submits must not be of a kind that is sent
again after a failure."""
_MOST_OUTPUTS = 4
_OF_CONNECTIONS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that a provider does not set."""
_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+: [!-~]([ -~]*[!-~])?", re.ASCII)


def guarded(kind: type[Provider], package: str, version: str) -> type[Provider]:
    """The class with its functions guarded: they return what they should, or raise one of the
    errors of the interface, or BrokenProvider."""
    guard = _Guard(f"the package {package} {version}")
    namespace: dict[str, Any] = {
        name: guard.method(inspect.getattr_static(kind, name), name)
        for name in interface.METHODS
        if hasattr(kind, name)
    }
    namespace |= {
        "normalised": staticmethod(guard.function(kind.normalised, "normalised", str)),
        "endpoints": tuple(map(guard.endpoint, kind.endpoints)),
        "package": package,
        "__module__": kind.__module__,
    }
    return type(kind.__name__, (kind,), namespace)


class _Guard:
    """Guards the functions of one package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def method(self, own: Any, name: str) -> Callable[..., Any]:
        """A method that calls the ``own`` one of a class."""
        hint = _return_type(name)

        def method(provider: Provider, *args: Any) -> Any:
            return self.function(own.__get__(provider, type(provider)), name, hint)(*args)

        return method

    def endpoint(self, row: Endpoint) -> Endpoint:
        """A row of the table whose functions are guarded."""
        options = tuple(
            option._replace(encode=self.function(option.encode, "encode", Any))
            for option in row.options
        )
        images = row.images
        if images is not None:
            encode = self.function(images.encode, "encode", Mapping[str, Any])
            images = images._replace(encode=encode)
        return row._replace(options=options, images=images)

    def function(self, own: Callable[..., Any], name: str, hint: Any) -> Callable[..., Any]:
        """A function that returns a ``hint`` as ``own`` should, or raises an error of ours."""

        def function(*args: Any) -> Any:
            try:
                with redirect_stdout(sys.stderr):  # results alone go to standard output
                    value = own(*args)
                fault = _type_fault(value, hint) or _value_fault(name, value)
            except BrokenProvider as error:
                if name not in _AFTER_SUBMIT:
                    raise
                raise error.replace(billed="maybe") from None
            except interface.ERRORS as error:
                if (fault := _error_fault(error)) is None:
                    raise
                raise self._broken(name, f"raised {fault}") from error
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever its base, it is a bug of the package
                raise self._broken(name, f"raised {described(error)}") from error
            if fault is not None:
                raise self._broken(name, fault)
            return value

        return function

    def _broken(self, name: str, fault: str) -> BrokenProvider:
        return BrokenProvider(
            f"{self._package} is broken: `{name}` {fault}",
            hint="update the package, or report it to its authors",
            billed="maybe" if name in _AFTER_SUBMIT else "no",
        )


def described(error: BaseException) -> str:
    """The kind of an exception and its place, without its text: that may contain a key."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    file = re.split(r"[/\\]", place.tb_frame.f_code.co_filename)[-1]
    return f"{type(error).__name__} at {file}:{place.tb_lineno}"


def _return_type(name: str) -> Any:
    declared = next(base for base in interface.BASES if name in vars(base))
    return hints_of(getattr(declared, name))["return"]


def _type_fault(value: Any, hint: Any) -> str | None:
    if fits(value, hint):
        return None
    field = misfit(value)
    within = f" whose `{field}` has the wrong type" if field else ""
    return f"returned a value of the wrong type, {type(value).__name__}{within}"


def _value_fault(name: str, value: Any) -> str | None:
    """What is wrong with a result of the right type; None where nothing is."""
    if isinstance(value, Call):
        if value.kind not in _KINDS[name]:
            return f"returned a call of the kind `{value.kind}`"
        if not value.url.isprintable():
            return "returned a URL with a control character"
        return _json_fault(value.json)
    if isinstance(value, KontextError):
        fault = _error_fault(value)
        return fault and f"returned {fault}"
    if name == "headers" and not all(map(_is_sendable, value.items())):
        return "returned a header that cannot be sent"
    return _progress_fault(name, value) if isinstance(value, Progress) else None


def _progress_fault(name: str, progress: Progress) -> str | None:
    if progress.state not in ACCEPTED:
        return f"returned the state `{progress.state}`"
    if progress.usd is not None and progress.usd < 0:
        return "returned a negative cost"
    if len(progress.outputs) > _MOST_OUTPUTS:
        return f"returned more than {_MOST_OUTPUTS} outputs"
    if any(output.url is None and output.b64 is None for output in progress.outputs):
        return "returned an output without `url` and `b64`"
    handle = progress.handle
    if name == "accepted" and not progress.outputs and handle is None:
        return "returned neither outputs nor a handle"
    if handle is not None and (not handle.request_id or "request_id" in handle.data):
        return "returned a handle without an id, or with another one in its data"
    return _json_fault({"reply": progress.reply, "data": dict(handle.data) if handle else {}})


def _error_fault(error: KontextError) -> str | None:
    """What is wrong with an error of a method, as the object of a sentence; None where nothing is.
    It may be of a kind, or say things, that the rest of the program does not expect."""
    if type(error) not in interface.ERRORS:
        return f"{described(error)}, which is no error of the interface"
    hints = {**hints_of(Facts), "exit_code": NoneType}  # that of its kind
    facts = {name: fact for name, fact in vars(error).items() if not name.startswith("__")}
    wrong = [name for name in facts if not fits(facts[name], hints.get(name, NoneType))]
    if not isinstance(error.args[0], str):
        wrong.append("message")
    return f"{described(error)} with a wrong `{wrong[0]}`" if wrong else None


def _is_sendable(header: tuple[str, str]) -> bool:
    name, value = header
    return bool(_HEADER.fullmatch(f"{name}: {value}")) and name.lower() not in _OF_CONNECTIONS


def _json_fault(value: Any) -> str | None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"returned what JSON cannot express ({error})"
    return None
