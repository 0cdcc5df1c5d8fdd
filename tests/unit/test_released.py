"""Topics outlive releases: every schema that was ever released is kept as it was, and can still be read."""

import io
import json
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import events
from schemas.compatibility import load, main, unreadable
from schemas.released import add_current, current, mark, released
from shared.codec.avro import AvroCodec
from shared.codec.wire import fingerprint, single_object

ROOT = Path(__file__).resolve().parents[2]
HISTORY = dict(released())
CLASSES = {name: kind for name, kind in vars(events).items() if hasattr(kind, "__avro__")}
CODEC = AvroCodec(CLASSES.values(), HISTORY.values())
TEXTS = st.text(string.printable, max_size=12)
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=12),
    "string": TEXTS,
}


def values(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a writer of the schema could hold."""
    if isinstance(schema, list):
        return st.one_of([values(branch, named) for branch in schema])
    if isinstance(schema, str):
        return values(named[schema], named) if schema in named else PLAIN[schema]
    match schema["type"]:
        case "record":
            named[schema["name"]] = schema
            return st.fixed_dictionaries({f["name"]: values(f["type"], named) for f in schema["fields"]})
        case "array":
            return st.lists(values(schema["items"], named), max_size=2)
        case "map":
            return st.dictionaries(TEXTS, values(schema["values"], named), max_size=2)
        case _ if schema.get("logicalType") == "timestamp-millis":
            return st.integers(0, 4_102_444_800_000).map(
                lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)
            )
        case primitive:
            return PLAIN[primitive]


def without_docs(schema: Any) -> Any:
    """All that a reader or a writer can notice."""
    if isinstance(schema, list):
        return [without_docs(part) for part in schema]
    if isinstance(schema, dict):
        return {name: without_docs(part) for name, part in schema.items() if name != "doc"}
    return schema


def changes(history: dict[str, str], now: dict[str, str]) -> list[str]:
    """Current schemas that differ from the released one of the same fingerprint, which the canonical form hides."""
    return [
        name
        for name, schema in now.items()
        if without_docs(json.loads(history[mark(schema)])) != without_docs(json.loads(schema))
    ]


def test_every_current_schema_is_in_the_history() -> None:
    missing = [name for name, schema in current().items() if mark(schema) not in HISTORY]
    assert not missing, "run `python -m schemas.released` and commit what it adds"


def test_every_file_of_the_history_is_named_by_its_fingerprint() -> None:
    assert len(HISTORY) >= len(current())
    for name, schema in HISTORY.items():
        assert mark(schema) == name


def test_no_default_and_no_logical_type_was_changed_under_the_same_fingerprint() -> None:
    assert changes(HISTORY, current()) == [], "a changed default or logical type needs a field of another name"


@pytest.mark.parametrize(
    ("part", "other"),
    [('"default":"default"', '"default":"other"'), ('"logicalType":"timestamp-millis"', '"logicalType":"time-millis"')],
)
def test_a_change_that_the_fingerprint_does_not_show_is_found(part: str, other: str) -> None:
    schema = current()["DocumentSubmitted"]
    changed = schema.replace(part, other)
    assert changed != schema
    assert changes(HISTORY, {"DocumentSubmitted": changed}) == ["DocumentSubmitted"]


@pytest.mark.parametrize("name", HISTORY)
def test_every_released_schema_is_readable_by_todays_class(name: str) -> None:
    old = json.loads(HISTORY[name])
    assert unreadable(old, json.loads(CLASSES[old["name"]].__avro__)) == []


@pytest.mark.parametrize("name", HISTORY)
@given(data=st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_released_writer_wrote_is_read(name: str, data: st.DataObject) -> None:
    schema = json.loads(HISTORY[name])
    record = data.draw(values(schema, {}))
    body = io.BytesIO()
    schemaless_writer(body, parse_schema(schema), record)
    kind = CLASSES[schema["name"]]
    event = CODEC.decode(single_object(fingerprint(schema), body.getvalue()), (kind,))
    assert isinstance(event, kind)
    assert event.to_avro().keys() >= {entry["name"] for entry in json.loads(kind.__avro__)["fields"]}


def test_current_schemas_are_added_once(tmp_path: Path) -> None:
    assert len(add_current(tmp_path)) == len(current())
    assert add_current(tmp_path) == []


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def of(type_: Any, **more: Any) -> dict[str, Any]:
    return record({"name": "f", "type": type_, **more})


MOMENT = {"type": "long", "logicalType": "timestamp-millis"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (record(), of("string", default="")),
        (of("string"), record()),
        (of("int"), of("double")),
        (of("string"), of(["null", "string"])),
        (of(["int", "string"]), of(["string", "long"])),
        (of({"type": "array", "items": "int"}), of({"type": "array", "items": "long"})),
        (of(record(name="I")), of(record({"name": "n", "type": "int", "default": 0}, name="I"))),
        (of(MOMENT), of(["null", MOMENT])),
    ],
)
def test_what_was_added_taken_out_or_widened_is_readable(old: Any, new: Any) -> None:
    assert unreadable(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (record(), of("string"), "f is new and has no default"),
        (of("string"), of("int"), "f was string and is int"),
        (of("long"), of("int"), "f was long and is int"),
        (of(["null", "string"]), of("string"), "f was null and is string"),
        (of("int"), of(["null", "string"]), "f was int, which no branch of the new union takes"),
        (of({"type": "map", "values": "string"}), of({"type": "map", "values": "int"}), "f[] was string and is int"),
        (of({"type": "map", "values": "string"}), of("string"), "f was map and is string"),
        (of(record(name="A")), of(record(name="B")), "f was a A and is a B"),
        (of(MOMENT), of("long"), "f means a plain value, but was written as timestamp-millis"),
        (of(record(name="I")), of(record({"name": "n", "type": "int"}, name="I")), "f.n is new and has no default"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(old: Any, new: Any, said: str) -> None:
    [problem] = unreadable(old, new)
    assert problem.startswith(said)


def test_the_command_says_readable_or_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.avsc", tmp_path / "new.avsc"
    old.write_text(json.dumps(record()), "utf-8")
    new.write_text(json.dumps(of("string")), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main([str(new), str(old)])
    assert (ended.value.code, capsys.readouterr().out) == (0, "readable\n")
    with pytest.raises(SystemExit) as ended:
        main([str(old), str(new)])
    assert ended.value.code == 1
    assert "no default" in capsys.readouterr().out


def test_a_file_is_read_with_what_it_uses_from_its_folder() -> None:
    schema = load(ROOT / "schemas" / "DocumentAnalyzed.avsc")
    assert unreadable(schema, json.loads(current()["DocumentAnalyzed"])) == []
    assert without_docs(schema) == without_docs(json.loads(current()["DocumentAnalyzed"]))


@pytest.mark.parametrize("arguments", [[], ["only-one"], ["gone.avsc", "gone.avsc"]])
def test_a_command_that_cannot_compare_says_why(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"usage: python|cannot be compared"):
        main(arguments)
