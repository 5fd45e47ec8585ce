"""Text that attacks whatever prints it: a terminal, a log, a workflow, a template, rich."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that a terminal obeys, hides or mirrors by, or cannot be sent."""

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"

_BY_NAME = {
    # what moves, erases, paints and asks (ECMA-48, xterm's control sequences)
    "colour": f"{ESC}[31mred{ESC}[0m",
    "true colour": f"{ESC}[38;2;255;0;0m",
    "conceal": f"{ESC}[8mhidden",
    "cursor up": f"{ESC}[9Aover",
    "cursor home": f"{ESC}[H",
    "cursor column": f"{ESC}[1Gerror: none",
    "save cursor": f"{ESC}7{ESC}8",
    "erase screen": f"{ESC}[2J",
    "erase scrollback": f"{ESC}[3J",
    "erase line": f"{ESC}[2K\r",
    "scroll": f"{ESC}[99S{ESC}[99T",
    "scroll region": f"{ESC}[1;2r",
    "insert lines": f"{ESC}[9L{ESC}[9M",
    "repeat": f"x{ESC}[9999b",
    "alternate screen": f"{ESC}[?1049h",
    "hide cursor": f"{ESC}[?25l",
    "no wrap": f"{ESC}[?7l",
    "mouse": f"{ESC}[?1003h{ESC}[?1006h",
    "bracketed paste": f"{ESC}[?2004l",
    "report status": f"{ESC}[5n{ESC}[6n",
    "report device": f"{ESC}[c{ESC}[>c{ESC}[=c",
    "report title": f"{ESC}[21t",
    "window": f"{ESC}[8;1;1t{ESC}[2t",
    "window ops": f"{ESC}[3;0;0t",
    "soft reset": f"{ESC}[!p",
    "tilde key": f"{ESC}[200~rm -rf x\n{ESC}[201~",
    "report mode": f"{ESC}[?2026$p",
    "cursor style": f"{ESC}[5 q",
    "unfinished CSI": f"{ESC}[",
    "long CSI": f"{ESC}[{'1;' * 60}m",
    "reset": f"{ESC}c",
    "line drawing": f"{ESC}(0lqk{ESC}(B",
    "shift out": "\x0equiet\x0f",
    "keypad": f"{ESC}={ESC}>",
    "index": f"{ESC}D{ESC}M{ESC}E",
    "alignment test": f"{ESC}#8",
    "7-bit controls": f"{ESC} F{ESC} G",
    "lone escape": ESC,
    "escape twice": f"{ESC}{ESC}[31m",
    "escape, then C1": f"{ESC}\x9b31m",
    # operating system commands and other strings
    "title": f"{ESC}]0;owned{BEL}",
    "title, ended by ST": f"{ESC}]2;owned{ST}",
    "title, ended by C1": f"{ESC}]0;owned\x9c",
    "icon": f"{ESC}]1;owned{BEL}",
    "palette": f"{ESC}]4;0;rgb:ff/00/00{BEL}",
    "ask the palette": f"{ESC}]4;0;?{BEL}",
    "folder": f"{ESC}]7;file://evil.example/etc{BEL}",
    "link": f"{ESC}]8;;https://evil.example/{ST}click{ESC}]8;;{ST}",
    "link of a file": f"{ESC}]8;;file:///etc/passwd{BEL}me{ESC}]8;;{BEL}",
    "notification": f"{ESC}]9;owned{BEL}",
    "progress": f"{ESC}]9;4;3;100{ST}",
    "foreground": f"{ESC}]10;#ffffff{BEL}{ESC}]11;#ffffff{BEL}",
    "font": f"{ESC}]50;fixed{BEL}",
    "clipboard": f"{ESC}]52;c;cm0gLXJmIC8K{BEL}",
    "ask the clipboard": f"{ESC}]52;c;?{BEL}",
    "clipboard, ended by ST": f"{ESC}]52;p;ZXZpbA=={ST}",
    "prompt mark": f"{ESC}]133;A{BEL}",
    "notify": f"{ESC}]777;notify;owned;owned{BEL}",
    "file for iTerm": f"{ESC}]1337;File=name=eA==;inline=1:AAAA{BEL}",
    "command for VS Code": f"{ESC}]633;E;rm -rf x{BEL}",
    "unfinished OSC": f"{ESC}]0;",
    "OSC by C1": "\x9d0;owned\x9c",
    "DCS": f'{ESC}P$q"p{ST}',
    "sixel": f"{ESC}Pq#0;2;0;0;0#0~~@@vv{ST}",
    "keys by DCS": f"{ESC}P1$tx{ST}",
    "tmux": f"{ESC}Ptmux;{ESC}{ESC}]0;owned{BEL}{ST}",
    "screen": f"{ESC}kowned{ST}",
    "DCS by C1": "\x90+q544e\x9c",
    "application": f"{ESC}_Gf=100;AAAA{ST}",
    "privacy": f"{ESC}^secret{ST}",
    "start of string": f"{ESC}Xsecret{ST}",
    "CSI by C1": "\x9b2J",
    "CSI by C1, colour": "\x9b31mred",
    # what writes over what was said
    "carriage return": "not billed\rbilled",
    "backspaces": "no\b\b\b\bok",
    "vertical tab": "one\x0btwo",
    "form feed": "one\x0ctwo",
    "line feed": "x\nerror: another",
    "two line feeds": "x\n\nhint: rm -rf .",
    "CRLF": "x\r\nhint: rm -rf .",
    "next line": "x\x85hint: rm -rf .",
    "line separator": "x\u2028hint: rm -rf .",
    "paragraph separator": "x\u2029hint: rm -rf .",
    "tab": "one\ttwo",
    "file separators": "a\x1cb\x1dc\x1ed\x1fe",
    # what mirrors and hides
    "mirrored suffix": "photo\u202egpj.exe",
    "embedding": "\u202aleft\u202c\u202bright\u202c",
    "override": "\u202dleft\u202c",
    "isolates": "\u2066left\u2069\u2067right\u2069\u2068first\u2069",
    "trojan source": "/*\u202e } \u2066if (admin)\u2069 \u2066 begin*/",
    "words of one another": "ad\u200bmin\u200c\u200d",
    "byte order mark": "\ufeffx",
    "soft hyphen": "pass\u00adword",
    "tags": "x\U000e0001\U000e0065\U000e007f",
    "invisible operators": "f\u2061x\u2062y\u2063z\u2064",
    "annotation": "\ufff9base\ufffaruby\ufffb",
    "music": "\U0001d173x\U0001d17a",
    "hieroglyph joiners": "\U00013430x",
    # what is no character
    "high surrogate": "\ud800x",
    "low surrogate": "\udc00x",
    "pair the wrong way": "\udc00\ud800",
    "byte of a file name": "\udcff\udc9b",
    "private use": "\ue000\uf8ff",
    "private planes": "\U000f0000\U0010fffd",
    "no character": "\ufffe\uffff\U0010ffff",
    # rich's markup and emoji codes
    "closing tag": "[/x]",
    "closing nothing": "[/]",
    "closing what is open": "[bold]x[/bold]",
    "bold": "[bold]",
    "link tag": "[link=https://evil.example]click[/link]",
    "handler tag": "[@click=app.quit]x[/]",
    "colour tag": "[red on blue]",
    "hex tag": "[#ff0000]x",
    "blink": "[blink reverse]x",
    "escaped tag": r"\[bold]\\[/x]",
    "doubled brackets": "[[x]]",
    "open bracket": "[",
    "mixed tags": "[bold][italic][/bold][/italic]",
    "not a style": "[not a style at all]x",
    "emoji code": ":smile:",
    "emoji with variant": ":warning-emoji:",
    "emoji codes": ":thumbs_up::skull:",
    "spinner": "[progress.spinner]",
    "path to colour": "/etc/passwd 127.0.0.1 0x7f 'x' True None",
    # templates
    "braces": "{}",
    "numbered": "{0}{1}",
    "attribute": "{task.description.__class__.__mro__}",
    "fields": "{task.fields[said]}",
    "conversion": "{x!r:>99}",
    "open brace": "{",
    "close brace": "}",
    "percent": "%s%n%(x)s%",
    "dollar": "${HOME} $(id) `id`",
    "strftime": "%Y %c %x",
    "f-string": "{__import__('os')}",
    "back reference": r"\1\g<0>",
    # JSON and Markdown
    "quotes": '"\'"}],',
    "backslash": "\\",
    "escapes": r"\u001b[31m\x1b[31m\e[31m",
    "half an escape": "\\u00",
    "script": "</script><img src=x onerror=alert(1)>",
    "table": "a | b | c",
    "markdown link": "[x](javascript:alert(1)) ![x](https://evil.example)",
    "mention": "@everyone #1",
    "formula": "=cmd|' /C calc'!A0",
    # commands to a runner (actions/runner, ActionCommand.cs)
    "error command": "::error::owned",
    "error command with file": "::error file=a,line=1::owned",
    "indented command": "   ::warning::owned",
    "command on a line of its own": "x\n::error::owned",
    "command after a return": "x\r::error::owned",
    "command after CRLF": "x\r\n::set-output name=a::b",
    "mask": "::add-mask::a",
    "stop": "::stop-commands::x",
    "group": "::group::x",
    "path": "::add-path::/evil",
    "environment": "::set-env name=LD_PRELOAD::/evil",
    "older command": "##[error]owned",
    "older command within": "x ##[set-env name=A;]b",
    "section": "##[section]x",
    "azure": "##vso[task.setvariable variable=A]b",
    "team city": "##teamcity[buildStop]",
    "encoded": "%0A::error::owned%0D",
    "command after a separator": "x\u2028::error::owned",
    "command after next line": "x\x85::error::owned",
    "gitlab section": f"{ESC}[0Ksection_start:1:x\r{ESC}[0Kx",
    # length
    "very long": "long " * 1_000,
    "one long word": "w" * 5_000,
    "long and wide": "狐" * 2_500,
    "long and escaped": ESC * 2_500,
    "long markup": "[/x]" * 800,
}


@dataclass(frozen=True)
class Payload:
    """A text, between two marks by which it is found again in what was printed."""

    number: int
    name: str
    raw: str

    @property
    def text(self) -> str:
        """The payload as it is handed over."""
        return f"x{self.number:03}_{self.raw}_{self.number:03}x"

    @property
    def is_unseen(self) -> bool:
        """Whether there is a character in it that no terminal may see."""
        return any(map(is_unseen, self.raw))

    @property
    def is_plain(self) -> bool:
        """Whether it can be printed as it is, whatever its meaning to others."""
        ascii_only = self.raw.isascii() and self.raw.isprintable()
        respelled = "  " in self.raw or "//" in self.raw or set("'\"\\`") & set(self.raw)
        return ascii_only and not self.is_long and not respelled

    @property
    def is_text(self) -> bool:
        """Whether it is made of characters, and not of halves of them."""
        return not any("\ud800" <= each <= "\udfff" for each in self.raw)

    @property
    def is_one_line(self) -> bool:
        """Whether it breaks no line."""
        return len(f"{self.raw}x".splitlines()) == 1

    @property
    def is_long(self) -> bool:
        """Whether it is longer than what is printed of a text."""
        return len(self.raw) > 200


def is_unseen(character: str) -> bool:
    """Whether a character does something to a terminal other than to be seen."""
    return unicodedata.category(character) in _UNSEEN


def _each() -> Iterator[tuple[str, str]]:
    controls = [*range(0x20), *range(0x7F, 0xA0)]
    yield from ((f"U+{code:04X}", f"a{chr(code)}b") for code in controls)
    marks = [0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065)]
    marks += [*range(0x2066, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC)]
    yield from ((f"U+{code:04X}", f"a{chr(code)}b") for code in marks)
    yield from _BY_NAME.items()


PAYLOADS = [Payload(number, *each) for number, each in enumerate(_each())]

_MARKED = re.compile(r"x(\d{3})_(.*?)_\1x")


def shown(text: str) -> dict[int, list[str]]:
    """What stands between the marks of each payload that was printed to its end in one line, as
    often as it was."""
    found: dict[int, list[str]] = {}
    for match in _MARKED.finditer(text):
        found.setdefault(int(match[1]), []).append(match[2])
    return found
