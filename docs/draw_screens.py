"""Draw `screens/`, what each command shows, and the pair of images in the README, from real runs:
`make screens`.

Each scene is drawn in windows of 40, 80 and 120 columns; the drawings follow the reader's light or
dark setting.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from docs.terminal_screen import Terminal

HERE = Path(__file__).parent
WIDTHS = (40, 80, 120)
PAIR = (
    "kontext generate 'a lake in the evening' -a 3:2 -p sandbox --seed 3 -o lake.jpg",
    "kontext edit 'make it winter' -i lake.jpg -p sandbox --seed 3 -o winter.jpg",
)
FOX = "kontext generate 'a red fox in the snow' -p sandbox --seed 7 -o fox.jpg"
CARDS = """\
{"id": "fox", "prompt": "a red fox in the snow", "seed": 7}
{"id": "lighthouse", "prompt": "a lighthouse in fog, long exposure", "aspect_ratio": "16:9"}
{"id": "library", "prompt": "an old library, dust in the light of a tall window"}
{"id": "harbour", "prompt": "a harbour at dawn, fishing boats coming in", "aspect_ratio": "3:2"}
{"id": "kanji", "prompt": "霧の中の灯台、長時間露光"}
{"id": "market", "prompt": "a street market in the rain, neon signs", "seed": 11}
"""
FAULTS = """\
{"id": "fox", "prompt": "a red fox in the snow", "seed": 7}
{"id": "crowd", "prompt": "a crowd [fault:flagged]"}
{"id": "owl", "prompt": "an owl [fault:invalid]"}
{"id": "hare", "prompt": "a hare [fault:invalid]"}
{"id": "harbour", "prompt": "a harbour at dawn"}
"""
TUTORIAL = """\
{"id": "fox", "prompt": "a red fox in the snow", "seed": 7}
{"id": "owl", "prompt": "an owl [fault:failed]"}
{"id": "hare", "prompt": "a hare", "aspect_ratio": "16:9"}
{"id": "crowd", "prompt": "a crowd [fault:flagged]"}
"""
FIX = r"sed -i 's/ \[fault:[a-z]*\]//' cards.jsonl"


class Scene(NamedTuple):
    """What is typed; ``before`` is run unseen first, ``until`` is what the screen shows when the
    last command is halfway."""

    commands: tuple[str, ...]
    before: tuple[str, ...] = ()
    until: str | None = None


SCENES: Mapping[str, Scene] = {
    "generate": Scene((FOX,)),
    "one-job": Scene(
        ("kontext generate 'a lighthouse in fog' -p fal",),
        before=("kontext generate 'a lighthouse' -p fal -q",),
        until=r"[4-8]\d %",
    ),
    "preview": Scene(
        (f"{FOX} --preview blocks", "kontext edit 'make it winter' -i fox.jpg -p sandbox --seed 3"),
    ),
    "edit": Scene(("kontext edit 'make it night' -i fox.jpg -p sandbox",), before=(f"{FOX} -q",)),
    "show": Scene(
        ("kontext show fox.jpg fox-edit.jpg",),
        before=(f"{FOX} -q", "kontext edit 'make it night' -i fox.jpg -p sandbox --seed 3 -q"),
    ),
    "info": Scene(("kontext info fox.jpg",), before=(f"{FOX} --metadata full -q",)),
    "check": Scene(
        ("kontext check cards.jsonl",),
        before=(
            "kontext generate -f cards.jsonl -p sandbox -d out --lock -q",
            "sed -i 's/red fox/blue fox/; s/3:2/4:3/; /library/d' cards.jsonl",
            "cp out/fox.jpg out/market.jpg; rm out/kanji.jpg",
            """echo '{"id": "owl", "prompt": "an owl"}' >> cards.jsonl""",
        ),
    ),
    "replay": Scene(
        ("kontext replay fox.jpg --dry-run", "kontext replay fox.jpg -p replicate --dry-run"),
        before=(f"{FOX} --metadata full -g 3 -q",),
    ),
    "dry-run": Scene((f"{FOX} --dry-run",)),
    "batch": Scene(
        ("kontext generate -f cards.jsonl -p fal -d out -j 3",),
        before=("kontext generate 'a lighthouse' -p fal -q",),
        until=r"out/[\s\S]*(0:02|\n +\w+ +running)",
    ),
    "batch-dry-run": Scene(("kontext generate -f cards.jsonl -p fal -d out --dry-run",)),
    "batch-end": Scene(("kontext generate -f faults.jsonl -p sandbox -d animals",)),
    "batch-again": Scene(
        ("kontext generate -f cards.jsonl -p sandbox -d out",),
        before=("kontext generate -f cards.jsonl -p sandbox -d out -q --limit 4",),
    ),
    "tutorial-batch": Scene(
        ("kontext generate -f cards.jsonl -d cards -p sandbox",),
        before=("mv tutorial.jsonl cards.jsonl",),
    ),
    "tutorial-again": Scene(
        ("kontext generate -f cards.jsonl -d cards -p sandbox",),
        before=(
            "mv tutorial.jsonl cards.jsonl",
            "kontext generate -f cards.jsonl -d cards -p sandbox -q",
            FIX,
        ),
    ),
    "tutorial-check": Scene(
        ("kontext check cards.jsonl",),
        before=(
            "mv tutorial.jsonl cards.jsonl",
            FIX,
            "kontext generate -f cards.jsonl -d cards -p sandbox --lock -q",
            "sed -i 's/a hare/a brown hare/' cards.jsonl; cp cards/fox.jpg cards/owl.jpg",
        ),
    ),
    "status": Scene(
        ("kontext status", "kontext status --state failed"),
        before=(
            "kontext generate -f faults.jsonl -p sandbox -d animals -q",
            f"{FOX} -q",
            "kontext generate 'an owl' -p sandbox --no-wait -q",
        ),
    ),
    "status-job": Scene(
        ("kontext status $(kontext status | head -1 | cut -f1)",), before=(f"{FOX} -q",)
    ),
    "fetch": Scene(
        ("job=$(kontext generate 'a red fox' -p sandbox --no-wait) && kontext fetch $job",)
    ),
    "ambiguous": Scene(
        ("kontext fetch 1",),
        before=(f"{FOX} -q", "kontext generate 'an owl' -p sandbox --no-wait -q"),
    ),
    "cancel": Scene(
        ("job=$(kontext generate 'a red fox' -p sandbox --no-wait) && kontext cancel $job",)
    ),
    "forget": Scene(("kontext forget --older-than 0m",), before=(f"{FOX} -q",)),
    "cost": Scene(
        ("kontext cost",),
        before=(
            "kontext generate -f cards.jsonl -p fal -d out -q --limit 3",
            "kontext generate 'a harbour at dawn' -p fal -m flux-2-pro -q",
        ),
    ),
    "models": Scene(("kontext models",)),
    "doctor": Scene(
        ("kontext doctor",),
        before=(
            "mkdir -p ~/.config/kontext",
            "printf 'model = \"kontext-max\"\n[defaults]\nnum_images = 2\n'"
            " > ~/.config/kontext/config.toml",
            f"{FOX} -q",
            "kontext generate 'an owl' -p fal --no-wait -q",
        ),
    ),
    "models-provider": Scene(("kontext models -p bfl -m flux-3",)),
    "gallery": Scene(
        ("kontext gallery -o cards.html",),
        before=("kontext generate -f cards.jsonl -p sandbox -d out -q",),
    ),
    "sandbox": Scene(("kontext sandbox --port 0",), until=r"HF_TOKEN=\w+"),
    "auth": Scene(("kontext auth status",)),
    "errors": Scene(
        (
            "kontext generate a red fox",
            "kontext generate 'a red fox' --size 1024x768",
            "kontext generate 'a red fox' -p chainhub --seed 7",
            "kontext edit 'make it winter' -i house.jpg -p sandbox",
        )
    ),
    "help": Scene(("kontext --help",)),
    "help-generate": Scene(("kontext generate --help",)),
    "help-edit": Scene(("kontext edit --help",)),
}


def main() -> None:
    """Draw the scenes named as arguments, or all."""
    names = sys.argv[1:] or [*SCENES]
    if not sys.argv[1:]:
        draw_pair()
        shutil.rmtree(HERE / "screens", ignore_errors=True)
    (HERE / "screens").mkdir(exist_ok=True)
    with sandbox() as variables:
        for name in names:
            for columns in WIDTHS:
                drawn = draw(SCENES[name], columns, variables).svg()
                (HERE / "screens" / f"{name}-{columns}.svg").write_text(drawn, encoding="utf-8")


def draw_pair() -> None:
    """Make an image and edit it, as small copies for the README."""
    terminal = Terminal(80)
    with place() as folder:
        for command in PAIR:
            terminal.run(command, folder=folder, environ=environment(folder))
        for name, made in (("before", "lake"), ("after", "winter")):
            with Image.open(folder / f"{made}.jpg") as image:
                image.thumbnail((480, 480))
                image.save(HERE / f"{name}.jpg", quality=88)


def environment(home: Path) -> dict[str, str]:
    """What a run needs, and nothing of the surroundings."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }


def draw(scene: Scene, columns: int, variables: Mapping[str, str]) -> Terminal:
    """The screen of a scene, played in an empty folder."""
    terminal = Terminal(columns)
    with place("/tmp/ann") as home, place() as folder:  # noqa: S108
        (folder / "cards.jsonl").write_text(CARDS, encoding="utf-8")
        (folder / "faults.jsonl").write_text(FAULTS, encoding="utf-8")
        (folder / "tutorial.jsonl").write_text(TUTORIAL, encoding="utf-8")
        environ = {**environment(home), **variables}
        for command in scene.before:
            terminal.run(command, folder=folder, environ=environ, shown=False)
        terminal.reset()
        *others, last = scene.commands
        for command in others:
            terminal.run(command, folder=folder, environ=environ)
        terminal.run(last, folder=folder, environ=environ, until=scene.until)
    return terminal


@contextmanager
def place(name: str = "/tmp/cards") -> Iterator[Path]:  # noqa: S108
    """An empty folder whose name is fit to be seen."""
    folder = Path(name)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def sandbox() -> Iterator[Mapping[str, str]]:
    """An emulated fal that takes some seconds a job; the variables that lead there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kontext_cli", "sandbox", "--port", "0", "--latency", "4", "-q"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KONTEXT_STATE_DIR": "/nonexistent"},
    )
    variables: dict[str, str] = {}
    for line in process.stdout or ():
        name, found, value = line.strip().removeprefix("export ").partition("=")
        if found:
            variables[name] = value.strip("'\"")
        if "FAL_KEY" in variables and "KONTEXT_FAL_BASE_URL" in variables:
            break
    try:
        yield {name: variables[name] for name in ("FAL_KEY", "KONTEXT_FAL_BASE_URL")}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main()
