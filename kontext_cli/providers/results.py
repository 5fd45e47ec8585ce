"""Find the images in a result, in any of the forms that providers send."""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import JobFailed
from kontext_cli.http.call import plain
from kontext_cli.job import Output, Progress, State

_MOST = 4
_REPORTED = ("prompt", "timings")


def read_result(provider: str, body: Mapping[str, Any]) -> Progress:
    """The images of the body of a successful reply, with its seed where it names one.

    Looked for in ``images``, then ``data``, then ``output.choices``; in each image the ``url``
    (https or data), then ``b64_json``, then ``image_base64``. Raises JobFailed where there is
    none: the provider calls that a success, so it may be billed.
    """
    outputs = outputs_in(body)
    if not outputs:
        raise JobFailed(f"{provider} completed the job without an image", billed="maybe")
    return Progress(
        state=State.READY,
        done=True,
        outputs=outputs,
        seed=_integer(body.get("seed")),
        reply=plain({key: body[key] for key in _REPORTED if key in body}),
    )


def outputs_in(body: Mapping[str, Any]) -> tuple[Output, ...]:
    """The images of a body, at most four; none where it has none."""
    flags = body.get("has_nsfw_concepts")
    flags = flags if isinstance(flags, list) else []
    found = []
    for number, item in enumerate(_items(body)[:_MOST]):
        flagged = number < len(flags) and flags[number] is True
        output = _output(item, flagged=flagged)
        if output is not None:
            found.append(output)
    return tuple(found)


def _items(body: Mapping[str, Any]) -> list[Any]:
    inner = body.get("output")
    choices = inner.get("choices") if isinstance(inner, dict) else None
    for items in (body.get("images"), body.get("data"), choices):
        if isinstance(items, list) and items:
            return items
    return []


def _output(item: Any, *, flagged: bool) -> Output | None:
    if isinstance(item, str):
        return Output(url=item, flagged=flagged) if item else None
    if not isinstance(item, dict):
        return None
    url = item.get("url")
    if isinstance(url, str) and url:
        return Output(url=url, flagged=flagged)
    encoded = item.get("b64_json") or item.get("image_base64")
    if isinstance(encoded, str):
        return Output(b64=encoded, flagged=flagged)
    return None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
