"""What a check found: a verdict, a sentence, and what to do about it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, Self

from kontext_cli.errors import Bug, KontextError, OutputFault

Verdict = Literal["ok", "note", "problem"]
"""A ``note`` leaves everything working; a ``problem`` ends some command with its exit code."""


class Finding(NamedTuple):
    """``exit_code`` is that of a command that meets the problem; 0 for any other verdict."""

    name: str
    text: str
    verdict: Verdict = "ok"
    hint: str | None = None
    exit_code: int = 0

    @classmethod
    def of(cls, name: str, error: KontextError) -> Self:
        """The problem that an error reports."""
        return cls(name, error.message, "problem", error.hint, error.exit_code)


Check = Callable[[], Iterable[Finding]]


class Group(NamedTuple):
    """Checks under one heading."""

    title: str
    checks: tuple[tuple[str, Check], ...]
    """Each with the name of its finding where it fails itself."""

    def findings(self) -> Iterator[Finding]:
        """Run the checks. Raises nothing: a check that fails is a finding."""
        for name, check in self.checks:
            yield from found(name, check)


def found(name: str, check: Check) -> list[Finding]:
    """What a check finds; if it raises an error, that as well."""
    findings: list[Finding] = []
    try:
        findings.extend(check())
    except KontextError as error:
        findings.append(Finding.of(name, error))
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        findings.append(Finding(name, what, "problem", exit_code=OutputFault.exit_code))
    except Exception as error:
        findings.append(Finding.of(name, Bug.of(error)))
    return findings


def exit_code_of(findings: Iterable[Finding]) -> int:
    """That of the problems if they agree, as for the rows of a batch; else 9; 0 without any."""
    codes = {each.exit_code for each in findings if each.verdict == "problem"}
    return next(iter(codes), 0) if len(codes) < 2 else 9
