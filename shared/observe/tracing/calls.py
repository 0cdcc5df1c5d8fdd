"""A model call as a span, by OpenTelemetry's GenAI conventions and with the names that LangFuse reads. Pure.

A call whose recorded result was found was not made: its span is short, and says neither tokens nor cost, which are
told by the span of the call that was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.context import Call
from shared.core.failures import Failure
from shared.observe.tracing import names
from shared.observe.tracing.spans import Attributes, Kind, Span, sendable

PROVIDERS: Mapping[str, str] = {"gemini": "gcp.gemini", "mistral": "mistral_ai", "azure": "azure.ai.openai"}
"""Providers that OpenTelemetry calls otherwise than our registry."""
REASONS: Mapping[str, str] = {
    "ok": "stop",
    Failure.TRUNCATED.value: "length",
    Failure.REFUSAL.value: "content_filter",
    Failure.CONTENT_POLICY.value: "content_filter",
}
"""How a call ended, to why the model stopped. Any other answer that was rejected was a whole one."""
UNANSWERED = frozenset(
    failure.value
    for failure in (
        Failure.RATE_LIMITED,
        Failure.OVERLOADED,
        Failure.SERVER_ERROR,
        Failure.TIMEOUT,
        Failure.CONNECTION,
        Failure.STREAM_CUT,
        Failure.TOKEN_LIMIT,
        Failure.AUTH,
        Failure.MODEL_UNKNOWN,
    )
)
"""Classes of calls that were not answered at all."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a call said, where content is wanted."""

    system: str
    """Instructions."""
    user: str
    """The question with its material."""
    answer: str
    """The answer as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a model, ended."""

    call: Call
    """What it used and how it ended."""
    ended: int
    """When, in nanoseconds since 1970."""
    server: str = ""
    """Host of the provider."""
    most: int = 0
    """Most tokens of the answer."""
    sample: int = 0
    """Which of several answers was wanted."""
    estimated: bool = False
    """The counts of tokens are ours."""
    answered_by: str = ""
    """Model that answered, as its provider says."""
    told: Told | None = None
    """What was said; None where nobody is to know."""


def call_span(asked: Asked, trace: int, number: int, parent: int, about: Attributes) -> Span:
    """The span of one request, made or found."""
    call = asked.call
    failure = "" if call.outcome in ("ok", "reused") else call.outcome.removeprefix("reused:")
    said = about | _asked(asked) | (_used(asked) if call.made else {names.KIND: "span"})
    if failure:
        said |= {names.ERROR_TYPE: failure, names.STATUS: failure}
        said[names.LEVEL] = "ERROR" if failure in UNANSWERED else "WARNING"
    if asked.told:
        said |= _content(asked.told)
    return Span(
        name=f"chat {call.model}",
        trace=trace,
        id=number,
        parent=parent,
        start=asked.ended - (call.milliseconds * 1_000_000 if call.made else 0),
        end=asked.ended,
        attributes=said,
        kind=Kind.CLIENT,
        error=failure,
    )


def _asked(asked: Asked) -> dict[str, Any]:
    call = asked.call
    provider = PROVIDERS.get(call.provider, call.provider)
    said = {
        names.OPERATION_NAME: "chat",
        names.PROVIDER_NAME: provider,
        names.SYSTEM: provider,
        names.REQUEST_MODEL: call.model,
        names.REQUEST_MAX_TOKENS: asked.most,
        names.SERVER_ADDRESS: asked.server,
        names.TASK: call.task,
        names.PROMPT: call.prompt,
        names.SAMPLE: asked.sample,
        names.OUTCOME: call.outcome,
    }
    return {name: value for name, value in said.items() if value}


def _used(asked: Asked) -> dict[str, Any]:
    """What a request that was sent used."""
    call = asked.call
    said: dict[str, Any] = {
        names.KIND: "generation",
        names.MODEL: call.model,
        names.INPUT_TOKENS: call.input_tokens,
        names.OUTPUT_TOKENS: call.output_tokens,
        names.COST: call.cost_usd,
        names.USAGE: json.dumps({"input": call.input_tokens, "output": call.output_tokens}),
        names.COSTS: json.dumps({"total": call.cost_usd}),
    }
    if call.outcome not in UNANSWERED:
        said |= {names.RESPONSE_MODEL: asked.answered_by} if asked.answered_by else {}
        said[names.FINISH_REASONS] = (REASONS.get(call.outcome, "stop"),)
    prompt, _, version = call.prompt.partition("@")
    if version.isdecimal():
        said |= {names.PROMPT_NAME: prompt, names.PROMPT_VERSION: int(version)}
    if asked.estimated:
        said[names.ESTIMATED] = True
    return said


def _content(told: Told) -> dict[str, Any]:
    def message(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "parts": [{"type": "text", "content": text}]}

    asked = [{"role": "system", "content": told.system}, {"role": "user", "content": told.user}]
    return {
        names.INSTRUCTIONS: json.dumps([{"type": "text", "content": told.system}]),
        names.INPUT_MESSAGES: json.dumps([message("user", told.user)]),
        names.OUTPUT_MESSAGES: json.dumps([message("assistant", told.answer)]),
        names.INPUT: json.dumps(asked),
        names.OUTPUT: sendable(told.answer),
    }
