"""A table of cases for the tests of a provider: requests with the exact calls that they become, and
replies with what is read from them.

`cases` makes a check of each row, and of what the table lacks; `failures` runs them all. What is in
a table should be from the documentation of the provider, and written out: nothing of it is computed
by the code that it tests.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from kontext_cli.errors import (
    Billed,
    Expired,
    JobFailed,
    KontextError,
    Moderated,
    NoCredit,
    RejectedKey,
    UsageError,
)
from kontext_cli.http.call import Call, Reply
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Cost, Handle, Operation, Progress
from kontext_cli.providers.base import Cancellation, Place, Provider, Queue, Storage
from kontext_cli.providers.failure import refusal
from kontext_cli.providers.options import Option
from kontext_cli.providers.prepare import Draft, choose_endpoint, prepare
from kontext_cli.request import parse

A, B = "https://example.com/a.png", "data:image/png;base64,AAAA"
"""Two input images."""

KEY = "canary-key"

HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"
NOT_OBJECTS: tuple[Any, ...] = (b"OK", HTML, {}, [])
"""Answers that are no JSON object, or an empty one."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Sent(NamedTuple):
    """A request, its prompt ``x``, and the exact call that submits it; the body of one that is a
    form has each field as a list."""

    id: str
    url: str
    body: Mapping[str, Any]
    fields: Mapping[str, Any] = NOTHING
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"


class Limit(NamedTuple):
    """An option: its name on the wire, its lowest and highest value as they are sent, and values
    outside with the message that refuses them."""

    field: str
    wire: str
    taken: Mapping[Any, Any]
    outside: Mapping[Any, str] = NOTHING
    model: str = "kontext-pro"
    images: tuple[str, ...] = ()


class Refused(NamedTuple):
    """A request that the provider's table refuses, and words of the message and the hint."""

    message: str
    fields: Mapping[str, Any] = NOTHING
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"
    hint: str = ""


class Costs(NamedTuple):
    """US dollars that a request is estimated to cost, None where that is not known.

    ``sizes`` are those of its input images, None for one of which only the URL is known.
    """

    usd: float | None
    model: str = "kontext-pro"
    num_images: int = 1
    fields: Mapping[str, Any] = NOTHING
    sizes: Sequence[tuple[int, int] | None] = ()


class Ends(NamedTuple):
    """The error that a reply becomes, words of its message, and whether it may be billed."""

    error: type[KontextError]
    text: str = ""
    billed: Billed | None = None


Step = Literal["refused", "accepted", "progress", "outcome", "canceled", "stored"]
"""The method of the adapter that reads a reply; ``refused``: the submit was not accepted."""


class Answer(NamedTuple):
    """A reply at one step of a job, and what is read from it.

    ``content`` is sent as JSON, bytes as they are. ``handle`` is that of the job where it is not
    the handle of the table, and ``endpoint`` its endpoint likewise.
    """

    id: str
    step: Step
    content: Any
    expected: Progress | Cancellation | Place | Ends
    status: int = 200
    headers: Mapping[str, str] = NOTHING
    handle: Handle | None = None
    base_url: str | None = None
    endpoint: str = ""


class Table(NamedTuple):
    """All cases of one provider.

    ``headers`` carry the key `KEY`. ``endpoint`` is that of the job in ``answers``, ``handle``
    its handle. ``calls`` are the exact calls that follow a job, by the method that writes them, or
    how that refuses to.
    ``pasted`` are base URLs as people paste them, and what they are read as.
    ``base_url`` is that of a server of one's own, and ``takes_files`` says that input images cannot
    be URLs there.
    """

    headers: Mapping[str, str]
    endpoint: str
    sent: Sequence[Sent]
    limits: Sequence[Limit]
    refused: Sequence[Refused]
    costs: Sequence[Costs]
    answers: Sequence[Answer]
    handle: Handle | None = None
    calls: Mapping[str, Call | Ends | None] = NOTHING
    pasted: Mapping[str, str] = MappingProxyType(
        {
            "https://proxy.example": "https://proxy.example",
            "https://proxy.example/": "https://proxy.example",
        }
    )
    base_url: str | None = None
    takes_files: bool = False


class Case(NamedTuple):
    """One check; ``faults`` yields a line for each thing that is wrong."""

    id: str
    faults: Callable[[], Iterable[str]]


def failures(kind: type[Provider], table: Table) -> list[str]:
    """What is wrong with a provider by its table, or lacks a case there; empty if nothing."""
    return [f"{case.id}: {fault}" for case in cases(kind, table) for fault in case.faults()]


def cases(kind: type[Provider], table: Table) -> list[Case]:
    """A check for each row of the table, and whether the table has all that it needs."""
    return [*_cases(kind, table)]


def _cases(kind: type[Provider], table: Table) -> Iterator[Case]:
    checks = _Checks(kind, table)
    yield Case("headers", checks.headers)
    for pasted, base_url in table.pasted.items():
        yield Case(f"base URL: {pasted}", partial(checks.pasted, pasted, base_url))
    for sent in table.sent:
        yield Case(f"sent: {sent.id}", partial(checks.sent, sent))
    for limit in table.limits:
        yield Case(f"limits: {limit.field}, {limit.model}", partial(checks.limit, limit))
    for refused in table.refused:
        yield Case(f"refused: {refused.message}", partial(checks.refused, refused))
    for costs in table.costs:
        yield Case(f"costs: {costs.usd}, {costs.model}", partial(checks.costs, costs))
    for answer in table.answers:
        yield Case(f"{answer.step}: {answer.id}", partial(checks.answer, answer))
    for method, expected in table.calls.items():
        yield Case(f"call: {method}", partial(checks.call, method, expected))
    yield Case("each option has a case", checks.each_option)
    yield Case("each endpoint has a case", checks.each_endpoint)
    yield Case("each kind of reply has a case", checks.each_reply)


class _Checks:
    """The checks of one provider by its table."""

    def __init__(self, kind: type[Provider], table: Table) -> None:
        self._kind = kind
        self._table = table

    def headers(self) -> Iterator[str]:
        yield from _unequal("the headers", self._kind().headers(KEY), self._table.headers)

    def pasted(self, pasted: str, base_url: str) -> Iterator[str]:
        yield from _unequal("the base URL", self._kind(pasted).base_url, base_url)

    def sent(self, row: Sent) -> Iterator[str]:
        call = self._draft(row.fields, row.images, row.model).call()
        found = (call.kind, call.method, call.url)
        yield from _unequal("the call", found, ("submit", "POST", row.url))
        yield from _unequal("its body", _form(call) if call.parts else call.json, row.body)

    def limit(self, row: Limit) -> Iterator[str]:
        for ours, theirs in row.taken.items():
            sent = self._draft({row.field: ours}, row.images, row.model).options[row.wire]
            yield from _unequal(f"{ours!r} as sent", (type(sent), sent), (type(theirs), theirs))
        for value, message in row.outside.items():
            error = _error(self._draft, {row.field: value}, row.images, row.model)
            yield from _unlike(error, UsageError, message)

    def refused(self, row: Refused) -> Iterator[str]:
        error = _error(self._draft, row.fields, row.images, row.model)
        yield from _unlike(error, UsageError, row.message)
        if error is not None and row.hint not in (error.hint or ""):
            yield f"the hint is {error.hint!r}, without {row.hint!r}"

    def costs(self, row: Costs) -> Iterator[str]:
        number = {"num_images": row.num_images} if row.num_images > 1 else {}
        urls = [f"https://example.com/{place}.png" for place, _ in enumerate(row.sizes)]
        found = self._draft({**number, **row.fields}, urls, row.model, row.sizes).cost
        cost = Cost(None, "unknown") if row.usd is None else Cost(row.usd, "estimate")
        yield from _unequal("the cost", found, cost)

    def answer(self, row: Answer) -> Iterator[str]:
        if not isinstance(row.expected, Ends):
            yield from _unequal("what is read", self._read(row), row.expected)
            return
        error = _error(self._read, row)
        yield from _unlike(error, row.expected.error, row.expected.text, exactly=True)
        if error is not None and row.expected.billed is not None:
            yield from _unequal("`billed`", error.billed, row.expected.billed)

    def call(self, method: str, expected: Call | Ends | None) -> Iterator[str]:
        write = getattr(self._open().at(self._table.endpoint), method)
        given = (b"bytes", "image/png") if method == "upload" else (self._table.handle,)
        if isinstance(expected, Ends):
            yield from _unlike(_error(write, *given), expected.error, expected.text)
        else:
            yield from _unequal("the call", write(*given), expected)

    def each_option(self) -> Iterator[str]:
        options = {row for each in self._kind.endpoints for row in each.options}
        bounded = {
            row for row in options if row.choices or {row.least, row.most, row.longest} != {None}
        }
        limits = [(row, self._option(row)) for row in self._table.limits]
        for row in options - {option for _, option in limits}:
            yield f"no limits for {row}"
        for row in bounded - {option for limit, option in limits if limit.outside}:
            yield f"no value outside of {row}"

    def each_endpoint(self) -> Iterator[str]:
        drafts = (self._draft(row.fields, row.images, row.model) for row in self._table.sent)
        sent = {draft.endpoint.id for draft in drafts}
        for each in self._kind.endpoints:
            if each.id not in sent:
                yield f"nothing is sent to {each.id}"
        if not self._table.costs:
            yield "no cost"

    def each_reply(self) -> Iterator[str]:
        provider, answers = self._open().at(self._table.endpoint), self._table.answers
        read = [row.expected for row in answers]
        steps = {"accepted", "refused"}
        errors: set[type[KontextError]] = {JobFailed}
        if not provider.needs_base_url:
            errors |= {NoCredit, Moderated}
        if provider.key_variables:
            errors |= {RejectedKey}
        calls: set[str] = set()
        if isinstance(provider, Queue):
            steps |= {"progress", "outcome"}
            errors |= {Expired}
            calls |= {"poll", "stream", "result", "cancel"}
            if isinstance(self._table.calls.get("cancel"), Call):
                steps |= {"canceled"}
                requested = [Cancellation.REQUESTED]
                wanted = requested if provider.cancels_by_state else list(Cancellation)
                yield from (f"no answer that is {each!r}" for each in wanted if each not in read)
        if isinstance(provider, Storage):
            steps |= {"stored"}
            calls |= {"upload"}
        ends = {each.error for each in read if isinstance(each, Ends)}
        yield from (f"no answer to `{each}`" for each in steps - {row.step for row in answers})
        yield from (f"no answer that is {each.__name__}" for each in errors - ends)
        yield from (f"no call of `{each}`" for each in calls - self._table.calls.keys())
        if not any(isinstance(each, Progress) and each.outputs for each in read):
            yield "no answer with images"

    def _open(self) -> Provider:
        return self._kind(self._table.base_url)

    def _option(self, row: Limit) -> Option | None:
        operation: Operation = "edit" if row.images else "generate"
        endpoint = choose_endpoint(self._kind(), row.model, operation, len(row.images))
        return endpoint.option(row.field)

    def _draft(
        self,
        fields: Mapping[str, Any],
        images: Sequence[str],
        model: str,
        sizes: Sequence[tuple[int, int] | None] = (),
    ) -> Draft:
        operation = "edit" if images else "generate"
        names = tuple(images) or None
        request = parse({"operation": operation, "images": names, "prompt": "x", **fields})
        given = [_file(each) if self._table.takes_files else at_url(each) for each in images]
        for place, size in enumerate(sizes):
            given[place] = given[place]._replace(size=size)
        return prepare(self._open(), request, model=model, images=given)

    def _read(self, row: Answer) -> Any:
        content = row.content
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        reply = Reply(row.status, row.headers, body)
        endpoint = row.endpoint or self._table.endpoint
        provider = self._kind(row.base_url or self._table.base_url).at(endpoint)
        if row.step == "refused":
            raise refusal(provider, reply)
        more: dict[str, tuple[Any, ...]] = {
            "accepted": (endpoint,),
            "progress": (row.handle or self._table.handle,),
        }
        return getattr(provider, row.step)(reply, *more.get(row.step, ()))


def at_url(url: str) -> InputImage:
    """An input image of which only the URL is known."""
    return InputImage(source=url, stem=url.rpartition("/")[2].partition(".")[0], url=url)


def _file(name: str) -> InputImage:
    return InputImage(source=name, stem="a", content=name.encode(), media_type="image/png")


def _form(call: Call) -> dict[str, list[Any]]:
    """The fields of a form: text as it is, files with their names."""
    fields: dict[str, list[Any]] = {}
    for part in call.parts:
        value = (part.filename, part.content) if part.media_type else part.content.decode()
        fields.setdefault(part.name, []).append(value)
    return fields


def _error(function: Callable[..., object], *given: object) -> KontextError | None:
    """The error that a function raises, None where it raises none."""
    try:
        function(*given)
    except KontextError as error:
        return error
    return None


def _unequal(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what} should be {expected!r}, not {found!r}"


def _unlike(
    error: KontextError | None, kind: type[KontextError], text: str, *, exactly: bool = False
) -> Iterator[str]:
    if error is None:
        yield f"no {kind.__name__} is raised"
    elif not isinstance(error, kind) or (exactly and type(error) is not kind):
        yield f"{type(error).__name__} is raised, not {kind.__name__}: {error.message}"
    elif text not in error.message:
        yield f"the message is {error.message!r}, without {text!r}"
