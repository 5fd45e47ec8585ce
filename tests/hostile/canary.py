"""Keys that sing: wherever one turns up, in whatever dress, it is recognised."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

_PIECE = 8
"""Characters in a row that are taken for a part of a key; four of them may be shown on purpose."""
COUNTED: Counter[str] = Counter()
"""What this process has done: runs, texts (a stream or a file) that were looked through after
them, and searches, for one form of one secret in one text."""


class Canary:
    """A secret, and all the forms in which it could get out.

    It is looked for in pieces, so that half of it is found as well: raw, in base64 wherever it
    begins within its group of three, encoded for URLs, and escaped for JSON once and twice.
    """

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value
        forms = list(_forms(value))
        self.forms = len({text for _, text in forms})
        self.pieces = {piece.encode(): form for form, text in forms for piece in _cut(text)}

    def found_in(self, data: bytes) -> list[str]:
        """The forms of it that are in ``data``."""
        return sorted({form for piece, form in self.pieces.items() if piece in data})


class Search:
    """Looks for canaries in streams and files."""

    def __init__(self, *canaries: Canary) -> None:
        self._canaries = canaries or KEYS
        self._clean: dict[Path, tuple[int, int, int]] = {}

    def in_data(self, where: str, data: bytes) -> list[str]:
        """What was found in some bytes, in words."""
        COUNTED["texts"] += 1
        COUNTED["searches"] += sum(canary.forms for canary in self._canaries)
        return [
            f"{canary.name} as {form} in {where}"
            for canary in self._canaries
            for form in canary.found_in(data)
        ]

    def in_streams(self, streams: Mapping[str, bytes]) -> list[str]:
        """What was found in streams, by their names."""
        return [hit for name, data in streams.items() for hit in self.in_data(name, data)]

    def in_files(self, *folders: Path, but: Iterable[Path] = ()) -> list[str]:
        """What was found in all files below these folders, and in their names."""
        left_out = set(but)
        paths = [path for folder in folders for path in sorted(folder.rglob("*"))]
        hits = self.in_data("the names of files", "\n".join(map(ascii, paths)).encode())
        for path in paths:
            if path.is_file() and path not in left_out:
                hits += self._in_file(path)
        return hits

    def _in_file(self, path: Path) -> list[str]:
        """What was found in a file; one that was clean and was not touched since is clean."""
        found = path.stat()
        version = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._clean.get(path) == version:
            return []
        hits = self.in_data(str(path), path.read_bytes())
        if not hits:
            self._clean[path] = version
        return hits


def _forms(value: str) -> Iterator[tuple[str, str]]:
    escaped = json.dumps(value)[1:-1]
    yield "itself", value
    yield "JSON", escaped
    yield "JSON", escaped.replace("/", r"\/")
    yield "JSON in JSON", json.dumps(escaped)[1:-1]
    yield "URL", quote(value, safe="")
    yield "URL", quote(value)
    yield "URL", quote_plus(value)
    yield "URL", _lower_hex(quote(value, safe=""))
    yield "repr", repr(value)[1:-1]
    yield "lower case", value.lower()
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # The first and the last group hold bits of what stands beside the key.
            yield "base64", encode(b"\0" * before + value.encode())[4:-4].decode()


def _lower_hex(quoted: str) -> str:
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _cut(text: str) -> Iterator[str]:
    """Pieces side by side: whatever is twice as long holds one of them whole."""
    return (text[at : at + _PIECE] for at in range(0, len(text) - _PIECE + 1, _PIECE))


FAL = Canary("fal", "Qd7-0f3a:t\"Z\\9+kW/2=v%41&Xy<s>4h'J{q}~Rb")
AIMLAPI = Canary("aimlapi", "aJ0\\u0041\"8+/==%2F&pM<e>7'wL{x}~Tn5")
CHAINHUB = Canary("chainhub", "sk-Gr5\"\\n3+/=%20Yc&u<K>6'dP{z}~Ve8")
BFL = Canary("bfl", "bfl-Kx4\"\\r7+/=%22Zf&t<M>5'hS{w}~Qd6")
REPLICATE = Canary("replicate", "r8_Nb2\"\\v6+/=%21Wd&j<H>8'aI{v}~Pm1")
TOGETHER = Canary("together", "tgp_Ws8\"\\r5+/=%23Xc&k<D>2'oE{s}~Uq9")
HUGGINGFACE = Canary("huggingface", "hf_Ym4\"\\f7+/=%24Zb&g<F>1'iA{t}~Sw6")
OPENAI = Canary("openai", "sk-Uz3\"\\n9+/=%25Qb&h<G>4'eB{o}~Rw7")
FAL_SECRET = Canary("the second half of fal's", "Hh1\"\\t4+/=%7EBs&o<N>9'fU{m}~Lk2")
STORED = Canary("a stored one", "eS6\"\\b8+/=%5CDq&i<C>3'gO{y}~Ax0")
PASSWORD = Canary("a password in a URL", "pW3mZ8vK1tQ6yB4nE9rJ")
SIGNATURE = Canary("a signature", "5f0c9e7ab1d84c36a2e7f6d0b9c8153e")
KEYS = (
    *(FAL, AIMLAPI, CHAINHUB, BFL, REPLICATE, TOGETHER, HUGGINGFACE, OPENAI),
    *(FAL_SECRET, STORED, PASSWORD),
)
