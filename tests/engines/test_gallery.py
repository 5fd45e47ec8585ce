"""The page of `kontext gallery` in Chromium: filter, slider, lightbox, keyboard, hostile text."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samples import image_file
from world import PATIENCE, World

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
service = pytest.importorskip("selenium.webdriver.chrome.service")
wait = pytest.importorskip("selenium.webdriver.support.wait")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--window-size=1280,900",
)
pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="needs Chromium and its driver"
)

ENTER, ESCAPE, LEFT, RIGHT, DOWN = "\ue007", "\ue00c", "\ue012", "\ue014", "\ue015"
CONTROL = "\ue009"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"onerror=alert(1) x="',
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "${alert(1)} {{7*7}} &lt;b&gt; <!-- ]]>",
    "\u202egnp.exe\u202c \x1b]0;x\x07",
)


class Browser:
    """A page in Chromium, as somebody uses it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get(page.as_uri())

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def text(self, selector: str) -> str:
        """The text of an element, shown or not."""
        return str(self.run(f"return document.querySelector({selector!r}).textContent"))

    def until(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        wait.WebDriverWait(self.driver, PATIENCE).until(lambda _: self.run(f"return {condition}"))

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def select(self, field: str, value: str) -> None:
        self.click(f"[data-field={field}] option[value={value!r}]")

    def swipe(self, start: float, end: float) -> None:
        """Move a finger over the open image, from one part of its width to another."""
        box = self.run(
            "const box = document.querySelector('.frame').getBoundingClientRect();"
            "return [box.left, box.width, box.top + box.height / 3]"
        )
        left, width, top = box
        for kind, part in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
            points = [] if part is None else [{"x": left + part * width, "y": top}]
            event = {"type": kind, "touchPoints": points}
            self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    @property
    def shown(self) -> list[str]:
        """The prompts that the filter leaves."""
        found = "[...document.querySelectorAll('figure:not([hidden]) figcaption p')]"
        prompts: list[str] = self.run(f"return {found}.map((each) => each.textContent)")
        return prompts

    @property
    def focused(self) -> str:
        """The prompt of the tile that has the focus, or the id of another element."""
        return str(
            self.run(
                "const at = document.activeElement, tile = at.closest('figure');"
                "return tile ? tile.querySelector('p').textContent : at.id"
            )
        )

    def returns_to(self, prompt: str) -> None:
        """Wait until the tile has the focus again, which comes after the lightbox has closed."""
        wait.WebDriverWait(self.driver, PATIENCE).until(lambda _: self.focused == prompt)

    def complaints(self) -> list[str]:
        """What the console says: errors, and what the policy of the page has stopped."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=service.Service(DRIVER))
    driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Any) -> Browser:
    return Browser(chromium)


def page_of(world: World, *argv: str) -> Path:
    done = world.run("gallery", *argv, "-o", "page.html")
    assert done.code == 0, done.err
    return world.folder / "page.html"


@pytest.fixture
def page(world: World) -> Path:
    """Two images of two models, an edit, and a failure."""
    world.serve(plain=False)
    world.write("house.jpg", image_file(size=(300, 200), colour="navy"))
    rows: list[dict[str, object]] = [
        {"id": "fox", "prompt": "a red fox", "seed": 7},
        {"id": "owl", "prompt": "a grey owl", "seed": 8, "model": "kontext-max"},
        {"id": "lost", "prompt": "a lost fox [fault:failed]"},
    ]
    world.write("rows.jsonl", rows)
    world.batch("rows.jsonl", "-p", "fal", "--batch", "b")
    world.write("edits.jsonl", [{"id": "z", "prompt": "make it winter", "images": ["house.jpg"]}])
    done = world.run("edit", "-f", "edits.jsonl", "-p", "fal", "-d", "out", "--batch", "b")
    assert done.code == 0, done.err
    return page_of(world, "--batch", "b")


FOX, WINTER, OWL, LOST = "a red fox", "make it winter", "a grey owl", "a lost fox [fault:failed]"
ALL = [FOX, WINTER, OWL, LOST]


def test_the_filter(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.shown == ALL
    browser.press("/")
    browser.press("FOX")
    browser.until("document.getElementById('found').textContent === '2 of 4'")
    assert browser.shown == [FOX, LOST]
    browser.select("state", "failed")
    assert browser.shown == [LOST]
    browser.select("model", "kontext-max")
    assert browser.shown == []
    browser.click("#reset")
    assert browser.shown == ALL
    browser.select("model", "kontext-max")
    assert browser.shown == [OWL]
    browser.press(ESCAPE)
    assert browser.shown == ALL
    assert browser.complaints() == []


def test_an_image_is_opened(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("figure img")
    browser.until("document.querySelector('.after').naturalWidth === 1024")
    assert browser.text("#prompt") == FOX
    assert browser.text("#place") == "1 / 4"
    assert browser.text("#facts").startswith("Size1024 × 1024")
    assert "kontext generate 'a red fox' -p fal -m kontext-pro" in browser.text("#command")
    for _ in range(3):
        browser.click("#next")
    assert browser.text("#prompt") == LOST
    assert "Internal server error" in browser.text("#stage")
    assert browser.run("return document.getElementById('next').disabled")
    browser.click("#close")
    browser.returns_to(LOST)
    assert browser.complaints() == []


def test_the_keyboard_is_enough(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.press("/")
    assert browser.focused == "text"
    browser.press(DOWN)
    browser.press(RIGHT, RIGHT)
    assert browser.focused == OWL
    browser.press(LEFT, LEFT, LEFT)
    assert browser.focused == FOX
    browser.press(ENTER)
    assert browser.text("#prompt") == FOX
    browser.press(RIGHT)
    assert browser.text("#prompt") == WINTER
    browser.press(RIGHT)
    assert browser.text("#prompt") == OWL
    browser.press(ESCAPE)
    browser.returns_to(OWL)
    browser.press("/", "lost")
    browser.until("document.getElementById('found').textContent === '1 of 4'")
    browser.press(ENTER)
    assert browser.focused == LOST
    assert browser.complaints() == []


def test_before_and_after(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('figure .edited').closest('a').focus()")
    browser.press(ENTER)
    browser.until("document.querySelector('.before').naturalWidth === 300")
    clip = "return getComputedStyle(document.querySelector('.before')).clipPath"
    assert browser.run("return document.activeElement.id") == "split"
    assert browser.run(clip) == "inset(0px 50% 0px 0px)"
    browser.press(RIGHT, RIGHT)
    assert browser.run(clip) == "inset(0px 48% 0px 0px)"
    assert browser.text("#prompt") == WINTER
    slider = browser.driver.find_element("id", "split")
    drag = webdriver.ActionChains(browser.driver).click_and_hold(slider)
    drag.move_by_offset(4 - slider.size["width"] // 2, 0).release().perform()
    assert browser.run(clip) == "inset(0px 100% 0px 0px)"
    assert browser.complaints() == []


def test_fingers_are_enough(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("figure img")
    browser.until("document.querySelector('.after').naturalWidth === 1024")
    browser.swipe(0.8, 0.2)
    browser.until(f"document.getElementById('prompt').textContent === {WINTER!r}")
    browser.until("document.querySelector('.before').naturalWidth === 300")
    browser.swipe(0.5, 0.25)
    browser.until("Math.abs(document.getElementById('split').value - 25) < 5")
    assert browser.text("#prompt") == WINTER


def test_prompt_seed_and_command_are_copied(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("figure img")
    command = browser.text("#command")
    for selector, copied in (
        ("[data-copies=prompt]", FOX),
        ("[data-copies=command]", command),
        ("dd .copy", "7"),
    ):
        browser.click(selector)
        browser.until(f"document.querySelector({selector!r}).textContent === 'Copied'")
        pasted = browser.driver.execute_async_script(
            "const field = document.createElement('textarea');"
            "document.getElementById('view').append(field); field.focus();"
            "navigator.clipboard.readText().then(arguments[0])"
        )
        assert pasted == copied
    assert browser.complaints() == []


def test_hostile_text_stays_text(browser: Browser, world: World) -> None:
    world.write("rows.jsonl", [{"id": f"r{n}", "prompt": text} for n, text in enumerate(HOSTILE)])
    world.batch("rows.jsonl", "--batch", "<img src=x onerror=alert(2)>")
    browser.open(page_of(world))
    assert browser.shown == list(HOSTILE)
    assert browser.run("return document.title") == "<img src=x onerror=alert(2)>"
    for number, prompt in enumerate(HOSTILE):
        browser.run(f"document.querySelectorAll('figure a')[{number}].click()")
        browser.until(f"document.getElementById('place').textContent.startsWith('{number + 1} ')")
        assert browser.text("#prompt") == prompt
        browser.click("#close")
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.run("return document.querySelectorAll('img:not([src^=page-files])').length") == 0
    assert browser.complaints() == []


def test_the_policy_stops_what_is_not_ours(browser: Browser, page: Path) -> None:
    """What a mistake of ours would let in would not run."""
    browser.open(page)
    browser.run(
        "document.body.insertAdjacentHTML('beforeend',"
        "'<img src=data:, onerror=document.title=`no`><b style=color:red id=b></b>')"
    )
    browser.until("true")
    assert browser.run("return document.title") == "b"
    assert browser.run("return document.getElementById('b').style.color") == ""
    assert len(browser.complaints()) >= 2


def test_a_page_in_one_file_is_complete(browser: Browser, world: World, page: Path) -> None:
    page_of(world, "--batch", "b", "--inline")
    moved = world.folder / "alone"
    moved.mkdir()
    page = page.rename(moved / "page.html")
    browser.open(page)
    browser.run("document.querySelector('figure .edited').closest('a').click()")
    browser.until("document.querySelector('.before').naturalWidth === 300")
    assert browser.text("#prompt") == WINTER
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [320, 390, 820, 1920])
def test_nothing_is_wider_than_the_window(browser: Browser, page: Path, width: int) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 800}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.open(page)
        wide = "return document.scrollingElement.scrollWidth"
        assert browser.run(wide) <= width
        browser.click("figure img")
        browser.until("document.getElementById('view').open")
        assert browser.run("return document.getElementById('view').scrollWidth") <= width
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_javascript_all_is_there(browser: Browser, page: Path) -> None:
    def scripts(off: bool) -> None:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": off})

    scripts(off=True)
    try:
        browser.open(page)
        printed = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    finally:
        scripts(off=False)
    names = {node["name"]["value"] for node in printed["nodes"] if "name" in node}
    assert set(ALL) <= names
    assert "Filter by text" not in names
