"""Classes are what the schemas say: no drift, nothing undocumented, and whatever Avro nests comes back whole."""

import importlib.util
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from schemas.generate import generate, main, read_folder

ROOT = Path(__file__).resolve().parents[2]

INNER = {
    "type": "record",
    "name": "Inner",
    "doc": 'A "quoted" \\ part.',
    "fields": [{"name": "n", "type": "int", "doc": 'Ends with "n"'}],
}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}


def outer(*fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "namespace": "made.up",
        "name": "Outer",
        "doc": "Made up.",
        "fields": [{"doc": "A field.", **entry} for entry in fields],
    }


def built(folder: Path, *schemas: dict[str, Any]) -> ModuleType:
    """The module generated from these schemas, imported."""
    for schema in schemas:
        (folder / f"{schema['name']}.avsc").write_text(json.dumps(schema), "utf-8")
    path = folder / "made_up_events.py"
    path.write_text(generate(folder, path.name), "utf-8")
    spec = importlib.util.spec_from_file_location("made_up_events", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_up_events"] = module
    spec.loader.exec_module(module)
    return module


def there_and_back(event: Any) -> Any:
    schema = parse_schema(json.loads(type(event).__avro__))
    body = io.BytesIO()
    schemaless_writer(body, schema, event.to_avro())
    body.seek(0)
    return type(event).from_avro(schemaless_reader(body, schema, None))


@pytest.mark.parametrize("folder", ["schemas", "infra/bench/sample"])
def test_the_committed_classes_are_what_the_generator_writes(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(ROOT)
    written = Path(f"{folder}/events.py").read_text("utf-8")
    assert written == generate(Path(folder), f"{folder}/events.py"), (
        f"schemas and classes differ: run `python -m schemas.generate {folder} {folder}/events.py`"
    )


def test_every_record_and_every_field_says_what_it_is() -> None:
    records = read_folder(ROOT / "schemas")
    assert len(records) > 10
    for name, record in records.items():
        assert record["doc"].strip(), name
        assert all(entry["doc"].strip() for entry in record["fields"]), name


def test_a_made_up_folder_gives_classes_that_work(tmp_path: Path) -> None:
    module = built(tmp_path, outer({"name": "document_id", "type": "string"}, {"name": "inner", "type": INNER}))
    event = module.Outer(document_id="d", inner=module.Inner(n=3))
    assert there_and_back(event) == event


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ({"type": "array", "items": {"type": "array", "items": "string"}}, (("a", "b"), (), ("c",))),
        ({"type": "map", "values": {"type": "array", "items": "long"}}, {"a": (1, 2), "b": ()}),
        ({"type": "array", "items": {"type": "map", "values": "double"}}, ({"a": 0.5}, {})),
        (["null", {"type": "array", "items": "string"}], ("two", "strings")),
        (["null", {"type": "array", "items": "string"}], None),
        (["null", {"type": "map", "values": "string"}], {"a": "b"}),
        (["null", MOMENT], datetime(2026, 1, 2, 3, 4, 5, 6000, UTC)),
        (["null", MOMENT], None),
        (["string", "bytes"], b"\xff"),
        ({"type": "array", "items": ["null", MOMENT]}, (datetime(2026, 1, 2, tzinfo=UTC), None)),
    ],
)
def test_what_is_nested_comes_back_whole(tmp_path: Path, type_: Any, value: Any) -> None:
    event = built(tmp_path, outer({"name": "field", "type": type_})).Outer(field=value)
    assert there_and_back(event) == event


@pytest.mark.parametrize(
    "type_",
    [
        {"type": "array", "items": INNER},
        {"type": "map", "values": INNER},
        ["null", {"type": "array", "items": INNER}],
        ["bytes", INNER],
        {"type": "array", "items": {"type": "array", "items": ["null", INNER]}},
    ],
)
def test_records_are_rebuilt_wherever_they_are_nested(tmp_path: Path, type_: Any) -> None:
    module = built(tmp_path, outer({"name": "field", "type": type_}))
    inner = module.Inner(n=1)
    nested = {"map": {"k": inner}, "array": (inner, inner)}
    text = json.dumps(type_)
    value: Any = inner
    if "Inner" in text and '"map"' in text:
        value = nested["map"]
    elif text.count('"array"') == 2:
        value = ((inner, None), ())
    elif '"array"' in text:
        value = nested["array"]
    event = module.Outer(field=value)
    assert there_and_back(event) == event


@pytest.mark.parametrize(
    ("type_", "default", "value"),
    [
        ("string", "x", "x"),
        ("bytes", "\u00ff", b"\xff"),
        ("boolean", False, False),
        (MOMENT, 1500, datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)),
        (["null", "double"], None, None),
        ({"type": "array", "items": {"type": "array", "items": "string"}}, [["a"], []], (("a",), ())),
        ({"type": "map", "values": "string"}, {"a": "b"}, {"a": "b"}),
        ({"type": "map", "values": "string"}, {}, {}),
    ],
)
def test_a_default_has_the_type_of_its_field(tmp_path: Path, type_: Any, default: Any, value: Any) -> None:
    event = built(tmp_path, outer({"name": "field", "type": type_, "default": default})).Outer()
    assert event.field == value
    assert there_and_back(event) == event


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"name": "class", "type": "string"}, "a word of Python's own"),
        ({"name": "field", "type": "string", "doc": ""}, "Outer.field has no doc"),
        ({"name": "field", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}, "of type enum"),
        ({"name": "field", "type": {"type": "int", "logicalType": "date"}}, "logical type date"),
        ({"name": "field", "type": [INNER, {"type": "map", "values": "int"}]}, "several records or maps"),
        ({"name": "field", "type": INNER, "default": {"n": 1}}, "a record as default"),
        ({"name": "field", "type": {"type": "array", "items": "Outer"}}, "holds itself"),
    ],
)
def test_what_has_no_class_is_refused_in_a_sentence(tmp_path: Path, field: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        built(tmp_path, outer(field))


def test_one_name_for_two_records_is_refused(tmp_path: Path) -> None:
    other = {**INNER, "fields": [{"name": "other", "type": "int", "doc": "Another."}]}
    with pytest.raises(ValueError, match="Inner is defined twice"):
        built(tmp_path, outer({"name": "field", "type": INNER}), other)


def test_the_command_says_how_it_is_used_and_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"usage: python -m schemas\.generate"):
        main([])
    with pytest.raises(SystemExit, match=r"holds no \.avsc file"):
        main([str(tmp_path), str(tmp_path / "events.py")])
