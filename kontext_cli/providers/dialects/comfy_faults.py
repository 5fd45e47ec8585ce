"""What ComfyUI says of a workflow that it refuses, and of a run that failed, in words.

Source: the answers of ComfyUI 0.3.64.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kontext_cli.errors import Canceled, JobFailed, KontextError
from kontext_cli.http.call import Reply
from kontext_cli.providers.failure import short
from kontext_cli.words import listed

_MOST_FAULTS = 4
_MOST_FILES = 8
_FOLDERS = {
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "vae_name": "vae",
    "ckpt_name": "checkpoints",
    "lora_name": "loras",
    "control_net_name": "controlnet",
}
"""The folder below ComfyUI's `models` in which the file of an input lies."""


class _Missing(NamedTuple):
    """A file that an input names and the server does not have, and the list of those it has."""

    input: str
    value: str
    there: str


def refused(reply: Reply) -> KontextError | None:
    """The error for a workflow that the server does not take; None where it says nothing of one."""
    body = reply.object
    error, nodes = body.get("error"), body.get("node_errors")
    if not isinstance(error, dict) or not isinstance(nodes, dict):
        return None
    return _faulty("ComfyUI does not take the workflow", reply, error, nodes)


def taken_in_part(reply: Reply) -> KontextError | None:
    """The error for a workflow of which the server runs no more than what is sound: it accepts it
    where one of its outputs is, and a preview of the text is one."""
    nodes = reply.object.get("node_errors")
    if not isinstance(nodes, dict) or not nodes:
        return None
    return _faulty("ComfyUI takes the workflow only in part", reply, {}, nodes)


def _faulty(
    what: str, reply: Reply, error: Mapping[str, Any], nodes: Mapping[str, Any]
) -> JobFailed:
    faults = sorted(_faults(nodes)) or [_general(error)]  # the server has them in no order
    more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
    return JobFailed(
        f"{what}: {short('; '.join(faults[:_MOST_FAULTS]))}{more}",
        hint=_hint(error, nodes),
        billed="no",
        status=reply.status,
    )


def ended(status: Mapping[str, Any]) -> KontextError:
    """The error of a run that did not succeed, by the status in its history."""
    for event, data in _messages(status):
        node = f"{data.get('node_type')} (node {data.get('node_id')})"
        if event == "execution_interrupted":
            return Canceled(f"the job was interrupted in {node}", billed="no")
        if event == "execution_error":
            kind = str(data.get("exception_type") or "error")
            why = str(data.get("exception_message") or "").strip() or kind
            return JobFailed(f"ComfyUI failed in {node}: {short(why)}", billed="no")
    return JobFailed("ComfyUI failed, and gave no reason", billed="no")


def _messages(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    messages = status.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict):
            yield str(message[0]), message[1]


def _faults(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Each fault of each node, in a few words."""
    for name, node in nodes.items():
        if not isinstance(node, dict):
            continue
        for error in _errors(node):
            yield f"{node.get('class_type')} (node {name}): {_fault(error)}"


def _fault(error: Mapping[str, Any]) -> str:
    details = str(error.get("details") or "")
    found = _missing_file(details)
    if error.get("type") != "value_not_in_list" or found is None:
        message = str(error.get("message") or error.get("type") or "is not valid")
        return f"{message}: {details}" if details else message
    return f"{found.input} `{found.value}` is not there; it has {_listed(found.there)}"


def _missing_file(details: str) -> _Missing | None:
    """The file in ``INPUT: 'VALUE' not in LIST``, None for other details. These may be long: they
    are not matched with a pattern, which could take hours."""
    head, _, there = details.rpartition("' not in ")
    name, colon, value = head.partition(": '")
    is_list = there.endswith("]" if there.startswith("[") else ")")
    if not colon or not name.isidentifier() or not there.startswith(("[", "(list")) or not is_list:
        return None
    return _Missing(name, value, there)


def _listed(there: str) -> str:
    """A list as Python prints it, shortened."""
    names = re.findall(r"'([^']*)'", there)
    if not names:
        return there.strip("()") if there.startswith("(") else "none"
    more = f" and {len(names) - _MOST_FILES} more" if len(names) > _MOST_FILES else ""
    return ", ".join(names[:_MOST_FILES]) + more


def _general(error: Mapping[str, Any]) -> str:
    message = str(error.get("message") or error.get("type") or "no reason given")
    details = str(error.get("details") or "")
    return f"{message} {details}".strip() if details not in message else message


def _hint(error: Mapping[str, Any], nodes: Mapping[str, Any]) -> str | None:
    """What to do: where files belong, or that a node is not installed."""
    faults = [each for node in nodes.values() if isinstance(node, dict) for each in _errors(node)]
    found = (_missing_file(str(each.get("details") or "")) for each in faults)
    missing = sorted({folder for each in found if each and (folder := _FOLDERS.get(each.input))})
    if missing:
        folders = listed([f"models/{folder}" for folder in missing])
        return f"put it into ComfyUI's {folders}, or name in a workflow of your own what it has"
    if "does not exist" in str(error.get("message")):
        return "install what brings that node, or update ComfyUI"
    return None


def _errors(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = node.get("errors")
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
