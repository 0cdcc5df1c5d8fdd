"""The failure classes: stable names for how something failed, and the one remedy each has.

    documents  empty unsupported too_large encrypted corrupt scanned bomb parser_timeout parser_crash
    events     undecodable unknown_schema invalid_event crashes_worker
    models     rate_limited overloaded server_error timeout connection stream_cut token_limit content_policy refusal
               malformed_json schema_violation truncated ungrounded low_quality low_confidence auth model_unknown
               budget_exceeded
    store      store_unavailable store_rejected reference_missing
    rest       internal

The names travel in headers, tables, metrics and commands that people type: add one, never rename one.
"""

from enum import StrEnum


class Remedy(StrEnum):
    """What is done about a failure; every class has exactly one."""

    RETRY = "retry"
    """The same request again, later: the cause heals by itself."""
    REPAIR = "repair"
    """Another request to the same model: the answer said what was wrong with it."""
    FALLBACK = "fallback"
    """The same question to the next model of the chain."""
    SPLIT = "split"
    """The question in smaller parts."""
    PARK = "park"
    """Wait until a dependency is back; costs no attempt."""
    REVIEW = "review"
    """A person decides."""
    DEAD = "dead"
    """A dead letter: sending it again unchanged would fail again."""


class Failure(StrEnum):
    """How something failed. The value is the stable name that outsiders see."""

    EMPTY = "empty"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    SCANNED = "scanned"
    BOMB = "bomb"
    PARSER_TIMEOUT = "parser_timeout"
    PARSER_CRASH = "parser_crash"

    UNDECODABLE = "undecodable"
    UNKNOWN_SCHEMA = "unknown_schema"
    INVALID_EVENT = "invalid_event"
    CRASHES_WORKER = "crashes_worker"

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    STREAM_CUT = "stream_cut"
    TOKEN_LIMIT = "token_limit"
    CONTENT_POLICY = "content_policy"
    REFUSAL = "refusal"
    MALFORMED_JSON = "malformed_json"
    SCHEMA_VIOLATION = "schema_violation"
    TRUNCATED = "truncated"
    UNGROUNDED = "ungrounded"
    LOW_QUALITY = "low_quality"
    LOW_CONFIDENCE = "low_confidence"
    AUTH = "auth"
    MODEL_UNKNOWN = "model_unknown"
    BUDGET_EXCEEDED = "budget_exceeded"

    STORE_UNAVAILABLE = "store_unavailable"
    STORE_REJECTED = "store_rejected"
    REFERENCE_MISSING = "reference_missing"

    INTERNAL = "internal"


PROVIDERS = frozenset(
    {
        Failure.RATE_LIMITED,
        Failure.OVERLOADED,
        Failure.SERVER_ERROR,
        Failure.TIMEOUT,
        Failure.CONNECTION,
        Failure.STREAM_CUT,
        Failure.AUTH,
        Failure.MODEL_UNKNOWN,
    }
)
"""Classes in which a model's provider is at fault."""

REMEDIES: dict[Failure, Remedy] = {
    Failure.EMPTY: Remedy.DEAD,
    Failure.UNSUPPORTED: Remedy.DEAD,
    Failure.TOO_LARGE: Remedy.DEAD,
    Failure.ENCRYPTED: Remedy.DEAD,
    Failure.CORRUPT: Remedy.DEAD,
    Failure.SCANNED: Remedy.DEAD,
    Failure.BOMB: Remedy.DEAD,
    Failure.PARSER_TIMEOUT: Remedy.DEAD,
    Failure.PARSER_CRASH: Remedy.RETRY,
    Failure.UNDECODABLE: Remedy.DEAD,
    Failure.UNKNOWN_SCHEMA: Remedy.DEAD,
    Failure.INVALID_EVENT: Remedy.DEAD,
    Failure.CRASHES_WORKER: Remedy.DEAD,
    Failure.RATE_LIMITED: Remedy.RETRY,
    Failure.OVERLOADED: Remedy.RETRY,
    Failure.SERVER_ERROR: Remedy.RETRY,
    Failure.TIMEOUT: Remedy.RETRY,
    Failure.CONNECTION: Remedy.RETRY,
    Failure.STREAM_CUT: Remedy.RETRY,
    Failure.TOKEN_LIMIT: Remedy.SPLIT,
    Failure.CONTENT_POLICY: Remedy.DEAD,
    Failure.REFUSAL: Remedy.FALLBACK,
    Failure.MALFORMED_JSON: Remedy.REPAIR,
    Failure.SCHEMA_VIOLATION: Remedy.REPAIR,
    Failure.TRUNCATED: Remedy.REPAIR,
    Failure.UNGROUNDED: Remedy.REVIEW,
    Failure.LOW_QUALITY: Remedy.REVIEW,
    Failure.LOW_CONFIDENCE: Remedy.REVIEW,
    Failure.AUTH: Remedy.FALLBACK,
    Failure.MODEL_UNKNOWN: Remedy.FALLBACK,
    Failure.BUDGET_EXCEEDED: Remedy.PARK,
    Failure.STORE_UNAVAILABLE: Remedy.PARK,
    Failure.STORE_REJECTED: Remedy.DEAD,
    Failure.REFERENCE_MISSING: Remedy.RETRY,
    Failure.INTERNAL: Remedy.RETRY,
}
"""Failure class to remedy. A deterministic failure is never `RETRY`: it would fail again at full price."""

DETERMINISTIC = frozenset(
    {
        Failure.EMPTY,
        Failure.UNSUPPORTED,
        Failure.TOO_LARGE,
        Failure.ENCRYPTED,
        Failure.CORRUPT,
        Failure.SCANNED,
        Failure.BOMB,
        Failure.UNDECODABLE,
        Failure.INVALID_EVENT,
        Failure.CRASHES_WORKER,
        Failure.TOKEN_LIMIT,
        Failure.CONTENT_POLICY,
        Failure.REFUSAL,
        Failure.MALFORMED_JSON,
        Failure.SCHEMA_VIOLATION,
        Failure.TRUNCATED,
        Failure.UNGROUNDED,
        Failure.LOW_QUALITY,
        Failure.LOW_CONFIDENCE,
        Failure.STORE_REJECTED,
    }
)
"""Classes whose cause lies in what was sent: sent again unchanged, it fails again. None of them may be retried."""
