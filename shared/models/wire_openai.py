"""The chat-completions wire of OpenAI, spoken by vLLM, Ollama and most gateways too."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models.forms import Form, spelled_out
from shared.models.registry import Model
from shared.models.streams.arriving import Arriving
from shared.models.streams.sse import Event
from shared.models.wire import Reply, Request, failure_of_status, model_in, tokens, unknown_stop

ANSWER = "answer"
"""Name of the schema, and of the tool."""

CODES: Mapping[str, Failure] = {
    "context_length_exceeded": Failure.TOKEN_LIMIT,
    "string_above_max_length": Failure.TOKEN_LIMIT,
    "content_filter": Failure.CONTENT_POLICY,
    "content_policy_violation": Failure.CONTENT_POLICY,
    "invalid_prompt": Failure.CONTENT_POLICY,
    "insufficient_quota": Failure.AUTH,
    "invalid_api_key": Failure.AUTH,
    "model_not_found": Failure.MODEL_UNKNOWN,
}
"""Error code to failure class, where it says more than the status."""

WORDS: tuple[tuple[str, Failure], ...] = (
    ("maximum context length", Failure.TOKEN_LIMIT),
    ("exceeds the available context", Failure.TOKEN_LIMIT),
)
"""Words of servers that send no code."""

FINISHED = frozenset({"stop", "tool_calls", "function_call", "end_turn", "eos", "eos_token", "stop_sequence"})
"""Reasons to stop that mean that the answer is whole; the last few are those of other servers that speak this wire."""

STOPS: Mapping[str, tuple[Failure, str]] = {
    "length": (Failure.TRUNCATED, "the answer reached its token limit"),
    "max_tokens": (Failure.TRUNCATED, "the answer reached its token limit"),
    "model_length": (Failure.TRUNCATED, "question and answer reached the end of the context window"),
    "content_filter": (Failure.CONTENT_POLICY, "the provider's content filter ended the answer"),
    "insufficient_system_resource": (Failure.OVERLOADED, "the provider ran out of resources in the middle"),
}
"""Reason to stop to failure; what stands neither here nor in `FINISHED` is no answer either."""

STREAM: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""What asks for a stream. Without the option its usage never comes, and a call would look free."""

TERMINATOR = b"[DONE]"
"""Data of the event that ends a stream."""

ANSWERS = ("content", "refusal")
"""Parts of a delta that are the answer."""
TOOL_CALLS = "tool_calls"
"""Part of a message, or of a delta, that uses a tool."""
THOUGHTS = ("reasoning_content", "reasoning")
"""Parts of a delta that only show that the model works; servers do not agree on a name."""


class OpenAIWire:
    """Pure: values in, values out."""

    def request(self, model: Model, prompt: Prompt, schema: Mapping[str, Any]) -> Request:
        """The question, asking for JSON by the schema."""
        key = model.provider.key
        system = spelled_out(prompt.system, schema) if model.form is Form.TEXT else prompt.system
        return Request(
            path="/chat/completions",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            body={
                "model": model.id,
                "messages": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": prompt.user},
                ],
                model.provider.limit_field: model.max_output,
                **_asked_as(model.form, schema),
                **(STREAM if model.provider.stream else {}),
            },
        )

    def reply(self, body: Mapping[str, Any]) -> Reply:
        """The first choice, and why it ended."""
        usage = body.get("usage")
        choice = body["choices"][0]
        message = choice["message"]
        failure, words = self._stopped(choice)
        if message.get("refusal") and (failure in (None, Failure.TRUNCATED) or not choice.get("finish_reason")):
            failure, words = Failure.REFUSAL, str(message["refusal"])
        used = message.get(TOOL_CALLS)
        return Reply(
            text=str((used[0]["function"]["arguments"] if used else message.get("content")) or ""),
            input_tokens=tokens(usage, "prompt_tokens"),
            output_tokens=tokens(usage, "completion_tokens"),
            cached_tokens=tokens(usage, "prompt_tokens_details", "cached_tokens"),
            reasoning_tokens=tokens(usage, "completion_tokens_details", "reasoning_tokens"),
            failure=failure,
            message=words,
            answered_by=model_in(body),
        )

    def _stopped(self, choice: Mapping[str, Any]) -> tuple[Failure | None, str]:
        """What the reason to stop means for the answer; a gateway tells beside it what failed behind it."""
        reason = choice.get("finish_reason")
        if isinstance(error := choice.get("error"), Mapping):
            said = str(error.get("message"))[:300]
            return self.fault(error) or Failure.SERVER_ERROR, f"the provider broke off: {said}"
        if isinstance(reason, str) and reason in FINISHED:
            return None, ""
        return STOPS.get(str(reason)) or unknown_stop(reason)

    def fault(self, error: Mapping[str, Any]) -> Failure | None:
        """By its code, else by its type, else by its words; gateways give the status of whom they asked as a code."""
        for name in ("code", "type"):
            if (found := CODES.get(str(error.get(name)))) is not None:
                return found
        message = str(error.get("message")).lower()
        if (found := next((failure for words, failure in WORDS if words in message), None)) is not None:
            return found
        code = error.get("code")
        return failure_of_status(code) if isinstance(code, int) and 400 <= code < 600 else None

    def take(self, arriving: Arriving, event: Event) -> None:
        """A chunk: pieces of the first choice, the reason for its end, or, last, the usage without a choice."""
        if event.data == TERMINATOR:
            arriving.ended = True
            return
        chunk = from_json(event.data)
        if error := chunk.get("error"):
            arriving.fail(error)
            return
        arriving.tell(chunk.get("usage"))
        arriving.name(chunk.get("model"))
        for choice in chunk["choices"]:
            if choice.get("index", 0) == 0:
                self._take_choice(arriving, choice)

    def _take_choice(self, arriving: Arriving, choice: Mapping[str, Any]) -> None:
        delta = choice.get("delta") or {}
        if error := choice.get("error"):
            arriving.fail(error)
        for part in ANSWERS:
            if delta.get(part) is not None:
                arriving.add(0, part, delta[part])
        for call in delta.get(TOOL_CALLS) or ():
            # Of several calls the first is the answer, as in one piece.
            if call.get("index", 0) == 0:
                arriving.add(0, TOOL_CALLS, (call.get("function") or {}).get("arguments") or "")
        arriving.heard += max(len(delta.get(part) or "") for part in THOUGHTS)
        arriving.stop(choice.get("finish_reason"))

    def whole(self, arriving: Arriving) -> Mapping[str, Any]:
        """One choice with the joined pieces."""
        message: dict[str, Any] = {part: arriving.text(0, part) for part in ANSWERS}
        if (0, TOOL_CALLS) in arriving.pieces:
            message[TOOL_CALLS] = [{"function": {"arguments": arriving.text(0, TOOL_CALLS)}}]
        choice = {"message": message, "finish_reason": arriving.finish}
        return {"choices": [choice], "usage": arriving.usage, "model": arriving.model}


def _asked_as(form: Form, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the form adds to the body."""
    named = {"name": ANSWER, "strict": True}
    match form:
        case Form.JSON_SCHEMA:
            return {"response_format": {"type": "json_schema", "json_schema": {**named, "schema": schema}}}
        case Form.TOOLS:
            tool = {"type": "function", "function": {**named, "parameters": schema}}
            return {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": ANSWER}}}
        case Form.TEXT:
            return {}
