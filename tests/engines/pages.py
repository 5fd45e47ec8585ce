"""What is in a page of HTML: its links, what it loads, and its anchors."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page that was read.

    ``links`` are what a reader may follow, ``images`` the pictures, and ``loaded`` all that is
    loaded with it, the pictures among it.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is in the attributes of a tag."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag in ("a", "area"):
            self.links += [given["href"]] if "href" in given else []
            return
        self.loaded += [given[name] for name in ("src", "href", "data") if name in given]
        self.loaded += [each.split()[0] for each in given.get("srcset", "").split(",") if each]
        self.images += [given["src"]] if tag == "img" and "src" in given else []
