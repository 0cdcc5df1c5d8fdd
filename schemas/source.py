"""Avro types as Python source: annotations, defaults, and the expressions that turn values into one another.

What cannot be told apart after decoding, or has no plain Python type here, is refused with a sentence by `problems`.
"""

import keyword
from collections.abc import Iterator
from typing import Any

PRIMITIVES = {
    "string": "str",
    "bytes": "bytes",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "boolean": "bool",
    "null": "None",
}
TIMESTAMP = "timestamp-millis"

Schema = Any
"""A schema as JSON has it: a name, a list (a union), or an object."""


def problems(record: dict[str, Any]) -> Iterator[str]:
    """Why no class can be made of the record, a sentence each."""
    if not record.get("doc"):
        yield f"{record['name']} has no doc: say in one sentence what it is"
    for entry in record["fields"]:
        where = f"{record['name']}.{entry['name']}"
        if not entry.get("doc"):
            yield f"{where} has no doc: say in one sentence what it is"
        if keyword.iskeyword(entry["name"]):
            yield f"{where} is a word of Python's own: choose another name"
        if isinstance(entry.get("default"), dict) and _shape(_first(entry["type"])) == "record":
            yield f"{where} has a record as default: make it a union with null, and null the default"
        yield from _type_problems(entry["type"], where)


def annotation(schema: Schema) -> str:
    """The Python type of an Avro type."""
    if isinstance(schema, list):
        return " | ".join(annotation(branch) for branch in schema)
    match _shape(schema):
        case "array":
            return f"tuple[{annotation(schema['items'])}, ...]"
        case "map":
            return f"Mapping[str, {annotation(schema['values'])}]"
        case "timestamp":
            return "datetime"
        case "record":
            return _name(schema)
        case primitive:
            return PRIMITIVES.get(primitive, primitive)


def default(schema: Schema, value: Any) -> str:
    """What stands behind the `=` of a field."""
    source = _literal(schema, value)
    # A dataclass refuses a mutable default, and a mapping proxy counts as one.
    return f"field(default_factory=lambda: {source})" if _shape(_first(schema)) == "map" else source


def reader(schema: Schema, value: str) -> str:
    """Source that turns a decoded value into the class's own type; the expression itself where nothing is to do."""
    if isinstance(schema, list):
        decoded = {"record": "dict", "map": "dict", "array": "list"}
        return _by_branch(schema, value, [(b, reader(b, value), decoded.get(_shape(b), "")) for b in schema])
    match _shape(schema):
        case "array":
            inner = reader(schema["items"], "x")
            return f"tuple({value})" if inner == "x" else f"tuple([{inner} for x in {value}])"
        case "map":
            inner = reader(schema["values"], "x")
            return value if inner == "x" else f"{{k: {inner} for k, x in {value}.items()}}"
        case "record":
            return f"{_name(schema)}.from_avro({value})"
        case _:
            return value


def writer(schema: Schema, value: str) -> str:
    """Source that turns a field into what fastavro encodes; the expression itself where nothing is to do."""
    if isinstance(schema, list):
        own = {"map": "Mapping", "array": "tuple"}
        return _by_branch(
            schema,
            value,
            # fastavro takes a tuple of two in a union for (name of the branch, value).
            [
                (b, f"list({value})" if writer(b, value) == value else writer(b, value), own["array"])
                if _shape(b) == "array"
                else (b, writer(b, value), own.get(_shape(b), annotation(b)))
                for b in schema
            ],
        )
    match _shape(schema):
        case "array":
            inner = writer(schema["items"], "x")
            return value if inner == "x" else f"[{inner} for x in {value}]"
        case "map":
            inner = writer(schema["values"], "x")
            return f"dict({value})" if inner == "x" else f"{{k: {inner} for k, x in {value}.items()}}"
        case "record":
            return f"{value}.to_avro()"
        case _:
            return value


def quoted(text: str) -> str:
    """The text between triple quotes, whatever it contains."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{escaped[:-1]}\\""""' if escaped.endswith('"') else f'"""{escaped}"""'


def _shape(schema: Schema) -> str:
    """array, map, record, union, timestamp, or the type's own name."""
    if isinstance(schema, list):
        return "union"
    if isinstance(schema, str):
        return schema if schema in PRIMITIVES else "record"
    return "timestamp" if schema.get("logicalType") == TIMESTAMP else str(schema["type"])


def _name(schema: Schema) -> str:
    return schema if isinstance(schema, str) else str(schema["name"])


def _first(schema: Schema) -> Schema:
    """The branch whose value a default is: in a union the first."""
    return schema[0] if isinstance(schema, list) else schema


def _literal(schema: Schema, value: Any) -> str:
    kind = _first(schema)
    match _shape(kind):
        case "timestamp":
            return "EPOCH" if value == 0 else f"datetime.fromtimestamp({value / 1000}, UTC)"
        case "array":
            return "(" + "".join(f"{_literal(kind['items'], item)}, " for item in value).rstrip(" ") + ")"
        case "map":
            items = ", ".join(f"{name!r}: {_literal(kind['values'], item)}" for name, item in value.items())
            return f"{{{items}}}" if items else "NOTHING"
        case "bytes":
            return repr(value.encode("latin-1"))  # as Avro writes bytes in JSON
        case _:
            return repr(value)


def _by_branch(schema: list[Schema], value: str, branches: list[tuple[Schema, str, str]]) -> str:
    source = value
    for _, converted, kind in reversed([b for b in branches if b[1] != value]):
        source = f"({converted} if isinstance({value}, {kind}) else {source})"
    return source


def _type_problems(schema: Schema, where: str) -> Iterator[str]:
    if isinstance(schema, list):
        if sum(_shape(branch) in ("record", "map") for branch in schema) > 1:
            yield f"{where} is a union of several records or maps, decoded alike: put them into one record"
        for branch in schema:
            yield from _type_problems(branch, where)
    elif isinstance(schema, dict):
        if schema["type"] in ("enum", "fixed"):
            yield f"{where} is of type {schema['type']}, which cannot grow: use string or bytes"
        if schema.get("logicalType", TIMESTAMP) != TIMESTAMP:
            yield f"{where} has the logical type {schema['logicalType']}: use {TIMESTAMP}, or the plain type"
        for inner in ("items", "values"):
            if inner in schema:
                yield from _type_problems(schema[inner], where)
