"""Whether what one schema wrote can be read under another: `python -m schemas.compatibility OLD.avsc NEW.avsc`.

Says `readable` and ends with 0, or says why not, a sentence for each place, and ends with 1. The rules are those by
which every decode resolves the two: a field may be added with a default, taken out, or widened.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.generate import collect, expanded, uses
from schemas.source import PRIMITIVES, Schema

WIDER = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
"""Primitive type to those that take its values."""


def unreadable(old: Schema, new: Schema) -> list[str]:
    """Why records of the old schema cannot be read as the new one; empty where they can. Both stand alone."""
    return list(_Pair(_defined(old), _defined(new)).problems(old, new, ""))


def load(path: Path) -> Schema:
    """The schema of a file, with what it uses from other files of its folder written out."""
    schema = json.loads(path.read_text("utf-8"))
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return schema
    records: dict[str, dict[str, Any]] = {}
    collect(schema, records)
    waiting = [schema]
    while waiting:
        for name in set(uses(waiting.pop()["fields"])) - records.keys() - PRIMITIVES.keys():
            if (found := _beside(path, name)) is not None:
                collect(found, records)
                waiting.append(found)
    return expanded(schema["name"], records)


def _beside(path: Path, name: str) -> dict[str, Any] | None:
    """The record of that name, wherever a file of the folder defines it."""
    for other in sorted(path.parent.glob("*.avsc")):
        found: dict[str, dict[str, Any]] = {}
        collect(json.loads(other.read_text("utf-8")), found)
        if name in found:
            return found[name]
    return None


class _Pair:
    """Two schemas with the named types of each."""

    def __init__(self, old: dict[str, Schema], new: dict[str, Schema]) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def problems(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if isinstance(old, list):
            for branch in old:
                yield from self.problems(branch, new, where)
        elif isinstance(new, list):
            tried = [list(self.problems(old, branch, where)) for branch in new]
            if all(tried):
                yield f"{where or 'it'} was {_name(old)}, which no branch of the new union takes: add it to the union"
        elif _kind(old) == _kind(new) == "record":
            yield from self._fields(old, new, where)
        elif _kind(old) == _kind(new) and _kind(old) in ("array", "map"):
            inner = "items" if _kind(old) == "array" else "values"
            yield from self.problems(old[inner], new[inner], f"{where}[]")
        elif _kind(new) != _kind(old) and _kind(new) not in WIDER.get(_kind(old), ()):
            yield f"{where or 'it'} was {_name(old)} and is {_name(new)}: keep the type, or add a field of another name"
        elif _logical(old) != _logical(new):
            yield f"{where or 'it'} means {_logical(new)}, but was written as {_logical(old)}: add a field instead"

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        if old["name"] != new["name"]:
            yield f"{where or 'it'} was a {old['name']} and is a {new['name']}: keep the name"
        elif (old["name"], new["name"]) not in self._seen:
            self._seen.add((old["name"], new["name"]))
            written = {entry["name"]: entry for entry in old["fields"]}
            for entry in new["fields"]:
                place = f"{where}.{entry['name']}".lstrip(".")
                if entry["name"] in written:
                    yield from self.problems(written[entry["name"]]["type"], entry["type"], place)
                elif "default" not in entry:
                    yield f"{place} is new and has no default: give it one, old records do not hold it"


def _resolved(schema: Schema, defined: dict[str, Schema]) -> Schema:
    return defined.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Schema) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _name(schema: Schema) -> str:
    return schema if isinstance(schema, str) else str(schema.get("name", schema["type"]))


def _logical(schema: Schema) -> str:
    return "a plain value" if isinstance(schema, str) else str(schema.get("logicalType", "a plain value"))


def _defined(schema: Schema) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    collect(schema, found)
    return found


def main(arguments: list[str]) -> None:
    """Compare two files."""
    if len(arguments) != 2:
        sys.exit("usage: python -m schemas.compatibility OLD.avsc NEW.avsc")
    try:
        old, new = (load(Path(name)) for name in arguments)
    except (OSError, ValueError) as error:
        sys.exit(f"these cannot be compared: {error}")
    reasons = unreadable(old, new)
    print("\n".join(reasons) if reasons else "readable")
    sys.exit(1 if reasons else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
