"""An event changed by hand: what a person wrote as JSON is laid over the event, and must fit the schema in every place.

    {"tasks": ["extraction"], "classification": {"document_type": "invoice"}}     only these are changed

A time is ISO 8601 or milliseconds; bytes are base64. What stands for bytes in `dlq show` leaves them as they are.
"""

import base64
import json
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from shared.core.errors import Misconfigured
from shared.core.event import Event

WHOLE = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def changed(event: Event, changes: Any) -> Any:
    """The event with the changes in it. Raises Misconfigured naming the place where they do not fit."""
    record = json.loads(event.__avro__)
    return type(event).from_avro(_laid_over(record, event.to_avro(), changes, ""))


def _laid_over(record: Any, stands: dict[str, Any], changes: Any, path: str) -> dict[str, Any]:
    if not isinstance(changes, dict):
        raise _misfit(path, changes, "an object with the fields to change")
    fields = {field["name"]: field for field in record["fields"]}
    result = dict(stands)
    for name, value in changes.items():
        if name not in fields:
            near = get_close_matches(name, fields)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(fields)}"
            raise Misconfigured(f"{_at(path, name)}: {record['name']} has no such field: {hint}")
        result[name] = _value(fields[name]["type"], stands.get(name), value, _at(path, name))
    return result


def _value(schema: Any, stands: Any, value: Any, path: str) -> Any:
    match schema:
        case list():
            return _union(schema, stands, value, path)
        case {"type": "record"}:
            return _laid_over(schema, stands if isinstance(stands, dict) else {}, value, path)
        case {"type": "array", "items": items}:
            if not isinstance(value, list):
                raise _misfit(path, value, "an array")
            return [_value(items, None, item, f"{path}[{number}]") for number, item in enumerate(value)]
        case {"type": "map", "values": values}:
            if not isinstance(value, dict):
                raise _misfit(path, value, "an object")
            return {name: _value(values, None, item, _at(path, name)) for name, item in value.items()}
        case {"logicalType": "timestamp-millis"}:
            return _time(value, path)
        case {"type": "enum", "symbols": symbols}:
            if value not in symbols:
                raise _misfit(path, value, f"one of {', '.join(symbols)}")
            return value
        case {"type": inner}:
            return _value(inner, stands, value, path)
        case _:
            return _plain(schema, stands, value, path)


def _union(branches: list[Any], stands: Any, value: Any, path: str) -> Any:
    problems = []
    for branch in branches:
        try:
            return _value(branch, stands, value, path)
        except Misconfigured as error:
            problems.append(str(error))
    raise Misconfigured("; or ".join(problems))


def _plain(schema: Any, stands: Any, value: Any, path: str) -> Any:
    match schema, value:
        case ("null", None) | ("boolean", bool()) | ("string", str()):
            return value
        case ("bytes", str()):
            return _bytes(stands, value, path)
        case ("int" | "long", int()) if not isinstance(value, bool):
            least, most = WHOLE[schema]
            if least <= value <= most:
                return value
        case ("float" | "double", int() | float()) if not isinstance(value, bool):
            return float(value)
    raise _misfit(path, value, f"a value of type {schema}")


def _bytes(stands: Any, value: str, path: str) -> bytes:
    if isinstance(stands, bytes) and value == f"<{len(stands):,} bytes>":
        return stands
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise _misfit(path, value, "bytes as base64") from error


def _time(value: Any, path: str) -> datetime:
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise _misfit(path, value, "a time: ISO 8601, or milliseconds since 1970") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _misfit(path: str, value: Any, wanted: str) -> Misconfigured:
    return Misconfigured(f"{path or 'the file'}: {json.dumps(value)[:80]} does not fit: {wanted} is wanted")
