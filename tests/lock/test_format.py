"""The file of a lock: what is written, what is read, and what is refused with its line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.examples import fuzzed
from kontext_cli.errors import InputFault, LockFault
from kontext_cli.lock import (
    Header,
    Lock,
    LockedRow,
    check_belongs,
    encode_lock,
    encode_row,
    parse_lock,
    read_lock,
)
from lock.locked import HEADER, PATH, headers, ids, lines_of, row, rows, rows_of, sha

WHOLE = encode_lock(HEADER, [row("fox"), row("owl")])


def test_one_line_each_as_documented() -> None:
    header, fox, owl = lines_of(WHOLE)
    assert header == (
        '{"kontext_lock":1,"prompts_file":"cards.jsonl","output_dir":"out",'
        '"defaults":{"operation":"generate","provider":"fal"}}'
    )
    assert json.loads(fox) == {
        "id": "fox",
        "request": f"sha256:{sha('request of fox')}",
        "prompt": f"sha256:{sha('fox')}",
        "options": {"aspect_ratio": "16:9"},
        "inputs": [],
        "seed": 7,
        "provider": "fal",
        "model": "kontext-pro",
        "files": [
            {
                "path": "out/fox.jpg",
                "sha256": sha("image of fox"),
                "bytes": 12,
                "width": 4,
                "height": 3,
            }
        ],
    }
    assert json.loads(owl)["id"] == "owl"
    assert WHOLE.endswith(b"}\n")
    assert b"\r" not in WHOLE


def test_rows_are_sorted_by_code_point() -> None:
    names = ["~0", "é", "a", "Z", "B", "10", "9", "🦊", "ｆ"]
    assert ids(encode_lock(HEADER, map(row, names))) == sorted(names)


@fuzzed(40)
@given(st.lists(rows, max_size=5, unique_by=lambda row: row.id), headers)
def test_what_was_written_is_read(locked: list[LockedRow], header: Header) -> None:
    data = encode_lock(header, locked)
    read = parse_lock(data, PATH)
    assert read.header == header
    assert sorted(read.rows) == sorted(locked)
    assert encode_lock(read.header, read.rows) == data


@fuzzed(20)
@given(st.randoms(), st.sampled_from([b"\n", b"\r\n"]))
def test_lines_are_read_in_any_order_with_either_end(dice: Any, end: bytes) -> None:
    lines = [*WHOLE.splitlines(), b"", WHOLE.splitlines()[0]]
    dice.shuffle(lines)
    read = parse_lock(b"\xef\xbb\xbf" + end.join(lines), PATH)
    assert encode_lock(read.header, read.rows) == WHOLE


def test_lines_of_one_row_are_kept_unless_they_are_equal() -> None:
    other = row("fox", seed=8)
    data = encode_lock(HEADER, [row("fox"), other, row("fox")])
    assert rows_of(data) == [row("fox"), other]
    assert [line.number for line in parse_lock(data, PATH).lines["fox"]] == [2, 3]


@fuzzed(60)
@given(st.binary(max_size=200))
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(LockFault):
        parse_lock(junk, PATH)


@fuzzed(100)
@given(st.integers(0, len(WHOLE) - 2), st.binary(min_size=1, max_size=3))
def test_a_damaged_lock_is_read_or_refused(place: int, junk: bytes) -> None:
    for damaged in (WHOLE[:place], WHOLE[:place] + junk + WHOLE[place + 1 :]):
        try:
            read = parse_lock(damaged, PATH)
        except LockFault:
            continue
        assert parse_lock(encode_lock(read.header, read.rows), PATH).header == read.header


def changed(**changes: Any) -> str:
    """The line of a row with other values; a value of `...` is left out."""
    value = json.loads(encode_row(row())) | changes
    return json.dumps({name: each for name, each in value.items() if each is not ...})


def with_file(**changes: Any) -> str:
    file = json.loads(encode_row(row()))["files"][0] | changes
    return changed(files=[{name: each for name, each in file.items() if each is not ...}])


DEEP = '{"id":' + "[" * 100_000
WRONG: Sequence[tuple[str, str]] = [
    ("{", "invalid JSON at column 2"),
    ("[]", "it is not a JSON object"),
    ("null", "it is not a JSON object"),
    (DEEP, "it is nested too deeply"),
    ('{"id":"' + "x" * 2**20 + '"}', "it is longer than 1 MiB"),
    ('{"id":"a","id":"b"}', "a key appears twice"),
    (changed(files=...), "`files` is missing"),
    (changed(note="x"), "unknown key `note`"),
    (changed(id=""), "`id` should be a text of at most 256 characters on one line"),
    (changed(id="a\nb"), "`id` should be a text of at most 256 characters on one line"),
    (changed(id="\ud800"), "`id` should be a text of at most 256 characters on one line"),
    (changed(id=7), "`id` should be a text of at most 256 characters on one line"),
    (changed(request="x"), "`request` should be `sha256:` and a hash"),
    (changed(prompt="sha256:A"), "`prompt` should be a SHA-256 in 64 hexadecimal digits"),
    (changed(seed=True), f"`seed` should be a whole number from {-(2**63)}"),
    (changed(seed=2**63 + 1), f"`seed` should be a whole number from {-(2**63)}"),
    (changed(seed=1).replace('"seed": 1', '"seed": ' + "9" * 21), "a number has too many digits"),
    (changed().replace('"seed": 7', '"seed": NaN'), "`NaN` is not a number"),
    (changed().replace('"seed": 7', '"seed": 1e999'), "a number is too large"),
    (changed(options=[]), "`options` should be an object of options"),
    (changed(options={"A b": 1}), "`options`: `A b` is not an option, or its value is wrong"),
    (changed(options={"a": [1]}), "`options`: `a` is not an option, or its value is wrong"),
    (changed(inputs={}), "`inputs` should be a list of at most 64"),
    (changed(inputs=["a"]), "inputs: it should be an object"),
    (changed(files=[{}] * 65), "`files` should be a list of at most 64"),
    (with_file(width=...), "files: `width` is missing"),
    (with_file(bytes=0), "`bytes` should be a whole number from 1"),
    (with_file(sha256="sha256:"), "`sha256` should be a SHA-256 in 64 hexadecimal digits"),
    (with_file(path="cards.jsonl"), "the path `cards.jsonl` is not that of an image"),
    *[
        (
            with_file(path=path),
            f"the path `{path}` leaves the folder of the lock, or is not in short form",
        )
        for path in (
            "../a.jpg",
            "out/../../a.jpg",
            "/etc/a.jpg",
            "out//a.jpg",
            "./a.jpg",
            "..\\a.jpg",
            "C:\\a.jpg",
            "c:a.jpg",
        )
    ],
]


@pytest.mark.parametrize(("line", "what"), WRONG, ids=[what for _, what in WRONG])
def test_a_wrong_line_is_named(line: str, what: str) -> None:
    with pytest.raises(LockFault) as fault:
        parse_lock(WHOLE + line.encode() + b"\n", PATH)
    assert fault.value.exit_code == 2
    assert fault.value.details == [f"line 4: {what}"]


def test_a_row_has_so_many_lines_at_most() -> None:
    data = encode_lock(HEADER, [row("fox", seed=seed) for seed in range(65)])
    with pytest.raises(LockFault) as fault:
        parse_lock(data, PATH)
    assert fault.value.details == ["line 66: there are 64 lines of its row already"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(LockFault) as fault:
        parse_lock(WHOLE + b'{"id":"\xff"}', PATH)
    assert fault.value.details == ["line 4: it is not UTF-8"]


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(LockFault) as fault:
        parse_lock(b"x\n" * 30, PATH)
    assert fault.value.details[0] == "line 1: invalid JSON at column 1"
    assert fault.value.details[-1] == "and 11 more"
    assert fault.value.hint == "restore it: git checkout HEAD -- cards.lock"


FIRST = '{"kontext_lock":1,"prompts_file":"a.txt","output_dir":".","defaults":{}}'


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"kontext_lock":"1"}', "`kontext_lock` should be a whole number from 1"),
        ('{"kontext_lock":1}', "`prompts_file` is missing"),
        (
            FIRST.replace("a.txt", "../a.txt"),
            "`prompts_file` should be the name of a file beside the lock",
        ),
        (
            FIRST.replace('"."', '"../out"'),
            "the output_dir `../out` leaves the folder of the lock, or is not in short form",
        ),
        (FIRST.replace("{}", "[]"), "`defaults` should be an object of options"),
    ],
)
def test_a_wrong_first_line_is_named(line: str, what: str) -> None:
    with pytest.raises(LockFault) as fault:
        parse_lock(line.encode(), PATH)
    assert f"line 1: {what}" in fault.value.details


def test_first_lines_that_differ_are_a_mistake() -> None:
    with pytest.raises(LockFault) as fault:
        parse_lock(WHOLE + FIRST.encode(), PATH)
    assert fault.value.details == ["lines 1 and 4 both describe the whole lock, and differ"]


def test_a_newer_version_is_told_first() -> None:
    with pytest.raises(LockFault, match="written by a newer version of kontext") as fault:
        parse_lock(b'{"kontext_lock":2,"rows":[]}\n{"key":1}\n', PATH)
    assert fault.value.hint == "update kontext: pip install -U kontext-cli"


def test_conflict_markers_are_told_with_the_way_out() -> None:
    first, fox, owl = lines_of(WHOLE)
    lines = [first, "<<<<<<< HEAD", fox, "||||||| 1ab2", "=======", owl, ">>>>>>> main"]
    with pytest.raises(LockFault, match="marks of a merge conflict, in line 2, 4, 5, 7") as fault:
        parse_lock("\r\n".join(lines).encode(), PATH)
    assert fault.value.hint == (
        "remove these lines and keep those of both sides; "
        "`/cards.lock merge=union` in .gitattributes prevents it"
    )


def test_a_lock_of_another_prompts_file_is_refused() -> None:
    lock = parse_lock(WHOLE, PATH)
    check_belongs(lock, "cards.jsonl")
    with pytest.raises(LockFault, match=r"is the lock of `cards\.jsonl`, not of `cards\.csv`"):
        check_belongs(lock, "cards.csv")
    with pytest.raises(LockFault, match=r"is the lock of `cards\.jsonl`, not of `edit --each`"):
        check_belongs(lock, None)
    accented = lock.header._replace(prompts_file="\xe9.jsonl")
    check_belongs(Lock(PATH, accented, {}), "e\u0301.jsonl")


def test_a_lock_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputFault):
        read_lock(tmp_path)
