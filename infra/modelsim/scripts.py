"""An answer in pieces as each provider streams it, and the ways in which that goes wrong: a list of what is sent."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.modelsim.faults import Fault

PIECE = 24
"""Characters of one piece."""
BROKEN_EVENT = b'data: {"type": "content_block_delta", "choices": [{"delta"\n\n'
"""What no JSON parser takes, in either format."""


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that is sent for one answer, in order."""

    opening: tuple[bytes, ...]
    """Before the first token."""
    pieces: tuple[tuple[str, bytes], ...]
    """The answer: text, and the event that brings it."""
    closing: tuple[bytes, ...]
    """After the last token; the last one is the terminator."""
    alive: bytes
    """A sign of life that says nothing."""
    error: bytes
    """What is said when the provider gives up in the middle."""


@dataclass(frozen=True, slots=True)
class Played:
    """A script as a fault leaves it."""

    sent: tuple[bytes, ...]
    """Events in order."""
    text: str
    """What of the answer is generated, and so charged."""


def played(script: Script, fault: Fault | None) -> Played:
    """What is sent, and what is charged for it."""
    half = len(script.pieces) // 2
    events = [event for _, event in script.pieces]
    texts = [text for text, _ in script.pieces]
    match fault:
        case Fault.NO_FIRST_TOKEN:
            return Played((script.alive,), "")
        case Fault.STREAM_CUT | Fault.STREAM_STALLED:
            return Played((*script.opening, *events[:half]), "".join(texts[:half]))
        case Fault.STREAM_ERROR:
            return Played((*script.opening, *events[:half], script.error), "".join(texts[:half]))
        case Fault.STREAM_MALFORMED:
            # The rest follows in good order: whoever passes over what it cannot read accepts an answer with a hole.
            events[half] = BROKEN_EVENT
        case Fault.STREAM_UNTERMINATED:
            return Played((*script.opening, *events, *script.closing[:-1]), "".join(texts))
    return Played((*script.opening, *events, *script.closing), "".join(texts))


def openai_script(answer: Mapping[str, Any], *, usage: bool) -> Script:
    """Chunks of the chat-completions wire."""
    [choice] = answer["choices"]
    head = {"id": answer["id"], "object": "chat.completion.chunk", "model": answer["model"]}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        return _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None})

    told = (_event({**head, "choices": [], "usage": answer["usage"]}),) if usage else ()
    opening, text, delta = _spoken(choice["message"])
    return Script(
        opening=(chunk({"role": "assistant", **opening}),),
        pieces=tuple((piece, chunk(delta(piece))) for piece in _cut(text)),
        closing=(chunk({}, choice["finish_reason"]), *told, b"data: [DONE]\n\n"),
        alive=b": keep-alive\n\n",
        error=_event({"error": {"message": "The server had an error", "type": "server_error", "code": None}}),
    )


def _spoken(message: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, Callable[[str], Mapping[str, Any]]]:
    """How a message begins, its text, and the delta that brings a piece of it: content, or a tool's arguments."""
    if not (tools := message.get("tool_calls")):
        return {"content": ""}, message["content"], lambda piece: {"content": piece}
    [call] = tools
    begun = {"tool_calls": [{"index": 0, **call, "function": {"name": call["function"]["name"], "arguments": ""}}]}
    arguments = call["function"]["arguments"]
    return begun, arguments, lambda piece: {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def anthropic_script(answer: Mapping[str, Any]) -> Script:
    """Events of the messages wire."""
    [block] = answer["content"]
    tool = block["type"] == "tool_use"
    text = json.dumps(block["input"], ensure_ascii=False) if tool else block["text"]
    field, kind = ("partial_json", "input_json_delta") if tool else ("text", "text_delta")
    begun = {**answer, "content": [], "stop_reason": None, "usage": {**answer["usage"], "output_tokens": 1}}
    ended = {
        "delta": {"stop_reason": answer["stop_reason"]},
        "usage": {"output_tokens": answer["usage"]["output_tokens"]},
    }
    empty = {**block, "input": {}} if tool else {**block, "text": ""}
    return Script(
        opening=(
            _named("message_start", message=begun),
            _named("content_block_start", index=0, content_block=empty),
            _named("ping"),
        ),
        pieces=tuple(
            (piece, _named("content_block_delta", index=0, delta={"type": kind, field: piece})) for piece in _cut(text)
        ),
        closing=(_named("content_block_stop", index=0), _named("message_delta", **ended), _named("message_stop")),
        alive=_named("ping"),
        error=_named("error", error={"type": "api_error", "message": "Internal server error"}),
    )


def _cut(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def _event(content: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\n\n"


def _named(name: str, **content: Any) -> bytes:
    return b"event: " + name.encode() + b"\n" + _event({"type": name, **content})
