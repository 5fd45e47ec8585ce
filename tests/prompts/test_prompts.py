"""Prompts files: every format, every fault with its line, and bytes of any kind."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kontext_cli import options
from kontext_cli.prompts import KEYS, Kind, Row, Rows, kind_of, read_prompts
from soaking import soaked

KINDS: tuple[Kind | None, ...] = ("txt", "jsonl", "json", "csv", "tsv", None)
LINE_END = re.compile("\r\n|\r|\n")


def said(data: str | bytes, kind: Kind | None) -> list[tuple[int, dict[str, Any]]]:
    """Line and values of each row, where there is no fault."""
    rows, faults = read(data, kind)
    assert faults == []
    assert [row.index for row in rows] == list(range(1, len(rows) + 1))
    return [(row.line, dict(row.values)) for row in rows]


def wrong(data: str | bytes, kind: Kind | None) -> list[tuple[int, str]]:
    """Line and text of each fault."""
    return read(data, kind)[1]


def read(data: str | bytes, kind: Kind | None) -> tuple[list[Row], list[tuple[int, str]]]:
    rows = Rows()
    read_prompts(data.encode() if isinstance(data, str) else data, kind, rows)
    return rows.good, [(fault.line, fault.text) for fault in rows.faults]


def prompts(*numbered: tuple[int, str]) -> list[tuple[int, dict[str, Any]]]:
    return [(line, {"prompt": prompt}) for line, prompt in numbered]


class TestKind:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("prompts.txt", "txt"),
            ("a.b/prompts.JSONL", "jsonl"),
            ("prompts.ndjson", "jsonl"),
            ("Prompts.Csv", "csv"),
            ("prompts.tsv", "tsv"),
            ("-", None),
            ("", None),
            ("/dev/fd/63", None),
            ("prompts.json", "json"),
            ("csv", None),
            (".csv", None),
        ],
    )
    def test_follows_the_suffix(self, name: str, kind: Kind | None) -> None:
        assert kind_of(name) == kind

    @pytest.mark.parametrize(
        ("data", "rows"),
        [
            ("a fox\n", prompts((1, "a fox"))),
            ('\n  \n{"prompt": "a fox"}\n"a hen"', prompts((3, "a fox"), (4, "a hen"))),
            ('"a fox"\n', prompts((1, "a fox"))),
            ('  "a fox"  \n', prompts((1, "a fox"))),
            ('"a fox" in the snow\n', prompts((1, '"a fox" in the snow'))),
            ('"a fox\n', prompts((1, '"a fox'))),
            ("[wide] a fox\n", prompts((1, "[wide] a fox"))),
            ('["a", {"seed": 1}]', [(1, {"prompt": "a"}), (1, {"seed": 1})]),
            ("prompt,seed\na,1\n", prompts((1, "prompt,seed"), (2, "a,1"))),
            ('# {"a": 1}\na fox\n{}', prompts((2, "a fox"), (3, "{}"))),
            ("", []),
            ("# only\n", []),
        ],
    )
    def test_is_told_from_the_first_line_without_a_suffix(self, data: str, rows: Any) -> None:
        assert said(data, None) == rows

    def test_comments_before_json_lines_are_mistakes_of_theirs(self) -> None:
        rows, faults = read('# animals\n{"prompt": "a fox"}', None)
        assert faults == [(1, "invalid JSON: expected a value at column 1")]
        assert [(row.line, row.index, row.values) for row in rows] == [(2, 2, {"prompt": "a fox"})]


class TestEncoding:
    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (b"a fox", "txt"),
            (b'"a fox"', "jsonl"),
            (b"prompt\na fox", "csv"),
            (b'"prompt"\n"a fox"\n', "tsv"),
        ],
    )
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_a_mark_and_any_line_end_are_taken(
        self, data: bytes, kind: Kind, end: bytes, mark: bytes
    ) -> None:
        first = 2 if kind in ("csv", "tsv") else 1
        assert said(mark + data.replace(b"\n", end), kind) == prompts((first, "a fox"))
        lines = mark + end + data.replace(b"\n", end) + end
        assert said(lines, kind) == prompts((first + 1, "a fox"))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32")])
    def test_other_unicode_is_named(self, kind: Kind, encoding: str, name: str) -> None:
        assert wrong("a fox\n".encode(encoding), kind) == [(1, f"it is {name}, save it as UTF-8")]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("before", "line"),
        [(b"", 1), (b"\xef\xbb\xbf\n", 2), (b"a\r\n\r\nb ", 3), (b"a\rb\r", 3), (b"\n\r\n\n", 4)],
    )
    def test_what_is_no_utf_8_is_told_once(self, kind: Kind, before: bytes, line: int) -> None:
        text = "it is not UTF-8 (byte 0xe9), save it as UTF-8"
        assert read(before + b"\xe9t\xe9\n\xff", kind) == ([], [(line, text)])

    @pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e", "\x85"])
    def test_no_other_character_ends_a_line(self, char: str) -> None:
        assert said(f"a{char}b\nc", "txt") == prompts((1, f"a{char}b"), (2, "c"))
        assert said(f"prompt\na{char}b\nc", "csv") == prompts((2, f"a{char}b"), (3, "c"))
        if char > "\x1f":
            assert said(f'"a{char}b"\n"c"', "jsonl") == prompts((1, f"a{char}b"), (2, "c"))

    @pytest.mark.parametrize(
        ("data", "kind", "line"),
        [
            (b"a\0fox", "txt", 1),
            (b'"a\\u0000fox"', "jsonl", 1),
            (b"prompt\na\0fox", "csv", 2),
            (b"prompt\na\0fox", "tsv", 2),
        ],
    )
    def test_a_nul_is_a_mistake(self, data: bytes, kind: Kind, line: int) -> None:
        assert read(data, kind) == ([], [(line, "the prompt contains a NUL character")])

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_marks_of_a_merge_conflict_are_no_rows(self, kind: Kind | None, end: str) -> None:
        marks = ["<<<<<<< HEAD", "a fox", "||||||| 1a2b3c4", "=======", "", "a hen", ">>>>>>> new"]
        solve = "keep the rows that are right of both sides, and remove all marks"
        assert read(end.join(["prompt", *marks]), kind) == (
            [],
            [
                (line, f"`{mark * 7}` is the mark of a merge conflict; {solve}")
                for line, mark in ((2, "<"), (4, "|"), (5, "="), (8, ">"))
            ],
        )

    @pytest.mark.parametrize("line", ["<<<<<<<< a", "a <<<<<<< b", "========", "=====", ">>>>>>>a"])
    def test_other_lines_of_such_characters_are_rows(self, line: str) -> None:
        assert said(line, "txt") == prompts((1, line))

    @pytest.mark.parametrize(
        ("kind", "first", "line"),
        [("txt", "", 1), ("jsonl", "", 1), ("csv", "prompt,id\n", 2), ("tsv", "prompt\tid\n", 2)],
    )
    def test_a_line_of_more_than_a_mebibyte_is_a_mistake(
        self, kind: Kind, first: str, line: int
    ) -> None:
        long = "é" * (2**19)
        assert (line, "the line is longer than 1 MiB") not in wrong(f"{first}{long}\r\n", kind)
        rows, faults = read(f'{first}{long}x\r\n"b"\r\n', kind)
        assert faults == [(line, "the line is longer than 1 MiB")]
        assert [row.line for row in rows] == [line + 1]


class TestText:
    def test_is_a_prompt_a_line(self) -> None:
        data = '  a red fox \n\n\t\n# none\n  # none\nred # fox\n"quoted"\na,b;c\\n\n\u3000'
        assert said(data, "txt") == prompts(
            (1, "a red fox"), (6, "red # fox"), (7, '"quoted"'), (8, "a,b;c\\n")
        )

    def test_equal_prompts_are_rows_of_their_own(self) -> None:
        assert said("a\na", "txt") == prompts((1, "a"), (2, "a"))


class TestJsonLines:
    def test_a_row_says_what_it_says_and_no_more(self) -> None:
        of_type = {str: "webp", int: -1, float: 3.5, bool: False}
        values = {
            "prompt": " two\nlines ",
            "provider": "fal",
            "model": "kontext-max",
            **{row.name: of_type[row.type] for row in options.OPTIONS},
            "metadata": "full",
            "id": "ü 1",
            "images": ["a.png", " b;c.png "],
            "output": "out/a.jpg",
        }
        assert values.keys() == KEYS
        assert said(json.dumps(values), "jsonl") == [
            (1, values | {"images": ("a.png", " b;c.png ")})
        ]

    @pytest.mark.parametrize(
        ("line", "values"),
        [
            ("{}", {}),
            ('{"prompt": null, "seed": null, "images": null, "id": null}', {}),
            ('{"images": "a.png"}', {"images": ("a.png",)}),
            ('{"id": 17}', {"id": "17"}),
            ('{"id": -0}', {"id": "0"}),
            ('{"guidance_scale": 3}', {"guidance_scale": 3}),
            ('{"guidance_scale": 1e1}', {"guidance_scale": 10.0}),
            ('{"prompt": "\\ud83e\\udd8a"}', {"prompt": "🦊"}),
            ('  {"seed" :1 }\t', {"seed": 1}),
        ],
    )
    def test_values(self, line: str, values: dict[str, Any]) -> None:
        assert said(line, "jsonl") == [(1, values)]

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("{'prompt': 1}", "expected a key in double quotes at column 2"),
            ('{"prompt" "a"}', "expected ':' at column 11"),
            ('{"prompt": "a" "seed": 1}', "expected ',' at column 16"),
            ('{"prompt": "a"', "expected ',' at column 15"),
            ('{"prompt": }', "expected a value at column 12"),
            ('{"prompt": "a}', "unterminated string at column 12"),
            ('"a\tb"', "unescaped control character at column 3"),
            ('"a\0b"', "unescaped control character at column 3"),
            ('"C:\\images"', "invalid escape at column 4"),
            ('"\\u12"', "invalid escape at column 3"),
            ('{"seed": 1} {"seed": 2}', "unexpected text after the value at column 13"),
            ("a fox", "expected a value at column 1"),
            ("# a fox", "expected a value at column 1"),
            ("\ufeff{}", "expected a value at column 1"),
            ('{"seed": NaN}', "`NaN` is not allowed"),
            ('{"guidance_scale": -Infinity}', "`-Infinity` is not allowed"),
        ],
    )
    def test_what_is_no_json_is_told_in_words_of_ours(self, line: str, text: str) -> None:
        data = f'"a"\r\n{line}\r\n"b"'
        rows, faults = read(data, "jsonl")
        assert faults == [(2, f"invalid JSON: {text}")]
        assert [(row.line, row.index) for row in rows] == [(1, 1), (3, 3)]

    def test_a_trailing_comma_is_a_mistake(self) -> None:
        (fault,) = wrong('{"seed": 1,}', "jsonl")  # Python 3.13 has words of its own for it
        assert re.fullmatch(r"invalid JSON: .* at column 1[12]", fault[1])

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("3", "a line should be a string or an object, not `3`"),
            ("1e999", "a line should be a string or an object, not `Infinity`"),
            ("true", "a line should be a string or an object, not `true`"),
            ("null", "a line should be a string or an object, not `null`"),
            ('["a"]', "a line should be a string or an object, not a list"),
            ("[" * 200_000, "it is nested too deeply"),
            ('{"seed":' * 100_000, "it is nested too deeply"),
            ("1" * 5000, "it has a number with 5,000 digits; at most 200 are allowed"),
            ('{"seed": %s}' % ("9" * 201),
             "it has a number with 201 digits; at most 200 are allowed"),
            ('""', "the prompt is empty"),
            ('" \\n"', "the prompt is empty"),
            ('"\\ud83e"', "the prompt contains half a surrogate pair"),
            ('{"prompt": ""}', "the prompt is empty"),
            ('{"prompt": 3}', "the prompt should be a string, not `3`"),
            ('{"model": ["a"]}', "`model` should be a string, not a list"),
            ('{"output": {"a": {"a": 1}}}', "`output` should be a string, not an object"),
            ('{"output": "a\\u0000"}', "`output` contains a NUL character"),
            ('{"seed": 3.0}', "`seed` should be a whole number, not `3.0`"),
            ('{"seed": "3"}', "`seed` should be a whole number, not the string `3`"),
            ('{"num_images": true}', "`num_images` should be a whole number, not `true`"),
            ('{"guidance_scale": true}', "`guidance_scale` should be a number, not `true`"),
            ('{"guidance_scale": 1e999}', "`guidance_scale` should be a number, not `Infinity`"),
            ('{"sync_mode": 1}', "`sync_mode` should be true or false, not `1`"),
            ('{"sync_mode": "true"}', "`sync_mode` should be true or false, not the string `true`"),
            ('{"images": []}', "`images` is empty"),
            ('{"images": [""]}', "`images` contains an empty name"),
            ('{"images": ""}', "`images` contains an empty name"),
            ('{"images": ["a", null]}', "`images` should be a string, not `null`"),
            ('{"images": {"a": 1}}', "`images` should be a string, not an object"),
            ('{"images": ["\\udc00"]}', "`images` contains half a surrogate pair"),
            ('{"id": ""}', "`id` is empty"),
            ('{"id": "a "}', "`id` starts or ends with a space"),
            ('{"id": "a\\tb"}', "`id` contains a control character"),
            ('{"id": "%s"}' % ("x" * 201), "`id` has 201 characters; at most 200 are allowed"),
            ('{"id": 1.5}', "`id` should be a string, not `1.5`"),
            ('{"id": false}', "`id` should be a string, not `false`"),
            ('{"seed": 1, "seed": 1}', "`seed` appears twice"),
            ('{"seed": null, "seed": 1}', "`seed` appears twice"),
            ('{"seed": "%s"}' % ("a" * 50), f"`seed` should be a whole number, "
             f"not the string `{'a' * 40}…`"),
        ],
    )  # fmt: skip
    def test_what_no_row_can_say(self, line: str, text: str) -> None:
        rows, faults = read(f'"a"\n{line}\n"b"', "jsonl")
        assert faults == [(2, text)]
        assert [(row.line, row.index) for row in rows] == [(1, 1), (3, 3)]

    def test_all_mistakes_of_all_lines_are_told(self) -> None:
        data = '{"prompt": "", "sed": 1, "seed": "x", "n": 2}\n\n\n5\n'
        assert [line for line, _ in wrong(data, "jsonl")] == [1, 1, 1, 1, 4]

    @pytest.mark.parametrize("key", ["price", "width"])
    def test_for_a_key_like_no_other_all_are_listed(self, key: str) -> None:
        (fault,) = wrong(json.dumps({key: "1"}), "jsonl")
        assert fault[1].startswith(f"unknown key `{key}`; the keys are prompt ")

    @pytest.mark.parametrize(
        ("key", "near"),
        [
            ("image", "images"),
            ("Prompt", "prompt"),
            (" prompt ", "prompt"),
            ("num-images", "num_images"),
            ("--num-images", "num_images"),
            ("Num Images", "num_images"),
            ("ID", "id"),
            ("sed", "seed"),
            ("guidance", "guidance_scale"),
        ],
    )
    def test_a_key_that_looks_like_one_is_suggested(self, key: str, near: str) -> None:
        (fault,) = wrong(json.dumps({key: "1"}), "jsonl")
        assert fault == (1, f"unknown key `{key}`; did you mean `{near}`?")

    @pytest.mark.parametrize(
        ("key", "shown"),
        [
            ("denoise", "denoise"),
            ("", ""),
            ("x\n\ud800", "x\\n\\ud800"),
            ("z" * 99, "z" * 40 + "…"),
        ],
    )
    def test_other_keys_get_the_list(self, key: str, shown: str) -> None:
        ((_, text),) = wrong(json.dumps({key: None}), "jsonl")
        assert text.startswith(f"unknown key `{shown}`; the keys are prompt provider model ")

    def test_an_id_is_there_once_in_a_file(self) -> None:
        lines = ['{"id": "1"}', '{"id": 1}', '{"id": "b", "seed": "x"}', '{"id": "b"}', '{"id": 1}']
        assert wrong("\n".join(lines), "jsonl") == [
            (2, "the id `1` is already used in line 1"),
            (3, "`seed` should be a whole number, not the string `x`"),
            (4, "the id `b` is already used in line 3"),
            (5, "the id `1` is already used in line 1"),
        ]


class TestTable:
    def test_cells_become_values_of_their_keys(self) -> None:
        data = (
            " prompt , seed,guidance_scale,sync_mode,images,id,model\n"
            '" a fox, red ", 3 ,3.5, TRUE , a.png ;; b c.png;, 007 , kontext-max \n'
            "a hen,-1,4,False,,,\n"
            "a cow\n"
            ",,1e1\n"
        )
        assert said(data, "csv") == [
            (2, {"prompt": " a fox, red ", "seed": 3, "guidance_scale": 3.5, "sync_mode": True,
                 "images": ("a.png", "b c.png"), "id": "007", "model": "kontext-max"}),
            (3, {"prompt": "a hen", "seed": -1, "guidance_scale": 4, "sync_mode": False}),
            (4, {"prompt": "a cow"}),
            (5, {"guidance_scale": 10.0}),
        ]  # fmt: skip

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_a_record_may_span_lines_and_is_known_by_its_first(self, end: str) -> None:
        data = end.join(
            ["", "prompt\tseed", '"a ""red""', "", 'fox"\t1', " \t ", "", 'a "hen"\t2', ""]
        )
        within = end.replace("\r\n", "\n")  # the same request, whatever git makes of line ends
        assert said(data, "tsv") == [
            (3, {"prompt": f'a "red"{within}{within}fox', "seed": 1}),
            (8, {"prompt": 'a "hen"', "seed": 2}),
        ]

    @pytest.mark.parametrize("data", ["", "\n\n", "prompt\n", "prompt,seed", "prompt,seed\n,\n\n"])
    def test_without_a_row_there_is_no_mistake(self, data: str) -> None:
        assert read(data, "csv") == ([], [])

    @pytest.mark.parametrize(
        ("header", "text"),
        [
            ("Prompt,seed", "unknown key `Prompt`; did you mean `prompt`?"),
            ("prompt,image", "unknown key `image`; did you mean `images`?"),
            (
                "image,prompt,image,num-images",
                "unknown key `image`; did you mean `images`?; "
                "unknown key `num-images`; did you mean `num_images`?",
            ),
            ("prompt,seed,prompt", "`prompt` appears twice"),
            ("prompt,,seed,", "column 2 has no name"),
            ("prompt;seed", "the columns should be separated by commas"),
            ("prompt\tseed", "the columns should be separated by commas"),
        ],
    )
    def test_a_wrong_header_is_one_mistake_and_no_row_is_read(self, header: str, text: str) -> None:
        assert read(f"\n{header}\na,b,c,d,e\n", "csv") == ([], [(2, text)])

    def test_strange_names_in_a_header_are_told_together(self) -> None:
        ((line, text),) = wrong("prompt,sampler,strength\na,1,2", "csv")
        assert line == 1
        assert text.startswith("unknown keys `sampler`, `strength`; the keys are prompt ")

    @pytest.mark.parametrize("first", ["a red fox", "a fox, red", "#animals,x", ",x", "wolf; red"])
    def test_a_first_row_that_names_no_key_is_told_to(self, first: str) -> None:
        ((line, text),) = wrong(f"{first}\nanother", "csv")
        assert line == 1
        assert text.startswith(
            "the first row should contain the column names; the keys are prompt "
        )

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("a fox, red,1", "3 fields, expected 2; "
             "put quotes around a cell that contains a comma"),
            ('"a fox"red,1', 'unexpected text after a closing quote; write `""` for a quote '
             "within a cell"),
            ("a,3.0", "`seed` should be a whole number, not `3.0`"),
            ("a,1_000", "`seed` should be a whole number, not the string `1_000`"),
            ("a,٣", "`seed` should be a whole number, not the string `٣`"),
            ("a,-", "`seed` should be a whole number, not the string `-`"),
            ("a," + "1" * 5000, f"`seed` should be a whole number, not the string `{'1' * 40}…`"),
            ("  ,3", "the prompt is empty"),
            ("x" * 131_073, "a cell has more than 131,072 characters; "
             "perhaps a quote is never closed"),
        ],
    )  # fmt: skip
    def test_a_row_that_is_wrong_stops_no_other(self, row: str, text: str) -> None:
        rows, faults = read(f"prompt,seed\na,1\n{row}\nb,2", "csv")
        assert faults == [(3, text)]
        assert [(row.line, row.index) for row in rows] == [(2, 1), (4, 3)]

    @pytest.mark.parametrize(
        ("cells", "text"),
        [
            ("guidance_scale\n3,5", "2 fields, expected 1; "
             "put quotes around a cell that contains a comma"),
            ("guidance_scale\nnan", "`guidance_scale` should be a number, not the string `nan`"),
            ("guidance_scale\n1e999", "`guidance_scale` should be a number, not `Infinity`"),
            ("sync_mode\nyes", "`sync_mode` should be true or false, not the string `yes`"),
            ("sync_mode\n1", "`sync_mode` should be true or false, not the string `1`"),
            ("images\n ; ", "`images` is empty"),
            ("images\na\0;b", "`images` contains a NUL character"),
            ("id\n\"a\nb\"", "`id` contains a control character"),
        ],
    )  # fmt: skip
    def test_what_a_cell_cannot_say(self, cells: str, text: str) -> None:
        assert read(cells, "csv") == ([], [(2, text)])

    def test_an_open_quote_is_told_where_it_begins(self) -> None:
        rows, faults = read('prompt\na\n"b\nc\nd\n', "csv")
        assert faults == [(3, "a quote is never closed")]
        assert [row.line for row in rows] == [2]

    def test_an_open_quote_that_meets_another_names_both_lines(self) -> None:
        rows, faults = read('prompt\n"b\nc\n"d"\ne\n', "csv")
        assert faults == [
            (
                2,
                "unexpected text after a closing quote in line 4; "
                'write `""` for a quote within a cell',
            )
        ]
        assert [row.line for row in rows] == [5]

    def test_a_header_that_cannot_be_read_is_no_reason_to_take_another(self) -> None:
        rows, faults = read('"prompt" x\nprompt\na', "csv")
        assert rows == []
        assert [line for line, _ in faults] == [1]

    def test_a_record_is_no_row_without_one_of_its_lines(self) -> None:
        rows, faults = read(f'prompt\n"a\n{"x" * 2**21}\nb"\nc', "csv")
        assert faults == [(3, "the line is longer than 1 MiB")]
        assert [row.line for row in rows] == [5]

    def test_an_id_is_told_by_the_line_of_the_first(self) -> None:
        data = 'prompt,id\n"a\nb",x\nc, x \n'
        assert wrong(data, "csv") == [(4, "the id `x` is already used in line 2")]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
words = texts.map(str.strip).filter(bool)
image = words.map(lambda name: name.replace(";", "-").strip() or "x")
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "model": words,
    "output": words,
    "num_images": st.integers(),
    "seed": st.integers(),
    "guidance_scale": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "sync_mode": st.booleans(),
    "images": st.lists(image, min_size=1, max_size=4).map(tuple),
}
rows_of_values = st.lists(
    st.fixed_dictionaries({"prompt": texts.filter(str.strip)}, optional=OPTIONS)
)

SHARDS = [
    *(char.encode() for char in '{}[]":,;\t\\ #\n\r\0\u2028\ufeff'),
    *(b"\r\n", b"\xff", b"\xff\xfe", b"prompt", b"seed", b"id", b"1", b"\\ud800"),
    *(b'"prompt"', b'{"id":1}', b"prompt,id\n", b"prompt\tseed\r"),
]


def lines_before(text: str) -> int:
    return len(LINE_END.findall(text))


class TestAnything:
    @settings(deadline=None, max_examples=soaked(100, 300))
    @given(
        st.binary() | st.lists(st.sampled_from(SHARDS), max_size=40).map(b"".join),
        st.sampled_from(KINDS),
    )
    def test_is_read_or_refused_with_a_line_of_the_file(self, data: bytes, kind: Kind) -> None:
        read = Rows()
        read_prompts(data, kind, read)
        rows, faults = read.good, read.faults
        lines = re.split(rb"\r\n|\r|\n", data)
        last = max(len(lines) - (not lines[-1]), 1)
        for line in [row.line for row in rows], [fault.line for fault in faults]:
            assert line == sorted(line)
            assert all(1 <= number <= last for number in line)
        indexes = [row.index for row in rows]
        assert indexes == sorted(set(indexes))
        assert all(row.values.keys() <= KEYS for row in rows)

    @settings(deadline=None, max_examples=soaked(50, 150))
    @given(rows_of_values, st.booleans(), st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    def test_json_lines_are_read_back(self, rows: Any, ascii_only: bool, end: str) -> None:
        data = end.join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
        step = lines_before(end)
        assert said(data, "jsonl") == [(1 + at * step, row) for at, row in enumerate(rows)]

    @settings(deadline=None, max_examples=soaked(50, 150))
    @given(rows_of_values, st.sampled_from(["csv", "tsv"]), st.sampled_from(["\n", "\r\n", "\r"]))
    def test_tables_are_read_back(self, rows: Any, kind: Kind, end: str) -> None:
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(
            stream,
            ["prompt", *OPTIONS],
            delimiter="," if kind == "csv" else "\t",
            lineterminator=end,
            quoting=csv.QUOTE_ALL,
        )
        writer.writeheader()
        expected = []
        for row in rows:
            read = row | {"prompt": row["prompt"].replace("\r\n", "\n")}
            expected.append((1 + lines_before(stream.getvalue()), read))
            images = {"images": ";".join(row["images"])} if "images" in row else {}
            writer.writerow(row | images)
        assert said(stream.getvalue(), kind) == expected

    @settings(deadline=None, max_examples=100)
    @given(st.lists(words.filter(lambda word: not LINE_END.search(word) and word[0] not in "#[{")))
    def test_text_is_read_back(self, lines: list[str]) -> None:
        assert said("\n".join(lines), "txt") == prompts(*enumerate(lines, start=1))
