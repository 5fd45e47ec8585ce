"""Every provider's table of cases, run; and that no table lacks a case."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kontext_cli import __version__
from kontext_cli.errors import (
    Expired,
    JobFailed,
    KontextError,
    Moderated,
    NoCredit,
    RejectedKey,
    UsageError,
)
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.urls import may_have_key
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Cost, Operation, Progress, State
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.base import Cancellation, Provider, Queue, Storage
from kontext_cli.providers.failure import refusal
from kontext_cli.providers.options import Option
from kontext_cli.providers.prepare import Draft, choose_endpoint, prepare
from kontext_cli.request import parse
from providers.cases import KEY, Answer, Costs, Document, Ends, Limit, Refused, Sent, Table
from runs import planned, run
from scripted import Scripted

TABLES: dict[Name, Table] = {name: import_module(f"providers.{name}").TABLE for name in NAMES}
EVERY = [pytest.param(name, table, id=name) for name, table in TABLES.items()]


def rows(found: Callable[[Table], Iterable[Any]]) -> Sequence[Any]:
    """The rows of all tables, each as a parameter with the name of its provider."""
    return [
        pytest.param(name, row, id=f"{name}: {row.id if hasattr(row, 'id') else row[0]}")
        for name, table in TABLES.items()
        for row in found(table)
    ]


def url_image(url: str) -> InputImage:
    return InputImage(source=url, stem=Path(url).stem, url=url)


def file_image(name: str) -> InputImage:
    return InputImage(source=name, stem="a", content=name.encode(), media_type="image/png")


def opened(name: Name) -> Provider:
    return provider_class(name)(TABLES[name].base_url)


def prepared(
    name: Name,
    fields: Any,
    images: Sequence[str] = (),
    model: str = "kontext-pro",
    sizes: Sequence[tuple[int, int] | None] = (),
) -> Draft:
    request = parse(
        {
            "operation": "edit" if images else "generate",
            "images": tuple(images) or None,
            "prompt": "x",
            **fields,
        }
    )
    image = file_image if TABLES[name].takes_files else url_image
    given = [image(each) for each in images]
    for place, size in enumerate(sizes):
        given[place] = given[place]._replace(size=size)
    return prepare(opened(name), request, model=model, images=given)


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.sent))
def test_request_becomes_exactly_this_call(name: Name, row: Sent) -> None:
    call = prepared(name, row.fields, row.images, row.model).call()
    assert (call.kind, call.method, call.url) == ("submit", "POST", row.url)
    assert (form_of(call) if call.parts else call.json) == row.body


def form_of(call: Call) -> dict[str, list[Any]]:
    """The fields of a form: text as it is, files with their names."""
    fields: dict[str, list[Any]] = {}
    for part in call.parts:
        value = (part.filename, part.content) if part.media_type else part.content.decode()
        fields.setdefault(part.name, []).append(value)
    return fields


@pytest.mark.parametrize(("name", "row"), rows(lambda table: [*table.pasted.items()]))
def test_base_url_as_people_paste_it(name: Name, row: tuple[str, str]) -> None:
    pasted, base_url = row
    assert provider_class(name)(pasted).base_url == base_url


@pytest.mark.parametrize(("name", "table"), EVERY)
def test_headers_with_the_key(name: Name, table: Table) -> None:
    assert provider_class(name)().headers(KEY) == table.headers


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.limits))
def test_option_is_sent_within_its_limits(name: Name, row: Limit) -> None:
    for ours, theirs in row.taken.items():
        sent = prepared(name, {row.field: ours}, row.images, row.model).options[row.wire]
        assert (type(sent), sent) == (type(theirs), theirs)
    for value, message in row.outside.items():
        with pytest.raises(UsageError) as refused:
            prepared(name, {row.field: value}, row.images, row.model)
        assert message in refused.value.message
        assert refused.value.exit_code == 2


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.refused))
def test_request_is_refused(name: Name, row: Refused) -> None:
    with pytest.raises(UsageError) as refused:
        prepared(name, row.fields, row.images, row.model)
    assert row.message in refused.value.message
    assert row.hint in (refused.value.hint or "")


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.costs))
def test_cost(name: Name, row: Costs) -> None:
    cost = Cost(None, "unknown") if row.usd is None else Cost(row.usd, "estimate")
    number = {"num_images": row.num_images} if row.num_images > 1 else {}
    urls = [f"https://example.com/{place}.png" for place, _ in enumerate(row.sizes)]
    found = prepared(name, {**number, **row.fields}, urls, row.model, row.sizes)
    assert found.cost == cost


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.answers))
def test_reply_is_read(name: Name, row: Answer) -> None:
    if not isinstance(row.expected, Ends):
        assert read(name, row) == row.expected
        return
    with pytest.raises(KontextError) as ended:
        read(name, row)
    assert type(ended.value) is row.expected.error
    assert row.expected.text in ended.value.message
    if row.expected.billed is not None:
        assert ended.value.billed == row.expected.billed


def read(name: Name, row: Answer) -> Any:
    """What the provider's adapter reads in a reply."""
    content = row.content
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    reply = Reply(row.status, row.headers, body)
    provider = provider_class(name)(row.base_url or TABLES[name].base_url).at(
        row.endpoint or TABLES[name].endpoint
    )
    if row.step == "refused":
        raise refusal(provider, reply)
    more: dict[str, tuple[Any, ...]] = {
        "accepted": (row.endpoint or TABLES[name].endpoint,),
        "progress": (row.handle or TABLES[name].handle,),
    }
    return getattr(provider, row.step)(reply, *more.get(row.step, ()))


class _Call(NamedTuple):
    method: str
    expected: Any


@pytest.mark.parametrize(
    ("name", "row"), rows(lambda table: [_Call(*each) for each in table.calls.items()])
)
def test_call_that_follows_a_job(name: Name, row: _Call) -> None:
    provider = opened(name).at(TABLES[name].endpoint)
    given = (b"bytes", "image/png") if row.method == "upload" else (TABLES[name].handle,)
    if isinstance(row.expected, Ends):
        with pytest.raises(row.expected.error, match=row.expected.text):
            getattr(provider, row.method)(*given)
        return
    assert getattr(provider, row.method)(*given) == row.expected


@pytest.mark.parametrize(("name", "row"), rows(lambda table: table.documents))
def test_documented_example_goes_out_and_becomes_a_file(
    tmp_path: Path, name: Name, row: Document
) -> None:
    images = [url_image(url) for url in row.images]
    fields, provider = dict(row.fields), opened(name)
    plan = planned(name, fields, tmp_path, model=row.model, images=images, provider=provider)
    script, seed = Scripted(dict(row.script)), plan.job.seed

    job = run(plan, script, provider=provider)

    (submit,) = script.submits()
    assert submit.json == _with_drawn(row.sent, seed, submit.json)
    host = submit.url.split("/")[2]
    assert submit.headers == {
        **{header.lower(): value for header, value in TABLES[name].headers.items()},
        "host": host,
        "content-type": "application/json",
        "content-length": str(len(submit.body)),
        "accept": "application/json",
        "accept-encoding": submit.headers["accept-encoding"],
        "connection": "keep-alive",
        "user-agent": f"kontext-cli/{__version__}",
    }
    assert all(
        KEY not in str(seen.headers)
        for seen in script.requests
        if seen.headers["accept"] == "image/*"
        or not any(may_have_key(seen.url, base) for base in provider.key_bases)
    )
    assert (job.error, job.state) == (None, State.SAVED)
    (file,) = job.files
    assert (file.width, file.height, file.format) == (*row.size, row.format)
    assert file.path.suffix == {"jpeg": ".jpg", "png": ".png"}[row.format]
    assert file.path.stat().st_size == file.bytes
    assert job.seed == (row.seed or plan.job.seed)
    assert job.reply == row.reply
    assert script.unused() == []


def _with_drawn(
    sent: Mapping[str, Any], seed: int | None, found: Mapping[str, Any]
) -> dict[str, Any]:
    """What is sent, with the seed or the id that we choose; some take all fields within one."""
    if "prompt_id" in sent:
        return {**sent, "prompt_id": found["prompt_id"]}
    own = {} if seed is None else {"seed": seed}
    return {"input": {**sent["input"], **own}} if "input" in sent else {**sent, **own}


@pytest.mark.parametrize(("name", "table"), EVERY)
def test_no_option_lacks_a_case(name: Name, table: Table) -> None:
    def used(row: Limit) -> Option | None:
        operation: Operation = "edit" if row.images else "generate"
        provider = provider_class(name)()
        endpoint = choose_endpoint(provider, row.model, operation, len(row.images))
        return endpoint.option(row.field)

    options = {row for each in provider_class(name).endpoints for row in each.options}
    bounded = {
        row for row in options if row.choices or {row.least, row.most, row.longest} != {None}
    }
    assert {used(row) for row in table.limits} == options
    assert {used(row) for row in table.limits if row.outside} >= bounded


@pytest.mark.parametrize(("name", "table"), EVERY)
def test_no_endpoint_lacks_a_case(name: Name, table: Table) -> None:
    sent = {prepared(name, row.fields, row.images, row.model).endpoint.id for row in table.sent}
    assert sent >= {endpoint.id for endpoint in provider_class(name).endpoints}
    assert table.costs
    assert table.documents or provider_class(name).offline


@pytest.mark.parametrize(("name", "table"), EVERY)
def test_no_kind_of_reply_lacks_a_case(name: Name, table: Table) -> None:
    provider: Provider = opened(name).at(table.endpoint)
    errors = {row.expected.error for row in table.answers if isinstance(row.expected, Ends)}
    steps = {row.step for row in table.answers}
    of_hosts = set() if provider.needs_base_url else {NoCredit, Moderated}
    assert {JobFailed, *of_hosts, *({RejectedKey} if provider.key_variables else ())} <= errors
    assert {"accepted", "refused"} <= steps
    assert any(isinstance(row.expected, Progress) and row.expected.outputs for row in table.answers)
    if isinstance(provider, Queue):
        assert Expired in errors
        assert {"progress", "outcome", "canceled"} <= steps
        read = [row.expected for row in table.answers]
        can_cancel = isinstance(table.calls["cancel"], Call)
        answers = [Cancellation.REQUESTED] if provider.cancels_by_state else Cancellation
        assert all(answer in read for answer in answers) or not can_cancel
        assert {"poll", "stream", "result", "cancel"} <= set(table.calls)
    if isinstance(provider, Storage):
        assert "stored" in steps
        assert "upload" in table.calls
