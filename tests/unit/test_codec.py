"""Events survive the wire in both frames and across versions; bytes of any kind give an event or a named failure."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import DocumentSubmitted, Reference
from schemas.released import mark
from shared.codec.avro import AvroCodec, UnknownSchema
from shared.codec.wire import CONFLUENT, SINGLE_OBJECT, confluent, fingerprint, single_object, unframe
from shared.core.errors import Failed
from shared.core.failures import Failure
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.unit.records import ticket

CODEC = AvroCodec((DocumentSubmitted, TicketOpened, TicketTriaged))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LONGS = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.integers(0, 4_102_444_800_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms))
DOCUMENTS = st.builds(
    DocumentSubmitted,
    document_id=TEXTS,
    tenant=TEXTS,
    version=LONGS,
    batch_id=TEXTS,
    filename=TEXTS,
    content_type=TEXTS,
    content=st.binary() | st.builds(Reference, uri=TEXTS, sha256=TEXTS, size=LONGS),
    tasks=st.lists(TEXTS).map(tuple),
    metadata=st.dictionaries(TEXTS, TEXTS),
    submitted_at=MOMENTS,
)


def failure_of(data: bytes, codec: AvroCodec = CODEC, takes: Any = (DocumentSubmitted,)) -> Failure | None:
    """How the bytes fail; None where they are an event."""
    try:
        codec.decode(data, takes)
    except Failed as error:
        return error.failure
    return None


def version(**changes: Any) -> str:
    """Another version of the schema of opened tickets: fields by name, None to leave one out."""
    schema = json.loads(TicketOpened.__avro__)
    old = {entry["name"]: entry for entry in schema["fields"]} | changes
    return json.dumps({**schema, "fields": [entry for entry in old.values() if entry]})


def written_by(schema: str, record: dict[str, Any]) -> bytes:
    """A record as a sender with that schema writes it, by fastavro alone."""
    parsed, body = parse_schema(json.loads(schema)), io.BytesIO()
    schemaless_writer(body, parsed, record)
    return single_object(fingerprint(json.loads(schema)), body.getvalue())


@given(DOCUMENTS)
def test_an_event_comes_back_as_it_was(event: DocumentSubmitted) -> None:
    assert CODEC.decode(CODEC.encode(event), (DocumentSubmitted,)) == event


@given(DOCUMENTS)
def test_an_event_comes_back_from_a_confluent_frame(event: DocumentSubmitted) -> None:
    codec = AvroCodec((DocumentSubmitted,))
    codec.frame_by_id(DocumentSubmitted, 77)
    data = codec.encode(event)
    assert data[:5] == b"\x00\x00\x00\x00\x4d"
    assert codec.decode(data, (DocumentSubmitted,)) == event


def test_a_reader_that_writes_one_frame_takes_both() -> None:
    codec = AvroCodec((TicketOpened,))
    by_fingerprint = codec.encode(ticket())
    codec.frame_by_id(TicketOpened, 5)
    assert codec.decode(by_fingerprint, (TicketOpened,)) == codec.decode(codec.encode(ticket()), (TicketOpened,))


def test_a_frame_carries_the_fingerprint_that_the_history_is_named_by() -> None:
    data = CODEC.encode(ticket())
    assert data[:2] == SINGLE_OBJECT
    assert data[2:10][::-1].hex() == mark(TicketOpened.__avro__)
    assert unframe(data).schema == fingerprint(json.loads(TicketOpened.__avro__))


@pytest.mark.parametrize(("type_", "number"), [("int", 0x7275D51A3F395C8F), ("string", 0x8F014872634503C7)])
def test_a_fingerprint_stands_in_the_frame_as_in_every_other_language(type_: str, number: int) -> None:
    assert fingerprint({"type": type_}) == number.to_bytes(8, "little")
    assert mark(json.dumps(type_)) == f"{number:016x}"


@pytest.mark.parametrize(
    ("old", "record", "expected"),
    [
        (version(opened_at=None), {"document_id": "t1", "subject": "s"}, datetime.fromtimestamp(0, UTC)),
        (
            version(channel={"name": "channel", "type": "string"}),
            {"document_id": "t1", "subject": "s", "opened_at": 1000, "channel": "mail"},
            datetime.fromtimestamp(1, UTC),
        ),
    ],
)
def test_a_version_with_a_field_less_or_more_is_read(old: str, record: dict[str, Any], expected: datetime) -> None:
    codec = AvroCodec((TicketOpened,), known=[old])
    event = codec.decode(written_by(old, record), (TicketOpened,))
    assert (event.document_id, event.subject, event.opened_at) == ("t1", "s", expected)


def test_a_version_without_a_field_that_has_no_default_is_undecodable() -> None:
    old = version(subject=None)
    data = written_by(old, {"document_id": "t1", "opened_at": 0})
    assert failure_of(data, AvroCodec((TicketOpened,), known=[old]), (TicketOpened,)) is Failure.UNDECODABLE


def test_an_unknown_schema_is_said_to_be_missing_until_it_is_learnt() -> None:
    old = version(opened_at=None)
    codec, data = AvroCodec((TicketOpened,)), written_by(old, {"document_id": "t1", "subject": "s"})
    with pytest.raises(UnknownSchema, match=f"fingerprint {mark(old)} is unknown"):
        codec.decode(data, (TicketOpened,))
    assert codec.missing == {unframe(data).schema}
    codec.learn(old)
    assert codec.missing == set()
    assert codec.decode(data, (TicketOpened,)).subject == "s"


def test_an_unknown_registry_id_is_named_by_its_number() -> None:
    with pytest.raises(UnknownSchema, match="id 9 is unknown"):
        CODEC.decode(confluent(9, b"body"), (TicketOpened,))


def test_an_event_of_another_type_is_invalid_here() -> None:
    triaged = TicketTriaged(document_id="t1", subject="s", urgent=False)
    assert failure_of(CODEC.encode(triaged), takes=(TicketOpened,)) is Failure.INVALID_EVENT
    assert failure_of(CODEC.encode(triaged), takes=(TicketOpened, TicketTriaged)) is None


@pytest.mark.parametrize("data", [b"", b"\xc3", SINGLE_OBJECT, SINGLE_OBJECT + bytes(7), CONFLUENT, b"\x00\x00", b"{}"])
def test_bytes_without_a_frame_are_undecodable(data: bytes) -> None:
    assert failure_of(data) is Failure.UNDECODABLE


@given(DOCUMENTS, st.data())
def test_an_event_cut_off_anywhere_is_undecodable(event: DocumentSubmitted, data: st.DataObject) -> None:
    whole = CODEC.encode(event)
    assert failure_of(whole[: data.draw(st.integers(10, len(whole) - 1))]) is Failure.UNDECODABLE


@given(DOCUMENTS, st.binary(min_size=1))
def test_bytes_behind_an_event_are_undecodable(event: DocumentSubmitted, more: bytes) -> None:
    assert failure_of(CODEC.encode(event) + more) is Failure.UNDECODABLE


@given(st.binary(max_size=200))
def test_any_bytes_fail_by_name(data: bytes) -> None:
    assert failure_of(data) in (Failure.UNDECODABLE, Failure.UNKNOWN_SCHEMA)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_body_behind_a_known_schema_is_an_event_or_undecodable(body: bytes) -> None:
    for kind in (DocumentSubmitted, TicketOpened, TicketTriaged):
        head = SINGLE_OBJECT + fingerprint(json.loads(kind.__avro__))
        assert failure_of(head + body, takes=(kind,)) in (None, Failure.UNDECODABLE)


@given(DOCUMENTS, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5))
@settings(max_examples=300)
def test_an_event_with_broken_bytes_is_an_event_or_a_named_failure(
    event: DocumentSubmitted, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(CODEC.encode(event))
    for place, value in changes:
        data[10 + place % (len(data) - 10)] = value
    assert failure_of(bytes(data)) in (None, Failure.UNDECODABLE)


def test_lengths_beyond_all_memory_are_undecodable_at_once() -> None:
    head = SINGLE_OBJECT + fingerprint(json.loads(TicketOpened.__avro__))
    huge = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    negative = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    for length in (huge, negative):
        assert failure_of(head + length + b"x", takes=(TicketOpened,)) is Failure.UNDECODABLE


def test_a_codec_knows_what_it_can_write() -> None:
    assert CODEC.knows(TicketOpened)
    assert not CODEC.knows(TicketClosed)


def test_a_field_of_a_wrong_type_is_named_when_it_is_written() -> None:
    wrong: Any = 5
    with pytest.raises(Failed, match="the TicketOpened cannot be encoded"):
        CODEC.encode(TicketOpened(document_id="t1", subject=wrong))


def test_schemas_are_valid_avro() -> None:
    for kind in (DocumentSubmitted, TicketOpened, TicketTriaged):
        assert parse_schema(json.loads(kind.__avro__))
