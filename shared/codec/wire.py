"""The two frames around an Avro body, and nothing else about Avro.

    single object   C3 01, then the CRC-64-AVRO fingerprint of the schema, 8 bytes little-endian
    Confluent       00, then the registry's schema id, 4 bytes big-endian

The first byte tells them apart; readers take both, whatever they write.
"""

from typing import NamedTuple

from fastavro.schema import fingerprint as avro_fingerprint
from fastavro.schema import parse_schema, to_parsing_canonical_form

from shared.core.errors import Failed
from shared.core.failures import Failure

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"

Fingerprint = bytes
"""Eight bytes, as they stand in the frame."""


class Frame(NamedTuple):
    """A record's value, taken apart."""

    schema: Fingerprint | int
    """The writer's schema: fingerprint, or id in the registry."""
    body: bytes
    """Avro binary."""


def fingerprint(schema: dict[str, object]) -> Fingerprint:
    """CRC-64-AVRO of the schema's parsing canonical form, as it stands in a frame."""
    canonical = to_parsing_canonical_form(parse_schema(schema))
    # fastavro gives the hex of the number's bytes as they stand in a frame, not of the number.
    return bytes.fromhex(avro_fingerprint(canonical, "CRC-64-AVRO"))


def single_object(schema: Fingerprint, body: bytes) -> bytes:
    """Frame a body by its schema's fingerprint."""
    return SINGLE_OBJECT + schema + body


def confluent(schema_id: int, body: bytes) -> bytes:
    """Frame a body by its schema's id in the registry."""
    return CONFLUENT + schema_id.to_bytes(4, "big") + body


def unframe(value: bytes) -> Frame:
    """Take the frame off. Raises Failed(undecodable) where there is none."""
    if value[:2] == SINGLE_OBJECT and len(value) >= 10:
        return Frame(value[2:10], value[10:])
    if value[:1] == CONFLUENT and len(value) >= 5:
        return Frame(int.from_bytes(value[1:5], "big"), value[5:])
    raise Failed(
        Failure.UNDECODABLE,
        f"the value begins with {value[:4].hex(' ') or 'nothing'}: neither Avro single-object encoding (c3 01,"
        " fingerprint, body) nor the Confluent frame (00, schema id, body); encode it with the .avsc in one of these",
    )
