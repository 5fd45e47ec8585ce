"""The JSON Schema of what `--json` prints: one record a line, told apart by its ``type``.

An object may get further properties in later versions, without another number of the schema.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from kontext_cli.batch.agreement import Kind
from kontext_cli.batch.tally import KINDS
from kontext_cli.doctor.finding import Verdict
from kontext_cli.errors import Billed, KontextError, kinds
from kontext_cli.job import Cost, FileFormat, Operation, State
from kontext_cli.options import OPTIONS
from kontext_cli.terminal.records import SCHEMA

Schema = dict[str, Any]

_COUNTERS = (*KINDS, "planned")
_SOURCES = get_args(Cost.__annotations__["source"])


def _of(kind: str, description: str, **more: Any) -> Schema:
    return {"type": kind, "description": description, **more}


def _text(description: str, **more: Any) -> Schema:
    return _of("string", description, **more)


def _whole(description: str) -> Schema:
    return _of("integer", description, minimum=0)


def _one_of(choices: Sequence[str], description: str) -> Schema:
    return _of("string", description, enum=[*choices])


def _listed(items: Schema, description: str) -> Schema:
    return _of("array", description, items=items)


def _or_null(schema: Schema) -> Schema:
    kind = schema["type"]
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [kind, "null"], **choices}


def _object(
    properties: Mapping[str, Schema], description: str, *, optional: Sequence[str] = ()
) -> Schema:
    required = [name for name in properties if name not in optional]
    return _of("object", description, properties=dict(properties), required=required)


def _record(
    kind: str, description: str, properties: Mapping[str, Schema], *, optional: Sequence[str] = ()
) -> Schema:
    head: Mapping[str, Schema] = {
        "schema": {"const": SCHEMA, "description": "the version of this schema"},
        "type": {"const": kind, "description": "the kind of record"},
    }
    return _object({**head, **properties}, description, optional=optional)


_SHA256 = _text("SHA-256 of the file, in hexadecimal", pattern="^[0-9a-f]{64}$")
_USD = _of("number", "US dollars", minimum=0)
_PATH = _text("an absolute path, or the URL of an object in a store")
_MOMENT = _text("a time in UTC", format="date-time")
_OPERATION = _one_of(get_args(Operation), "the operation")
_PROVIDER = _text("the provider")
_MODEL = _text("the model, by our name or the provider's own id")
_ENDPOINT = _text("the provider's id of the model and operation")
_HINT = _or_null(_text("what to do, or the command to paste next"))
_EXIT_CODE = _whole("the exit code")
_CODE = _one_of(
    list(dict.fromkeys(kind.code for kind in kinds(KontextError) if "code" in vars(kind))),
    "the kind of error",
)
_COST = _object(
    {"usd": _or_null(_USD), "source": _one_of(_SOURCES, "who says so")},
    "the cost; of a job without a known price, `usd` is null",
)
_FILES = _listed(
    {
        "anyOf": [
            _object(
                {
                    "path": _PATH,
                    "sha256": _SHA256,
                    "bytes": _whole("its size"),
                    "width": _whole("in pixels"),
                    "height": _whole("in pixels"),
                    "format": _one_of(get_args(FileFormat), "the format of its bytes"),
                },
                "a saved file",
            ),
            _object({"path": _PATH}, "a file that would be written"),
        ]
    },
    "the saved files; of a job that was not sent, those that it would write",
)
_JOB_ERROR = _object(
    {
        "code": _CODE,
        "message": _text("what happened"),
        "hint": _HINT,
        "billed": _one_of(get_args(Billed), "whether the job was billed"),
        "urls": _listed(
            _text("a URL, with its signature"),
            "the files that were billed but not saved, because of their format; only of `status`",
        ),
    },
    "why the job failed",
    optional=["urls"],
)
_JOB = _record(
    "job",
    "A job: when it ends, and for each job that a command is about.",
    {
        "id": _text("our id of the job"),
        "batch": _or_null(_text("the batch that it is a row of")),
        "index": _or_null(_whole("the number of the row")),
        "operation": _OPERATION,
        "provider": _PROVIDER,
        "model": _MODEL,
        "endpoint": _ENDPOINT,
        "request": _of(
            "object",
            "the request as it was validated: prompt, images and options, by the names of the "
            "options with underscores",
        ),
        "request_id": _or_null(_text("the provider's id of the job")),
        "state": _one_of([*State], "the state of the job"),
        "seed": _or_null(_of("integer", "the seed")),
        "files": _FILES,
        "cost": _COST,
        "reply": _of("object", "what the provider's answer says beside its images"),
        "skipped": _of("boolean", "whether it was there already, so that nothing was sent"),
        "error": _or_null(_JOB_ERROR),
        "created_at": _MOMENT,
        "finished_at": _or_null(_MOMENT),
        "reason": _text("why a row of a batch was run or skipped"),
    },
    optional=["reason"],
)
_SUMMARY = _record(
    "summary",
    "The end of a batch; the counters add up to `total`.",
    {
        "batch": _text("the batch"),
        "total": _whole("rows"),
        **{name: _whole(f"rows that are {name}") for name in _COUNTERS},
        "cost": _COST,
        "exit_code": _EXIT_CODE,
    },
)
_ERROR = _record(
    "error",
    "An error that belongs to no job.",
    {
        "code": _CODE,
        "message": _text("what happened"),
        "hint": _HINT,
        "exit_code": _EXIT_CODE,
        "details": _listed(_text("a line"), "further lines, such as each fault in a file"),
    },
    optional=["details"],
)
_OPTION = _object(
    {
        "name": _one_of(["prompt", *(row.name for row in OPTIONS if row.sent)], "the option"),
        "least": _or_null(_of("number", "the lowest value")),
        "most": _or_null(_of("number", "the highest value")),
        "longest": _or_null(_whole("the most characters")),
        "choices": _or_null(_listed(_text("a value"), "all values")),
        "default": {"description": "what the provider does without it; null where it is not known"},
    },
    "an option that the provider takes",
)
_MODEL_RECORD = _record(
    "model",
    "`models`: an operation on a model at a provider.",
    {
        "provider": _PROVIDER,
        "model": _MODEL,
        "operation": _OPERATION,
        "endpoints": _listed(
            _object(
                {
                    "id": _ENDPOINT,
                    "images": _or_null(
                        _listed(_whole("a number"), "the fewest and the most input images")
                    ),
                },
                "an endpoint",
            ),
            "the endpoints, by the number of input images",
        ),
        "options": _listed(_OPTION, "the options"),
        "price": _object(
            {
                "usd": _or_null(_USD),
                "source": _one_of(_SOURCES, "who says so"),
                "dated": _or_null(_text("the day of the price", format="date")),
                "further_megapixel": _or_null(_USD),
                "input_megapixel": _or_null(_USD),
                "resolutions": _or_null(
                    _of("object", "US dollars by resolution", additionalProperties=_USD)
                ),
            },
            "the price of the cheapest image, and of more megapixels",
            optional=["further_megapixel", "input_megapixel", "resolutions"],
        ),
    },
)
_DEPRECATION = _record(
    "deprecation",
    "`models --check`: what a provider announced about a model.",
    {
        "provider": _PROVIDER,
        "model": _MODEL,
        "operation": _OPERATION,
        "endpoint": _ENDPOINT,
        "status": _text("the provider's own word"),
        "deprecated_at": _or_null(_text("since when")),
        "shutdown_at": _or_null(_text("its last day")),
        "replaced_by": _or_null(_text("the endpoint to use instead")),
        "reason": _or_null(_text("why")),
    },
)
_COST_RECORD = _record(
    "cost",
    "`cost`: a group of jobs whose costs have one source.",
    {
        "by": _one_of(["day", "provider", "model", "batch", "total"], "how jobs are grouped"),
        "key": _or_null(_text("the group")),
        "jobs": _whole("jobs"),
        "usd": _or_null(_USD),
        "source": _one_of(_SOURCES, "who says so"),
        "in_doubt": _or_null(_of("number", "the part of `usd` that may not have been billed")),
    },
)
_INFO = _record(
    "info",
    "`info`: what is known of an image.",
    {
        "path": _PATH,
        "sha256": _SHA256,
        "records": _listed(
            _object(
                {
                    "origin": _text("the sidecar, the file, or the journal"),
                    "record": _of("object", "what `replay` needs to make it again"),
                },
                "a record of kontext",
            ),
            "records of kontext",
        ),
        "found": _listed(
            _object(
                {
                    "origin": _text("where it stands in the file"),
                    "name": _text("its name there"),
                    "text": _text("its text"),
                },
                "a text",
            ),
            "what else the file says",
        ),
    },
)
_GALLERY = _record(
    "gallery",
    "`gallery`: what was drawn.",
    {
        "path": _text("the page or the sheet"),
        "images": _whole("images on it"),
        "without_image": _whole("jobs without an image on it"),
        "missing": _whole("images that are missing or damaged"),
    },
)
_PLACE = {
    "prompts_file": _or_null(_text("the prompts file; null for `edit --each`")),
    "lock": _text("the lock"),
}
_NAMES = _listed(_text("a name"), "names as in the lock")
_DIFFERENCE = _record(
    "difference",
    "`check`: a difference between a row, its line in the lock, and its images.",
    {
        "difference": _one_of(get_args(Kind), "what differs"),
        "option": _or_null(_text("the option that changed")),
        "id": _text("the row"),
        "prompts_file": _PLACE["prompts_file"],
        "line": _or_null(_whole("the line in the prompts file")),
        "lock": _PLACE["lock"],
        "lock_line": _or_null(_whole("the line in the lock")),
        "files": _listed(_text("a path"), "the images"),
        "hint": _text("what to do"),
    },
)
_CHECK = _record(
    "check",
    "`check`: the end of the differences of a lock.",
    {
        **_PLACE,
        "rows": _whole("rows"),
        "images": _whole("images"),
        "differences": _whole("differences"),
        "exit_code": _EXIT_CODE,
    },
)
_ACCEPTED = _record(
    "accepted",
    "`check --accept`: a row whose edited images are right from now on.",
    {
        "id": _text("the row"),
        "files": _listed(
            _object(
                {
                    "path": _text("its name in the lock"),
                    "sha256": _SHA256,
                    "bytes": _whole("its size"),
                    "width": _whole("in pixels"),
                    "height": _whole("in pixels"),
                },
                "an image",
            ),
            "its images",
        ),
    },
)
_PRUNED = _record(
    "pruned",
    "`check --prune`: what was left over.",
    {"rows": _NAMES, "removed": _NAMES, "kept": _NAMES},
)
_MERGED = _record(
    "merged",
    "`check --merge`: the locks of shards that became one.",
    {
        "lock": _PLACE["lock"],
        "shards": _listed(_text("a path"), "the locks that were united and removed"),
        "missing": _listed(_text("a part, as in 2/4"), "shards without a lock"),
    },
)
_KEY = _record(
    "key",
    "`auth status`: the key of a provider.",
    {
        "provider": _PROVIDER,
        "source": _or_null(_text("where the key comes from")),
        "last4": _or_null(_text("its last four characters; null if it is short")),
        "error": _or_null(_text("why the key cannot be used")),
    },
)

_SETTING = _record(
    "setting",
    "`doctor`: a setting that has a value.",
    {
        "name": _text("its name in `config.toml`"),
        "value": _text("its value"),
        "origin": _text("the variable, the line of the file, or `default`"),
    },
)
_FINDING = _record(
    "finding",
    "`doctor`: what a check found.",
    {
        "group": _text("the heading of the check"),
        "name": _text("what was checked"),
        "verdict": _one_of(get_args(Verdict), "whether it works"),
        "text": _text("what was found"),
        "hint": _HINT,
    },
)

RECORDS: Mapping[str, Schema] = {
    each["properties"]["type"]["const"]: each
    for each in (
        *(_JOB, _SUMMARY, _ERROR, _COST_RECORD, _INFO, _GALLERY, _MODEL_RECORD, _DEPRECATION),
        *(_DIFFERENCE, _CHECK, _ACCEPTED, _PRUNED, _MERGED, _KEY, _SETTING, _FINDING),
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
