"""Reads e-mail: the headers a person reads, then the body; attachments are named, not read."""

import email
import email.policy
from email.message import Message
from itertools import islice

from services.extract.extraction import MIB, Document, Extraction, Limits, Unreadable
from services.extract.parsers import html
from services.extract.plaintext import decode
from services.extract.sniff import MAIL
from shared.core.failures import Failure

HEADER_BYTES = MIB // 4
MESSAGE_BYTES = 25 * MIB
PARTS = 1_000

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
# What the standard library's header parser is known to raise on malformed values besides its declared errors.
_BREAKS_HEADER = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)


def parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read a message; headers, size and number of parts are capped, since the parser is quadratic in them."""
    head = document.data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for size, limit, what in ((len(head), HEADER_BYTES, "headers"), (len(document.data), MESSAGE_BYTES, "size")):
        if size > limit:
            return Unreadable(
                Failure.TOO_LARGE,
                f"{document.label} is a message whose {what} take {size:,} bytes, more than {limit:,}; "
                "send its attachments by themselves.",
            )
    try:
        message = email.message_from_bytes(document.data.lstrip(), policy=email.policy.default)
        parts = list[Message](islice(message.walk(), PARTS + 1))
    except RecursionError:
        return Unreadable(
            Failure.CORRUPT, f"{document.label} nests message parts without end; send the message as it was received."
        )
    if len(parts) > PARTS:
        return Unreadable(
            Failure.BOMB, f"{document.label} has more than {PARTS:,} message parts; do not trust its sender."
        )
    lines = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    attached = tuple(f"The attachment {name} was not read; send it by itself." for name in _attachments(parts))
    body = "\n\n".join(text for part in parts if (text := _body(part, parts)))
    if not body.strip() and not _header(message, "Subject"):
        return Unreadable(
            Failure.EMPTY, f"{document.label} is a message without subject and text; send its attachments."
        )
    return Extraction("\n".join(lines) + "\n\n" + body, MAIL, warnings=attached)


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except _BREAKS_HEADER:
        raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
        return " ".join(raw.split())


def _attachments(parts: list[Message]) -> list[str]:
    return [part.get_filename() or part.get_content_type() for part in parts if _is_attached(part)]


def _is_attached(part: Message) -> bool:
    if part.is_multipart():
        return False
    return part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text"


def _body(part: Message, parts: list[Message]) -> str:
    """Give the text of a part; HTML only where its alternative in plain text is missing."""
    if part.is_multipart() or _is_attached(part):
        return ""
    kind = part.get_content_subtype()
    if kind == "html" and _has_plain_twin(part, parts):
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = decode(payload, _charset(part))
    text = payload.decode("latin-1") if text is None else text
    return html.text_of(text) if kind == "html" else text


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except _BREAKS_HEADER:
        return ""


def _has_plain_twin(part: Message, parts: list[Message]) -> bool:
    for parent in parts:
        if parent.get_content_type() != "multipart/alternative" or not parent.is_multipart():
            continue
        alternatives = list(parent.walk())
        if any(child is part for child in alternatives):
            return any(child.get_content_type() == "text/plain" and not _is_attached(child) for child in alternatives)
    return False
