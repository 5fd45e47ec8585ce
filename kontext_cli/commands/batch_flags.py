"""Checks the combination of flags of a batch."""

from shlex import quote

from kontext_cli.batch.part import parse_shard
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.generate import check_names, check_waiting_flags
from kontext_cli.errors import UsageError
from kontext_cli.terminal.input import check_single_use


def check_batch(flags: Flags) -> None:
    """Raises UsageError for flags that contradict each other, or have no meaning in a batch."""
    if flags.each:
        _check_each(flags)
    elif flags.prompt is not None and not flags.files:
        raise UsageError(
            "a prompt and --prompts-file cannot be used together",
            hint="write what all rows share into the prompt of each",
        )
    if flags.output is not None:
        raise UsageError(
            "--output names a single file, which a batch cannot use",
            hint="use -d DIR and --name TEMPLATE"
            + ("" if flags.files else ", or set `output` in the rows"),
        )
    if flags.open_images:
        raise UsageError(
            "--open is for single jobs: a batch may have many images",
            hint=f"kontext gallery {quote(flags.output_dir or '.')} -o gallery.html shows them all",
        )
    check_single_use(flags.prompt, flags.images, flags.prompts_files or flags.files)
    if flags.fail_fast and flags.max_failures is not None:
        raise UsageError("--fail-fast means --max-failures 1; give only one of them")
    check_names(None, flags.name)
    check_waiting_flags(flags)
    if flags.shard is not None:
        parse_shard(flags.shard)


def check_batch_is_named(flags: Flags) -> None:
    """Raises UsageError for a batch without a name in a journal that machines share: the one that
    is made up has the folders of one machine in it."""
    if flags.batch is None and not flags.dry_run:
        raise UsageError(
            "a batch needs a name where machines share the journal (KONTEXT_JOURNAL)",
            hint="give each of them the same: --batch NAME",
        )


def _check_each(flags: Flags) -> None:
    if flags.prompts_files:
        raise UsageError("--each and --prompts-file cannot be used together")
    if flags.prompt is None:
        raise UsageError("the prompt is missing", hint='kontext edit "…" -i DIR --each')
    if not flags.images:
        raise UsageError("--each needs images: -i with a path, a folder, or a URL")
