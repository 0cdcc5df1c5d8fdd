"""Every schema that was ever released, by fingerprint, and the check that each can still be read.

`python -m schemas.released` adds the current ones. A file is never changed or removed: topics outlive releases.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from schemas import events

FOLDER = "history"


def current() -> dict[str, str]:
    """Schema of every event class by class name, complete in itself."""
    return {name: kind.__avro__ for name, kind in vars(events).items() if hasattr(kind, "__avro__")}


def mark(schema: str) -> str:
    """CRC-64-AVRO of the canonical form, in hex, most significant byte first."""
    # fastavro gives it least significant byte first.
    swapped = fingerprint(to_parsing_canonical_form(parse_schema(json.loads(schema))), "CRC-64-AVRO")
    return bytes.fromhex(swapped)[::-1].hex()


def released() -> Iterator[tuple[str, str]]:
    """Fingerprint and schema of everything in the history."""
    for entry in sorted(files("schemas").joinpath(FOLDER).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".avsc"):
            yield entry.name.removesuffix(".avsc"), entry.read_text("utf-8")


def add_current(folder: Path) -> list[str]:
    """Write the current schemas that the history lacks; gives their fingerprints."""
    added = []
    for schema in current().values():
        path = folder / f"{mark(schema)}.avsc"
        if not path.exists():
            path.write_text(json.dumps(json.loads(schema), indent=1, ensure_ascii=False) + "\n", "utf-8")
            added.append(path.stem)
    return added


if __name__ == "__main__":
    print("\n".join(add_current(Path(__file__).parent / FOLDER)))
