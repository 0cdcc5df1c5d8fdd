"""The two wire formats as the providers speak them: requests read, answers and errors written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.modelsim.faults import Fault
from infra.modelsim.scripts import Script, anthropic_script, openai_script
from infra.modelsim.thinking import Question
from shared.core.usage import Usage
from shared.models.forms import SPELLED


@dataclass(frozen=True, slots=True)
class Said:
    """An answer before it is put into a wire format."""

    text: str
    """What the model wrote."""
    fault: Fault | None
    """How it was told to fail."""
    used: Usage
    """What is charged for it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An error of the provider, in both formats."""

    status: int
    """HTTP status; the Anthropic wire says 529 for 503."""
    message: str
    """In the provider's words."""
    openai_type: str
    openai_code: str | None
    anthropic_type: str


ERRORS: Mapping[Fault, Refused] = {
    Fault.RATE_LIMITED: Refused(
        429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", "rate_limit_error"
    ),
    Fault.OVERLOADED: Refused(503, "Overloaded", "server_error", None, "overloaded_error"),
    Fault.SERVER_ERROR: Refused(500, "Internal server error", "server_error", None, "api_error"),
    Fault.CONTENT_POLICY: Refused(
        400,
        "Output blocked by content filtering policy",
        "invalid_request_error",
        "content_policy_violation",
        "invalid_request_error",
    ),
    Fault.AUTH: Refused(401, "Incorrect API key", "invalid_request_error", "invalid_api_key", "authentication_error"),
    Fault.MODEL_UNKNOWN: Refused(
        404, "The model does not exist", "invalid_request_error", "model_not_found", "not_found_error"
    ),
}
"""Faults that are an HTTP error, beside the token limit, whose words hold numbers."""


def too_long(tokens: int, window: int) -> Refused:
    """The error for a question that does not fit; both providers' words in one."""
    return Refused(
        400,
        f"prompt is too long: {tokens} tokens > {window} maximum context length",
        "invalid_request_error",
        "context_length_exceeded",
        "invalid_request_error",
    )


def spelled(system: str) -> Mapping[str, Any]:
    """The schema that stands at the end of the instructions; empty where none does."""
    _, mark, schema = system.rpartition(f"{SPELLED}\n")
    return json.loads(schema) if mark else {}


class Shape(Protocol):
    """One wire format, from the provider's side."""

    tells_writes: bool
    """Its usage tells what was put into a cache, and so it may be charged."""

    def question(self, body: Mapping[str, Any]) -> Question:
        """Read a request. Raises KeyError, TypeError, LookupError where it is none."""
        ...

    def answer(self, question: Question, said: Said) -> dict[str, Any]:
        """Write an answer."""
        ...

    def script(self, question: Question, answer: dict[str, Any]) -> Script:
        """The same answer in pieces."""
        ...

    def error(self, refused: Refused) -> tuple[int, dict[str, Any]]:
        """Write an error: status and body."""
        ...


class OpenAIShape:
    """`/v1/chat/completions`."""

    tells_writes = False

    def question(self, body: Mapping[str, Any]) -> Question:
        """Messages by role, and the schema of the response format."""
        said = {message["role"]: message["content"] for message in body["messages"]}
        system, tools = said.get("system", ""), body.get("tools")
        if tools:
            schema = tools[0]["function"]["parameters"]
        else:
            schema = body.get("response_format", {}).get("json_schema", {}).get("schema") or spelled(system)
        stream, usage = bool(body.get("stream")), bool(body.get("stream_options", {}).get("include_usage"))
        return Question(body["model"], said["user"], system, schema, tool=bool(tools), stream=stream, usage=usage)

    def answer(self, question: Question, said: Said) -> dict[str, Any]:
        """One choice."""
        used = said.used
        return {
            "id": "chatcmpl-sim",
            "object": "chat.completion",
            "model": question.model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "refusal": None, **self._written(question, said)},
                    "finish_reason": "length" if said.fault is Fault.TRUNCATED else "stop",
                }
            ],
            "usage": {
                "prompt_tokens": used.input_tokens,
                "completion_tokens": used.output_tokens,
                "total_tokens": used.input_tokens + used.output_tokens,
                "prompt_tokens_details": {"cached_tokens": used.cached_tokens, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": used.reasoning_tokens, "audio_tokens": 0},
            },
        }

    def script(self, question: Question, answer: dict[str, Any]) -> Script:
        """Chunks, the usage only where it is asked for, `[DONE]`."""
        return openai_script(answer, usage=question.usage)

    def _written(self, question: Question, said: Said) -> dict[str, Any]:
        if not question.tool:
            return {"content": said.text}
        call = {"id": "call_sim", "type": "function", "function": {"name": "answer", "arguments": said.text}}
        return {"content": None, "tool_calls": [call]}

    def error(self, refused: Refused) -> tuple[int, dict[str, Any]]:
        """`error` with type, code and message."""
        error = {"message": refused.message, "type": refused.openai_type, "param": None, "code": refused.openai_code}
        return refused.status, {"error": error}


class AnthropicShape:
    """`/v1/messages`, with the forced tool, an output format, or the schema in the instructions."""

    tells_writes = True

    def question(self, body: Mapping[str, Any]) -> Question:
        """The user's message, and the schema of the tool."""
        said, system, stream = body["messages"][-1]["content"], body.get("system", ""), bool(body.get("stream"))
        if tools := body.get("tools"):
            return Question(body["model"], said, system, tools[0]["input_schema"], tool=True, stream=stream)
        schema = body.get("output_config", {}).get("format", {}).get("schema", {})
        return Question(body["model"], said, system, schema or spelled(system), stream=stream)

    def answer(self, question: Question, said: Said) -> dict[str, Any]:
        """A use of the tool; text where the JSON is broken, for a tool's input always is an object."""
        broken = not question.tool or said.fault in (Fault.MALFORMED_JSON, Fault.TRUNCATED, Fault.UNCLOSED_JSON)
        block = (
            {"type": "text", "text": said.text}
            if broken
            else {"type": "tool_use", "id": "toolu_sim", "name": "answer", "input": json.loads(said.text)}
        )
        stop, usual = (
            {Fault.TRUNCATED: "max_tokens", Fault.MALFORMED_JSON: "end_turn", Fault.UNCLOSED_JSON: "end_turn"},
            "end_turn" if broken else "tool_use",
        )
        return {
            "id": "msg_sim",
            "type": "message",
            "role": "assistant",
            "model": question.model,
            "content": [block],
            "stop_reason": stop.get(said.fault, usual) if said.fault else usual,
            "usage": {
                "input_tokens": said.used.fresh_tokens,
                "cache_read_input_tokens": said.used.cached_tokens,
                "cache_creation_input_tokens": said.used.written_tokens,
                "output_tokens": said.used.output_tokens,
            },
        }

    def script(self, question: Question, answer: dict[str, Any]) -> Script:
        """Named events from `message_start` to `message_stop`."""
        return anthropic_script(answer)

    def error(self, refused: Refused) -> tuple[int, dict[str, Any]]:
        """`error` with type and message."""
        status = 529 if refused.status == 503 else refused.status
        return status, {"type": "error", "error": {"type": refused.anthropic_type, "message": refused.message}}
