"""The messages wire of Anthropic. JSON by a schema is had in three ways; the usual one is to force the one tool whose
input has that schema, which the oldest models know too."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models.forms import Form, spelled_out
from shared.models.registry import Model
from shared.models.streams.arriving import Arriving
from shared.models.streams.sse import Event
from shared.models.wire import Reply, Request, model_in, tokens, unknown_stop

API_VERSION = "2023-06-01"
TOOL = "answer"

FINISHED = frozenset({"end_turn", "tool_use", "stop_sequence"})
"""Stop reasons that mean that the answer is whole."""

STOPS: Mapping[str, tuple[Failure, str]] = {
    "max_tokens": (Failure.TRUNCATED, "the answer reached its token limit"),
    "refusal": (Failure.REFUSAL, "the model declined to answer"),
    "model_context_window_exceeded": (Failure.TOKEN_LIMIT, "question and answer exceed the context window"),
}
"""Stop reason to failure; what stands neither here nor in `FINISHED` is no answer either."""

WORDS: tuple[tuple[str, Failure], ...] = (
    ("prompt is too long", Failure.TOKEN_LIMIT),
    ("exceed context limit", Failure.TOKEN_LIMIT),
    ("content filtering policy", Failure.CONTENT_POLICY),
    ("usage policy", Failure.CONTENT_POLICY),
    ("credit balance", Failure.AUTH),
)
"""Words of an error, where its type (`invalid_request_error`) says too little."""

TYPES: Mapping[str, Failure] = {
    "authentication_error": Failure.AUTH,
    "permission_error": Failure.AUTH,
    "billing_error": Failure.AUTH,
    "not_found_error": Failure.MODEL_UNKNOWN,
    "request_too_large": Failure.TOKEN_LIMIT,
    "rate_limit_error": Failure.RATE_LIMITED,
    "overloaded_error": Failure.OVERLOADED,
    "timeout_error": Failure.TIMEOUT,
}
"""Error type to failure class."""

ANSWERS = ("text", "tool_use")
"""Kinds of block that are the answer; others are thoughts, or not asked for."""
PIECES: Mapping[str, tuple[str, str]] = {
    "text_delta": ("text", "text"),
    "input_json_delta": ("tool_use", "partial_json"),
}
"""Kind of a delta to the kind of block it belongs to, and to the field in which its piece stands."""


class AnthropicWire:
    """Pure: values in, values out."""

    def request(self, model: Model, prompt: Prompt, schema: Mapping[str, Any]) -> Request:
        """The question, asking for JSON by the schema."""
        return Request(
            path="/v1/messages",
            headers={"x-api-key": model.provider.key, "anthropic-version": API_VERSION},
            body={
                "model": model.id,
                "max_tokens": model.max_output,
                "system": spelled_out(prompt.system, schema) if model.form is Form.TEXT else prompt.system,
                "messages": [{"role": "user", "content": prompt.user}],
                **_asked_as(model.form, schema),
                **({"stream": True} if model.provider.stream else {}),
            },
        )

    def reply(self, body: Mapping[str, Any]) -> Reply:
        """The forced tool's input, or the text where the model did not use it."""
        usage = body.get("usage")
        cached, written = tokens(usage, "cache_read_input_tokens"), tokens(usage, "cache_creation_input_tokens")
        blocks = body["content"]
        inputs = [block["input"] for block in blocks if block["type"] == "tool_use"]
        said = "".join(block["text"] for block in blocks if block["type"] == "text")
        reason = body.get("stop_reason")
        whole = isinstance(reason, str) and reason in FINISHED
        failure, words = (None, "") if whole else STOPS.get(str(reason)) or unknown_stop(reason)
        return Reply(
            text=json.dumps(inputs[0], ensure_ascii=False) if inputs else said,
            # Its own figure leaves out what went through the cache.
            input_tokens=tokens(usage, "input_tokens") + cached + written,
            output_tokens=tokens(usage, "output_tokens"),
            cached_tokens=cached,
            written_tokens=written,
            failure=failure,
            message=words,
            answered_by=model_in(body),
        )

    def fault(self, error: Mapping[str, Any]) -> Failure | None:
        """By its words, else by its type."""
        message = str(error.get("message")).lower()
        found = next((failure for words, failure in WORDS if words in message), None)
        return found or TYPES.get(str(error.get("type")))

    def take(self, arriving: Arriving, event: Event) -> None:
        """An event by the type in its data; types that are not known are passed over, as the provider asks."""
        said = from_json(event.data)
        match said["type"]:
            case "message_start":
                arriving.tell(said["message"].get("usage"))
                arriving.name(said["message"].get("model"))
            case "content_block_start":
                if (kind := said["content_block"]["type"]) in ANSWERS:
                    arriving.add(said["index"], kind, said["content_block"].get("text", ""))
            case "content_block_delta":
                self._take_delta(arriving, said["index"], said["delta"])
            case "message_delta":
                arriving.stop(said["delta"].get("stop_reason"))
                arriving.tell(said.get("usage"))
            case "message_stop":
                arriving.ended = True
            case "error":
                arriving.fail(said["error"])

    def _take_delta(self, arriving: Arriving, block: int, delta: Mapping[str, Any]) -> None:
        if delta["type"] == "thinking_delta":
            arriving.heard += len(delta["thinking"])
        if delta["type"] in PIECES:
            kind, field = PIECES[delta["type"]]
            if (block, kind) not in arriving.pieces:
                raise LookupError(f"block {block} has not begun")
            arriving.add(block, kind, delta[field])

    def whole(self, arriving: Arriving) -> Mapping[str, Any]:
        """The blocks in their order."""
        blocks = [_block(kind, arriving.text(number, kind)) for number, kind in sorted(arriving.pieces)]
        return {"content": blocks, "stop_reason": arriving.finish, "usage": arriving.usage, "model": arriving.model}


def _block(kind: str, text: str) -> Mapping[str, Any]:
    """A block as one response has it. A tool's input that breaks off is no object, so it is handed on as what it is."""
    if kind != "tool_use":
        return {"type": kind, "text": text}
    try:
        return {"type": kind, "input": from_json(text or "{}")}
    except ValueError:
        return {"type": "text", "text": text}


def _asked_as(form: Form, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the form adds to the body."""
    match form:
        case Form.JSON_SCHEMA:
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        case Form.TOOLS:
            tool = {"name": TOOL, "description": "Give the answer.", "input_schema": schema}
            return {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}}
        case Form.TEXT:
            return {}
