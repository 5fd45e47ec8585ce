"""Servers that speak OpenAI's images API: one's own (vLLM-Omni, sd-server, LocalAI), gateways
(LiteLLM), and OpenAI itself.

What they take differs, and is data (`dialects/openai_images.py`). What a server is, is set in
`config.toml`, or read in its list of models before the first submit, which costs nothing. A field
that it refuses by name is left out from then on: such a refusal is certain, so the second submit is
the first one that counts.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from kontext_cli.errors import JobFailed, KeyFault, UnexpectedReply
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.urls import host_of
from kontext_cli.job import Progress
from kontext_cli.providers.base import Adaptive
from kontext_cli.providers.dialects.openai_images import (
    AUTO,
    DIALECTS,
    LOCALAI,
    OPENAI,
    recognized,
    resembles_localai,
)
from kontext_cli.providers.failure import failure, reason, short
from kontext_cli.providers.options import Endpoint, Price
from kontext_cli.providers.results import read_result

_GENERATIONS, _EDITS, _MODELS = "/images/generations", "/images/edits", "/models"
_OPENAI_HOST = "api.openai.com"
_NO_LIST = frozenset({403, 404, 405, 501})
"""How a server answers that does not list its models, or not with this key."""
_CAN_GO = ("response_format", "output_format", "seed")
"""The fields that a server may refuse by name, and that are then left out."""
_SHOWN = 120
_MOST_LISTED = 20
_LONGEST_NAME = 200


class Openai(Adaptive):
    """An OpenAI-compatible server. There is no queue: if the connection drops, the image is lost.

    A model is sent only where one is named; ``default`` stands for the one that a server has.
    """

    name = "openai"
    home = "http://127.0.0.1:8000/v1"
    needs_base_url = True
    key_variables = (("KONTEXT_OPENAI_API_KEY",), ("OPENAI_API_KEY",))
    key_hosts = MappingProxyType({"OPENAI_API_KEY": frozenset({_OPENAI_HOST})})
    key_types = frozenset({"no_db_connection", "invalid_api_key"})
    credit_types = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
    inline_bytes = 10_000_000  # LocalAI refuses a request of more than 15 MB
    kept_headers = ("server",)
    blocking = True
    jobs = 2  # a card works on one; the next one waits there while the last one is saved
    own_names = True
    default_model = "default"
    dialects = tuple(DIALECTS)
    endpoints: tuple[Endpoint, ...] = AUTO.endpoints(default_model)

    def __init__(
        self, base_url: str | None = None, prices: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(base_url, prices)
        self._refused: set[str] = set()
        self._may_be_localai = False
        self._speak(OPENAI if host_of(self.base_url) == _OPENAI_HOST else AUTO)

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base of a URL that was pasted with the path of a call, or as a host alone."""
        base = base_url.rstrip("/")
        for path in (_GENERATIONS, _EDITS, _MODELS):
            base = base.removesuffix(path)
        return f"{base}/v1" if re.fullmatch(r"[a-z]+://[^/]+", base) else base

    def speaking(self, dialect: str) -> "Openai":
        if dialect != "auto":
            self._speak(DIALECTS[dialect])
        return self

    def price(self, model: str) -> Price | None:
        """Nothing, unless the user says otherwise; at OpenAI itself it is not known."""
        free = None if self._dialect is OPENAI else Price(model, 0, dated="")
        return super().price(model) or free

    def inquiry(self) -> Call:
        return Call("list", "GET", f"{self.base_url}{_MODELS}")

    def learn(self, reply: Reply) -> None:
        if not reply.ok and reply.status != 403:
            refused = failure(self, reply, submitted=False)
            if isinstance(refused, KeyFault):
                raise refused
        unlisted = reply.status in _NO_LIST and bool(reply.object)
        listed = reply.object.get("data")
        if isinstance(listed, list):
            names = [entry.get("id") for entry in listed if isinstance(entry, dict)]
            self.served = tuple(dict.fromkeys(filter(_is_name, names)))
        elif reply.ok or (self._dialect is AUTO and not unlisted):
            raise self._no_server(reply)
        self.is_known = True
        if self._dialect is AUTO:
            self._speak(recognized(listed or []))
            self._may_be_localai = resembles_localai(listed or [])

    def probe(self) -> Call:
        return self.inquiry()

    def probed(self, reply: Reply) -> str:
        """The software, where it is recognized, and how many models it has."""
        self.learn(reply)
        software = self._dialect.software or "OpenAI-compatible"
        models = "1 model" if len(self.served) == 1 else f"{len(self.served):,} models"
        return f"{software}, {models}" if self.served else software

    def lacking(self, options: Mapping[str, Any]) -> frozenset[str]:
        rows = {row.field: row for row in self.endpoints[0].options}
        return frozenset(
            name
            for name, value in options.items()
            if name in self._refused or name not in rows or not rows[name].accepts(value)
        )

    def learn_refusal(self, reply: Reply) -> None:
        if reply.status in (404, 405) and self._may_be_localai:
            self._may_be_localai = False
            self._speak(LOCALAI)
        if reply.status in (400, 422):
            self._refused |= {field for field in _CAN_GO if _names(reply, field)}

    def model_hint(self, reply: Reply) -> str | None:
        if reply.status in _NO_LIST and not self.served:
            return f"is `{self.base_url}` right? Most servers have their API below /v1"
        if reply.status not in (400, 404) or "model" not in reply.text.lower():
            return None
        names = ", ".join(self.served[:_MOST_LISTED])
        more = ", …" if len(self.served) > _MOST_LISTED else ""
        return f"the server has {names}{more}" if names else None

    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        images = payload.get("images", ())
        options = {name: payload[name] for name in payload if name != "images"}
        fields = {} if endpoint == self.default_model else {"model": endpoint}
        fields |= self._dialect.fields_of(options)
        if self._dialect.asks:
            fields["response_format"] = "b64_json"
        fields = {name: fields[name] for name in fields if name not in self._refused}
        if images and self._dialect.edits:
            parts = self._dialect.parts(fields, images)
            return Call("submit", "POST", f"{self.base_url}{_EDITS}", parts=parts)
        body = self._dialect.inline(fields, images) if images else fields
        return Call("submit", "POST", f"{self.base_url}{_GENERATIONS}", json=body)

    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        """The images, with the server's software and the model's name there."""
        if not reply.object:
            raise UnexpectedReply(f"{self.name} accepted the job but its answer is not JSON")
        progress = read_result(self.name, reply.object)
        only = self.served[0] if len(self.served) == 1 else None
        model = only if endpoint == self.default_model else endpoint
        header = reply.headers.get("server")
        software = self._dialect.software or (header if _is_name(header) else "OpenAI-compatible")
        maker = {"server": software, "model": model}
        return progress._replace(
            reply={**progress.reply, **{name: each for name, each in maker.items() if each}}
        )

    def _speak(self, dialect: Any) -> None:
        self._dialect = dialect
        self.endpoints = dialect.endpoints(self.default_model)

    def _no_server(self, reply: Reply) -> JobFailed:
        answer = "a web page" if reply.is_html else short(" ".join(reply.text.split()), _SHOWN)
        return JobFailed(
            f"{self.base_url} is no OpenAI-compatible server: GET {_MODELS} there answered "
            f"{reply.status} with {answer or 'nothing'}",
            hint=f"the base URL is that of its API, most often with /v1, as in {self.home}; where "
            "it lists no models, set its `dialect` in config.toml",
            status=reply.status,
        )


def _is_name(value: object) -> TypeGuard[str]:
    """Whether what a server says can stand for a name: printable text, and not too much of it."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _names(reply: Reply, field: str) -> bool:
    """Whether a refusal names a field: as its parameter, as the place of a mistake, or quoted."""
    error = reply.object.get("error")
    if isinstance(error, dict) and error.get("param") == field:
        return True
    message = reason(reply).text.replace("\\", "")
    return re.search(rf"""["'`]{field}["'`]|(^|; ){field}: """, message) is not None


PROVIDER = Openai
