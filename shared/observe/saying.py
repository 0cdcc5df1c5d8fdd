"""How a decision about a record is told: as labels, and as a sentence that a log may have."""

import logging
from typing import Any

from shared.core.failures import Failure
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.remedies import ANSWERS

QUOTING = ANSWERS | {
    Failure.UNDECODABLE,
    Failure.INVALID_EVENT,
    Failure.CONTENT_POLICY,
    Failure.SERVER_ERROR,
    Failure.STREAM_CUT,
    Failure.MODEL_UNKNOWN,
    Failure.STORE_REJECTED,
}
"""Failures whose message repeats what a model, a provider or a table said, and with it a part of the document."""
LONGEST_NAME = 60
"""Characters of an error's kind."""


def told(outcome: Outcome[Any]) -> tuple[str, str, str, int]:
    """Outcome and failure class as labels, the sentence, and the level to log it at; 0 where it goes without saying."""
    match outcome:
        case Emit():
            return "emit", "", "", 0
        case Retry(failure, message):
            return "retry", failure.value, message, logging.INFO
        case DeadLetter(failure, message):
            return "dead_letter", failure.value, message, logging.WARNING
        case Review(reason):
            return "review", outcome.failure.value if outcome.failure else "", reason, logging.INFO
        case Park(_, message):
            # An outage lets thousands of records look again every few seconds: the breaker has said it once.
            return "park", "", message, logging.DEBUG
        case Cancelled(reason=reason):
            return "cancelled", "", reason, logging.INFO
        case _:
            return "unknown", "", f"the handler gave {outcome!r}, which is no outcome", logging.ERROR


def sayable(kind: str, failure: str, message: str) -> str:
    """What a log may say of a decision. The dead letter has the whole message; a log is read by more people than that.

    What is said about an answer quotes it, an error of a handler can quote anything, and so can a reason for a person.
    """
    if failure == Failure.INTERNAL:
        return f"{message.partition(':')[0][:LONGEST_NAME]}: its words are in the dead letter"
    if kind == "review" or failure in QUOTING:
        return "what is said of it may quote the document, and stands in its record"
    return message
