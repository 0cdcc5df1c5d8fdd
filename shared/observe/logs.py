"""The log of a process: JSON, one object a line, on stderr, or readable lines on a terminal; no secrets, no documents.

    configure("analyze")
    log = logger("engine")
    with about(document_id=…):
        log.warning("dead letter", failure="encrypted")

What third-party libraries say through `logging` goes the same way, so that a line is never half JSON.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import Processor

about = bound_contextvars
"""`with about(document_id=…):` every line inside says so, also in what is awaited."""

MASK = "***"
"""What stands in the place of a secret."""
TALKATIVE = ("httpx", "httpcore", "alembic")
"""Libraries that say at INFO what metrics count anyway."""
SECRET_NAME = re.compile(r"(^|[_.-])(passw(or)?d|secret|token|api[_-]?key|authorization|credentials?)$", re.IGNORECASE)
"""Names whose value is never shown; `input_tokens` is none of them."""
TEXT_NAME = re.compile(
    r"^(content|text|prompt_text|answers?|excerpt|body|payload|summary|fields|proposal)$", re.IGNORECASE
)
"""Names under which documents and what models say of them travel: a log is read by more people than a document is."""
LONGEST = 4_000
"""Characters of a text in a line; a traceback fits, a document does not."""
SECRET_TEXT = (
    (re.compile(r"(?<=://)([^/\s:@]*):[^/\s]*@"), rf"\1:{MASK}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\b(sk|pk|rk)-[A-Za-z0-9_-]{8,}"), rf"\1-{MASK}"),
    (re.compile(r"(?i)\b(passw(?:or)?d|secret|api[_-]?key|sasl\.password)(\s*[=:]\s*)[^\s,;&]+"), rf"\1\2{MASK}"),
)
"""What a secret looks like inside a text, and what is left of it: URL passwords, HTTP credentials, provider keys."""


def logger(name: str) -> Any:
    """The log of one part of the process."""
    return structlog.get_logger(name)


def configure(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up the log of this process; once more sets it up anew. stdout stays free for data."""
    target = stream or sys.stderr
    terminal = target.isatty()
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(service),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                # After tracebacks became text, and last of all: what is added later would not be masked.
                redacted,
                structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_common(service), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def redact(value: Any) -> Any:
    """The value with every secret in it masked, however deep it lies."""
    match value:
        case str():
            for secret, rest in SECRET_TEXT:
                value = secret.sub(rest, value)
            return value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value):,} characters)"
        case bytes():
            return redact(value.decode("utf-8", "backslashreplace"))
        case Mapping():
            return {name: _masked(str(name), inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(inner) for inner in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


def _masked(name: str, value: Any) -> Any:
    """What may be shown of a value of that name."""
    if value and SECRET_NAME.search(name):
        return MASK
    if value and isinstance(value, str | bytes | Mapping | list | tuple) and TEXT_NAME.match(name):
        return f"{MASK} ({len(value):,})"
    return redact(value)


def redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The redactor as a link of structlog's chain."""
    masked: MutableMapping[str, Any] = redact(event)
    return masked


def _common(service: str) -> list[Processor]:
    def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, "service": service}

    return [
        merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
    ]
