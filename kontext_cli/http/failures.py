"""The errors of exchanges with a provider that failed, each with a hint."""

from kontext_cli.errors import BadMedia, OutcomeUnknown, Unreachable
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.client import is_proxy_down, is_untrusted, reason
from kontext_cli.http.urls import host_of, redirected

_TRY_AGAIN = "check the network and try again"


class Unanswered:
    """The errors of one provider's exchanges. ``what`` names what was requested, where that is not
    the provider itself."""

    def __init__(self, provider: str, if_unreachable: str | None = None) -> None:
        """``if_unreachable`` is the hint where no connection to the provider can be made, in place
        of one about the network."""
        self._provider = provider
        self._if_unreachable = if_unreachable or _TRY_AGAIN

    def lost_reply(self, how: str) -> OutcomeUnknown:
        """A submit was sent, and its outcome is unknown."""
        return OutcomeUnknown(
            f"{self._provider} was sent the job, but its answer was lost ({how}): "
            "it may have been accepted and billed"
        )

    def unreachable(self, error: Exception, what: str = "") -> Unreachable:
        """No connection could be made, or it was lost."""
        hint = _TRY_AGAIN if what else self._if_unreachable
        if is_untrusted(error):
            hint = "check the clock, the proxy, and SSL_CERT_FILE"
        elif is_proxy_down(error):
            hint = "check HTTPS_PROXY and NO_PROXY, and try again"
        return Unreachable(f"{self._whom(what)} cannot be reached ({reason(error)})", hint=hint)

    def nowhere(self, what: str) -> Unreachable:
        """A URL without a valid host."""
        return Unreachable(f"{self._whom(what)} has a URL without a valid host")

    def too_slow(self, what: str) -> Unreachable:
        """Too few bytes arrived in time."""
        return Unreachable(f"{self._whom(what)} came too slowly", hint=_TRY_AGAIN)

    def busy(self, reply: Reply) -> str:
        """Why a reply is worth a retry."""
        if reply.ok:
            return f"{self._provider}'s answer was cut short"
        if reply.status in (429, 503):
            return f"{self._provider} is busy"
        return f"{self._provider} answered {reply.status}"

    def too_busy(self, reply: Reply) -> Unreachable:
        """The last retry, too, got no usable answer."""
        if reply.ok:
            what = f"{self._provider}'s answer was cut short again and again"
        else:
            what = f"{self._provider} keeps answering {reply.status}"
        return Unreachable(what, hint="try again in a while")

    def sent_elsewhere(self, call: Call, reply: Reply) -> Unreachable:
        """A call that carries the key was redirected."""
        location = reply.headers.get("location")
        host = host_of(redirected(call.url, location)) if location else ""
        where = f" to `{host}`" if host else ""
        return Unreachable(
            f"{self._provider} redirects{where} instead of answering ({reply.status})",
            hint="check its base URL and the network: a key follows no redirect",
        )

    def bad_file(self, how: str) -> BadMedia:
        """A file that is not the image that was paid for."""
        return BadMedia(f"{self._provider}'s file {how}")

    def _whom(self, what: str) -> str:
        return f"{self._provider}: {what}" if what else self._provider
