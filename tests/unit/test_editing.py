"""An event changed by hand fits its schema, or the place where it does not is named."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import DocumentSubmitted, Reference
from shared.codec.editing import changed
from shared.core.errors import Misconfigured
from tests.cli.installation import NOW, submitted

EVENT = submitted("d1", tasks=("extraction",), tenant="acme")


def test_only_what_is_named_is_changed() -> None:
    after = changed(EVENT, {"tasks": ["summarization", "qa:Who?"], "tenant": "other"})
    assert (tuple(after.tasks), after.tenant) == (("summarization", "qa:Who?"), "other")
    assert (after.document_id, after.content, after.submitted_at) == ("d1", b"a letter", NOW)


def test_bytes_are_base64_and_what_stands_for_them_leaves_them_alone() -> None:
    assert changed(EVENT, {"content": base64.b64encode(b"\x00new").decode()}).content == b"\x00new"
    assert changed(EVENT, {"content": "<8 bytes>"}).content == b"a letter"


def test_a_union_takes_the_branch_that_fits() -> None:
    after = changed(EVENT, {"content": {"uri": "file:///x", "sha256": "ab", "size": 3}})
    assert after.content == Reference(uri="file:///x", sha256="ab", size=3)


def test_a_time_is_iso_or_milliseconds() -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    assert changed(EVENT, {"submitted_at": "2026-01-02T00:00:00Z"}).submitted_at == day
    assert changed(EVENT, {"submitted_at": int(day.timestamp() * 1000)}).submitted_at == day


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"taks": []}, "taks: DocumentSubmitted has no such field: did you mean tasks?"),
        ({"tasks": "extraction"}, 'tasks: "extraction" does not fit: an array is wanted'),
        ({"tasks": ["qa", 7]}, "tasks[1]: 7 does not fit: a value of type string is wanted"),
        ({"version": "2"}, "version"),
        ({"version": 2**80}, "version"),
        ({"version": True}, "version"),
        ({"metadata": {"a": None}}, "metadata.a: null does not fit"),
        ({"content": "not base64!"}, 'content: "not base64!" does not fit: bytes as base64'),
        ({"content": {"uri": "x", "colour": 1}}, "content.colour: Reference has no such field"),
        ({"submitted_at": "yesterday"}, "submitted_at"),
        ({"submitted_at": 10**30}, "submitted_at"),
        ([], "the file: [] does not fit: an object"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(changes: Any, said: str) -> None:
    with pytest.raises(Misconfigured) as found:
        changed(EVENT, changes)
    assert said in str(found.value)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.sampled_from([*DocumentSubmitted.__dataclass_fields__, "other"]), JSON, max_size=3))
def test_any_json_either_fits_or_is_refused(changes: dict[str, Any]) -> None:
    try:
        assert changed(EVENT, changes).to_avro()
    except Misconfigured as error:
        assert str(error)  # noqa: PT017  refusing is one of two good ends
