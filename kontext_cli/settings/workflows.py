"""The user's own workflows: their files, and the places in them that the config file maps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kontext_cli.errors import UsageError
from kontext_cli.job import Operation
from kontext_cli.providers.base import Provider
from kontext_cli.providers.comfyui import Comfyui, OwnWorkflow
from kontext_cli.providers.dialects.workflows import Input, Workflow, nodes_text, parse_graph
from kontext_cli.settings.config import Config
from kontext_cli.settings.paths import from_home

_SIDES = ("width", "height")
_MOST_BYTES = 16 * 2**20

Graph = Mapping[str, Mapping[str, Any]]


def give_workflows(provider: Provider, config: Config) -> None:
    """Have a provider run the workflows of the config file.

    Raises UsageError for a file that cannot be read or is no workflow, and for a map that does not
    fit them.
    """
    if isinstance(provider, Comfyui) and config.path is not None:
        own = _Workflows(config.path, config, f"[providers.{provider.name}.map]").read()
        provider.with_workflows(own, alone="workflow" in config.workflows)


class _Workflows:
    """The workflows that a config file names, and the table of it that maps them."""

    def __init__(self, config_file: Path, config: Config, table: str) -> None:
        self._config_file = config_file
        self._files = config.workflows
        self._table = table
        self._places = {
            name: tuple(map(Input.parse, places)) for name, places in config.places.items()
        }

    def read(self) -> list[OwnWorkflow]:
        """Read the files; each gets those of the places that it has."""
        graphs = {key: self._graph(file) for key, file in self._files.items()}
        for name, places in self._places.items():
            for place in places:
                if not any(place.is_in(graph) for graph in graphs.values()):
                    raise self._misplaced(name, place, graphs)
        return [self._own(key, graph) for key, graph in graphs.items()]

    def _graph(self, file: str) -> Graph:
        path = self._config_file.parent / from_home(file)
        source = f"the workflow `{path}`"
        try:
            with path.open("rb") as opened:
                content = opened.read(_MOST_BYTES + 1)
            text = content.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            raise UsageError(f"{source} cannot be read: {error}") from None
        if len(content) > _MOST_BYTES:
            raise UsageError(f"{source} is larger than {_MOST_BYTES // 2**20} MiB")
        return parse_graph(text, source)

    def _own(self, key: str, graph: Graph) -> OwnWorkflow:
        """A workflow with its places. One for both operations edits if it has any for images."""
        workflow = Workflow(graph, self._places_in(graph))
        if key == "generate":
            workflow.places.pop("images", None)
        operation: Operation = "edit" if "images" in workflow.places else "generate"
        needed = {"prompt", *({"images"} if key == "edit" else ())}
        if any(side in workflow.places for side in _SIDES):
            needed |= {*_SIDES}
        for name in sorted(needed - workflow.places.keys()):
            raise UsageError(
                f"{self._table} has no place for `{name}` in `{self._files[key]}`",
                hint=f"add to {self._table}: {workflow.line(name)}",
            )
        return OwnWorkflow(Path(self._files[key]).name, operation, workflow)

    def _places_in(self, graph: Graph) -> dict[str, tuple[Input, ...]]:
        """Those of the places that a graph has."""
        found = {
            name: tuple(each for each in places if each.is_in(graph))
            for name, places in self._places.items()
        }
        return {name: places for name, places in found.items() if places}

    def _misplaced(self, name: str, place: Input, graphs: Mapping[str, Graph]) -> UsageError:
        """The error for a place that no workflow has, with what there is instead."""
        said = f'{self._config_file}: {self._table} {name} = "{place}"'
        for key, graph in graphs.items():
            if place.node in graph:
                kind, inputs = graph[place.node]["class_type"], graph[place.node]["inputs"]
                return UsageError(
                    f"{said}: node {place.node} ({kind}) of `{self._files[key]}` has no input "
                    f"`{place.name}`",
                    hint=f"it has {', '.join(inputs) or 'none'}",
                )
        files = " and ".join(f"`{file}`" for file in self._files.values())
        return UsageError(
            f"{said}: there is no node {place.node} in {files}",
            hint="; ".join(f"it has {nodes_text(graph)}" for graph in graphs.values()),
        )
