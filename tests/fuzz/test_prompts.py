"""From the bytes of a prompts file to names on disk: rows that can be made, or errors reported.

What the reader makes of single lines is held in `tests/prompts/test_prompts.py`.
"""

import contextlib
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import Raw, encoded, junk
from fuzz.examples import fuzzed
from fuzz.refusals import tried
from journals import job
from kontext_cli.batch.decide import Rules, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.order import Order
from kontext_cli.batch.part import Part
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.sources import BatchSource
from kontext_cli.cli.main import run
from kontext_cli.engine.plan import Wanted, names_for
from kontext_cli.errors import KontextError
from kontext_cli.files.names import OutputFormat, fit_suffix, slugify
from kontext_cli.job import Source
from kontext_cli.prompts import Row, Rows, read_prompts
from kontext_cli.providers import provider_class
from kontext_cli.settings.settings import known_provider

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        *("a red fox", "A RED FOX", "a\u0308", "\u00e4", "con", "NUL.txt", "aux ", "COM¹", ".."),
        *(".", "/"),
        *("../../etc/passwd", "/etc/passwd", "C:\\x", "\\\\host\\share", "a/../../b", "~", "-"),
        "--json",
        *("x" * 300, "é" * 150, "\ud800", "\0", "\x1b[2J", "\u202egpj", "a\nb", " ", "", "..."),
        *("a.", "a "),
        *("\u200b", "\ufeff", "İ", "ß", "ﬁ", "夜" * 80, "{slug}", "{", "%s", "a:b", "a|b", "*?"),
        *('"', "<x>"),
    ]
)
OUTPUTS = TEXTS | st.sampled_from(
    [
        *("a.jpg", "A.JPG", "a.jpeg", "a.png", "a.webp", "b/a.jpg", "b//a.jpg", "./a.jpg", "b/./a"),
        *("b/", "./", "b/.", "b/..", "../a.jpg", "b/../../a.jpg", "b/../a.jpg", ".jpg", "..jpg"),
        " .jpg",
    ]
)
TEMPLATES = st.sampled_from(
    [
        "{index}-{slug}",
        "{slug}",
        "{id}",
        "{id}/{slug}",
        "{model}",
        "{provider}/{model}-{seed}",
        "{slug}.{id}",
    ]
)


def maybe(likely: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*[likely] * 5, junk)


OBJECTS = st.fixed_dictionaries(
    {"prompt": maybe(TEXTS)},
    optional={
        "id": maybe(TEXTS | st.integers()),
        "output": OUTPUTS,
        "provider": maybe(st.sampled_from(["sandbox", "fal", "aimlapi", "chainhub", "nope"])),
        "model": maybe(
            st.sampled_from(["kontext-pro", "kontext-max", "a/b", "a/../b", "x"]) | TEXTS
        ),
        "aspect_ratio": maybe(st.sampled_from(["1:1", "16:9", "9:1"])),
        "num_images": maybe(st.integers(-1, 5)),
        "seed": maybe(st.integers() | st.just(Raw("9" * 199))),
        "guidance_scale": maybe(st.floats(-1, 30)),
        "safety_tolerance": maybe(st.integers(0, 7)),
        "output_format": maybe(st.sampled_from(["jpeg", "png", "webp"])),
        "enhance_prompt": maybe(st.booleans()),
        "keep_flagged": maybe(st.booleans()),
        "images": maybe(st.lists(TEXTS, max_size=2)),
        "nope": TEXTS,
    },
)
LINES = st.one_of(
    OBJECTS.map(encoded), OBJECTS.map(encoded), TEXTS.map(json.dumps), junk.map(encoded)
)
CELLS = TEXTS.map(lambda text: '"' + text.replace('"', '""') + '"') | TEXTS
TABLES = st.builds(
    lambda head, rows: "\n".join([head, *map(",".join, rows)]),
    st.sampled_from(
        ["prompt,id,output", "prompt,seed,images", "id,prompt", "prompt,prompt", "x,y"]
    ),
    st.lists(st.lists(CELLS, max_size=4), max_size=4),
)
FILES = st.one_of(
    st.tuples(st.just("jsonl"), st.lists(LINES, max_size=5).map("\n".join)),
    st.tuples(
        st.sampled_from(["csv", "tsv"]), TABLES | TABLES.map(lambda text: text.replace(",", "\t"))
    ),
    st.tuples(st.sampled_from(["txt", "dat"]), st.lists(TEXTS, max_size=5).map("\n".join)),
)
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output folder that is not there yet, in a folder that holds nothing else."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out"


def encoded_file(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def check_portable(component: str) -> None:
    """See that every system holds a file of this name."""
    assert component not in {"", ".", ".."}
    assert not component.endswith((".", " "))
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', component)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in component)
    assert not DEVICE.fullmatch(component.partition(".")[0].rstrip(" "))
    assert len(component.encode()) <= 220


def check_inside(path: Path, folder: Path) -> tuple[str, ...]:
    """The components of a path below the folder; see that it is below it, in every reading."""
    real = Path(os.path.normpath(folder.parent / path))
    assert folder in real.parents
    return real.relative_to(folder).parts


class TestBatches:
    @fuzzed(75)
    @given(
        file=FILES,
        template=TEMPLATES,
        exists=st.sampled_from(["error", "skip", "number", "overwrite"]),
    )
    @example(("jsonl", '{"prompt": "x", "output": "."}'), "{slug}", "error")
    @example(("jsonl", '{"prompt": "x", "output": "b/./."}'), "{slug}", "error")
    def test_any_file_is_planned_inside_its_folder(
        self, out: Path, file: tuple[Any, str], template: str, exists: Any
    ) -> None:
        kind, text = file
        read = Rows()
        read_prompts(encoded_file(text), None if kind == "dat" else kind, read)
        assert all(fault.line >= 1 and fault.text for fault in read.faults)
        planner = Planner(
            order(out, template, exists),
            open_provider=lambda name: provider_class(known_provider(name))(),
            stdin=io.BytesIO,
        )
        named: dict[str, int] = {}
        for row in read.good:
            for path in planned(planner, row):
                parts = check_inside(path, out)
                if "output" not in row.values:
                    for part in parts:
                        check_portable(part)
                folded = unicodedata.normalize("NFC", str(path)).casefold()
                assert named.setdefault(folded, row.line) == row.line

    @fuzzed(20)
    @given(file=FILES, flags=st.lists(st.sampled_from(["--json", "--exists=number", "-n2"])))
    @example(("jsonl", '{"prompt": "x", "guidance_scale": 1e999}'), ["--json"])
    @example(("jsonl", '{"prompt": "x", "seed": 1e400}'), ["--json"])
    def test_any_file_is_told_by_a_dry_run(
        self, out: Path, file: tuple[str, str], flags: list[str]
    ) -> None:
        kind, text = file
        name = f"prompts.{kind}"
        Path(name).write_bytes(encoded_file(text))
        with (
            contextlib.redirect_stdout(io.StringIO()) as said,
            contextlib.redirect_stderr(io.StringIO()) as told,
        ):
            code = run(
                ["generate", "-f", name, "-p", "sandbox", "-d", str(out), "--dry-run", *flags]
            )
        assert "bug in kontext" not in told.getvalue()
        assert code in (0, 2, 8)
        assert not out.exists()
        if "--json" in flags:
            for line in said.getvalue().splitlines():
                assert json.loads(line, parse_constant=pytest.fail)["schema"] == 1


def order(folder: Path, template: str, exists: Any) -> Order:
    return Order(
        batch="b",
        operation="generate",
        defaults={"provider": "sandbox", "model": "kontext-pro"},
        images=(),
        bases={"": folder.parent},
        folder=folder,
        template=template,
        id_template=template,
        exists=exists,
        rules=Rules(),
    )


def planned(planner: Planner, row: Row) -> list[Path]:
    """The files that a row would make; none where it is refused."""

    def plan() -> Entry:
        source = BatchSource(rows=[row], faults=(), names=("x",), identity=(), bases={})
        (entry,) = planner.entries(source, Part([row]), lambda _key: None)
        return entry

    entry = tried(KontextError, plan)
    if isinstance(entry, KontextError):
        assert entry.exit_code in (2, 8)
        return []
    assert entry.cost.usd is None or entry.cost.usd >= 0
    if entry.step is Step.MAKE:
        sent, told = planner.plan(entry).job, planner.job(entry)
        assert (sent.digest, sent.request, sent.cost) == (entry.digest, told.request, entry.cost)
    return list(map(Path, entry.paths))


class TestNames:
    @fuzzed(75)
    @given(
        prompt=TEXTS,
        source=TEXTS | TEXTS.map(lambda text: f"https://h/{quote(text, errors='replace')}"),
        model=TEXTS,
        seed=st.none() | st.integers(),
        count=st.integers(1, 4),
        template=TEMPLATES | st.sampled_from(["{stem}-edit", "{stem}/{n}", "{seed:09}", "{job}"]),
    )
    def test_whatever_a_job_is_made_of_its_files_are_inside_and_portable(
        self,
        out: Path,
        prompt: str,
        source: str,
        model: str,
        seed: int | None,
        count: int,
        template: str,
    ) -> None:
        request = {"prompt": prompt, "num_images": count}
        wanted = job(seed=seed, model=model, request=request, sources=(Source(source, None),))
        names = tried(KontextError, names_for, wanted, Wanted(out, template=template))
        if isinstance(names, KontextError):
            assert names.exit_code == 2
            return
        assert len(set(names.paths)) == count
        for path in names.paths:
            for part in check_inside(path, out):
                check_portable(part)
            check_suffixes(path)

    @fuzzed(75)
    @given(text=st.text() | TEXTS)
    def test_what_shows_nothing_changes_no_slug(self, text: str) -> None:
        assert slugify(f"{text}\ufe0f") == slugify(text)


def check_suffixes(path: Path) -> None:
    """See that a name can follow the bytes, and stays where it is."""
    for kind in get_args(OutputFormat):
        fitting = fit_suffix(path, kind)
        assert fitting.parent == path.parent
        assert fit_suffix(fitting, kind) == fitting
