"""Names: slugs, templates, and what happens to names that are taken."""

import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kontext_cli.errors import NameTaken, OutputFault, UsageError
from kontext_cli.files.names import (
    Names,
    fit_suffix,
    format_of,
    name_files,
    slugify,
    template_fields,
)

FIELDS: dict[str, str | int | None] = {
    "index": 7,
    "id": "row/1",
    "slug": "a-cat",
    "seed": 42,
    "job": "abc",
    "provider": "fal",
    "model": "kontext-pro",
    "stem": "photo",
    "date": "2025-01-31",
}
DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])", re.IGNORECASE)


def named(folder: Path = Path("out"), **changes: Any) -> Names:
    wish: dict[str, Any] = {
        "output": None,
        "template": "{slug}-{seed}",
        "fields": FIELDS,
        "count": 1,
        "output_format": "jpeg",
        "exists": "error",
    }
    return name_files(folder=folder, **(wish | changes))


def texts(names: Names) -> list[str]:
    return [path.as_posix() for path in names.paths]


def only(**changes: Any) -> str:
    (text,) = texts(named(**changes))
    return text


class TestSlugify:
    @pytest.mark.parametrize(
        ("text", "slug"),
        [
            ("A red fox, at dawn!", "a-red-fox-at-dawn"),
            ("Crème brûlée", "creme-brulee"),
            ("Cre\u0300me", "creme"),
            ("İstanbul", "istanbul"),
            ("ﬁne Ａrt №5", "fine-art-no5"),
            ("富士山の夜明け", "富士山の夜明け"),
            ("Кот в сапогах, чай", "кот-в-сапогах-чай"),
            ("बिल्ली", "बिल्ली"),
            ("สีน้ำ", "สีน้ำ"),
            ("葛\U000e0100 heart ❤\ufe0f", "葛-heart"),
            ("a\u202eb\u200bc", "a-b-c"),
            ("../../etc/passwd", "etc-passwd"),
            ("\ud800x\x00y", "x-y"),
            ("\u3164\uffa0", "image"),
            ("", "image"),
            ("!!!", "image"),
        ],
    )
    def test_words(self, text: str, slug: str) -> None:
        assert slugify(text) == slug

    @pytest.mark.parametrize(
        ("text", "slug"),
        [
            ("word " * 40, "-".join(["word"] * 12)),
            ("seven77 " * 40, "-".join(["seven77"] * 7)),
            (f"{'a' * 40} {'b' * 19} c", f"{'a' * 40}-{'b' * 19}"),
            (f"{'a' * 40} {'b' * 19}", f"{'a' * 40}-{'b' * 19}"),
            (f"{'a' * 40} {'b' * 20}", "a" * 40),
            ("a" * 61, "a" * 60),
        ],
    )
    def test_is_cut_between_words(self, text: str, slug: str) -> None:
        assert slugify(text) == slug

    def test_a_long_sentence_without_spaces_is_cut_between_letters(self) -> None:
        assert slugify("a " + "夜" * 100) == "a-" + "夜" * 19

    @settings(deadline=None)
    @given(st.text())
    def test_is_always_a_readable_name(self, text: str) -> None:
        slug = slugify(text)
        assert 1 <= len(slug.encode()) <= 60
        assert slug == slug.strip("-")
        assert "--" not in slug
        assert all(char == "-" or unicodedata.category(char)[0] in "LNM" for char in slug)
        assert slug.isascii() or not re.search("[\u3164\uffa0\ufe0f\u200d]", slug)

    @settings(deadline=None)
    @given(st.text())
    def test_equal_texts_in_other_normal_forms_get_one_slug(self, text: str) -> None:
        assert slugify(unicodedata.normalize("NFD", text)) == slugify(
            unicodedata.normalize("NFC", text)
        )


class TestTemplate:
    @pytest.mark.parametrize(
        ("template", "path"),
        [
            ("{slug}-{seed}", "out/a-cat-42.jpg"),
            ("{index:03}-{slug}", "out/007-a-cat.jpg"),
            ("{index:5}", "out/    7.jpg"),
            ("{date}/{provider}/{model}", "out/2025-01-31/fal/kontext-pro.jpg"),
            ("{id}", "out/row-1.jpg"),
            ("{{{slug}}}", "out/{a-cat}.jpg"),
            ("{slug}-{n}", "out/a-cat-1.jpg"),
            ("{slug}.JPEG", "out/a-cat.JPEG"),
            ("{slug}.v2.1", "out/a-cat.v2.1.jpg"),
            ("{slug}.webp", "out/a-cat.webp.jpg"),
            ("{slug}. .jpg", "out/a-cat.jpg"),
            ("x. /{slug}", "out/x/a-cat.jpg"),
            ("con/{slug}", "out/con_/a-cat.jpg"),
            ("nul.txt", "out/nul_.txt.jpg"),
            ("Com1 .x", "out/Com1_.x.jpg"),
            ("console", "out/console.jpg"),
            ("x" * 200, f"out/{'x' * 200}.jpg"),
        ],
    )
    def test_gives_the_path(self, template: str, path: str) -> None:
        assert only(template=template) == path

    @pytest.mark.parametrize(
        "template",
        [
            "",
            ".jpg",
            " ",
            "...",
            "/{slug}",
            "../{slug}",
            "a/../{slug}",
            "a//{slug}",
            "./{slug}",
            "{slug}/",
            "C:/{slug}",
            "a\\{slug}",
            "what?",
            "a\n",
            "\u202egpj",
            "\ud800",
            "{slug",
            "{slug}}",
            "{}",
            "{0}",
            "{nope}",
            "{slug.upper}",
            "{slug[0]}",
            "{slug!r}",
            "{slug:5}",
            "{index:>5}",
            "{index:x}",
            "{index:100}",
            "{index:{seed}}",
            "x" * 201,
        ],
    )
    def test_refuses(self, template: str) -> None:
        with pytest.raises(UsageError):
            named(template=template)

    def test_an_unknown_field_is_told_with_the_nearest_one(self) -> None:
        with pytest.raises(UsageError) as caught:
            template_fields("{slgu}")
        assert "`{slgu}`" in caught.value.message
        assert "{index} {id} {slug} {seed} {n}" in caught.value.message
        assert caught.value.hint == "did you mean `{slug}`?"

    @pytest.mark.parametrize("fields", [{**FIELDS, "stem": None}, {}])
    def test_a_field_without_a_value_is_refused(self, fields: dict[str, str]) -> None:
        with pytest.raises(UsageError, match=r"`\{stem\}`, which has no value"):
            named(template="{stem}-edit", fields=fields)

    def test_fields(self) -> None:
        assert template_fields("{date}/{index:03}-{slug}-{{x}}") == {"date", "index", "slug"}

    @pytest.mark.parametrize("value", ["..", ".", " ", ""])
    def test_a_value_cannot_leave_the_folder(self, value: str) -> None:
        with pytest.raises(UsageError):
            named(template="{id}", fields={"id": value})

    def test_a_value_cannot_make_folders_or_odd_names(self) -> None:
        assert only(template="{id}", fields={"id": '../a\\b:c*"\x1b\u2028.'}) == (
            "out/..-a-b-c----.jpg"
        )

    def test_a_typed_suffix_follows_the_format_and_a_notice_says_so(self) -> None:
        names = named(template="{slug}.png")
        assert texts(names) == ["out/a-cat.jpg"]
        assert names.notices == ("`{slug}.png` gets the suffix `.jpg`: the format is JPEG",)

    pieces = st.sampled_from(
        ["{slug}", "{id}", "{stem}", "{index:03}", "{n}", "{", "}", "/", "..", ".", "con", ".png"]
    )

    @settings(max_examples=300, deadline=None)
    @given(
        template=st.lists(pieces | st.text(max_size=4), max_size=6).map("".join),
        value=st.text(max_size=12) | st.just("..") | st.just("nul"),
        count=st.integers(1, 4),
    )
    def test_whatever_is_typed_the_name_is_refused_or_portable_and_inside(
        self, template: str, value: str, count: int
    ) -> None:
        fields = {**FIELDS, "id": value, "stem": value}
        try:
            names = named(template=template, fields=fields, count=count)
        except UsageError:
            return
        assert len(set(names.paths)) == count
        for path in names.paths:
            first, *components = path.parts
            assert first == "out"
            assert components
            assert path.suffix.lower() in {".jpg", ".jpeg"}
            for component in components:
                self.check_portable(component)

    def check_portable(self, component: str) -> None:
        assert component not in {"", ".", ".."}
        assert not component.endswith((".", " "))
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', component)
        assert not DEVICE.fullmatch(component.partition(".")[0].rstrip(" "))
        assert len(component.encode()) <= 210


class TestOutput:
    @pytest.mark.parametrize(
        ("output", "path"),
        [
            ("cat.jpg", "out/cat.jpg"),
            ("cat.JPEG", "out/cat.JPEG"),
            ("image", "out/image.jpg"),
            ("v2.1", "out/v2.1.jpg"),
            ("{slug}", "out/{slug}.jpg"),
            ("a:b", "out/a:b.jpg"),
            ("new/cat.jpg", "out/new/cat.jpg"),
            ("/abs/cat.jpg", "/abs/cat.jpg"),
            ("x" * 200, f"out/{'x' * 200}.jpg"),
            ("at 9\u202fPM", "out/at 9\u202fPM.jpg"),
        ],
    )
    def test_is_taken_to_the_letter(self, output: str, path: str) -> None:
        names = named(output=output)
        assert texts(names) == [path]
        assert names.notices == ()

    def test_the_other_format_s_suffix_is_corrected_with_a_notice(self) -> None:
        names = named(output="cat.jpeg", output_format="png")
        assert texts(names) == ["out/cat.png"]
        assert names.notices == ("`cat.jpeg` gets the suffix `.png`: the format is PNG",)

    def test_several_are_numbered_whatever_the_template(self) -> None:
        assert texts(named(output="c.jpg", template="{n}", count=2)) == [
            "out/c-1.jpg",
            "out/c-2.jpg",
        ]

    @pytest.mark.parametrize(
        "output", ["", "a\x00b", "a\nb", "\udc80", "..jpg", "x/..", "...", "x" * 201, "é" * 101]
    )
    def test_what_is_no_file_name_is_refused(self, output: str) -> None:
        with pytest.raises(UsageError):
            named(output=output)

    @pytest.mark.parametrize("suffix", ["webp", "gif", "AVIF", "bmp", "tif", "tiff", "svg", "pdf"])
    def test_a_format_that_is_not_made_is_refused(self, suffix: str) -> None:
        with pytest.raises(UsageError, match="JPEG or PNG"):
            named(output=f"cat.{suffix}")

    @pytest.mark.parametrize("output", ["sub", "new/", ".", "sub/.."])
    def test_a_folder_is_refused(self, tmp_path: Path, output: str) -> None:
        (tmp_path / "sub").mkdir()
        with pytest.raises(UsageError) as caught:
            named(tmp_path, output=output)
        assert caught.value.hint == f"use `-d {output}`"

    @pytest.mark.parametrize(
        ("output", "wanted"),
        [
            ("a.jpg", "jpeg"),
            ("a.JPEG", "jpeg"),
            ("a/b.png", "png"),
            ("a.webp", None),
            ("png", None),
        ],
    )
    def test_format_of(self, output: str, wanted: str | None) -> None:
        assert format_of(output) == wanted

    def test_fit_suffix(self) -> None:
        assert fit_suffix(Path("a.v1.jpeg"), "jpeg") == Path("a.v1.jpeg")
        assert fit_suffix(Path("a.v1.jpeg"), "png") == Path("a.v1.png")


class TestTaken:
    def make(self, folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).touch()

    def test_several_get_numbers(self, tmp_path: Path) -> None:
        names = named(tmp_path, template="{slug}", count=3)
        assert [path.name for path in names.paths] == ["a-cat-1.jpg", "a-cat-2.jpg", "a-cat-3.jpg"]

    def test_the_template_may_number_them_itself(self, tmp_path: Path) -> None:
        names = named(tmp_path, template="{n:02}/{slug}", count=2)
        assert [path.relative_to(tmp_path).as_posix() for path in names.paths] == [
            "01/a-cat.jpg",
            "02/a-cat.jpg",
        ]

    def test_error_names_the_file(self, tmp_path: Path) -> None:
        self.make(tmp_path, "c-2.jpg")
        with pytest.raises(NameTaken) as caught:
            named(tmp_path, output="c.jpg", count=2)
        assert str(tmp_path / "c-2.jpg") in caught.value.message
        assert caught.value.exit_code == 8
        assert caught.value.hint == "use `--exists number`, `skip` or `overwrite`"

    def test_a_dangling_link_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "c.jpg").symlink_to(tmp_path / "nowhere")
        with pytest.raises(NameTaken):
            named(tmp_path, output="c.jpg")

    def test_skip_needs_all_of_them(self, tmp_path: Path) -> None:
        assert not named(tmp_path, output="c.jpg", count=2, exists="skip").skip
        self.make(tmp_path, "c-1.jpg")
        with pytest.raises(NameTaken, match="other files"):
            named(tmp_path, output="c.jpg", count=2, exists="skip")
        self.make(tmp_path, "c-2.jpg")
        names = named(tmp_path, output="c.jpg", count=2, exists="skip")
        assert names.skip
        assert [path.name for path in names.paths] == ["c-1.jpg", "c-2.jpg"]

    @pytest.mark.parametrize(
        ("there", "count", "given_names"),
        [
            ([], 1, ["c.jpg"]),
            (["c.jpg"], 1, ["c-2.jpg"]),
            (["c.jpg", "c-2.jpg", "c-4.jpg"], 1, ["c-3.jpg"]),
            (["c-2.jpg"], 2, ["c-2-1.jpg", "c-2-2.jpg"]),
            (["c-1.jpg", "c-2-2.jpg"], 2, ["c-3-1.jpg", "c-3-2.jpg"]),
        ],
    )
    def test_number_takes_the_first_that_is_free_for_all(
        self, tmp_path: Path, there: list[str], count: int, given_names: list[str]
    ) -> None:
        self.make(tmp_path, *there)
        names = named(tmp_path, output="c.jpg", count=count, exists="number")
        assert [path.name for path in names.paths] == given_names

    @pytest.mark.parametrize("there", ["c.png", "c.jpeg", "c.webp"])
    def test_a_name_is_taken_by_the_same_with_another_suffix(
        self, tmp_path: Path, there: str
    ) -> None:
        self.make(tmp_path, there)
        with pytest.raises(NameTaken, match=f"{there}` is there already, which blocks `c.jpg`"):
            named(tmp_path, output="c.jpg")
        names = named(tmp_path, output="c.jpg", exists="number")
        assert [path.name for path in names.paths] == ["c-2.jpg"]
        names = named(tmp_path, output="c.jpg", exists="skip")
        assert (names.skip, names.paths) == (True, (tmp_path / there,))
        assert named(tmp_path, output="c.jpg", exists="overwrite").paths == (tmp_path / "c.jpg",)
        named(tmp_path, output="c.jpg", ours=[tmp_path / there])
        named(tmp_path, output="c.jpg", apart=lambda: [tmp_path / there])
        with pytest.raises(NameTaken):
            named(tmp_path, output=there.replace("webp", "jpg"), apart=list)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
    @pytest.mark.parametrize("exists", ["error", "skip", "number", "overwrite"])
    def test_a_pipe_is_taken_as_it_is(self, tmp_path: Path, exists: str) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to(tmp_path / "pipe")
        self.make(tmp_path, "pipe.jpg")
        for output in ("pipe", "link"):
            assert named(tmp_path, output=output, exists=exists) == Names((str(tmp_path / output),))
            with pytest.raises(UsageError, match="takes one image, not 2"):
                named(tmp_path, output=output, exists=exists, count=2)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
    def test_a_pipe_is_not_replaced(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a-cat.jpg")
        with pytest.raises(OutputFault, match="no regular file"):
            named(tmp_path, template="{slug}", exists="overwrite")

    def test_number_goes_behind_the_template_s_own(self, tmp_path: Path) -> None:
        self.make(tmp_path, "1.jpg")
        names = named(tmp_path, template="{n}", count=2, exists="number")
        assert [path.name for path in names.paths] == ["1-2.jpg", "2-2.jpg"]

    def test_overwrite_takes_files_but_no_folders(self, tmp_path: Path) -> None:
        self.make(tmp_path, "c.jpg")
        assert named(tmp_path, output="c.jpg", exists="overwrite").paths == (tmp_path / "c.jpg",)
        (tmp_path / "a-cat.jpg").mkdir()
        with pytest.raises(OutputFault, match="folder"):
            named(tmp_path, template="{slug}", exists="overwrite")
