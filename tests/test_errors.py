"""Errors do not change; a copy may differ from its original."""

from contextlib import ExitStack

import pytest

from kontext_cli.errors import BadMedia, Interrupted, JobFailed, KontextError, TooManyFailures

ERRORS = [
    BadMedia("no"),
    JobFailed("no", status=422, hint="change it", billed="maybe"),
    TooManyFailures("no", exit_code=4),
    Interrupted("no", signal_number=15),
]


def kind(error: KontextError) -> str:
    return type(error).__name__


@pytest.mark.parametrize("fact", ["message", "hint", "billed", "details", "exit_code", "status"])
@pytest.mark.parametrize("error", ERRORS, ids=kind)
def test_no_fact_can_be_assigned(error: KontextError, fact: str) -> None:
    before = vars(error).copy(), str(error)
    with pytest.raises(AttributeError, match=rf"replace\({fact}="):
        setattr(error, fact, "yes")
    assert (vars(error), str(error)) == before


@pytest.mark.parametrize("error", ERRORS, ids=kind)
def test_a_copy_differs_in_what_is_given_only(error: KontextError) -> None:
    before = vars(error).copy()
    copy = error.replace("why", hint="do this", billed="yes")
    assert type(copy) is type(error)
    assert (str(copy), copy.message, copy.hint, copy.billed) == ("why", "why", "do this", "yes")
    assert copy.exit_code == error.exit_code
    assert getattr(copy, "status", None) == getattr(error, "status", None)
    assert (error.message, vars(error)) == ("no", before)
    assert vars(error.replace()) == vars(error)
    assert error.replace(hint=None).hint is None


def test_a_copy_has_the_traceback_and_the_cause_of_its_original() -> None:
    cause = ValueError("the cause")
    with pytest.raises(BadMedia) as raised:
        raise BadMedia("no") from cause
    error = raised.value
    copy = error.replace(billed="yes")
    assert copy.__traceback__ is error.__traceback__
    assert (copy.__cause__, copy.__suppress_context__) == (cause, True)


def test_contextlib_may_assign_the_context_of_an_error() -> None:
    def fail() -> None:
        raise BadMedia("no")

    stack = ExitStack()
    stack.callback(fail)
    with pytest.raises(BadMedia) as raised, stack:
        raise ValueError
    assert isinstance(raised.value.__context__, ValueError)
