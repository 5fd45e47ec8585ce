"""All errors, as a tree: each kind has an exit code, and the state it leaves a job in.

KontextError
├── Bug                   1  a bug in this program
├── UsageError            2  the command line or a setting is wrong; nothing was sent
│   ├── UnsupportedOption 2  the provider does not have that option, value or model
│   └── LockFault         2  a lock is damaged, ambiguous, or of another file or a newer version
├── KeyFault              3  a key or an account cannot be used
│   ├── MissingKey           no key was found
│   ├── InvalidKey           it contains spaces or control characters
│   ├── CredentialsFault     the file of stored keys is damaged, or readable by others
│   ├── RejectedKey          the provider refused the key
│   └── NoCredit             the account is empty or locked
├── ProviderError         4  the provider failed
│   ├── JobFailed            it refused the request, or the job failed
│   ├── UnexpectedReply      its reply has an unknown form
│   │   └── BrokenProvider   the package that adds the provider has a bug
│   ├── Canceled             the job was canceled
│   ├── BadMedia             its file is not a complete image
│   ├── WrongFormat          its file is complete, but not a JPEG, PNG or WebP
│   └── Expired              it no longer has the job or the file
├── Moderated             5  the prompt or the image was withheld
├── Unreachable           6  no usable reply after all attempts
├── StillRunning          7  we stopped waiting; the job continues
├── StorageFault          8  a local file
│   ├── InputFault           cannot be read
│   ├── OutputFault          cannot be written
│   ├── JournalFault         is the journal
│   │   ├── RequestIdTaken   another job has the request id already
│   │   ├── JobIdTaken       another process drew the same id for its job
│   │   └── BudgetFault   10 the budget that all machines share would be passed
│   └── NameTaken            exists already
├── TooManyFailures       9  a batch was stopped: too many of its jobs failed
├── OverBudget           10  it would cost more than --max-cost; nothing was sent
├── OutcomeUnknown       11  the submit may have been accepted; no id was received
└── Interrupted         130  Ctrl-C (143 SIGTERM, 129 SIGHUP)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self, TypedDict, Unpack, get_args

Billed = Literal["no", "maybe", "yes"]


class Facts(TypedDict, total=False):
    """What an error says besides its message."""

    hint: str | None
    billed: Billed
    details: Sequence[str]
    exit_code: int


class KontextError(Exception):
    """An error to report: what happened, what to do next, and whether the job was billed.

    An error does not change after it is raised, since logs, reports and the journal may hold it
    already: ``replace`` returns a copy that differs.
    """

    code: ClassVar[str]
    exit_code: int
    state: ClassVar[str | None] = None
    """The state the job ends in; None if it stays in its state, because it can be fetched later."""
    hint: Final[str | None] = None
    """What to do, or the command to paste next."""
    billed: Billed = "no"
    """The default of the kind; an error may be given another."""
    details: Final[Sequence[str]] = ()
    """Further lines, such as all errors in a file."""

    def __init__(self, message: str, **facts: Unpack[Facts]) -> None:
        super().__init__(message)
        vars(self).update(facts)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("__"):  # Python and contextlib set __context__, __traceback__, …
            raise AttributeError(f"an error does not change: use replace({name}=…)")
        super().__setattr__(name, value)

    @property
    def message(self) -> str:
        """What happened, in a sentence."""
        return str(self)

    def replace(self, message: str | None = None, **facts: Unpack[Facts]) -> Self:
        """A copy that differs in what is given; its traceback and cause are those of the error."""
        copy = type(self).__new__(type(self), self.message if message is None else message)
        vars(copy).update(vars(self), **facts)
        copy.__cause__, copy.__context__ = self.__cause__, self.__context__
        copy.__suppress_context__ = self.__suppress_context__
        return copy.with_traceback(self.__traceback__)


class UsageError(KontextError):
    """The command line or a setting is wrong; nothing was sent."""

    code = "usage"
    exit_code = 2


class UnsupportedOption(UsageError):
    """The provider does not have this option, value, model or operation."""

    code = "unsupported_option"


class LockFault(UsageError):
    """A lock is damaged, ambiguous, of another prompts file, or of a newer version."""

    code = "lock"


class KeyFault(KontextError):
    """A key or an account cannot be used."""

    exit_code = 3


class MissingKey(KeyFault):
    """No key was found."""

    code = "missing_key"


class InvalidKey(KeyFault):
    """The key contains spaces or control characters; the message never quotes it."""

    code = "invalid_key"


class CredentialsFault(KeyFault):
    """The file of stored keys is damaged, or readable by others."""

    code = "credentials"


class RejectedKey(KeyFault):
    """The provider refused the key."""

    code = "rejected_key"


class NoCredit(KeyFault):
    """The account has no credit left, or is locked."""

    code = "no_credit"


class ProviderError(KontextError):
    """The provider failed, or sent an invalid reply."""

    code = "provider_error"
    exit_code = 4
    state: ClassVar[str | None] = "failed"


class JobFailed(ProviderError):
    """The provider refused the request, or the job failed.

    ``status`` is the HTTP status.
    """

    code = "job_failed"

    status: Final[int | None] = None

    def __init__(self, message: str, *, status: int | None = None, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        vars(self).update(status=status)


class UnexpectedReply(ProviderError):
    """The provider's reply has a form that this version does not know."""

    code = "unexpected_reply"


class BrokenProvider(UnexpectedReply):
    """The installed package of a provider raised an exception, or returned a value of the wrong
    form. A job that was accepted stays in its state: it can be fetched with a better version."""

    code = "broken_provider"
    state = None
    billed = "maybe"


class Canceled(ProviderError):
    """The job was canceled, here or at the provider."""

    code = "canceled"
    state = "canceled"


class BadMedia(ProviderError):
    """The provider's file is not a complete image; the job stays ready, to be fetched again."""

    code = "bad_media"
    state = None
    billed = "yes"


class WrongFormat(ProviderError):
    """The provider's file is complete, but not a JPEG, PNG or WebP: it is not downloaded again."""

    code = "wrong_format"
    billed = "yes"


class Expired(ProviderError):
    """The provider no longer has the job or its file."""

    code = "expired"
    state = "expired"


class Moderated(KontextError):
    """The provider rejected the prompt, or withheld the image."""

    code = "moderated"
    exit_code = 5
    state = "moderated"


class Unreachable(KontextError):
    """No usable reply after all attempts."""

    code = "unreachable"
    exit_code = 6


class StillRunning(KontextError):
    """We stopped waiting; the job continues at the provider."""

    code = "still_running"
    exit_code = 7


class Bug(KontextError):
    """A bug in this program.

    The message names the place in the code, and no values: they may contain secrets.
    """

    code = "bug"
    exit_code = 1
    billed = "maybe"

    @classmethod
    def of(cls, error: Exception) -> Self:
        """The bug that caused an unexpected exception."""
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "nowhere"
        return cls(
            f"{type(error).__name__} at {where}; this is a bug in kontext",
            hint="run it again with --debug for the traceback, and report it",
        )


class TooManyFailures(KontextError):
    """A batch was stopped: more jobs failed than --max-failures allows, or several identically."""

    code = "too_many_failures"
    exit_code = 9


class OverBudget(KontextError):
    """It would cost more than `--max-cost`; nothing was sent."""

    code = "over_budget"
    exit_code = 10


class StorageFault(KontextError):
    """A local file cannot be read or written."""

    exit_code = 8


class InputFault(StorageFault):
    """An input image cannot be read or used."""

    code = "input"


class OutputFault(StorageFault):
    """A file cannot be written; a finished job stays ready."""

    code = "output"


class JournalFault(StorageFault):
    """The journal of jobs cannot be read or written, or comes from a newer version."""

    code = "journal"


class RequestIdTaken(JournalFault):
    """A provider replied to a submit with the request id of another job."""


class JobIdTaken(JournalFault):
    """Another process drew the same id for its job; nothing was recorded."""


class BudgetFault(JournalFault):
    """The batch would cost more, on all machines, than `--max-cost`; this job was not sent."""

    code = "over_budget"
    exit_code = 10


class NameTaken(StorageFault):
    """A file of that name exists, and must not be replaced."""

    code = "name_taken"


class OutcomeUnknown(KontextError):
    """The submit may have been accepted and billed, but no id was received; it is not retried."""

    code = "unknown"
    exit_code = 11
    state = "unknown"
    billed = "maybe"


class Interrupted(KontextError):
    """A signal ended the run: SIGINT 130, SIGTERM 143, SIGHUP 129."""

    code = "interrupted"

    def __init__(self, message: str, *, signal_number: int, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        vars(self).update(exit_code=128 + signal_number)


def revived(record: Mapping[str, Any]) -> KontextError:
    """The error of a record with its code, message, hint, billed and exit_code.

    A code that this version does not know becomes a ProviderError.
    """
    code, hint, billed = record["code"], record["hint"], record["billed"]
    known = (kind for kind in kinds(KontextError) if code and vars(kind).get("code") == code)
    kind = next(known, ProviderError)
    return kind.__new__(kind, str(record["message"])).replace(  # whatever its constructor takes
        hint=hint and str(hint),
        billed=billed if billed in get_args(Billed) else "maybe",
        exit_code=int(record["exit_code"]),
    )


def kinds(parent: type[KontextError]) -> Iterator[type[KontextError]]:
    """All kinds of error below one, in the order of the tree."""
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)
