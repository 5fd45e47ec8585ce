"""The sandbox's cases: it takes and answers what fal does, below a base URL of its own."""

from kontext_cli.http.call import Call
from kontext_cli.providers.cases import Answer, Costs
from providers import fal
from providers.fal_queue import ID, PATH, calls, handle, queued, submitted

HOME = "http://sandbox.localhost/fal"


def _here(url: str) -> str:
    return url.replace(fal.HOME, HOME)


def _named(message: str) -> str:
    return message.replace("for fal,", "for sandbox,").replace("fal ", "sandbox ")


TABLE = fal.TABLE._replace(
    sent=[row._replace(url=_here(row.url)) for row in fal.TABLE.sent],
    limits=[
        row._replace(outside={value: _named(text) for value, text in row.outside.items()})
        for row in fal.TABLE.limits
    ],
    refused=[row._replace(message=_named(row.message)) for row in fal.TABLE.refused],
    costs=(
        Costs(0.0),
        Costs(0.0, "kontext-max", num_images=4),
        Costs(0.0, "flux-2-flex", sizes=[None]),
        Costs(0.0, "flux-3", fields={"resolution": "4k"}),
    ),
    answers=(
        *(row for row in fal.TABLE.answers if row.step != "accepted"),
        Answer("accepted", "accepted", submitted("queue.fal.run"), queued(HOME)),
        Answer("no URLs: rebuilt by rule", "accepted", {"request_id": ID}, queued(HOME)),
    ),
    handle=handle(HOME),
    calls={
        **calls(HOME, Call("stream", "GET", f"{HOME}{PATH}/status/stream?logs=1")),
        "upload": fal.UPLOAD._replace(
            url=f"{HOME}/storage/upload/initiate?storage_type=fal-cdn-v3"
        ),
    },
)
