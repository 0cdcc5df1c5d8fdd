"""The log of a process: one JSON object a line on stderr, or readable lines on a terminal, with secrets masked.

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
            return value
        case bytes():
            return redact(value.decode("utf-8", "backslashreplace"))
        case Mapping():
            return {k: MASK if SECRET_NAME.search(str(k)) and inner else redact(inner) for k, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(inner) for inner in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


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
