"""Which flags go together in a batch."""

from kontext_cli.batch.part import parse_shard
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.generate import check_names, check_waiting_flags
from kontext_cli.errors import UsageError


def check_batch(flags: Flags) -> None:
    """Raises UsageError for flags that contradict each other, or make no sense for many jobs."""
    if flags.each:
        _check_each(flags)
    elif flags.prompt is not None:
        raise UsageError("a prompt and --prompts-file cannot go together")
    if flags.output is not None:
        raise UsageError(
            "--output names one file, and this is a batch",
            hint="-d DIR and --name TEMPLATE, or `output` in its rows",
        )
    if [flags.prompt, *flags.prompts_files, *flags.images].count("-") > 1:
        raise UsageError("standard input (`-`) can be only one thing")
    if flags.fail_fast and flags.max_failures is not None:
        raise UsageError("--fail-fast is --max-failures 1; give one of them")
    check_names(None, flags.name)
    check_waiting_flags(flags)
    if flags.shard is not None:
        parse_shard(flags.shard)


def _check_each(flags: Flags) -> None:
    if flags.prompts_files:
        raise UsageError("--each and --prompts-file cannot go together")
    if flags.prompt is None:
        raise UsageError("the prompt is missing", hint='kontext edit "…" -i DIR --each')
    if not flags.images:
        raise UsageError("--each needs images: -i PATH, a folder, or an https URL")
