"""Dead letters as commands show them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.codec.wire import unframe
from shared.core.errors import Failed
from shared.core.tries import Try
from shared.kafka.dead_letters import Letter, Resolution
from shared.kafka.selection import searchable
from shared.pipelines.ended import document_type
from shared.ports import Codec

SHOWN_BYTES = 256
"""Bytes of the value that `show` prints as hex; with --json all of them."""


@dataclass(slots=True)
class Group:
    """Dead letters of one cause."""

    cause: str
    """Its fingerprint: what --cause takes."""
    failure: str
    """Failure class."""
    stage: str
    """Stage."""
    document_types: dict[str, int]
    """Document type to letters."""
    count: int
    """Letters."""
    newest: datetime
    """When the last one failed."""
    example: str
    """What that one said."""
    example_id: str
    """Its id."""

    @property
    def row(self) -> tuple[object, ...]:
        """For a table: class, stage, type, count, newest, cause, example."""
        known = [kind for kind in self.document_types if kind]
        kinds = known[0] if len(known) == 1 else f"{len(known)} types" if known else ""
        return self.failure, self.stage, kinds, self.count, self.newest, self.cause, self.example


def grouped(letters: Iterable[Letter], codec: Codec) -> list[Group]:
    """Dead letters by cause, the largest group first."""
    groups: dict[str, Group] = {}
    for letter in letters:
        group = groups.get(letter.cause)
        if group is None:
            made = Group(letter.cause, letter.failure, letter.stage.name, {}, 0, letter.failed_at, "", "")
            group = groups[letter.cause] = made
        group.count += 1
        kind = document_type(letter.event(codec))
        group.document_types[kind] = group.document_types.get(kind, 0) + 1
        if letter.failed_at >= group.newest:
            group.newest, group.example, group.example_id = letter.failed_at, letter.message, letter.id
    return sorted(groups.values(), key=lambda group: (-group.count, group.failure, group.stage, group.cause))


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
        "cause": letter.cause,
        "replays": letter.replays,
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
        "event": None if event is None or isinstance(event, Failed) else searchable(event.to_avro()),
        "unreadable": event.message if isinstance(event, Failed) else "",
        "resolved": asdict(note) if note else None,
        "schema": schema_id(delivery.value),
        "causes": list(history.causes) if history else [],
        "tries": [row for one in history.tries for row in rows_of(one)] if history else [],
        "replayed": asdict(delivery.reentry) | {"letter": str(delivery.reentry.letter)} if delivery.reentry else None,
    }


def rows_of(one: Try) -> list[dict[str, Any]]:
    """An attempt with each of its model calls; one without any is a row too."""
    attempt = {"number": one.number, "at": one.at, "failure": one.failure, "message": one.message}
    return [
        attempt | asdict(call) | {"tokens": call.input_tokens + call.output_tokens, "failure": call.outcome}
        for call in one.calls
    ] or [attempt]


def schema_id(value: bytes | None) -> str:
    """The writer's schema as the record names it: fingerprint, or id in the registry; empty where it names none."""
    try:
        schema = unframe(value or b"").schema
    except Failed:
        return ""
    return str(schema) if isinstance(schema, int) else schema[::-1].hex()


def described(full: dict[str, Any]) -> list[str]:
    """What `in_full` gives, as lines for a person."""
    lines = [f"{name.replace('_', ' '):16} {value}" for name, value in full.items() if plainly(name, value)]
    lines += [f"caused by        {cause}" for cause in full["causes"]]
    lines += [f"header           {name}: {value}" for name, value in full["headers"]]
    lines += [f"event            {name}: {value}" for name, value in (full["event"] or {}).items()]
    raw = bytes.fromhex(full["value"] or "")
    lines += [f"value {at:08x}   {raw[at : at + 16].hex(' ')}" for at in range(0, min(len(raw), SHOWN_BYTES), 16)]
    if len(raw) > SHOWN_BYTES:
        lines.append(f"value            … {len(raw) - SHOWN_BYTES:,} bytes more; --json has all of them")
    return lines


def plainly(name: str, value: Any) -> bool:
    """Whether it is shown on a line of its own."""
    return name not in ("headers", "event", "value", "causes", "tries", "calls") and value not in ("", None)
