"""The page of settings: variables, which the man page has too, and `config.toml`."""

from collections.abc import Iterator, Mapping

from docs.writer.markdown import code, codes, fenced, page, prose, table
from kontext_cli.providers import NAMES, provider_class
from kontext_cli.providers.dialects.workflows import USUAL_INPUTS
from kontext_cli.settings.config import KEYS, METADATA, PREVIEWS, keys_of, words_of
from kontext_cli.settings.defaults import COMMANDS_WITH

TOP_LEVEL: Mapping[str, str] = {
    "provider": "default of `--provider`: a name, or several as in `fal,bfl`",
    "model": "default of `--model`",
    "output_dir": "default of `--output-dir`",
    "metadata": f"default of `--metadata`: {', '.join(METADATA)}",
    "preview": f"default of `--preview`: {', '.join(PREVIEWS)}",
    "defaults": "defaults of flags, `[defaults]` and `[defaults.COMMAND]`",
    "providers": "a table for each provider, `[providers.NAME]`",
    "prices": "a table for each provider, `[prices.NAME]`: US dollars for an image, by model",
}
OF_PROVIDERS: Mapping[str, str] = {
    "base_url": "the base URL, as `KONTEXT_NAME_BASE_URL`; for servers of your own also a list",
    "jobs": "default of `--jobs`: jobs in flight in a batch, for each server",
    "route": "the host that a router passes jobs on to",
    "dialect": "what the servers speak",
    "model": "the model, by the server's own name",
    "key_command": "a program and its arguments that print the key, as a list of words",
    "workflow": "the file of a workflow in API format, relative to `config.toml`",
    "generate": "the file of a workflow for `generate` alone",
    "edit": "the file of a workflow for `edit` alone",
    "map": "where values go in these workflows, as `NODE.INPUT` or a list of these",
}
EXAMPLE = """\
provider = "fal"
model = "kontext-max"
output_dir = "~/images"
metadata = "full"
preview = "auto"

[defaults]
max_cost = 5

[defaults.generate]
aspect_ratio = "16:9"

[providers.fal]
base_url = "https://proxy.example/fal"
jobs = 20
key_command = ["pass", "show", "fal"]

[providers.huggingface]
route = "replicate"

[providers.openai]
base_url = ["http://gpu1.local:8000/v1", "http://gpu2.local:8000/v1"]
dialect = "vllm"
model = "FLUX.1-Kontext-dev"

[providers.comfyui]
base_url = "http://gpu.local:8188"
workflow = "portrait.json"

[providers.comfyui.map]
prompt = "6.text"
images = ["142.image", "147.image"]
seed = "31.seed"

[prices.fal]
kontext-max = 0.07
"""


def variables() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every environment variable that is read, in groups of one meaning."""
    for name in NAMES:
        rows = provider_class(name).key_variables
        if rows:
            yield tuple(each for row in rows for each in row), f"the key for {name}"
    yield (
        ("KONTEXT_PROVIDER", "KONTEXT_MODEL", "KONTEXT_OUTPUT_DIR"),
        "defaults of `--provider`, `--model` and `--output-dir`",
    )
    yield ("KONTEXT_METADATA",), f"default of `--metadata`: {', '.join(METADATA)}"
    yield ("KONTEXT_PREVIEW",), f"default of `--preview`: {', '.join(PREVIEWS)}"
    yield (
        _base_urls(needed=False),
        "another base URL for a provider, such as a proxy or a test server: https, or http on "
        "loopback",
    )
    yield (
        _base_urls(needed=True),
        "the base URL of your own server, or of several, separated by commas",
    )
    yield (
        ("KONTEXT_CONFIG_DIR", "KONTEXT_STATE_DIR"),
        "directories of `config.toml` and of the journal. Default: the user's standard directories",
    )
    yield (
        ("KONTEXT_JOURNAL",),
        "`postgresql://…`: a journal that machines share, in place of the one in the state "
        "directory",
    )
    yield ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"), "proxy and certificates"
    yield ("NO_COLOR", "FORCE_COLOR"), "no colors, or colors also where no terminal reads them"


def configuration_page() -> str:
    """Where settings come from, and all of them."""
    return page(
        "Configuration",
        [
            "A flag wins over a variable, a variable over `config.toml`, and that over the "
            "default of the program. Nothing is read from the working directory, and no `.env` "
            "file is loaded. `kontext doctor` shows each setting with its origin.",
            "## Environment variables",
            table(
                ["variable", "meaning"],
                ([codes(names), prose(meaning)] for names, meaning in variables()),
            ),
            "## config.toml",
            "It lies in the user's configuration directory, which an error in it names, or in "
            "`KONTEXT_CONFIG_DIR`. A key that is not listed here is an error.",
            table(["key", "meaning"], ([code(key), prose(TOP_LEVEL[key])] for key in KEYS)),
            "### [defaults]",
            "The keys are the long names of flags, with underscores, and their values as they "
            "would be typed, or true for a flag without a value. `[defaults.COMMAND]` wins over "
            "`[defaults]`, which is for all commands that take the key. Other flags have none, "
            "and an error says why.",
            table(["keys", "commands"], _rows_of_defaults()),
            "### [providers.NAME]",
            table(["key", "meaning", "of"], _rows_of_providers()),
            f"The keys of `map` are {codes(USUAL_INPUTS)}.",
            "### Example",
            fenced("toml", EXAMPLE.splitlines()),
        ],
    )


def _base_urls(*, needed: bool) -> tuple[str, ...]:
    return tuple(
        f"KONTEXT_{name.upper()}_BASE_URL"
        for name in NAMES
        if (kind := provider_class(name)).needs_base_url is needed and not kind.offline
    )


def _rows_of_defaults() -> Iterator[list[str]]:
    """A row for all keys that the same commands take."""
    keys: dict[tuple[str, ...], list[str]] = {}
    for key, commands in COMMANDS_WITH.items():
        keys.setdefault(commands, []).append(key)
    return ([codes(same), codes(commands)] for commands, same in keys.items())


def _rows_of_providers() -> Iterator[list[str]]:
    """A row for each key, with the providers that have it."""
    for key in dict.fromkeys(key for name in NAMES for key in keys_of(name)):
        owners = [name for name in NAMES if key in keys_of(name)]
        words = dict.fromkeys(word for name in owners for word in words_of(name).get(key, ()))
        choices = f": {', '.join(words)}" if words else ""
        who = "all" if owners == [*NAMES] else codes(owners)
        yield [code(key), prose(OF_PROVIDERS[key] + choices), who]
