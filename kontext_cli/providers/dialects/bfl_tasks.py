"""Black Forest Labs' tasks: a queue whose follow-up URLs lie on regional hosts.

Sources: docs.bfl.ai (get_result, errors), and the help centre's article on moderation: only a task
that is `Ready` consumes credits.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from kontext_cli.errors import Billed, Expired, JobFailed, KontextError, Moderated, UnexpectedReply
from kontext_cli.http.call import Call, Reply, plain
from kontext_cli.http.urls import may_have_key
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.dialects.status_queue import StatusQueue
from kontext_cli.providers.failure import failure
from kontext_cli.providers.options import with_sides

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_WITHHELD = {
    "Request Moderated": "the prompt or an input image was flagged",
    "Content Moderated": "the image was flagged after it was made",
}
_FAILED = frozenset({"Error", "Failed"})
_GONE = "Task not found"
_RECORD = frozenset({"id", "status"})
_DETAIL = 400
"""Characters of the details of a failure that are quoted."""


def numbered(images: Sequence["InputImage"]) -> dict[str, str]:
    """A field for each image, as a URL or in base64: input_image, input_image_2, and so on."""
    return {
        "input_image" if number == 1 else f"input_image_{number}": image.base64
        for number, image in enumerate(images, start=1)
    }


def base64_list(images: Sequence["InputImage"]) -> dict[str, list[str]]:
    """A list of all images, as URLs or in base64."""
    return {"images": [image.base64 for image in images]}


class BflTasks(StatusQueue):
    """A provider with Black Forest Labs' tasks; the data of its handles is ``polling_url``.

    ``regions`` is the base of the hosts that a ``polling_url`` may name, where our base is one of
    them; any other base gets all calls itself.
    """

    regions: ClassVar[str]

    @property
    def key_bases(self) -> tuple[str, ...]:
        """Our base; where that is one of its own hosts, its regional hosts as well."""
        is_its_own = may_have_key(f"{self.base_url}/", self.regions)
        return (self.base_url, self.regions) if is_its_own else (self.base_url,)

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base of a URL that was pasted with the version of the API."""
        return base_url.rstrip("/").removesuffix("/v1")

    def headers(self, key: str) -> Mapping[str, str]:
        return {"x-key": key}

    def billed(self, reply: Reply) -> Billed:
        """Its help centre: only a task that is `Ready` consumes credits."""
        return "no" if _status(reply.object) in _WITHHELD.keys() | _FAILED else "maybe"

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        return Call("submit", "POST", f"{self.base_url}/{endpoint}", json=with_sides(payload))

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        body = reply.object
        request_id = body.get("id")
        if not isinstance(request_id, str) or not request_id:
            raise UnexpectedReply(f"{self.name} sent no task id in its response")
        handle = self.handle(endpoint, request_id)
        if self._is_own(url := body.get("polling_url")):
            handle = handle.with_data(polling_url=url)
        return Progress(State.QUEUED, handle=handle, usd=_usd(body))

    def handle(self, endpoint: str, request_id: str) -> Handle:
        return Handle(request_id, {"polling_url": self._rebuilt(request_id)})

    def poll(self, handle: Handle) -> Call:
        """The call for the status; a URL that the key may not go to is rebuilt on our base."""
        url = handle.data.get("polling_url")
        own = url if self._is_own(url) else self._rebuilt(handle.request_id)
        return Call("status", "GET", str(own))

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        return body.get("id") == handle.request_id

    def outcome(self, reply: Reply) -> Progress:
        """Read the record of a task; of one that failed, it may come with a 422 or a 503."""
        if not reply.ok and not reply.object.keys() >= _RECORD:
            raise failure(self, reply, submitted=True)
        return self.status(reply.object)

    def status(self, body: Mapping[str, Any]) -> Progress:
        """Read the record of a task; a status that we do not know counts as running."""
        status = _status(body)
        if status in _WITHHELD or status in _FAILED or status == _GONE:
            raise self._ended(status, body)
        if status == "Ready":
            return self._ready(body)
        share = body.get("progress")
        done = int(share * 10) if isinstance(share, int | float) and 0 <= share <= 1 else 0
        waits = status == "Pending" and not done
        return Progress(State.QUEUED if waits else State.RUNNING, logs=_lines(done))

    def _ready(self, body: Mapping[str, Any]) -> Progress:
        result = body.get("result")
        result = result if isinstance(result, dict) else {}
        sample, seed = result.get("sample"), result.get("seed")
        if not isinstance(sample, str) or not sample:
            raise JobFailed(f"{self.name} completed the job without an image", billed="maybe")
        return Progress(
            State.READY,
            done=True,
            outputs=(Output(url=sample),),
            seed=seed if type(seed) is int else None,
            usd=_usd(body),
            reply=plain({key: result[key] for key in ("prompt", "duration") if key in result}),
        )

    def _ended(self, status: str, body: Mapping[str, Any]) -> KontextError:
        why = _details(body)
        if status in _WITHHELD:
            what = f"{self.name} withheld it: {_WITHHELD[status]} ({status}){why}"
            return Moderated(what, hint="change the prompt", billed="no")
        if status == _GONE:
            return Expired(f"{self.name} does not know the job any more{why}", billed="maybe")
        return JobFailed(f"{self.name} failed{why or f': {status}'}", billed="no")

    def _rebuilt(self, request_id: str) -> str:
        name = quote(request_id.encode(errors="surrogatepass"), safe="")
        return f"{self.base_url}/v1/get_result?id={name}"

    def _is_own(self, url: object) -> bool:
        """Whether the key may follow to a URL."""
        return isinstance(url, str) and any(may_have_key(url, base) for base in self.key_bases)


def _status(body: Mapping[str, Any]) -> str:
    status = body.get("status")
    return status if isinstance(status, str) else ""


def _details(body: Mapping[str, Any]) -> str:
    """What the record of a task says of its failure, with a colon before it."""
    reasons = (_said(plain(body.get(field))) for field in ("details", "error", "result"))
    why = next(filter(None, reasons), "")
    return f": {why[:_DETAIL]}" if why else ""


def _said(found: Any) -> str:
    if isinstance(found, dict):
        return str(found.get("error") or "; ".join(map(_said, found.values())))
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found or "")


def _lines(done: int) -> tuple[str, ...]:
    """A line for each tenth that is done."""
    return tuple(f"{tenth * 10:>3}%|{'#' * tenth:<10}|" for tenth in range(1, done + 1))


def _usd(body: Mapping[str, Any]) -> float | None:
    """What a task costs, which is reported in cents; None where it is not reported."""
    cents = body.get("cost")
    if isinstance(cents, bool) or not isinstance(cents, int | float) or not 0 <= cents < 1e9:
        return None
    return round(cents / 100, 6)
