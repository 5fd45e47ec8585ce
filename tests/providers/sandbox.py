"""The sandbox's cases: it takes and answers what fal does, below a base URL of its own."""

from kontext_cli.http.call import Call
from providers import fal
from providers.cases import Answer, Costs
from providers.fal_queue import ID, PATH, calls, handle, queued, submitted

HOME = "http://sandbox.localhost/fal"


def _here(url: str) -> str:
    return url.replace(fal.HOME, HOME)


TABLE = fal.TABLE._replace(
    sent=[row._replace(url=_here(row.url)) for row in fal.SENT],
    costs=(Costs(0.0), Costs(0.0, "kontext-max", num_images=4)),
    answers=(
        *(row for row in fal.TABLE.answers if row.step != "accepted"),
        Answer("accepted", "accepted", submitted("queue.fal.run"), queued(HOME)),
        Answer("no URLs: rebuilt by rule", "accepted", {"request_id": ID}, queued(HOME)),
    ),
    documents=(),
    handle=handle(HOME),
    calls={
        **calls(HOME, Call("stream", "GET", f"{HOME}{PATH}/status/stream?logs=1")),
        "upload": fal.UPLOAD._replace(
            url=f"{HOME}/storage/upload/initiate?storage_type=fal-cdn-v3"
        ),
    },
)
