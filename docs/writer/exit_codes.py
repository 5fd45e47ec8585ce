"""The page of exit codes and errors; the man page has the first of its tables, too."""

import inspect
from collections.abc import Iterator
from typing import NamedTuple

from docs.writer.markdown import code, page, prose, table
from kontext_cli.errors import Interrupted, KontextError, kinds


class ExitCode(NamedTuple):
    """One row: ``codes`` as text, what it means and what to do."""

    codes: str
    meaning: str
    advice: str


EXIT_CODES = (
    ExitCode("0", "success", "continue"),
    ExitCode("1", "a bug in kontext", "report it"),
    ExitCode(
        "2",
        "usage error, or an option that the provider does not support; nothing was sent",
        "fix the command or the file",
    ),
    ExitCode(
        "3",
        "the key is missing or rejected, or the account has no credit; also a batch that was "
        "stopped for this reason",
        "fix the key, run again",
    ),
    ExitCode(
        "4",
        "the provider failed or sent an invalid response",
        "see the error; `billed` says whether the job was billed",
    ),
    ExitCode(
        "5",
        "rejected by moderation, or the image was flagged (`--keep-flagged` saves it)",
        "change the prompt",
    ),
    ExitCode("6", "the provider is unreachable after all retries", "run again later"),
    ExitCode("7", "still running", "run `kontext fetch`, or the batch again, later"),
    ExitCode(
        "8",
        "an input cannot be read, a file cannot be written, or an output file already exists",
        "free disk space, or choose another name",
    ),
    ExitCode(
        "9",
        "a batch, or several jobs, with mixed outcomes",
        "see the summary; run again to retry what can be retried",
    ),
    ExitCode(
        "10", "over `--max-cost`; nothing (more) was sent", "raise the limit, or request less"
    ),
    ExitCode(
        "11",
        "the outcome of a submit is unknown; it may have been billed",
        "check the provider's list of requests, then use `--resubmit` or `--on-unknown resubmit`",
    ),
    ExitCode("12", "`check`: images, prompts and their lock disagree", "do what each line says"),
    ExitCode("130, 143, 129", "interrupted, terminated, hung up", "run again"),
)


_TROUBLESHOOTING = "../how-to/troubleshooting.md"


def exit_codes_page() -> str:
    """Exit codes, and the errors behind them by the code that `--json` prints."""
    return page(
        "Exit codes and errors",
        [
            "## Exit codes",
            table(
                ["exit code", "meaning", "what to do"],
                [[_exit(row.codes), prose(row.meaning), prose(row.advice)] for row in EXIT_CODES],
            ),
            "A batch in which nothing succeeded and all failures have the same code exits with "
            "that code; any other mixture exits with 9. `kontext status JOB` exits with the code "
            "of the job's state.",
            "## Errors",
            "With `--json`, an error has one of these as its `code`, and what to do next as its "
            "`hint`. `billed` is what holds unless the error says otherwise. The state is that in "
            "which a job ends; where there is none, the job stays as it is and can be fetched "
            "later, or there is no job. Both tables lead to what to do.",
            table(["error", "exit code", "meaning", "billed", "state"], _errors()),
        ],
    )


def _exit(codes: str) -> str:
    """Exit codes, linked to their section in the page on troubleshooting."""
    first, _, _ = codes.partition(",")
    return f"[{codes}]({_TROUBLESHOOTING}#exit-{first})"


def _errors() -> Iterator[list[str]]:
    """A row for each code that errors have, by their exit codes."""
    coded = [kind for kind in kinds(KontextError) if "code" in vars(kind)]
    for kind in sorted(coded, key=_number):
        meaning, _, _ = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
        yield [
            f"[{code(kind.code)}]({_TROUBLESHOOTING}#{kind.code})",
            "130, 143, 129" if kind is Interrupted else str(kind.exit_code),
            prose(" ".join(meaning.split())),
            kind.billed,
            code(kind.state or ""),
        ]


def _number(kind: type[KontextError]) -> int:
    return 130 if kind is Interrupted else kind.exit_code
