"""Records and texts of anybody, from which an image is to be made again."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.examples import fuzzed
from fuzz.test_info import json_values
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.repeating import Repeater
from kontext_cli.engine.known import Image
from kontext_cli.engine.recipe import input_images, recipe_of
from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.records import Record
from kontext_cli.job import Operation
from kontext_cli.metadata.find import Finding
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.settings.config import Config
from kontext_cli.settings.credentials import Credentials
from kontext_cli.settings.settings import Settings

SETTINGS = Settings({}, Config(path=Path("config.toml")), Credentials(Path("nowhere")))
URL = "https://a.example/x"
SENT = {row.name for row in OPTIONS if row.sent}
OPERATIONS: tuple[Operation, ...] = ("generate", "edit")
FIELDS = dict.fromkeys(Flags._fields)
IDS = [row.id for name in NAMES for row in provider_class(name).endpoints]
MODELS = [row.model for name in NAMES for row in provider_class(name).endpoints]
PIECES = ["Steps: 4", "Seed: 5", "Seed:", ":", '"', ", ", "\n", "<lora:", "Negative prompt:"]
options = st.dictionaries(
    st.sampled_from([row.name for row in OPTIONS]) | st.text(max_size=8),
    json_values | st.integers(0, 60) | st.sampled_from(["3:2", "png", "1k"]),
    max_size=6,
)
texts = st.sampled_from(["", "..", "/", "~", "\0", "\ud800", "-", URL])
inputs = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "path": json_values | texts,
            "url": json_values | texts,
            "sha256": json_values | st.just("0" * 64),
            "shortened": json_values,
        },
    ),
    max_size=4,
)
sound = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(OPERATIONS),
        "provider": st.sampled_from(NAMES),
        "model": st.sampled_from(MODELS),
        "endpoint": st.sampled_from(IDS),
        "prompt": st.text(min_size=1),
        "options": options,
        "inputs": inputs,
    },
    optional={"seed": json_values, "time": json_values},
)
odd = st.dictionaries(
    st.sampled_from(["operation", "provider", "model", "endpoint", "prompt", "options", "inputs"]),
    json_values,
    max_size=2,
)
records = st.builds(lambda record, changes: {**record, **changes}, sound, odd)


def repeat(image: Image, *argv: str) -> None:
    """Make the request for an image, or refuse to."""
    given = {**FIELDS, **dict.fromkeys(row.name for row in OPTIONS), "prompt": None}
    for name in ("operation", "argv", "options", "defaulted"):
        del given[name]
    flags = Flags.of("generate", argv, given)
    repeater = Repeater(flags, SETTINGS, None)
    with suppress(InputFault, UsageError):
        recipe = recipe_of(image)
        with suppress(InputFault, UsageError):
            again = repeater.again(recipe, [URL] if recipe.operation == "edit" else [])
            assert again.row()["prompt"] == recipe.prompt
            assert again.options.keys() <= SENT
        images, _ = input_images(recipe, image, "a.png")
        assert all(each.startswith("https://") for each in images)


def of(*, record: dict[str, Any] | None = None, finding: Finding | None = None) -> Image:
    found = () if record is None else (Record("sidecar", record),)
    return Image(Path("a.png"), "0" * 64, found, () if finding is None else (finding,))


@fuzzed(300)
@given(record=records)
def test_records(record: dict[str, Any]) -> None:
    repeat(of(record=record))


@fuzzed(200)
@given(
    name=st.sampled_from(["parameters", "UserComment", "invokeai_metadata", "prompt"]),
    text=st.text()
    | json_values.map(json.dumps)
    | st.dictionaries(
        st.sampled_from(["prompt", "positive_prompt", "seed", "1", "2"]),
        json_values
        | st.fixed_dictionaries({"class_type": json_values, "inputs": json_values})
        | st.fixed_dictionaries({"class_type": st.text(), "inputs": options}),
    ).map(json.dumps)
    | st.lists(
        st.sampled_from(["Steps: 4", "Seed: 5", "Seed:", ":", '"', ", ", "\n", "<lora:"])
    ).map("".join),
)
def test_texts_of_other_programs(name: str, text: str) -> None:
    repeat(of(finding=Finding("PNG", name, text)))
