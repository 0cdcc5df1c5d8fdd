"""Events to bytes and back, by fastavro; every decode resolves the writer's schema to the reader's class."""

import io
import json
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import parse_schema

from shared.codec.wire import Fingerprint, confluent, fingerprint, single_object, unframe
from shared.core.errors import Failed
from shared.core.event import Event
from shared.core.failures import Failure

BROKEN = (
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    SchemaResolutionError,
)
"""What fastavro raises on bytes that do not follow the schema, or that the reader's class cannot take."""


class UnknownSchema(Failed):
    """The writer's schema is not known here yet; it may become so."""

    def __init__(self, schema: Fingerprint | int) -> None:
        name = f"id {schema}" if isinstance(schema, int) else f"fingerprint {schema[::-1].hex()}"
        super().__init__(
            Failure.UNKNOWN_SCHEMA,
            f"schema {name} is unknown: register it, or publish it to penstock.schemas, and replay",
        )
        self.schema = schema


class AvroCodec:
    """Encodes the event classes it was given, and decodes to them whatever schema version wrote the bytes."""

    def __init__(self, types: Iterable[type[Event]], known: Iterable[str] = ()) -> None:
        """`known` are further schemas, as JSON, whose records may be met: earlier versions of the same events."""
        self._writers: dict[Fingerprint | int, Any] = {}
        self._own: dict[type[Event], tuple[Fingerprint, Any]] = {}
        self._ids: dict[type[Event], int] = {}
        self.missing: set[Fingerprint | int] = set()
        """Schemas that were met and are not known; whoever can find them calls `learn`."""
        for schema in known:
            self.learn(schema)
        for kind in types:
            own = parse_schema(json.loads(kind.__avro__))
            _type_defaults(own)
            self._own[kind] = (self.learn(kind.__avro__), own)

    def learn(self, schema: str, schema_id: int | None = None) -> Fingerprint:
        """Make a writer's schema known, by its fingerprint and by its registry id."""
        parsed = json.loads(schema)
        mark = fingerprint(parsed)
        self._writers[mark] = parse_schema(parsed)
        self.missing.discard(mark)
        if schema_id is not None:
            self._writers[schema_id] = self._writers[mark]
            self.missing.discard(schema_id)
        return mark

    def frame_by_id(self, kind: type[Event], schema_id: int) -> None:
        """From now on write events of the class in Confluent frames."""
        self.learn(kind.__avro__, schema_id)
        self._ids[kind] = schema_id

    def knows(self, kind: type[Event]) -> bool:
        """Whether events of the class can be encoded."""
        return kind in self._own

    def encode(self, event: Event) -> bytes:
        """The event on the wire. Raises Failed(internal) where a field holds what its schema does not take."""
        mark, schema = self._own[type(event)]
        body = io.BytesIO()
        try:
            schemaless_writer(body, schema, event.to_avro())
        except (*BROKEN, AttributeError) as error:
            raise Failed(
                Failure.INTERNAL, f"the {type(event).__name__} cannot be encoded: {type(error).__name__} {error}"
            ) from error
        schema_id = self._ids.get(type(event))
        if schema_id is None:
            return single_object(mark, body.getvalue())
        return confluent(schema_id, body.getvalue())

    def decode(self, data: bytes, takes: tuple[type[Event], ...]) -> Any:
        """The event. Raises Failed: undecodable, unknown_schema, or invalid_event where it is of no type in `takes`."""
        frame = unframe(data)
        writer = self._writers.get(frame.schema)
        if writer is None:
            self.missing.add(frame.schema)
            raise UnknownSchema(frame.schema)
        kind = self._reader(writer, takes)
        body = io.BytesIO(frame.body)
        try:
            event = kind.from_avro(schemaless_reader(body, writer, self._own[kind][1]))
        except BROKEN as error:
            raise Failed(
                Failure.UNDECODABLE, f"the body is no {kind.__name__}: {type(error).__name__} {error}"
            ) from error
        if left := len(frame.body) - body.tell():
            raise Failed(Failure.UNDECODABLE, f"{left} bytes are left over after the {kind.__name__}")
        return event

    def _reader(self, writer: Any, takes: tuple[type[Event], ...]) -> type[Event]:
        name = writer.get("name", writer["type"]) if isinstance(writer, dict) else str(writer)
        for kind in takes:
            if self._own[kind][1]["name"] == name:
                return kind
        wanted = " or ".join(kind.__name__ for kind in takes)
        raise Failed(Failure.INVALID_EVENT, f"the record is a {name}, but {wanted} is expected here")


def _type_defaults(schema: Any) -> None:
    """Give the defaults of a parsed schema the types of decoded values: fastavro hands them out as JSON has them."""
    if isinstance(schema, list):
        for branch in schema:
            _type_defaults(branch)
    elif isinstance(schema, dict):
        for entry in schema.get("fields", ()):
            if "default" in entry:
                entry["default"] = _typed(entry["type"], entry["default"])
            _type_defaults(entry["type"])
        _type_defaults(schema.get("items", schema.get("values")))


def _typed(schema: Any, value: Any) -> Any:
    match schema:
        case list():
            return _typed(schema[0], value)  # a default belongs to a union's first branch
        case "bytes":
            return value.encode("latin-1")
        case {"type": "array", "items": items}:
            return [_typed(items, item) for item in value]
        case {"type": "map", "values": values}:
            return {name: _typed(values, item) for name, item in value.items()}
        case {"logicalType": "timestamp-millis"}:
            return datetime.fromtimestamp(value / 1000, UTC)
        case _:
            return value
