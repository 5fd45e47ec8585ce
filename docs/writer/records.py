"""The JSON Schema of what `--json` prints: one record a line, told apart by its ``type``.

An object may get further properties in later versions, without another number of the schema.
"""

from collections.abc import Mapping
from typing import get_args

from docs.writer.schema import Schema, fields, listed, one_of, or_null, record, text, value, whole
from kontext_cli.batch.agreement import Kind
from kontext_cli.batch.tally import KINDS
from kontext_cli.doctor.finding import Verdict
from kontext_cli.errors import Billed, KontextError, kinds
from kontext_cli.job import Cost, FileFormat, Operation, State
from kontext_cli.options import OPTIONS

_COUNTERS = (*KINDS, "planned")
_SOURCES = get_args(Cost.__annotations__["source"])
_SHA256 = text("a SHA-256, in hexadecimal", pattern="^[0-9a-f]{64}$")
_USD = value("number", "US dollars", minimum=0)
_PATH = text("an absolute path, or the URL of an object in a store")
_MOMENT = text("a time in UTC", format="date-time")
_OPERATION = one_of(get_args(Operation), "the operation")
_PROVIDER = text("the provider")
_MODEL = text("the model, by our name or the provider's own id")
_ENDPOINT = text("the provider's id of the model and operation")
_HINT = or_null(text("what to do, or the command to paste next"))
_EXIT_CODE = whole("the exit code")
_CODE = one_of(
    list(dict.fromkeys(kind.code for kind in kinds(KontextError) if "code" in vars(kind))),
    "the kind of error",
)
_COST = fields(
    {"usd": or_null(_USD), "source": one_of(_SOURCES, "who says so")},
    "the cost; of a job without a known price, `usd` is null",
)
_FILES = listed(
    {
        "anyOf": [
            fields(
                {
                    "path": _PATH,
                    "sha256": _SHA256,
                    "bytes": whole("its size"),
                    "width": whole("in pixels"),
                    "height": whole("in pixels"),
                    "format": one_of(get_args(FileFormat), "the format of its bytes"),
                },
                "a saved file",
            ),
            fields({"path": _PATH}, "a file that would be written"),
        ]
    },
    "the saved files; of a job that was not sent, those that it would write",
)
_JOB_ERROR = fields(
    {
        "code": _CODE,
        "message": text("what happened"),
        "hint": _HINT,
        "billed": one_of(get_args(Billed), "whether the job was billed"),
        "urls": listed(
            text("a URL, with its signature"),
            "the files that were billed but not saved, because of their format; only of `status`",
        ),
    },
    "why the job failed",
    optional=["urls"],
)
_JOB = record(
    "job",
    "A job: when it ends, and for each job that a command is about.",
    {
        "id": text("our id of the job"),
        "batch": or_null(text("the batch that it is a row of")),
        "index": or_null(whole("the number of the row")),
        "operation": _OPERATION,
        "provider": _PROVIDER,
        "model": _MODEL,
        "endpoint": _ENDPOINT,
        "request": value(
            "object",
            "the request as it was validated: prompt, images and options, by the names of the "
            "options with underscores",
        ),
        "request_id": or_null(text("the provider's id of the job")),
        "state": one_of([*State], "the state of the job"),
        "seed": or_null(value("integer", "the seed")),
        "files": _FILES,
        "cost": _COST,
        "reply": value("object", "what the provider's answer says beside its images"),
        "skipped": value("boolean", "whether it was there already, so that nothing was sent"),
        "error": or_null(_JOB_ERROR),
        "created_at": _MOMENT,
        "finished_at": or_null(_MOMENT),
        "reason": text("why a row of a batch was run or skipped"),
    },
    optional=["reason"],
)
_SUMMARY = record(
    "summary",
    "The end of a batch; the counters add up to `total`.",
    {
        "batch": text("the batch"),
        "total": whole("rows"),
        **{name: whole(f"rows that are {name}") for name in _COUNTERS},
        "cost": _COST,
        "exit_code": _EXIT_CODE,
    },
)
_ERROR = record(
    "error",
    "An error that belongs to no job.",
    {
        "code": _CODE,
        "message": text("what happened"),
        "hint": _HINT,
        "exit_code": _EXIT_CODE,
        "details": listed(text("a line"), "further lines, such as each fault in a file"),
    },
    optional=["details"],
)
_OPTION = fields(
    {
        "name": one_of(["prompt", *(row.name for row in OPTIONS if row.sent)], "the option"),
        "least": or_null(value("number", "the lowest value")),
        "most": or_null(value("number", "the highest value")),
        "longest": or_null(whole("the most characters")),
        "choices": or_null(listed(text("a value"), "all values")),
        "default": {"description": "what the provider does without it; null where it is not known"},
    },
    "an option that the provider takes",
)
_MODEL_RECORD = record(
    "model",
    "`models`: an operation on a model at a provider.",
    {
        "provider": _PROVIDER,
        "model": _MODEL,
        "operation": _OPERATION,
        "endpoints": listed(
            fields(
                {
                    "id": _ENDPOINT,
                    "images": or_null(
                        listed(whole("a number"), "the fewest and the most input images")
                    ),
                },
                "an endpoint",
            ),
            "the endpoints, by the number of input images",
        ),
        "options": listed(_OPTION, "the options"),
        "price": fields(
            {
                "usd": or_null(_USD),
                "source": one_of(_SOURCES, "who says so"),
                "dated": or_null(text("the day of the price", format="date")),
                "further_megapixel": or_null(_USD),
                "input_megapixel": or_null(_USD),
                "resolutions": or_null(
                    value("object", "US dollars by resolution", additionalProperties=_USD)
                ),
            },
            "the price of the cheapest image, and of more megapixels",
            optional=["further_megapixel", "input_megapixel", "resolutions"],
        ),
    },
)
_DEPRECATION = record(
    "deprecation",
    "`models --check`: what a provider announced about a model.",
    {
        "provider": _PROVIDER,
        "model": _MODEL,
        "operation": _OPERATION,
        "endpoint": _ENDPOINT,
        "status": text("the provider's own word"),
        "deprecated_at": or_null(text("since when")),
        "shutdown_at": or_null(text("its last day")),
        "replaced_by": or_null(text("the endpoint to use instead")),
        "reason": or_null(text("why")),
    },
)
_COST_RECORD = record(
    "cost",
    "`cost`: a group of jobs whose costs have one source.",
    {
        "by": one_of(["day", "provider", "model", "batch", "total"], "how jobs are grouped"),
        "key": or_null(text("the group")),
        "jobs": whole("jobs"),
        "usd": or_null(_USD),
        "source": one_of(_SOURCES, "who says so"),
        "in_doubt": or_null(value("number", "the part of `usd` that may not have been billed")),
    },
)
_INFO = record(
    "info",
    "`info`: what is known of an image.",
    {
        "path": _PATH,
        "sha256": _SHA256,
        "records": listed(
            fields(
                {
                    "origin": text("the sidecar, the file, or the journal"),
                    "record": value("object", "what `replay` needs to make it again"),
                },
                "a record of kontext",
            ),
            "records of kontext",
        ),
        "found": listed(
            fields(
                {
                    "origin": text("where it stands in the file"),
                    "name": text("its name there"),
                    "text": text("its text"),
                },
                "a text",
            ),
            "what else the file says",
        ),
    },
)
_GALLERY = record(
    "gallery",
    "`gallery`: what was drawn.",
    {
        "path": text("the page or the sheet"),
        "images": whole("images on it"),
        "without_image": whole("jobs without an image on it"),
        "missing": whole("images that are missing or damaged"),
    },
)
_PLACE = {
    "prompts_file": or_null(text("the prompts file; null for `edit --each`")),
    "lock": text("the lock"),
}
_NAMES = listed(text("a name"), "names as in the lock")
_DIFFERENCE = record(
    "difference",
    "`check`: a difference between a row, its line in the lock, and its images.",
    {
        "difference": one_of(get_args(Kind), "what differs"),
        "option": or_null(text("the option that changed")),
        "id": text("the row"),
        "prompts_file": _PLACE["prompts_file"],
        "line": or_null(whole("the line in the prompts file")),
        "lock": _PLACE["lock"],
        "lock_line": or_null(whole("the line in the lock")),
        "files": listed(text("a path"), "the images"),
        "hint": text("what to do"),
    },
)
_CHECK = record(
    "check",
    "`check`: the end of the differences of a lock.",
    {
        **_PLACE,
        "rows": whole("rows"),
        "images": whole("images"),
        "differences": whole("differences"),
        "exit_code": _EXIT_CODE,
    },
)
_ACCEPTED = record(
    "accepted",
    "`check --accept`: a row whose edited images are right from now on.",
    {
        "id": text("the row"),
        "files": listed(
            fields(
                {
                    "path": text("its name in the lock"),
                    "sha256": _SHA256,
                    "bytes": whole("its size"),
                    "width": whole("in pixels"),
                    "height": whole("in pixels"),
                },
                "an image",
            ),
            "its images",
        ),
    },
)
_PRUNED = record(
    "pruned",
    "`check --prune`: what was left over.",
    {"rows": _NAMES, "removed": _NAMES, "kept": _NAMES},
)
_MERGED = record(
    "merged",
    "`check --merge`: the locks of shards that became one.",
    {
        "lock": _PLACE["lock"],
        "shards": listed(text("a path"), "the locks that were united and removed"),
        "missing": listed(text("a part, as in 2/4"), "shards without a lock"),
    },
)
_KEY = record(
    "key",
    "`auth status`: the key of a provider.",
    {
        "provider": _PROVIDER,
        "source": or_null(text("where the key comes from")),
        "last4": or_null(text("its last four characters; null if it is short")),
        "error": or_null(text("why the key cannot be used")),
    },
)

_SETTING = record(
    "setting",
    "`doctor`: a setting that has a value.",
    {
        "name": text("its name in `config.toml`"),
        "value": text("its value"),
        "origin": text("the variable, the line of the file, or `default`"),
    },
)
_FINDING = record(
    "finding",
    "`doctor`: what a check found.",
    {
        "group": text("the heading of the check"),
        "name": text("what was checked"),
        "verdict": one_of(get_args(Verdict), "whether it works"),
        "text": text("what was found"),
        "hint": _HINT,
    },
)
_JOURNAL_COPY = record(
    "journal_copy",
    "`journal copy`: what was copied.",
    {
        "from": text("the journal that was read"),
        "to": text("the journal that was written"),
        "jobs": whole("jobs in the first"),
        "copied": whole("jobs that were added to the second"),
        "updated": whole("jobs that were at an earlier state there"),
        "differing": listed(
            fields(
                {
                    "id": text("the job"),
                    "from": text("its state in the first"),
                    "to": or_null(text("its state in the second; null if it is not there")),
                },
                "a job",
            ),
            "jobs that differ, and were left as they are",
        ),
        "apart": listed(
            text("an id"), "jobs that were copied without their row, which is another job's there"
        ),
        "sha256": _SHA256,
    },
)

RECORDS: Mapping[str, Schema] = {
    each["properties"]["type"]["const"]: each
    for each in (
        *(_JOB, _SUMMARY, _ERROR, _COST_RECORD, _INFO, _GALLERY, _MODEL_RECORD, _DEPRECATION),
        *(_DIFFERENCE, _CHECK, _ACCEPTED, _PRUNED, _MERGED, _KEY, _SETTING, _FINDING),
        _JOURNAL_COPY,
    )
}
"""The schema of each kind of record."""


def json_schema() -> Schema:
    """The schema of one line, in the dialect of 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line that kontext prints with --json",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in RECORDS],
        "$defs": dict(RECORDS),
    }
