# /// script
# requires-python = ">=3.11"
# ///
"""The steps of action.yml that are more than a few words of shell: `step.py prepare` and so on.

Images that were made and are not in the commit that is checked out are kept in the cache, beside
the journal. The next run puts them back, so that it need not pay for them again, and they are
uploaded as an artifact that is laid out like the repository.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

MOST_IMAGES = 200
_CELL = 200
_MARKDOWN = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>|`\\*_~[]!#@$"})
_IN_COMMAND = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_WITHOUT_IMAGE = ("failed", "moderated", "unknown", "canceled", "expired")

Env = Mapping[str, str]
Record = dict[str, Any]


class Refused(Exception):
    """An input that cannot be used; the message says why."""


def prepare(env: Env) -> None:
    """Write the words of the command line, and put out the names that later steps use."""
    words = command_line(env)
    workspace = Path(env["GITHUB_WORKSPACE"]).resolve()
    if "://" not in env["OUT"] and not (workspace / env["OUT"]).resolve().is_relative_to(workspace):
        raise Refused(f"out: {env['OUT']!r} is outside of the workspace, where nothing is kept")
    identity = json.dumps([env["FILE"], env["OUT"], env["SHARD"]])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder = Path(env["RUNNER_TEMP"], f"kontext-{digest}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "words").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
    state = folder / "cached" / "state"
    state.mkdir(parents=True, mode=0o700)
    earlier = f"kontext-{env.get('RUNNER_OS', '')}-{digest}-"
    put_out(
        env,
        folder=folder,
        cached=folder / "cached",
        state=state,
        earlier=earlier,
        key=f"{earlier}{env.get('GITHUB_RUN_ID', '')}-{env.get('GITHUB_RUN_ATTEMPT', '')}",
        artifact=artifact_name(env["FILE"], env["SHARD"]),
    )


def command_line(env: Env) -> list[str]:
    """The words after `kontext`: no input is taken for an option of another name."""
    command = env["COMMAND"]
    if not Path(env["FILE"]).name:
        raise Refused("file: the path of a prompts file is needed")
    try:
        more = shlex.split(env["ARGS"])
    except ValueError as error:
        raise Refused(f"args: {error}") from None
    if command == "check":
        if env["MAX_COST"] or env["SHARD"]:
            raise Refused("`check` takes neither max-cost nor shard")
        return [command, *more, "--", env["FILE"]]
    if command not in ("generate", "edit"):
        raise Refused(f"command: {command!r} is none of generate, edit and check")
    given = {"max-cost": env["MAX_COST"], "shard": env["SHARD"]}
    options = {"prompts-file": env["FILE"], "output-dir": env["OUT"]}
    options |= {name: value for name, value in given.items() if value}
    return [command, "--json", *(f"--{name}={value}" for name, value in options.items()), *more]


def artifact_name(file: str, shard: str) -> str:
    """A name of the characters that artifacts may have, from the path of a prompts file."""
    words = [
        "kontext",
        str(Path(file).with_suffix("")),
        *([shard.replace("/", "of")] * bool(shard)),
    ]
    return "-".join(filter(None, (re.sub(r"[^\w.]+", "-", word).strip("-.") for word in words)))


class Checkout:
    """The work tree with the prompts file: its root, and the files of its commit."""

    def __init__(self, env: Env) -> None:
        self._file = Path(env["FILE"])
        top = self._git("rev-parse", "--show-toplevel")
        self.root = Path(
            os.fsdecode(top.rstrip(b"\n")) if top else env["GITHUB_WORKSPACE"]
        ).resolve()
        self.committed = dict(self._committed())
        """The object id of each file of the commit, by its path from the root; none without git."""

    def changed(self) -> set[str]:
        """The committed files that are not as committed."""
        names = self._git("diff", "--name-only", "--no-renames", "-z", "HEAD", "--")
        return {os.fsdecode(name) for name in names.split(b"\0") if name}

    def locks(self) -> list[Path]:
        """The locks of the prompts file that are there: the whole one, and those of shards."""
        form = re.compile(rf"{re.escape(self._file.stem)}(\.\d+of\d+)?\.lock")
        return [path for path in self._file.parent.glob("*.lock") if form.fullmatch(path.name)]

    def relative(self, path: Path) -> str | None:
        """The path from the root, of a file that is inside and no link."""
        place = path.parent.resolve() / path.name
        inside = place.is_relative_to(self.root) and place.is_file() and not place.is_symlink()
        return place.relative_to(self.root).as_posix() if inside else None

    def place(self, name: str) -> Path | None:
        """Where a file of this name belongs, unless that is outside."""
        place = self.root / name
        parent = place.parent.resolve()
        inside = parent.is_relative_to(self.root) and not place.is_symlink()
        return place if inside and ".git" not in parent.relative_to(self.root).parts else None

    def _committed(self) -> Iterator[tuple[str, str]]:
        for entry in self._git("ls-tree", "-r", "-z", "--full-tree", "HEAD").split(b"\0"):
            if entry:
                facts, _, name = entry.partition(b"\t")
                yield os.fsdecode(name), facts.split()[2].decode()

    def _git(self, *words: str) -> bytes:
        """What git prints; nothing where there is no git or no repository."""
        command = ["git", "-C", str(self._file.parent), *words]
        try:
            return subprocess.run(
                command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ).stdout
        except (OSError, subprocess.CalledProcessError):
            return b""


class Kept:
    """Files that were made and are not in the commit, in the cache; each with what it replaced."""

    def __init__(self, env: Env) -> None:
        self.folder = Path(env["FOLDER"], "cached", "kept")
        self._list = self.folder.with_suffix(".json")
        self.replaced: dict[str, str] = {}
        """The object id of the committed file that each one replaced, "" where there was none."""
        if self._list.exists():
            self.replaced = json.loads(self._list.read_bytes())

    def add(self, name: str, source: Path, replaced: str) -> None:
        """Keep a copy of a file."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        self.replaced[name] = replaced

    def drop(self, name: str) -> None:
        """Keep a file no longer."""
        self.replaced.pop(name, None)
        (self.folder / name).unlink(missing_ok=True)

    def save(self) -> None:
        """Write the list."""
        self._list.write_text(json.dumps(self.replaced, indent=0), encoding="utf-8")


def put_back(env: Env) -> None:
    """Put kept files where they were, except where the commit has another file by now."""
    checkout, kept = Checkout(env), Kept(env)
    for name, replaced in list(kept.replaced.items()):
        source, place = kept.folder / name, checkout.place(name)
        as_before = checkout.committed.get(name, "") == replaced
        if place and as_before and source.is_file() and (replaced or not place.exists()):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
        else:
            kept.drop(name)
    kept.save()
    if kept.replaced:
        print(f"{len(kept.replaced)} files of earlier runs are put back")


class Image(NamedTuple):
    """An image in the artifact, for the job summary."""

    name: str
    size: str
    prompt: str


def collect(env: Env) -> None:
    """Keep what was made, lay out the artifact, and put out the results."""
    checkout, kept = Checkout(env), Kept(env)
    records = list(read_records(Path(env["FOLDER"], "records.jsonl")))
    changed, artifact = checkout.changed(), Path(env["FOLDER"], "artifact")
    images: dict[str, Image] = {}
    for path, image in [*images_of(records), *((lock, None) for lock in checkout.locks())]:
        name = checkout.relative(path)
        if name is None or (name in checkout.committed and name not in changed):
            continue
        kept.add(name, path, checkout.committed.get(name, ""))
        target = artifact / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if image is not None:
            images[name] = image._replace(name=name)
    kept.save()
    uploads = artifact.is_dir()
    results = results_of(records)
    put_out(env, **results, upload=artifact, artifact=env["ARTIFACT"] if uploads else "")
    if images and (summary := env.get("GITHUB_STEP_SUMMARY")):
        with Path(summary).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(step_summary(env["ARTIFACT"], list(images.values())))


def read_records(path: Path) -> Iterator[Record]:
    """The records that `--json` printed; the last line of a killed run may be cut."""
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return


def images_of(records: Iterable[Record]) -> Iterator[tuple[Path, Image | None]]:
    """The images of all rows, and the sidecars beside them."""
    for record in records:
        for file in record.get("files", ()) if record["type"] == "job" else ():
            path = Path(file["path"])
            size = f"{file.get('width')}×{file.get('height')}"
            yield path, Image(path.name, size, str(record["request"].get("prompt", "")))
            yield path.with_name(f"{path.name}.json"), None


def results_of(records: list[Record]) -> dict[str, str]:
    """The outputs `made`, `spent` and `failed`, and whether the journal changed."""
    if {record["type"] for record in records} == {"error"}:  # nothing was sent
        return {"made": "0", "spent": "0", "failed": "0", "changed": "false"}
    summary = next((record for record in records if record["type"] == "summary"), None)
    if summary is None:  # killed
        jobs = [job for job in records if job["type"] == "job" and not job["skipped"]]
        made = sum(job["state"] == "saved" for job in jobs)
        failed = sum(job["state"] in _WITHOUT_IMAGE for job in jobs)
        return {"made": str(made), "spent": "", "failed": str(failed), "changed": "true"}
    cost = summary["cost"]
    return {
        "made": str(summary["saved"]),
        "spent": "" if cost["source"] == "unknown" else dollars(cost["usd"]),
        "failed": str(sum(summary[name] for name in _WITHOUT_IMAGE)),
        "changed": str(summary["skipped"] != summary["total"]).lower(),
    }


def dollars(amount: float) -> str:
    """An amount without needless zeros."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


def step_summary(artifact: str, images: list[Image]) -> Iterator[str]:
    """The Markdown of the job summary: which images are in the artifact."""
    yield f"### Images in the artifact `{artifact}`\n\n"
    yield "Unpacked at the root of the repository, they lie in their places.\n\n"
    yield "| image | size | prompt |\n|---|---|---|\n"
    for image in images[:MOST_IMAGES]:
        yield f"| {' | '.join(map(cell, image))} |\n"
    if len(images) > MOST_IMAGES:
        yield f"\n{len(images) - MOST_IMAGES} more images.\n"


def cell(text: str) -> str:
    """Text escaped for a Markdown table, in one line and cut to size."""
    text = "".join(char if char.isprintable() else " " for char in text)
    text = text if len(text) <= _CELL else text[:_CELL] + "…"
    return text.translate(_MARKDOWN)


def put_out(env: Env, **outputs: object) -> None:
    """Set outputs of the step."""
    with Path(env["GITHUB_OUTPUT"]).open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{name}={value}\n" for name, value in outputs.items())


STEPS = {"prepare": prepare, "put-back": put_back, "collect": collect}

if __name__ == "__main__":
    try:
        STEPS[sys.argv[1]](os.environ)
    except (Refused, OSError) as error:
        sys.exit(f"::error title=kontext::{str(error).translate(_IN_COMMAND)}")
