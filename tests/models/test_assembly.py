"""A stream becomes the answer that would have come in one piece, or a failure with what was paid for."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.modelsim.faults import Fault
from infra.modelsim.scripts import Script, played
from infra.modelsim.shapes import AnthropicShape, OpenAIShape, Said
from infra.modelsim.thinking import Question
from shared.core.failures import Failure
from shared.core.usage import Usage
from shared.models.streams.assembly import Assembly
from shared.models.transport import WIRES
from shared.models.wire import Reply

TEXT = json.dumps({"vendor": "Müller & Söhne ✓", "total": "240.00", "parts": [], "confidence": 0.9}, ensure_ascii=False)
SHAPES = {"openai": OpenAIShape(), "anthropic": AnthropicShape()}
ASKED = 400


def script(
    wire: str, fault: Fault | None = None, usage: bool = True, tool: bool = True
) -> tuple[Script, dict[str, Any]]:
    """An answer in pieces, and the same in one."""
    question = Question("sim-large", "", "", {}, tool=tool, stream=True, usage=usage)
    answer = SHAPES[wire].answer(question, Said(TEXT, fault, Usage(100, 30, 60, 0, 10)))
    return SHAPES[wire].script(question, answer), answer


def assembled(wire: str, *chunks: bytes) -> Reply:
    assembly = Assembly(WIRES[wire], ASKED)
    for chunk in chunks:
        assembly.feed(chunk)
    return assembly.reply()


def openai(*chunks: Any, end: bool = False) -> Reply:
    sent = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return assembled("openai", *sent, *[b"data: [DONE]\n\n"] * end)


def anthropic(*events: Any) -> Reply:
    return assembled("anthropic", *(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events))


@pytest.mark.parametrize("fault", [None, Fault.TRUNCATED, Fault.MALFORMED_JSON])
@pytest.mark.parametrize("tool", [True, False])
@pytest.mark.parametrize("wire", WIRES)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=10))
def test_an_answer_in_pieces_is_the_answer_in_one_wherever_it_is_cut(
    wire: str, tool: bool, fault: Fault | None, cuts: list[int]
) -> None:
    pieces, whole = script(wire, fault, tool=tool)
    sent = b"".join(played(pieces, None).sent)
    places = [0, *sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]
    chunks = [sent[start:end] for start, end in pairwise(places)]
    assert assembled(wire, *chunks) == WIRES[wire].reply(whole)


@pytest.mark.parametrize("wire", WIRES)
def test_every_beginning_of_a_stream_is_cut_and_only_the_whole_is_an_answer(wire: str) -> None:
    sent = b"".join(played(script(wire)[0], None).sent)
    begun = [assembled(wire, sent[:end]) for end in range(len(sent))]
    assert {reply.failure for reply in begun} == {Failure.STREAM_CUT}
    assert assembled(wire, sent).failure is None


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_that_lacks_any_one_event_of_its_end_or_has_a_broken_one_is_cut(wire: str) -> None:
    pieces, _ = script(wire)
    sent = played(pieces, None).sent
    for place in range(len(sent)):
        broken = assembled(wire, *sent[:place], b"data: {\n\n", *sent[place:])
        assert (broken.failure, "malformed" in broken.message) == (Failure.STREAM_CUT, True)
    reason = next(at for at, event in enumerate(sent) if b'"stop_reason": "tool_use"' in event or b'"stop"' in event)
    unsaid = assembled(wire, *sent[:reason], *sent[reason + 1 :])
    assert (unsaid.failure, "without saying why" in unsaid.message) == (Failure.STREAM_CUT, True)
    endless = assembled(wire, *sent[:-1])
    assert (endless.failure, "without its terminator" in endless.message) == (Failure.STREAM_CUT, True)


@pytest.mark.parametrize("reason", ["error", "abort", "unknown"])
def test_a_stream_whose_model_stopped_for_no_good_reason_is_cut_though_it_is_whole_json(reason: str) -> None:
    reply = openai({"choices": [{"delta": {"content": "{}"}, "finish_reason": reason}]}, end=True)
    assert (reply.failure, reply.text) == (Failure.STREAM_CUT, "{}")
    assert repr(reason) in reply.message
    stopped = {"type": "message_delta", "delta": {"stop_reason": reason}}
    assert anthropic(stopped, {"type": "message_stop"}).failure is Failure.STREAM_CUT


def test_what_a_gateway_tells_beside_the_choice_is_believed() -> None:
    error = {"code": 503, "message": "no instance"}
    reply = openai({"choices": [{"delta": {"content": "{}"}, "finish_reason": "error", "error": error}]}, end=True)
    assert reply.failure is Failure.OVERLOADED


@pytest.mark.parametrize("wire", WIRES)
def test_what_follows_the_end_means_nothing(wire: str) -> None:
    pieces, whole = script(wire)
    sent = played(pieces, None).sent
    assert assembled(wire, *sent, *sent, b"data: {\n\n", pieces.error) == WIRES[wire].reply(whole)


@pytest.mark.parametrize("wire", WIRES)
def test_half_an_answer_is_kept_and_its_cost_estimated(wire: str) -> None:
    pieces, _ = script(wire)
    stream = played(pieces, Fault.STREAM_CUT)
    reply = assembled(wire, *stream.sent)
    assert reply.text == stream.text
    assert 0 < len(reply.text) < len(TEXT)
    # The messages wire counts the question at the start; the other one tells nothing before its end.
    assert (reply.input_tokens, reply.output_tokens) == (100, -(-len(stream.text) // 4))
    assert reply.estimated


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_in_which_nothing_was_written_costs_nothing_that_we_know_of(wire: str) -> None:
    reply = assembled(wire, *[script(wire)[0].alive] * 3)
    assert (reply.text, reply.input_tokens, reply.output_tokens, reply.estimated) == ("", 0, 0, True)


@pytest.mark.parametrize("wire", WIRES)
def test_every_beginning_of_a_stream_is_of_unsure_cost_until_the_provider_has_counted_it(wire: str) -> None:
    """Also where it said at first, for form's sake, as many tokens as we make of the little that we heard."""
    sent = played(script(wire)[0], None).sent
    last = next(place for place, event in enumerate(sent) if b'"usage": {' in event and b"message_start" not in event)
    for end in range(len(sent)):
        assert assembled(wire, *sent[:end]).estimated == (end <= last), end


@pytest.mark.parametrize(("event", "sure"), [("", True), ("message_start", False)])
def test_only_an_outright_refusal_is_sure_to_cost_nothing(event: str, sure: bool) -> None:
    begun = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    refusal = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reply = anthropic(*([begun] if event else []), refusal)
    assert (reply.failure, not reply.estimated) == (Failure.OVERLOADED, sure)


def test_a_server_that_never_counts_is_estimated() -> None:
    pieces, _ = script("openai", usage=False)
    reply = assembled("openai", *played(pieces, None).sent)
    assert (reply.failure, reply.input_tokens, reply.estimated) == (None, 100, True)
    assert reply.output_tokens == -(-len(TEXT) // 4)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "The server had an error"}, Failure.STREAM_CUT),
        ({"message": "x", "code": "context_length_exceeded"}, Failure.TOKEN_LIMIT),
        ("out of memory", Failure.STREAM_CUT),
    ],
)
def test_an_error_in_the_middle_of_chunks_is_believed_where_it_names_its_class(error: Any, failure: Failure) -> None:
    reply = openai({"choices": [{"delta": {"content": "{"}}]}, {"error": error})
    assert (reply.failure, reply.text) == (failure, "{")
    assert "broke its answer off" in reply.message


@pytest.mark.parametrize(
    ("kind", "failure"), [("overloaded_error", Failure.OVERLOADED), ("api_error", Failure.STREAM_CUT)]
)
def test_an_error_event_is_believed_where_it_names_its_class(kind: str, failure: Failure) -> None:
    reply = anthropic({"type": "error", "error": {"type": kind, "message": "Overloaded"}})
    assert (reply.failure, reply.message) == (failure, "the provider broke its answer off: Overloaded")


def test_signs_of_life_do_not_bring_an_answer_on_and_thoughts_do() -> None:
    assembly = Assembly(WIRES["openai"], ASKED)
    assert not assembly.feed(b": OPENROUTER PROCESSING\n\n")
    assert not assembly.feed(b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n')
    assert assembly.feed(b'data: {"choices": [{"delta": {"reasoning_content": "Let me see"}}]}\n\n')
    quiet = Assembly(WIRES["anthropic"], ASKED)
    assert not quiet.feed(b'data: {"type": "ping"}\n\ndata: {"type": "content_block_stop", "index": 0}\n\n')
    assert quiet.feed(
        b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}}\n\n'
    )


def test_a_tools_input_that_breaks_off_at_the_token_limit_is_told_as_truncated_with_what_there_is() -> None:
    reply = anthropic(
        {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "input": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a": "b'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )
    assert (reply.failure, reply.text) == (Failure.TRUNCATED, '{"a": "b')
    assert (reply.input_tokens, reply.output_tokens, reply.estimated) == (9, 5, False)


def test_a_piece_of_a_block_that_never_began_is_malformed() -> None:
    delta = {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "x"}}
    assert anthropic(delta, {"type": "message_stop"}).failure is Failure.STREAM_CUT


NAMES = [
    *("choices", "index", "delta", "content", "refusal", "reasoning", "finish_reason", "usage", "error"),
    *("type", "message", "content_block", "stop_reason", "tool_use", "text", "partial_json", "thinking"),
    *("message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"),
    *("text_delta", "input_json_delta", "thinking_delta"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=14,
)


@given(st.sampled_from(sorted(WIRES)), st.lists(VALUES.map(lambda v: json.dumps(v).encode()) | st.binary(max_size=9)))
def test_whatever_a_stream_holds_it_becomes_a_reply_and_no_answer_without_its_end(wire: str, data: list[bytes]) -> None:
    reply = assembled(wire, *(b"data: " + part + b"\n\n" for part in data))
    assert isinstance(reply.text, str)
    ends = any(b"[DONE]" in part or b"message_stop" in part for part in data)
    assert reply.failure or ends
