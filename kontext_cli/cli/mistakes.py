"""The mistakes of a prompts file, or of a folder of images, told all at once."""

from collections.abc import Sequence

from kontext_cli.errors import KontextError, NameTaken, StorageFault, UsageError


class Mistakes:
    """What is wrong with the rows, gathered so that all of it is told at once."""

    def __init__(self, file: str | None, *, count: int) -> None:
        self._file = file
        self._count = count
        self.found: list[tuple[int, KontextError]] = []

    def add(self, line: int, error: KontextError) -> None:
        """Note a mistake on a line, or of an image where there is no file."""
        self.found.append((line, error))

    def of(self, line: int) -> "_Noting":
        """A context whose faults are mistakes of that line."""
        return _Noting(self, line)

    def refuse(self) -> None:
        """Raise what was found as one error, if anything was."""
        if not self.found:
            return
        self.found.sort(key=lambda each: each[0])
        texts = {error.message for _, error in self.found}
        if len(texts) == 1 and 1 < self._count == len(self.found):
            raise self.found[0][1]
        where = f"`{self._file}`" if self._file is not None else "the images"
        number = "1 mistake" if len(self.found) == 1 else f"{len(self.found)} mistakes"
        details = [self._told(line, error) for line, error in self.found]
        kind = _common_kind([error for _, error in self.found])
        raise kind(f"{where}: {number}; nothing was sent", hint=self._hint(kind), details=details)

    def _told(self, line: int, error: KontextError) -> str:
        place = f"{self._file}:{line}" if self._file is not None else f"image {line}"
        return f"{place}: {error.message}"

    def _hint(self, kind: type[KontextError]) -> str | None:
        hints = {error.hint for _, error in self.found}
        return hints.pop() if kind is NameTaken and len(hints) == 1 else None


class _Noting:
    """Turns a KontextError of its block into a mistake."""

    def __init__(self, mistakes: Mistakes, line: int) -> None:
        self._mistakes = mistakes
        self._line = line

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> bool:
        if not isinstance(error, KontextError):
            return False
        self._mistakes.add(self._line, error)
        return True


def _common_kind(errors: Sequence[KontextError]) -> type[KontextError]:
    """What to raise for all of them: names taken or files unreadable, else mistakes of usage."""
    if all(isinstance(error, NameTaken) for error in errors):
        return NameTaken
    if all(isinstance(error, StorageFault) for error in errors):
        return type(errors[0])
    return UsageError
