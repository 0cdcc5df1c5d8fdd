"""What the two wire formats have in common: a request, a reply, and the one table of how a call can fail.

A wire is a few pure functions; it opens no connection:

    request(model, prompt, schema) -> Request        reply(body) -> Reply        fault(body) -> Failure | None

and for an answer that comes in pieces:

    take(arriving, event)        whole(arriving) -> the body that would have come in one piece, for reply()
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.core.usage import Usage
from shared.models.registry import Model
from shared.models.streams.arriving import Arriving
from shared.models.streams.sse import Event

LONGEST_WAIT = 3600.0
"""Most seconds that a provider's Retry-After is believed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a provider."""

    path: str
    """Follows the provider's address."""
    headers: Mapping[str, str]
    """Beside those of HTTP itself."""
    body: Mapping[str, Any]
    """Sent as JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an answer still unchecked, or how the call failed."""

    text: str = ""
    """The answer as the model wrote it."""
    input_tokens: int = 0
    """As the provider counts."""
    output_tokens: int = 0
    """As the provider counts."""
    cached_tokens: int = 0
    """Of the question's tokens, those that the provider had read before."""
    written_tokens: int = 0
    """Of the question's tokens, those that it put aside to be found again."""
    reasoning_tokens: int = 0
    """Of the answer's tokens, those that were thought and not said."""
    estimated: bool = False
    """The counts are ours, for nobody saw the provider's: the answer was lost on its way, or it does not count."""
    failure: Failure | None = None
    """How it failed; None where there is an answer."""
    message: str = ""
    """What failed, in the provider's own words."""
    after: float | None = None
    """Seconds the provider asked to wait."""
    answered_by: str = ""
    """Model that answered, as the provider says: behind an alias another than was asked. For people only."""
    hold: float = 0.0
    """Seconds until the provider's counters have room for another call, where it says that they have none."""

    @property
    def usage(self) -> Usage:
        """What is to be paid for."""
        return Usage(
            self.input_tokens, self.output_tokens, self.cached_tokens, self.written_tokens, self.reasoning_tokens
        )


class Wire(Protocol):
    """One wire format."""

    def request(self, model: Model, prompt: Prompt, schema: Mapping[str, Any]) -> Request:
        """The question on the wire, asking for JSON by the schema."""
        ...

    def reply(self, body: Mapping[str, Any]) -> Reply:
        """A response of status 200. Raises LookupError, TypeError or ValueError where it has not the wire's shape."""
        ...

    def fault(self, error: Mapping[str, Any]) -> Failure | None:
        """The failure class an error object names more closely than the status; None where the status says it all."""
        ...

    def take(self, arriving: Arriving, event: Event) -> None:
        """Add one event of a stream. Raises LookupError, TypeError or ValueError where it is not the wire's."""
        ...

    def whole(self, arriving: Arriving) -> Mapping[str, Any]:
        """What has arrived as the body of one response, so that one judgement serves both."""
        ...


STATUSES: Mapping[int, Failure] = {
    400: Failure.MODEL_UNKNOWN,
    401: Failure.AUTH,
    402: Failure.AUTH,
    403: Failure.AUTH,
    404: Failure.MODEL_UNKNOWN,
    408: Failure.TIMEOUT,
    413: Failure.TOKEN_LIMIT,
    425: Failure.OVERLOADED,
    429: Failure.RATE_LIMITED,
    498: Failure.OVERLOADED,
    503: Failure.OVERLOADED,
    504: Failure.TIMEOUT,
    524: Failure.TIMEOUT,
    529: Failure.OVERLOADED,
}
"""HTTP status to failure class. What is not listed: 5xx is server_error; any other means that this model cannot be
asked so at this address (a parameter it does not know, a wrong base URL), which is model_unknown: another may do."""

TRANSPORT: tuple[tuple[type[Exception], Failure], ...] = (
    (TimeoutError, Failure.TIMEOUT),
    (httpx.TimeoutException, Failure.TIMEOUT),
    (httpx.UnsupportedProtocol, Failure.MODEL_UNKNOWN),
    (httpx.InvalidURL, Failure.MODEL_UNKNOWN),
    (httpx.TooManyRedirects, Failure.MODEL_UNKNOWN),
    (httpx.HTTPError, Failure.CONNECTION),
)
"""What the transport raises, most special first. Once the body has begun, a lost connection is stream_cut."""


def failure_of_status(status: int) -> Failure:
    """The failure class of a status that is not 200."""
    return STATUSES.get(status, Failure.SERVER_ERROR if status >= 500 else Failure.MODEL_UNKNOWN)


def unknown_stop(reason: object) -> tuple[Failure, str]:
    """Why an answer is none whose provider does not say, in a word that is known, that the model came to its end.

    Gateways say `error` there when the provider behind them broke off, and half an answer can be valid JSON.
    """
    said = f"stopped with {str(reason)[:40]!r}" if reason else "does not say why it stopped"
    return Failure.SERVER_ERROR, f"the model {said}: that is not known to mean that its answer is whole"


def failure_of_transport(error: Exception, *, begun: bool) -> Failure:
    """The failure class of what the transport raised; `begun` where the body had begun to arrive."""
    found = next(failure for kind, failure in TRANSPORT if isinstance(error, kind))
    return Failure.STREAM_CUT if begun and found is Failure.CONNECTION else found


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asked to wait. A date is read against the response's own, for clocks differ."""
    value, exact = headers.get("retry-after", ""), headers.get("retry-after-ms", "")
    try:
        # Some tell it twice, the second time without rounding up.
        seconds = float(exact) / 1000 if exact.isdecimal() else float(value)
    except ValueError:
        seconds = _until(value, headers.get("date", ""))
    # `not >=` and not `<`: a NaN must not pass either.
    return min(seconds, LONGEST_WAIT) if seconds >= 0 else None


def _until(moment: str, now: str) -> float:
    try:
        return (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return -1.0


def model_in(body: Mapping[str, Any]) -> str:
    """The model that a response names; empty where it names none."""
    said = body.get("model")
    return said[:200] if isinstance(said, str) else ""


def tokens(usage: Any, name: str, *path: str) -> int:
    """A count out of a usage object; 0 where the provider does not count, as some small servers do not."""
    value = usage.get(name) if isinstance(usage, Mapping) else None
    if path:
        return tokens(value, *path)
    return value if isinstance(value, int) and value > 0 else 0
