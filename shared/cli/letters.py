"""Dead letters as commands show them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.core.errors import Failed
from shared.kafka.dead_letters import Letter, Resolution
from shared.ports import Codec

SHOWN_BYTES = 256
"""Bytes of the value that `show` prints as hex; with --json all of them."""


@dataclass(slots=True)
class Group:
    """Dead letters of one class, stage and type."""

    count: int
    newest: datetime
    example: str


def document_type(event: Any) -> str:
    """The type that classify found; empty before it, and where the event cannot be read."""
    return str(getattr(getattr(event, "classification", None), "document_type", ""))


def grouped(letters: Iterable[Letter], codec: Codec) -> list[tuple[object, ...]]:
    """Rows of class, stage, type, count, newest, example; the largest group first."""
    groups: dict[tuple[str, str, str], Group] = {}
    for letter in letters:
        key = (letter.failure, letter.stage.name, document_type(letter.event(codec)))
        group = groups.setdefault(key, Group(0, letter.failed_at, letter.message))
        group.count += 1
        if letter.failed_at >= group.newest:
            group.newest, group.example = letter.failed_at, letter.message
    rows = sorted(groups.items(), key=lambda entry: (-entry[1].count, entry[0]))
    return [(*key, group.count, group.newest, group.example) for key, group in rows]


def listed(letter: Letter, codec: Codec) -> dict[str, Any]:
    """One dead letter in a few words."""
    event = letter.event(codec)
    history = letter.delivery.history
    return {
        "id": letter.id,
        "document_id": letter.document_id,
        "class": letter.failure,
        "stage": letter.stage.name,
        "document_type": document_type(event),
        "message": letter.message,
        "attempts": history.attempts if history else 0,
        "failed_at": letter.failed_at,
        "filename": getattr(event, "filename", "") or getattr(getattr(event, "submission", None), "filename", ""),
        "batch_id": getattr(event, "batch_id", ""),
        "tenant": getattr(event, "tenant", ""),
        "bytes": len(letter.delivery.value or b""),
    }


def in_full(letter: Letter, codec: Codec, note: Resolution | None) -> dict[str, Any]:
    """One dead letter with everything that is known of it."""
    event, delivery = letter.event(codec), letter.delivery
    history = delivery.history
    return listed(letter, codec) | {
        "position": str(delivery.position),
        "origin": str(history.origin) if history else "",
        "first_failed_at": history.first_failed_at if history else None,
        "key": None if delivery.key is None else delivery.key.hex(),
        "headers": [[name, value.decode("utf-8", "replace")] for name, value in delivery.headers],
        "value": None if delivery.value is None else delivery.value.hex(),
        "event": None if event is None or isinstance(event, Failed) else abridged(event.to_avro()),
        "unreadable": event.message if isinstance(event, Failed) else "",
        "resolved": asdict(note) if note else None,
    }


def abridged(value: Any) -> Any:
    """An event for the eye: bytes as their number, for the value itself stands beside it."""
    match value:
        case bytes():
            return f"<{len(value):,} bytes>"
        case dict():
            return {name: abridged(inner) for name, inner in value.items()}
        case list() | tuple():
            return [abridged(inner) for inner in value]
        case _:
            return value


def described(full: dict[str, Any]) -> list[str]:
    """What `in_full` gives, as lines for a person."""
    lines = [f"{name.replace('_', ' '):16} {value}" for name, value in full.items() if plainly(name, value)]
    lines += [f"header           {name}: {value}" for name, value in full["headers"]]
    lines += [f"event            {name}: {value}" for name, value in (full["event"] or {}).items()]
    raw = bytes.fromhex(full["value"] or "")
    lines += [f"value {at:08x}   {raw[at : at + 16].hex(' ')}" for at in range(0, min(len(raw), SHOWN_BYTES), 16)]
    if len(raw) > SHOWN_BYTES:
        lines.append(f"value            … {len(raw) - SHOWN_BYTES:,} bytes more; --json has all of them")
    return lines


def plainly(name: str, value: Any) -> bool:
    """Whether it is shown on a line of its own."""
    return name not in ("headers", "event", "value") and value not in ("", None)
