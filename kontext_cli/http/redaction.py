"""Remove secrets from replies: some servers quote the header or the URL that they reject."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import quote, quote_plus

_SHORTEST = 8
"""Characters; a shorter part of a secret reveals little, and occurs in ordinary words."""
_IN_PLACE = b"[secret]"


class Redaction:
    """Finds secrets in the forms in which text carries them: as they are, escaped for JSON or URLs,
    in lower case, in base64 wherever they begin."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for each in secrets if len(each) >= _SHORTEST for form in _forms(each)}
        self._forms = sorted((form.encode() for form in forms), key=len, reverse=True)

    @classmethod
    def of_headers(cls, values: Iterable[str]) -> Self:
        """For the headers that carry a key: each value without its scheme, and its parts."""
        keys = [value.partition(" ")[2] or value for value in values]
        return cls(part for key in keys for part in (key, *key.split(":")))

    def of(self, data: bytes) -> bytes:
        """The bytes without the secrets."""
        for form in self._forms:
            if form in data:
                data = data.replace(form, _IN_PLACE)
        for form in self._forms:
            # What is left is cut off somewhere, as the text that holds it.
            while (start := data.find(form[:_SHORTEST])) >= 0:
                same = next(
                    (n for n, (a, b) in enumerate(zip(form, data[start:], strict=False)) if a != b),
                    len(form),
                )
                data = data[:start] + _IN_PLACE + data[start + same :]
        return data

    def of_text(self, text: str) -> str:
        """The text without the secrets."""
        return self.of(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def without_quotes_of(url: str, message: str) -> str:
    """A message that quotes a file, without the quotes if they contain parts of the file's own URL:
    its query grants access like a key."""
    lowered = message.lower()
    for value in re.split("[=&]", url.partition("?")[2].lower()):
        pieces = (value[at : at + _SHORTEST] for at in range(len(value) - _SHORTEST + 1))
        if any(piece in lowered for piece in pieces):
            return re.sub("`[^`]*`?", "(left out)", message)
    return message


def _forms(key: str) -> Iterator[str]:
    escaped = json.dumps(key)[1:-1]
    yield from (key, key.lower(), escaped, escaped.replace("/", r"\/"), json.dumps(escaped)[1:-1])
    for quoted in (quote(key, safe=""), quote(key), quote_plus(key)):
        yield from (quoted, quoted.lower())
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # The outermost groups also hold bits of what stands beside the key.
            encoded = encode(bytes(before) + key.encode())[4:-4].decode()
            if len(encoded) >= _SHORTEST:
                yield encoded
