"""What got out of the program, looked at as a terminal or a log would: every character counts."""

import re
from collections.abc import Iterable

from hostile.payloads import PAYLOADS, Payload, is_unseen, shown
from soaking import soaked

_OWN = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\[\?(?:25|7)[hl]|\x1b\[[0-9]*[AJK]|\r"
    r"|\x1b\]8;;(?:file:[!-\[\]-~]*)?\x1b\\"
)
"""What is drawn with: colours, the cursor up, shown and hidden, erasing, wrapping on and off, and
links to files."""
_BEGIN = re.compile(r"x(\d{3})_")
_OURS = re.compile(r"::(?:error|warning) (?:file=[^:]*,)?title=kontext::")
_CUT = "…"
_TABS = (9, 7, 4, 3)
"""Between the values of a job, of a row in a dry run, of a finding of `doctor`, and of a fact of
`info`, as they are printed into a pipe."""
_PARTS = 48


def checked(data: bytes, *, encoding: str = "utf-8", whole: bool = True) -> str:
    """The text of a pipe, in which nothing but line feeds, and tabs between values, is unseen, and
    no line was made of a payload's own. ``whole`` payloads have both their marks, unless they
    were cut."""
    lines = data.decode(encoding).split("\n")
    text = "\n".join(
        each.replace("\t", " ") if each.count("\t") in _TABS else each for each in lines
    )
    _check_seen(text)
    if text.startswith("{") or not whole:
        return text
    for line in text.splitlines():
        for begin in _BEGIN.finditer(line):
            rest = line[begin.end() :]
            assert f"_{begin[1]}x" in rest or _CUT in rest or "\\u2026" in rest, line
    _check_visible(text)
    return text


def checked_on_terminal(data: bytes, *, encoding: str = "utf-8") -> str:
    """What is left to be read of what a terminal was sent, when our own sequences are taken out;
    within a payload there is none of them."""
    text = data.decode(encoding)
    for found in shown(text).values():
        for each in found:
            _check_seen(each)
    plain = _OWN.sub("", text)
    _check_seen(plain)
    _check_visible(plain)
    return plain


def check_commands(text: str) -> None:
    """See that a runner of GitHub Actions would find no commands but ours; what is in these, it
    does not look at again."""
    others = [line for line in text.splitlines() if not _OURS.match(line)]
    found = [line for line in others if "##[" in line or line.lstrip().startswith("::")]
    assert found == [], found


def share(
    place: str, payloads: Iterable[Payload] = PAYLOADS, *, parts: int = _PARTS
) -> list[Payload]:
    """The payloads for one of many places: some of them, others at another place; all in a soak."""
    fitting = list(payloads)
    return soaked(fitting[sum(place.encode()) % parts :: parts], fitting)


def _check_seen(text: str) -> None:
    unseen = sorted(filter(is_unseen, set(text) - {"\n"}))
    assert unseen == [], (unseen, text)


def _check_visible(text: str) -> None:
    """What needs no escaping is printed as it is: no markup, no emoji code, no template.

    Names of files are made of it as well, and leave some of it out.
    """
    for number, found in shown(text).items():
        payload = PAYLOADS[number]
        tamed = payload.raw.replace("##[", "# #[")
        assert not payload.is_plain or {payload.raw, tamed} & set(found), (payload, found)
