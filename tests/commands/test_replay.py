"""`kontext replay`: images are made again from what is known of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from commands.replays import FULL, PNG, edited, forget_all, made, planned, refused, write_record
from metadata.served import serve_images
from samples import image_file
from world import World


class TestWhereItIsFound:
    @pytest.mark.parametrize("argv", [(), ("--metadata", "off", "--sidecar")])
    def test_in_the_file_or_beside_it_without_the_journal(
        self, world: World, argv: tuple[str, ...]
    ) -> None:
        made(world, "fox.png", "-g", "3", *argv)
        forget_all(world)
        done = world.run("replay", "fox.png", "-o", "again.png", "--json")
        assert done.code == 0, done.err
        first, second = world.ledger.entries
        assert second.payload == first.payload
        assert second.seed == 7

    def test_in_the_journal_wherever_the_file_is(self, world: World) -> None:
        made(world, "fox.jpg", "--metadata", "off")
        (world.folder / "else").mkdir()
        (world.folder / "fox.jpg").rename(world.folder / "else/renamed.jpg")
        assert planned(world, "else/renamed.jpg")["request"]["prompt"] == "a fox"
        forget_all(world)
        assert "does not say how it was made" in refused(world, 8, "else/renamed.jpg").err

    def test_a_sidecar_comes_first_and_it_is_said_where_others_differ(self, world: World) -> None:
        made(world)
        record = {"prompt": "a wolf", "options": {"seed": 8}}
        write_record(world, "b.png", **record)
        shutil.move(world.folder / "b.png.json", world.folder / "fox.png.json")
        job = planned(world, "fox.png")
        assert (job["request"]["prompt"], job["seed"]) == ("a wolf", 8)
        assert "sidecar fox.png.json is used; PNG of the file says otherwise" in job["notices"]

    def test_of_webp_in_its_sidecar(self, world: World) -> None:
        serve_images(world, image_file("webp"))
        assert world.run("generate", "a fox", *FULL, "-o", "fox.jpg").code == 0
        forget_all(world)
        assert planned(world, "fox.webp")["seed"] == 7

    def test_on_standard_output(self, world: World) -> None:
        made(world, "fox.png")
        done = world.run("replay", "fox.png", "-o", "-")
        assert done.out.startswith(b"\x89PNG")
        world.write("piped.png", world.run("replay", "fox.png", "-o", "-", *FULL[-2:]).out)
        forget_all(world)
        assert planned(world, "piped.png")["request"] == planned(world, "fox.png")["request"]

    def test_of_a_batch_and_of_several_images(self, world: World) -> None:
        world.prompts("a fox", "-")
        argv = ("-n", "2", "--metadata", "full", "--name", "row{index}")
        assert world.batch("prompts.txt", *argv).counts == {"saved": 2}
        job = planned(world, "out/row2-2.jpg")
        assert (job["request"]["prompt"], job["request"]["num_images"]) == ("-", 2)

    def test_with_a_provider_set_that_of_the_image_is_asked(self, world: World) -> None:
        made(world)
        world.set(KONTEXT_PROVIDER="replicate", KONTEXT_MODEL="kontext-max")
        job = planned(world, "fox.png")
        assert (job["provider"], job["model"]) == ("fal", "kontext-pro")


class TestFlags:
    @pytest.mark.parametrize(
        ("argv", "changed"),
        [
            (("-n", "4"), {"num_images": 4}),
            (("--seed", "9"), {"seed": 9}),
            (("-a", "16:9", "-g", "4"), {"aspect_ratio": "16:9", "guidance_scale": 4}),
            (("--output-format", "jpeg"), {"output_format": "jpeg"}),
            (("-o", "a.jpg"), {"output_format": "jpeg"}),
            (("-o", "a.png"), {}),
            (("--prompt", "a wolf"), {"prompt": "a wolf"}),
            (("--enhance-prompt",), {"enhance_prompt": True}),
        ],
    )
    def test_win(self, world: World, argv: tuple[str, ...], changed: dict[str, Any]) -> None:
        made(world, "fox.png", "-g", "3", "-a", "3:2")
        job = planned(world, "fox.png", *argv)
        recorded = {"guidance_scale": 3, "aspect_ratio": "3:2", "output_format": "png", "seed": 7}
        assert job["request"] == {"prompt": "a fox", **recorded, **changed}
        assert job["notices"] == ""

    def test_a_prompt_may_be_piped(self, world: World) -> None:
        made(world)
        argv = ("replay", "fox.png", "--prompt", "-", "--dry-run", "--json")
        [job] = world.run(*argv, stdin=b"a wolf\n").records
        assert job["request"]["prompt"] == "a wolf"

    def test_elsewhere_what_is_lost_is_said(self, world: World) -> None:
        made(world, "fox.png", "-g", "3", "--sync-mode")
        job = planned(world, "fox.png", "-p", "replicate", "-m", "kontext-max")
        assert job["endpoint"] == "black-forest-labs/flux-kontext-max"
        options = {"aspect_ratio": "1:1", "seed": 7, "output_format": "png"}
        assert job["request"] == {"prompt": "a fox", **options}
        assert "not carried over, because not taken by replicate: " in job["notices"]
        assert "--guidance-scale 3, --sync-mode\n" in job["notices"]

    def test_of_a_list_each_must_take_what_is_recorded(self, world: World) -> None:
        made(world, "fox.png", "-g", "3")
        job = planned(world, "fox.png", "-p", "fal,bfl")
        assert "guidance_scale" not in job["request"]
        assert "because not taken by fal and bfl: --guidance-scale 3\n" in job["notices"]

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (("-p", "chainhub", "--seed", "7"), "chainhub does not support `--seed`"),
            (("-p", "replicate", "-g", "3"), "replicate does not support `--guidance-scale`"),
            (("-p", "together", "-m", "flux-3"), "together does not generate with the model"),
            (("-i", "fox.png"), "`generate` takes no images"),
            (("--prompt", " "), "the prompt is empty"),
            (("-o", "-", "--json"), "`-o -` and --json both"),
            (("--no-wait", "-p", "aimlapi"), "aimlapi answers in one call"),
        ],
    )
    def test_what_is_given_and_not_had_is_refused(
        self, world: World, argv: tuple[str, ...], message: str
    ) -> None:
        made(world)
        assert message in refused(world, 2, "fox.png", *argv).err

    def test_over_budget(self, world: World) -> None:
        made(world)
        refused(world, 10, "fox.png", "-n", "4", "--max-cost", "0.1")

    @pytest.mark.parametrize("files", [("fox.png",), ("fox.png", "wolf.png")])
    def test_a_list_of_providers_may_be_spaced(self, world: World, files: tuple[str, ...]) -> None:
        made(world)
        made(world, "wolf.png", prompt="a wolf")
        argv = ("-p", "aimlapi, fal", "-d", "again", "--json")
        done = world.run("replay", *files, *argv)
        jobs = [record for record in done.records if record["type"] == "job"]
        assert [job["provider"] for job in jobs] == ["aimlapi"] * len(files)

    def test_an_endpoint_id_of_one_provider_is_no_model_of_another(self, world: World) -> None:
        made(world, "fox.png", "-m", "fal-ai/flux-2-pro")
        assert planned(world, "fox.png")["endpoint"] == "fal-ai/flux-2-pro"
        done = refused(world, 2, "fox.png", "-p", "replicate")
        assert "`fox.png`: it was made by `fal-ai/flux-2-pro` of fal" in done.err
        assert "hint: choose one with -m" in done.err
        assert planned(world, "fox.png", "-p", "replicate", "-m", "flux-2-pro")["seed"] == 7


class TestTheSame:
    def test_is_not_promised_without_a_seed(self, world: World) -> None:
        argv = ("-p", "chainhub", "-o", "fox.jpg", "--metadata", "full")
        assert world.run("generate", "a fox", *argv).code == 0
        same = "chainhub was sent no seed, so the image cannot be the same"
        assert same in planned(world, "fox.jpg")["notices"]
        for changed in (("-n", "2"), ("-p", "fal"), ("--prompt", "a wolf"), ("-g", "3")):
            assert "cannot be the same" not in planned(world, "fox.jpg", *changed)["notices"]

    def test_is_said_to_be_so_with_a_seed_by_no_notice(self, world: World) -> None:
        made(world)
        assert planned(world, "fox.png")["notices"] == ""


class TestInputs:
    def test_of_an_edit_wherever_the_folders_went_together(self, world: World) -> None:
        edited(world, "in/a.png", "in/b.jpg", "c.png", "d.png")
        forget_all(world)
        shutil.copytree(world.folder, world.folder / "copied")
        job = planned(world, "copied/out/winter.png")
        assert job["endpoint"] == "fal-ai/flux-pro/kontext/multi"
        names = [str(Path(each).relative_to(world.folder)) for each in job["request"]["images"]]
        assert names == ["copied/in/a.png", "copied/in/b.jpg", "copied/c.png", "copied/d.png"]

    def test_the_journal_knows_those_of_an_image_that_was_moved(self, world: World) -> None:
        edited(world, "in/a.png")
        (world.folder / "deep/er").mkdir(parents=True)
        (world.folder / "out/winter.png").rename(world.folder / "deep/er/winter.png")
        job = planned(world, "deep/er/winter.png")
        assert job["request"]["images"] == [str(world.folder / "in/a.png")]
        assert job["notices"] == ""
        forget_all(world)
        assert refused(world, 8, "deep/er/winter.png").code == 8

    def test_one_that_was_changed_is_named(self, world: World) -> None:
        edited(world, "in/a.png", "in/b.jpg", "c.png", "d.png")
        world.write("in/b.jpg", image_file("jpeg", (99, 99)))
        done = refused(world, 8, "out/winter.png")
        assert (
            "`out/winter.png`: the input `../in/b.jpg` is not the image that was sent" in done.err
        )
        here = world.folder
        given = f"-i {here}/in/a.png -i IMAGE -i {here}/c.png -i {here}/d.png"
        assert f"hint: kontext replay out/winter.png {given}" in done.err

    def test_one_that_is_missing_is_given(self, world: World) -> None:
        edited(world, "in/a.png")
        (world.folder / "in/a.png").rename(world.folder / "moved.png")
        done = refused(world, 8, "out/winter.png")
        assert "cannot read `../in/a.png`: No such file" in done.err
        assert "hint: kontext replay out/winter.png -i IMAGE" in done.err
        done = world.run("replay", "out/winter.png", "-i", "moved.png", "-o", "again.png")
        assert done.code == 0, done.err
        first, second = world.ledger.entries
        assert second.payload == first.payload

    def test_one_from_standard_input_is_given_again(self, world: World) -> None:
        image = image_file("png", (50, 50))
        world.may_be_accepted(2, "make it winter")
        argv = ("edit", "make it winter", "-i", "-", *FULL, "-o", "winter.png")
        assert world.run(*argv, stdin=image).code == 0
        assert "its input was standard input" in refused(world, 8, "winter.png").err
        done = world.run("replay", "winter.png", "-i", "-", "-o", "2.png", stdin=image)
        assert done.code == 0, done.err
        first, second = world.ledger.entries
        assert second.payload == first.payload

    def test_a_url_is_used_as_it_is_recorded(self, world: World) -> None:
        for url in ("https://a.example/x.png", "https://a.example/x.png?X-Amz-Signature=secret"):
            argv = ("edit", "make it winter", "-i", url, *FULL, "-o", "winter.png")
            world.may_be_accepted(2, "make it winter")
            assert world.run(*argv, "--exists", "overwrite").code == 0
            job = planned(world, "winter.png")
            assert job["request"]["images"] == ["https://a.example/x.png"]
            assert ("had a query, which is in no record" in job["notices"]) is ("?" in url)

    @pytest.mark.parametrize(
        "path",
        ["/etc/hostname", "~/x.png", "file:///etc/hostname", "C:\\x.png", "a\0b", "", "."],
    )
    def test_a_path_from_elsewhere_is_read_by_no_other_rule(self, world: World, path: str) -> None:
        inputs = [{"path": path, "sha256": "0" * 64}]
        endpoint = "fal-ai/flux-pro/kontext"
        name = write_record(world, operation="edit", endpoint=endpoint, inputs=inputs)
        assert "-i IMAGE" in refused(world, 8, name).err

    @pytest.mark.parametrize(
        "url", ["http://a.example/x.png", "file:///etc/hostname", "data:image/png;base64,AA", "x"]
    )
    def test_no_other_url_is_sent(self, world: World, url: str) -> None:
        inputs = [{"url": url, "sha256": None}]
        endpoint = "fal-ai/flux-pro/kontext"
        name = write_record(world, operation="edit", endpoint=endpoint, inputs=inputs)
        assert refused(world, 8 if url == "x" else 2, name).err


class TestSeveral:
    def test_are_a_batch_that_pays_once(self, world: World) -> None:
        world.images("in/a.png", "in/b.png")
        made(world, "fox.png")
        made(world, "wolf.jpg", "-n", "2", prompt="a wolf")
        edited(world, "in/a.png", "in/b.png", name="winter.png")
        paid = world.posts
        files = ("fox.png", "wolf-1.jpg", "wolf-2.jpg", "winter.png")
        done = world.run("replay", *files, "-d", "again", "--json")
        assert done.code == 0, done.err
        assert done.counts == {"saved": 3}
        assert world.files("again") == [
            "1-a-fox.png",
            "2-a-wolf-1.jpg",
            "2-a-wolf-2.jpg",
            "3-make-it-winter.png",
        ]
        assert "`wolf-2.jpg`: it is the same request as that of `wolf-1.jpg`" in done.err
        entries = world.ledger.entries
        assert [each.payload for each in entries[:3]] == [each.payload for each in entries[3:]]
        assert world.posts - paid == 3
        again = world.run("replay", *files, "-d", "again", "--json")
        assert (again.counts, world.posts - paid) == ({"skipped": 3}, 3)
        more = world.run("replay", *files, "-d", "again", "--json", "--seed", "8")
        assert more.counts == {"saved": 3}
        assert len(world.files("again")) == 8

    def test_all_that_is_wrong_is_said_at_once(self, world: World) -> None:
        made(world, "fox.png")
        write_record(world, "a.png", options={"steps": "x"})
        world.write("b.png", PNG)
        world.write("c.txt", "text")
        edited(world, "in.png", name="winter.png")
        (world.folder / "in.png").unlink()
        done = refused(world, 2, "fox.png", "a.png", "b.png", "c.txt", "no.png", "winter.png")
        assert "error: the images: 5 errors; nothing was sent" in done.err
        assert "  a.png: `--steps x` should be" in done.err
        assert "  b.png: it does not say how it was made" in done.err
        assert "  c.txt: `c.txt` is not a JPEG, PNG or WebP" in done.err
        assert "  no.png: cannot read `no.png`: No such file" in done.err
        assert "(kontext replay winter.png -i IMAGE)" in done.err
        assert refused(world, 8, "fox.png", "b.png", "no.png").code == 8

    def test_what_a_provider_does_not_take_is_said_by_file(self, world: World) -> None:
        made(world, "fox.png")
        edited(world, "in.png", name="winter.png")
        done = refused(world, 2, "fox.png", "winter.png", "-d", "x", "-m", "kontext-dev")
        assert "  fox.png: fal does not generate with the model `kontext-dev`" in done.err

    def test_a_failure_names_its_image(self, world: World) -> None:
        for number in (1, 2):
            name = f"{number}.png"
            write_record(world, name, prompt=f"a fox {number} [fault:invalid]", options={})
        done = world.run("replay", "1.png", "2.png", "-d", "again")
        assert done.code == 4
        assert "error: 1.png: " in done.err

    def test_equal_requests_without_a_seed_are_images_of_their_own(self, world: World) -> None:
        world.may_be_accepted(2, "a fox")
        for name in ("1.png", "2.png"):
            write_record(world, name, provider="chainhub", options={}, seed=None)
        done = world.run("replay", "1.png", "2.png", "-d", "again", "--json")
        assert done.counts == {"saved": 2}

    def test_with_flags_of_batches(self, world: World) -> None:
        made(world, "fox.png")
        made(world, "wolf.png", prompt="a wolf")
        files = ("fox.png", "wolf.png")
        argv = ("-d", "again", "-j", "2", "--json")
        assert world.run("replay", *files, *argv).counts == {"saved": 2}
        forced = world.run("replay", *files, *argv, "--force")
        assert forced.counts == {"saved": 2}
        assert "--output names a single file" in refused(world, 2, *files, "-o", "x.png").err

    def test_inputs_given_are_those_of_all(self, world: World) -> None:
        edited(world, "in.png", name="1.png")
        edited(world, "in.png", name="2.png")
        argv = ("replay", "1.png", "2.png", "-d", "again", "--dry-run", "--json")
        for given, image in (("in.png", b""), ("-", image_file())):
            done = world.run(*argv, "-i", given, "--seed", "9", stdin=image)
            assert [job["request"]["images"] for job in done.jobs] == [[given]], done.err


def test_exit_codes_of_processes(world: World) -> None:
    made(world, "fox.png")
    world.write("plain.png", PNG)
    assert world.process("replay", "fox.png", "-o", "again.png").code == 0
    assert world.process("replay", "plain.png").code == 8
    assert world.process("replay").code == 2
