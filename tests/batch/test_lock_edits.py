"""Whatever is done to rows, images and locks, in any order: what somebody edited by hand is never
overwritten, and its row not made anew, but by `--force --only ID`."""

from collections.abc import Sequence
from itertools import count

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batch.locks import Machine, row
from kontext_cli.errors import KontextError
from soaking import SOAK, soaked
from world import World

IDS = ("a", "b", "c")
PROMPTS = ("a fox", "a hen", "a cat")
OUTPUTS = ("x", "y", "z")
FORCED = ("--force", "--only", "a")
Op = tuple[str, ...]

ids, outputs = st.sampled_from(IDS), st.sampled_from(OUTPUTS)
ops: st.SearchStrategy[Op] = st.one_of(
    st.tuples(st.just("prompt"), ids, st.sampled_from(PROMPTS)),
    st.tuples(st.just("output"), ids, outputs),
    st.tuples(st.sampled_from(["leaves", "returns"]), ids),
    st.tuples(st.sampled_from(["edit", "edit", "delete"]), outputs),
    st.sampled_from([("forget",), ("kill",), ("merge",), ("resolve",)]),
    st.sampled_from(
        [
            ("run",),
            ("run",),
            ("run", "--force"),
            ("run", "--exists", "overwrite"),
            ("run", "--exists", "number"),
            ("run", "--force", "--exists", "overwrite"),
            ("run", "--exists", "overwrite", "--only", "a"),
            ("run", "--force", "--limit", "1"),
            ("run", "-a", "16:9", "--exists", "overwrite"),
            ("run", *FORCED),
            ("run", *FORCED, "--exists", "overwrite"),
        ]
    ),
)
_numbers = count()


class Story:
    """One folder, the rows in it, and what was edited."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.rows = {
            name: row(name, PROMPTS[0], output=f"{OUTPUTS[n]}.jpg") for n, name in enumerate(IDS)
        }
        self.absent: set[str] = set()
        self.edited: dict[str, bytes] = {}
        self.locks: list[bytes] = []
        self.states = 0
        self.run("--lock")

    def do(self, op: str, *given: str) -> None:
        getattr(self, op)(*given)

    def prompt(self, name: str, prompt: str) -> None:
        self.rows[name] |= {"prompt": prompt}

    def output(self, name: str, output: str) -> None:
        self.rows[name] |= {"output": f"{output}.jpg"}

    def leaves(self, name: str) -> None:
        self.absent.add(name)

    def returns(self, name: str) -> None:
        self.absent.discard(name)

    def edit(self, output: str) -> None:
        name = f"out/{output}.jpg"
        if self.machine.file(name).exists():
            self.edited[name] = self.machine.edit(name)

    def delete(self, output: str) -> None:
        self.machine.file(f"out/{output}.jpg").unlink(missing_ok=True)
        self.edited.pop(f"out/{output}.jpg", None)

    def forget(self) -> None:
        self.states += 1
        self.machine.state = self.machine.world.top / f"state {self.machine.name} {self.states}"

    def kill(self) -> None:
        """As if the last run had been killed before it wrote the lock."""
        if len(self.locks) > 1:
            self.machine.file("cards.lock").write_bytes(self.locks[-2])

    def merge(self) -> None:
        lines = dict.fromkeys((self.locks[0] + self.locks[-1]).splitlines(keepends=True))
        self.machine.file("cards.lock").write_bytes(b"".join(lines))

    def resolve(self) -> None:
        self.machine.file("cards.lock").write_bytes(self.locks[-1])

    def run(self, *argv: str) -> None:
        machine = self.machine
        present = [name for name in IDS if name not in self.absent]
        machine.rows(*(self.rows[name] for name in present))
        forced = self._files_of("a") if argv[: len(FORCED)] == FORCED else ()
        kept = {name for name in present if not self.edited.keys().isdisjoint(self._files_of(name))}
        ran = machine.run("--lock", *argv)
        assert ran.code in (0, 2, 8), ran.err
        for name, content in list(self.edited.items()):
            if machine.file(name).read_bytes() != content:
                assert name in forced, (argv, ran.err)
                del self.edited[name]
        for job in ran.jobs if ran.code == 0 and not forced else ():
            assert job["skipped"] or present[job["index"] - 1] not in kept, (argv, ran.err)
        self.locks.append(machine.file("cards.lock").read_bytes())

    def _files_of(self, name: str) -> Sequence[str]:
        try:
            lines = self.machine.lock().lines.get(name, ())
        except KontextError:
            return ()
        return [file.path for line in lines for file in line.row.files]


@settings(
    max_examples=soaked(12, 1000),
    deadline=None,
    derandomize=not SOAK,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(ops, min_size=3, max_size=10))
@example([("edit", "x"), ("prompt", "a", "a hen"), ("run", "--force", "--exists", "overwrite")])
@example([("prompt", "a", "a hen"), ("run",), ("kill",), ("edit", "x"), ("run", "--force")])
@example([("edit", "x"), ("forget",), ("output", "b", "x"), ("leaves", "a"), ("run", "--force")])
@example([("edit", "x"), ("run", *FORCED), ("edit", "x"), ("run", "--exists", "overwrite")])
def test_what_was_edited_is_left_alone(world: World, story: list[Op]) -> None:
    world.may_be_accepted(10_000, *PROMPTS)
    told = Story(Machine(world, f"story {next(_numbers)}"))
    for op in story:
        told.do(*op)
    told.run()
