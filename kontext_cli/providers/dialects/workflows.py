"""ComfyUI's workflows: graphs in its API format, and the inputs of their nodes that a request
fills."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from kontext_cli.errors import UsageError
from kontext_cli.words import listed

USUAL_INPUTS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text", "prompt", "value"),
    "images": ("image",),
    "seed": ("seed", "noise_seed"),
    "width": ("width",),
    "height": ("height",),
    "steps": ("steps",),
    "guidance_scale": ("guidance", "cfg"),
}
"""What a workflow may have a place for, by our names, and what ComfyUI's own nodes call it."""

_HOW_TO_EXPORT = "in ComfyUI, choose File → Export (API)"
_SHOWN = 6


class Input(NamedTuple):
    """One input of one node."""

    node: str
    name: str

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"

    @classmethod
    def parse(cls, written: str) -> Self:
        """The input that is written ``NODE.INPUT``."""
        node, _, name = written.partition(".")
        return cls(node, name)

    def is_in(self, graph: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether a graph has this node with this input."""
        return self.node in graph and self.name in graph[self.node]["inputs"]


class Workflow(NamedTuple):
    """A graph, with the ``places`` in it for what a request says, by our names.

    A name that has several places fills all of them; of ``images``, each place takes one.
    """

    graph: Mapping[str, Mapping[str, Any]]
    places: dict[str, tuple[Input, ...]]

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The graph with these values. Nodes that would load an image which is not there are left
        out, with the links to them."""
        graph = {
            name: {**node, "inputs": dict(node.get("inputs", {}))}
            for name, node in self.graph.items()
        }
        for name, value in values.items():
            places = self.places[name]
            each = value if name == "images" else [value] * len(places)
            for place, one in zip(places, each, strict=False):
                graph[place.node]["inputs"][place.name] = one
        self._leave_out(graph, len(values.get("images", ())))
        return graph

    def line(self, name: str) -> str:
        """The line of a map that says where one of our names goes: at the input that has the usual
        name for it, where there is one; of images, where one more of them goes."""
        has = self.places.get(name, ()) if name == "images" else ()
        written = ", ".join(f'"{place}"' for place in (*has, self._usual_input(name, has)))
        return f"{name} = [{written}]" if has else f"{name} = {written}"

    def _usual_input(self, name: str, taken: Sequence[Input]) -> Input:
        """An input of a usual name that is not taken and not linked, else an example of one."""
        for usual in USUAL_INPUTS[name]:
            for node, found in self.graph.items():
                value = found["inputs"].get(usual)
                if value is not None and not _is_link(value) and (node, usual) not in taken:
                    return Input(node, usual)
        return Input("NODE", USUAL_INPUTS[name][0])

    def _leave_out(self, graph: dict[str, Any], images: int) -> None:
        """Leave out the places for more images than there are."""
        places = self.places.get("images", ())
        used = {place.node for place in places[:images]}
        for place in places[images:]:
            if place.node in used:
                graph[place.node]["inputs"].pop(place.name)
            else:
                graph.pop(place.node, None)
        for node in graph.values():
            for name, value in [*node["inputs"].items()]:
                if _is_link(value) and value[0] not in graph:
                    del node["inputs"][name]


def parse_graph(text: str, source: str) -> dict[str, dict[str, Any]]:
    """The nodes of a workflow file by their ids; ``source`` names it. Raises UsageError for what is
    not in API format."""
    try:
        graph = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON: {error}", hint=_HOW_TO_EXPORT) from None
    if isinstance(graph, dict) and isinstance(graph.get("nodes"), list):
        raise UsageError(
            f"{source} is a workflow as it was saved, not in API format", hint=_HOW_TO_EXPORT
        )
    if not isinstance(graph, dict) or not graph:
        raise UsageError(f"{source} is not a workflow", hint=_HOW_TO_EXPORT)
    for name, node in graph.items():
        if not _is_node(node):
            raise UsageError(
                f"{source} is not a workflow in API format: `{name}` is no node with a "
                "`class_type` and `inputs`",
                hint=_HOW_TO_EXPORT,
            )
    return graph


def nodes_text(graph: Mapping[str, Mapping[str, Any]]) -> str:
    """The nodes of a graph in words, the first few of them."""
    names = [f"{name} ({node['class_type']})" for name, node in graph.items()]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}" if more else listed(names)


def _is_node(node: object) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def _is_link(value: object) -> bool:
    """Whether the value of an input is the output of a node: its id, and a number."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )
