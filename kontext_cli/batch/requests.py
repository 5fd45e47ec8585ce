"""Reads rows into requests. Rows with the same options share one request, validated once: they
differ only in prompt, seed and images."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from kontext_cli.batch.order import Order
from kontext_cli.batch.read_ahead import ReadAhead
from kontext_cli.engine.plan import (
    Digests,
    dearest,
    endpoints_for,
    room_for_images,
    sources_of,
)
from kontext_cli.errors import InputFault, KontextError, UsageError
from kontext_cli.files.inputs import fingerprint, hashed_image, is_fetched, load_images
from kontext_cli.files.names import OutputFormat, format_of
from kontext_cli.files.place import is_object
from kontext_cli.http.urls import is_url
from kontext_cli.images.decoding import size_of
from kontext_cli.images.inputs import InputImage, check_image
from kontext_cli.job import Cost, Job
from kontext_cli.options import OPTIONS
from kontext_cli.prompts import Row
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Option, Size
from kontext_cli.providers.prepare import Draft, Estimate, check_urls, chooses_format, prepare
from kontext_cli.request import LONGEST_PROMPT, Request, parse
from kontext_cli.settings.paths import from_home

Sizes = tuple[Size | None, ...]
"""The sizes of the input images of a row, None for one that is not known."""

_MOST_SHARED = 1_000
_NOT_SENT = frozenset(row.name for row in OPTIONS if not row.sent)
_OF_ONE_ROW = frozenset({"id", "images", "output", "seed"}) | _NOT_SENT
_SWITCHES = [row.name for row in OPTIONS if row.sent and row.type is bool]


@dataclass(frozen=True, slots=True)
class SharedRequest:
    """A validated request, for all rows that differ from it only in prompt, seed and images.

    ``given`` are the options that were given, without those that are always sent, and
    ``providers`` the names of all that may be asked. ``prompt`` and ``seed`` are the provider's
    limits of these, None if it has none. ``digests``
    gives each row the digest that `plan_jobs` gives its jobs. ``cost`` is that of every row, None
    where ``cost_of`` computes it from the sizes of the input images. ``then`` is the same request
    at the next of several providers, for a row that this one does not accept.
    """

    request: Request
    given: Mapping[str, Any]
    provider: Provider
    providers: str
    model: str
    endpoint: str
    cost: Cost | None
    cost_of: Callable[[Sizes], Cost]
    prompt: Option | None
    seed: Option | None
    digests: Digests
    format: OutputFormat
    then: "SharedRequest | None" = None

    @classmethod
    def of(cls, request: Request, providers: Sequence[Provider], model: str) -> "SharedRequest":
        """Validate a request. Raises UnsupportedOption for what a provider does not support."""
        images = [InputImage(source=source, stem="", url=source) for source in request.images]
        endpoints = endpoints_for(request, providers, model)
        digests = Digests.of_request(request, providers, endpoints)
        given = {name: each for name, each in request.options.items() if name != "seed"}
        names = ",".join(provider.name for provider in providers)
        found: SharedRequest | None = None
        for provider, endpoint in zip(reversed(providers), reversed(endpoints), strict=True):
            completed = request.completed(endpoint.fields)
            prepare(provider, completed, model=model, images=images)
            estimate = Estimate.of(provider, endpoint, completed.options)
            found = cls(
                request=completed,
                given=given,
                provider=provider,
                providers=names,
                model=model,
                endpoint=endpoint.id,
                cost=None if estimate.needs_sizes else estimate.cost(),
                cost_of=lru_cache(_MOST_SHARED)(estimate.cost),
                prompt=endpoint.option("prompt"),
                seed=endpoint.option("seed"),
                digests=digests,
                format=endpoint.format,
                then=found,
            )
        if found is None:
            raise AssertionError("a request was planned for no provider")
        return found

    @property
    def is_flat(self) -> bool:
        """Whether its cost is the same for every row, at each of its providers."""
        return self.cost is not None and (self.then is None or self.then.is_flat)

    @property
    def chain(self) -> "Iterator[SharedRequest]":
        """This request, and the same one at each provider after this."""
        each: SharedRequest | None = self
        while each is not None:
            yield each
            each = each.then

    def fits(self, prompt: object, seed: int | None) -> bool:
        """Whether a row with this prompt and seed is valid as well."""
        return (
            isinstance(prompt, str)
            and len(prompt) <= LONGEST_PROMPT
            and prompt != ""
            and not prompt.isspace()
            and (self.prompt is None or self.prompt.accepts(prompt))
            and (seed is None or (self.seed is not None and self.seed.accepts(seed)))
            and (self.then is None or self.then.fits(prompt, seed))
        )


class RowRequest(NamedTuple):
    """The request of one row. ``images`` are without content, by their hashes or URLs; with their
    sizes, where the cost depends on these."""

    shared: SharedRequest
    prompt: str
    seed: int | None
    images: tuple[InputImage, ...]

    @property
    def cost(self) -> Cost:
        """The estimate for its job."""
        shared = self.shared
        return shared.cost or shared.cost_of(self._sizes())

    @property
    def dearest(self) -> Cost:
        """The estimate for its job at the dearest of its providers."""
        sizes = self._sizes()
        return dearest([each.cost or each.cost_of(sizes) for each in self.shared.chain])

    def _sizes(self) -> Sizes:
        return tuple([image.size for image in self.images])

    def digest(self) -> str:
        """The digest that `plan_jobs` gives its jobs."""
        return self.shared.digests.of(self.prompt, self.seed, self.images)

    def job(self, *, job_id: str, digest: str, seed: int | None) -> Job:
        """Its job, as `plan_jobs` makes it; ``seed`` is the one that is sent."""
        shared = self.shared
        return Job(
            id=job_id,
            operation=shared.request.operation,
            provider=shared.provider.name,
            package=shared.provider.package,
            model=shared.model,
            endpoint=shared.endpoint,
            request=self._described(seed),
            seed=seed,
            cost=self.cost,
            digest=digest,
            sources=sources_of(self.images),
        )

    def draft(self, seed: int | None, stdin: Callable[[], BinaryIO]) -> Draft:
        """The call that submits it, with the content of its images; ``seed`` is the one that is
        sent. Raises InputFault if an image was changed or can no longer be read."""
        shared = self.shared
        images = load_images(
            [image.source for image in self.images],
            inline_bytes=room_for_images(shared.provider),
            provider=shared.provider.name,
            stdin=stdin,
        )
        if [image.sha256 for image in images] != [image.sha256 for image in self.images]:
            raise InputFault("an input image was changed while the batch ran", hint="run it again")
        return prepare(shared.provider, self._request(seed), model=shared.model, images=images)

    def _described(self, seed: int | None) -> dict[str, Any]:
        """As `Request.described`, in less time."""
        images = {"images": tuple([image.source for image in self.images])} if self.images else {}
        described = {"prompt": self.prompt, **images, **self.shared.request.options}
        if seed is not None:
            described["seed"] = seed  # where the shared request has its own
        return described

    def _request(self, seed: int | None) -> Request:
        request = self.shared.request
        return request._replace(
            prompt=self.prompt,
            images=tuple(image.source for image in self.images),
            options=request.options if seed is None else {**request.options, "seed": seed},
        )


class Requests:
    """Reads the rows of a batch into requests."""

    def __init__(
        self,
        order: Order,
        *,
        open_provider: Callable[[str], Provider],
        stdin: Callable[[], BinaryIO],
        sha256_of: Callable[[str], str] | None = None,
    ) -> None:
        """``open_provider`` raises UsageError for an unknown name. With ``sha256_of``, which hashes
        a file, images are not read here, and costs that depend on their sizes are unknown."""
        self._order = order
        self._open_provider = open_provider
        self._stdin = stdin
        self._sha256_of = sha256_of
        self._providers: dict[str, Provider] = {}
        self._shared: dict[tuple[Any, ...], SharedRequest] = {}
        self._fingerprints: dict[str, InputImage] = {}
        self._checked: set[str] = set()
        self._read_ahead: ReadAhead | None = None
        self._contents: dict[str, bytes] = {}
        """Of the images that were read for the row at hand, so that they are not read twice."""

    def provider(self, name: str) -> Provider:
        """The provider of that name, opened once."""
        if name not in self._providers:
            self._providers[name] = self._open_provider(name)
        return self._providers[name]

    def of(self, row: Row, *, with_images: bool = True) -> RowRequest:
        """The request of a row. Raises KontextError for anything that is wrong with it.

        Without ``with_images``, its image files are not read.
        """
        given, defaults = row.others, self._order.defaults
        prompt = defaults.get("prompt") if row.prompt is None else row.prompt
        seed = given["seed"] if "seed" in given else defaults.get("seed")
        sources = self._sources(row)
        suffix = format_of(given["output"]) if "output" in given else None
        own = [value for value in given.items() if value[0] not in _OF_ONE_ROW] if given else []
        same = (*own, suffix, seed is None, len(sources))
        shared = self._shared.get(same)
        if shared is None or not shared.fits(prompt, seed):
            fields = {**defaults, **dict(own), "prompt": prompt, "seed": seed}
            shared = self._validated(fields, sources, suffix)
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            self._shared[same] = shared
        self._contents.clear()
        read = self._unread
        if with_images:
            is_enough = shared.is_flat or self._sha256_of is not None
            read = self._fingerprint if is_enough else self._measured
        images = tuple(map(read, sources)) if sources else ()
        for each in shared.chain if images else ():
            check_urls(each.provider, images)
        return RowRequest(shared, str(prompt), seed, images)

    def ahead(self, rows: Iterable[Row], wanted: Callable[[Row], bool]) -> Iterator[Row]:
        """The rows, while the input images in stores of the next ``wanted`` ones are read."""
        rows = iter(rows)
        for row in rows:
            if self._objects(row) and wanted(row):
                self._read_ahead = ReadAhead(self._identified)
                yield from self._read_ahead.rows(
                    chain([row], rows), lambda each: self._objects(each) if wanted(each) else ()
                )
            else:
                yield row

    def files(self, row: Row) -> Iterator[str]:
        """The image files of a row, without those that cannot be an image of one."""
        with suppress(KontextError):
            for source in self._sources(row):
                if source != "-" and not is_url(source):
                    yield source

    def check_images(self, request: RowRequest) -> None:
        """Check that input images are images. Raises InputFault or UsageError."""
        for image in request.images:
            if image.sha256 is not None and image.sha256 not in self._checked:
                check_image(image.source, self._content(image.source))
                self._checked.add(image.sha256)

    def _validated(
        self, fields: dict[str, Any], sources: tuple[str, ...], suffix: str | None
    ) -> SharedRequest:
        order = self._order
        provider, model = fields.pop("provider"), fields.pop("model")
        providers = [self.provider(name) for name in provider.split(",")]
        operation = fields.pop("operation", order.operation)
        if suffix and chooses_format(providers, model, operation):
            fields["output_format"] = fields.get("output_format") or suffix
        for name in _NOT_SENT:
            fields.pop(name, None)
        for name in _SWITCHES:
            fields[name] = fields.get(name) or None  # a switch that is off was not given
        request = parse({**fields, "operation": operation, "images": sources or None})
        if request.options.get("sync_mode") and not order.waits:
            raise UsageError(
                "sync_mode returns the image in the reply, which --no-wait does not wait for"
            )
        return SharedRequest.of(request, providers, model)

    def _sources(self, row: Row) -> tuple[str, ...]:
        """The input images of a row, as paths relative to the working directory, URLs, or ``-``."""
        given = row.others.get("images")
        if given is None:
            return self._order.images
        if "-" in given and not self._order.by_image:
            raise UsageError("`-` cannot be an image of a row; give it with -i, for all rows")
        return tuple(self._from_base(source, row.file) for source in given)

    def _from_base(self, source: str, file: str) -> str:
        if source == "-" or is_url(source):
            return source
        return str(self._order.bases[file] / from_home(source))

    def _objects(self, row: Row) -> Sequence[str]:
        """The input images of a row that are in a store, and were not read yet."""
        if not (self._order.images or "images" in row.others):
            return ()
        with suppress(KontextError):
            sources = self._sources(row)
            return [each for each in sources if is_object(each) and each not in self._fingerprints]
        return ()

    def _identified(self, source: str) -> InputImage:
        if self._sha256_of is None:
            return fingerprint(source, self._stdin)
        return hashed_image(source, self._sha256_of)

    def _fingerprint(self, source: str) -> InputImage:
        if source not in self._fingerprints:
            ahead = self._read_ahead
            image = ahead.take(source) if ahead else self._identified(source)
            if image.content is not None:
                self._contents[source] = image.content
            self._fingerprints[source] = InputImage(
                image.source, image.stem, url=image.url, sha256=image.sha256
            )
        return self._fingerprints[source]

    def _measured(self, source: str) -> InputImage:
        """An image by its hash, with its size; that of a URL is not known."""
        image = self._fingerprint(source)
        if image.url is None and image.size is None:
            image = image._replace(size=size_of(self._content(source)))
            self._fingerprints[source] = image
        return image

    def _content(self, source: str) -> bytes:
        """The content of an image, read again where it was read for an earlier row."""
        content = self._contents.get(source)
        return content or fingerprint(source, self._stdin).content or b""

    def _unread(self, source: str) -> InputImage:
        """An image by its name alone; the URL of one is checked."""
        return (
            self._fingerprint(source) if is_fetched(source) else InputImage(source=source, stem="")
        )
