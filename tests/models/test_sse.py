"""Server-sent events come out of bytes whole, however the bytes were cut up on their way."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.models.streams.sse import Event, EventReader


def read(*chunks: bytes) -> list[Event]:
    reader = EventReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"data: a\n\n", [Event(b"a")]),
        (b"data:a\r\n\r\n", [Event(b"a")]),
        (b"data: a\r\r", [Event(b"a")]),
        (b"event: ping\ndata: {}\n\n", [Event(b"{}", "ping")]),
        (b"data: a\ndata:  b\n\ndata\n\n", [Event(b"a\n b"), Event(b"")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(b"a")]),
        (b": a comment\n\n\n\nid: 7\nretry: 3\n\nevent: lost\n\n", []),
        (b"event: first\ndata: 1\n\ndata: 2\n\n", [Event(b"1", "first"), Event(b"2")]),
        (b"data: \xff\xe2\x80\xa8\n\n", [Event(b"\xff\xe2\x80\xa8")]),
    ],
)
def test_an_event_is_its_data_and_its_name(sent: bytes, events: Sequence[Event]) -> None:
    assert read(sent) == events


def test_an_event_without_the_empty_line_that_ends_it_is_none() -> None:
    assert read(b"data: [DONE]") == read(b"data: [DONE]\n") == []


def lines() -> st.SearchStrategy[bytes]:
    line = st.sampled_from([b"data: a", b"data:b", b"event: x", b"", b"", b": c", b"data: \xc3\xa4", b"\xef\xbb\xbf"])
    return st.lists(st.tuples(line, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=12).map(
        lambda parts: b"".join(text + end for text, end in parts)
    )


@given(lines(), st.lists(st.integers(0, 120), max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(sent: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]
    assert read(*(sent[start:end] for start, end in pairwise(places))) == read(sent)


@given(lines())
def test_one_byte_at_a_time_is_the_same(sent: bytes) -> None:
    assert read(*(sent[at : at + 1] for at in range(len(sent)))) == read(sent)


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_bytes_at_all_are_events_or_none(chunks: list[bytes]) -> None:
    assert all(isinstance(event, Event) for event in read(*chunks))
