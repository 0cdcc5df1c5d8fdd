"""Faults on command: which, for which model, how often, for which documents."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Fault(StrEnum):
    """The ways in which the simulated provider can be told to fail."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    HANG = "hang"
    CONNECTION = "connection"
    STREAM_CUT = "stream_cut"
    STREAM_ERROR = "stream_error"
    STREAM_MALFORMED = "stream_malformed"
    STREAM_UNTERMINATED = "stream_unterminated"
    STREAM_STALLED = "stream_stalled"
    NO_FIRST_TOKEN = "no_first_token"
    MALFORMED_JSON = "malformed_json"
    SCHEMA_VIOLATION = "schema_violation"
    TRUNCATED = "truncated"
    UNCLOSED_JSON = "unclosed_json"
    REFUSAL = "refusal"
    REFUSAL_IN_FIELD = "refusal_in_field"
    EMPTY_SHELL = "empty_shell"
    COPIED_SCHEMA = "copied_schema"
    CONTENT_POLICY = "content_policy"
    TOKEN_LIMIT = "token_limit"
    AUTH = "auth"
    MODEL_UNKNOWN = "model_unknown"
    UNGROUNDED = "ungrounded"
    LOW_CONFIDENCE = "low_confidence"
    SLOW = "slow"


BROKEN = frozenset({Fault.STREAM_CUT, Fault.STREAM_ERROR, Fault.STREAM_MALFORMED, Fault.STREAM_UNTERMINATED})
"""Faults of a stream that ends wrongly. Of a response in one piece half comes, and then the connection is cut."""
SILENT = frozenset({Fault.STREAM_STALLED, Fault.NO_FIRST_TOKEN})
"""Faults of a stream that never ends. A response in one piece then never begins."""


class Order(BaseModel):
    """An order to fail, as it is posted to /faults."""

    model_config = ConfigDict(extra="forbid")

    model: str = "*"
    """Model id; `*` for all."""
    fault: Fault
    """How to fail."""
    times: int | None = Field(default=None, gt=0)
    """How many calls still fail; None without end."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Which part of the matching calls fails: 0.25 is every fourth, counted and not drawn, so that runs are alike."""
    match: str = ""
    """Only calls whose document holds this text."""
    after: float | None = Field(default=2.0, ge=0)
    """What `rate_limited` and `overloaded` say in Retry-After, in seconds; None: nothing."""


class Faults:
    """The orders in force, oldest first."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.seen: dict[int, int] = {}

    def add(self, order: Order) -> None:
        """Put an order in force."""
        self.orders.append(order)

    def only(self, order: Order) -> None:
        """Put an order in the place of all that are in force."""
        self.clear()
        self.add(order)

    def clear(self) -> None:
        """Take every order back."""
        self.orders.clear()
        self.seen.clear()

    def report(self) -> list[dict[str, Any]]:
        """All of them, as JSON."""
        return [order.model_dump(mode="json") for order in self.orders]

    def draw(self, model: str, document: str) -> Order | None:
        """The order that this call falls under, counted off; None where it succeeds."""
        for order in self.orders:
            if order.model in ("*", model) and order.match in document and self._falls(order):
                if order.times is not None:
                    order.times -= 1
                    if order.times == 0:
                        self.orders.remove(order)
                return order
        return None

    def _falls(self, order: Order) -> bool:
        """Whether this matching call is one of the share."""
        count = self.seen[id(order)] = self.seen.get(id(order), 0) + 1
        return int(count * order.share) > int((count - 1) * order.share)
