"""Draws docs/gallery.jpg: a gallery of sandbox images in Chromium, and one of its edits, opened.

Run it in the environment of `make engines`: .venv/engines/bin/python docs/draw_gallery.py
"""

import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

TARGET = Path(__file__).with_name("gallery.jpg")
PANE = 940, 800
MOST_BYTES = 250_000
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)
ROWS: tuple[dict[str, Any], ...] = (
    {"id": "lighthouse", "prompt": "a lighthouse in fog, long exposure", "aspect_ratio": "16:9"},
    {"id": "fox", "prompt": "a red fox in tall grass, evening light", "aspect_ratio": "3:4"},
    {"id": "bay", "prompt": "a quiet bay at dawn, seen from the cliffs", "aspect_ratio": "4:3"},
    {"id": "valley", "prompt": "a wide valley before a storm", "aspect_ratio": "21:9"},
    {"id": "owl", "prompt": "an owl above the tree line", "aspect_ratio": "1:1"},
    {"id": "tower", "prompt": "a tower above the clouds", "aspect_ratio": "2:3"},
    {"id": "dunes", "prompt": "dunes at noon, no footprints", "aspect_ratio": "3:2"},
    {"id": "denied", "prompt": "a portrait of somebody real [fault:flagged]"},
)
EDITS = {"lighthouse": "make it winter", "bay": "make it night", "fox": "make it sepia"}


def kontext(*argv: str, folder: Path) -> None:
    """Run the program in a folder whose journal is its own."""
    environ = {**os.environ, "KONTEXT_STATE_DIR": str(folder / "state"), "HOME": str(folder)}
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "kontext_cli", *argv], cwd=folder, env=environ, check=False
    )


def made(folder: Path) -> Path:
    """A page of images and edits of the sandbox."""
    rows = [{**row, "seed": number} for number, row in enumerate(ROWS, start=20)]
    edits = [
        {"id": f"{name}-edit", "prompt": text, "images": [f"cards/{name}.jpg"], "seed": 3}
        for name, text in EDITS.items()
    ]
    for name, content in (("cards.jsonl", rows), ("edits.jsonl", edits)):
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in content))
    usual = ("-p", "sandbox", "-d", "cards", "--batch", "cards")
    kontext("generate", "-f", "cards.jsonl", *usual, folder=folder)
    kontext("edit", "-f", "edits.jsonl", *usual, folder=folder)
    kontext("gallery", "-o", "page.html", folder=folder)
    return folder / "page.html"


def browser(profile: str) -> Any:
    """Chromium, without a window."""
    webdriver = import_module("selenium.webdriver")
    service = import_module("selenium.webdriver.chrome.service")
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=service.Service("/usr/bin/chromedriver"))


def pane(driver: Any, page: Path, scheme: str, script: str = "") -> Image.Image:
    """What the window shows of a page, after a script."""
    width, height = PANE
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.get(page.as_uri())
    driver.execute_async_script(f"{script}; setTimeout(arguments[0], 700)")
    return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")


def main() -> None:
    """Draw it."""
    with TemporaryDirectory() as top:
        page = made(Path(top))
        driver = browser(f"{top}/profile")
        try:
            opened = "document.querySelectorAll('figure .edited')[1].closest('a').click()"
            panes = [pane(driver, page, "light"), pane(driver, page, "dark", opened)]
        finally:
            driver.quit()
    both = Image.new("RGB", (2 * PANE[0], PANE[1]))
    for number, each in enumerate(panes):
        both.paste(each, (number * PANE[0], 0))
    for quality in range(88, 50, -4):
        both.save(TARGET, "JPEG", quality=quality, optimize=True, progressive=True)
        if TARGET.stat().st_size <= MOST_BYTES:
            break


if __name__ == "__main__":
    main()
