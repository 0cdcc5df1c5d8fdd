"""The chat-completions wire of OpenAI, spoken by vLLM, Ollama and most gateways too."""

from collections.abc import Mapping
from typing import Any

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models.forms import Form, spelled_out
from shared.models.registry import Model
from shared.models.wire import Reply, Request, tokens

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
            },
        )

    def reply(self, body: Mapping[str, Any]) -> Reply:
        """The first choice, and why it ended."""
        usage = body.get("usage")
        choice = body["choices"][0]
        message = choice["message"]
        failure, words = None, ""
        if choice.get("finish_reason") == "content_filter":
            failure, words = Failure.CONTENT_POLICY, "the provider's content filter ended the answer"
        elif message.get("refusal"):
            failure, words = Failure.REFUSAL, str(message["refusal"])
        elif choice.get("finish_reason") == "length":
            failure, words = Failure.TRUNCATED, "the answer reached its token limit"
        used = message.get("tool_calls")
        return Reply(
            text=str((used[0]["function"]["arguments"] if used else message.get("content")) or ""),
            input_tokens=tokens(usage, "prompt_tokens"),
            output_tokens=tokens(usage, "completion_tokens"),
            failure=failure,
            message=words,
        )

    def fault(self, error: Mapping[str, Any]) -> Failure | None:
        """By its code, else by its type, else by its words."""
        for name in ("code", "type"):
            if (found := CODES.get(str(error.get(name)))) is not None:
                return found
        message = str(error.get("message")).lower()
        return next((failure for words, failure in WORDS if words in message), None)


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
