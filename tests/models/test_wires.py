"""The wire formats and the table of faults, as pure functions."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models.registry import load_registry
from shared.models.transport import WIRES, understood
from shared.models.wire import failure_of_status, failure_of_transport, retry_after

PROMPT = Prompt(name="extraction@1", system="Be exact.", user="The document.", task="extraction")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"total": {"type": "string"}}}
(GPT, CLAUDE, *_) = load_registry("", {"OPENAI_API_KEY": "k1", "ANTHROPIC_API_KEY": "k2"}).chain("analyst")


def test_an_openai_request_carries_key_limit_and_schema() -> None:
    request = WIRES["openai"].request(GPT, PROMPT, SCHEMA)
    assert request.path == "/chat/completions"
    assert request.headers == {"Authorization": "Bearer k1"}
    assert request.body["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": SCHEMA}
    assert request.body["max_completion_tokens"] == GPT.max_output
    assert [message["role"] for message in request.body["messages"]] == ["system", "user"]


def test_an_openai_request_without_a_key_sends_none() -> None:
    (own,) = load_registry("", {"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}).chain("analyst")
    request = WIRES["openai"].request(own, PROMPT, SCHEMA)
    assert request.headers == {}
    assert request.body["max_tokens"] == own.max_output


def test_an_anthropic_request_forces_the_one_tool() -> None:
    request = WIRES["anthropic"].request(CLAUDE, PROMPT, SCHEMA)
    assert request.path == "/v1/messages"
    assert request.headers == {"x-api-key": "k2", "anthropic-version": "2023-06-01"}
    assert request.body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert request.body["tools"][0]["input_schema"] == SCHEMA
    assert request.body["model"] == "claude-haiku-4-5"


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (301, "model_unknown"),
        (400, "model_unknown"),
        (401, "auth"),
        (402, "auth"),
        (403, "auth"),
        (404, "model_unknown"),
        (408, "timeout"),
        (413, "token_limit"),
        (422, "model_unknown"),
        (429, "rate_limited"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "overloaded"),
        (504, "timeout"),
        (529, "overloaded"),
        (599, "server_error"),
    ],
)
def test_every_status_has_a_failure_class(status: int, failure: str) -> None:
    assert failure_of_status(status) is Failure(failure)


@pytest.mark.parametrize(
    ("error", "begun", "failure"),
    [
        (httpx.ConnectTimeout(""), False, "timeout"),
        (httpx.ReadTimeout(""), True, "timeout"),
        (TimeoutError(), True, "timeout"),
        (httpx.ConnectError(""), False, "connection"),
        (httpx.RemoteProtocolError(""), False, "connection"),
        (httpx.RemoteProtocolError(""), True, "stream_cut"),
        (httpx.ReadError(""), True, "stream_cut"),
        (httpx.DecodingError(""), True, "stream_cut"),
        (httpx.UnsupportedProtocol(""), False, "model_unknown"),
        (httpx.InvalidURL(""), False, "model_unknown"),
    ],
)
def test_every_transport_error_has_a_failure_class(error: Exception, begun: bool, failure: str) -> None:
    assert failure_of_transport(error, begun=begun) is Failure(failure)


@pytest.mark.parametrize(
    ("wire", "status", "error", "failure"),
    [
        ("openai", 400, {"code": "context_length_exceeded"}, "token_limit"),
        ("openai", 400, {"message": "This model's maximum context length is 8192 tokens."}, "token_limit"),
        ("openai", 400, {"code": "content_filter"}, "content_policy"),
        ("openai", 429, {"code": "insufficient_quota", "type": "insufficient_quota"}, "auth"),
        ("openai", 429, {"code": "rate_limit_exceeded"}, "rate_limited"),
        ("anthropic", 400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, "token_limit"),
        ("anthropic", 400, {"message": "Output blocked by content filtering policy"}, "content_policy"),
        ("anthropic", 400, {"message": "Your credit balance is too low"}, "auth"),
        ("anthropic", 529, {"type": "overloaded_error"}, "overloaded"),
        ("anthropic", 400, {"type": "invalid_request_error", "message": "tools: unknown field"}, "model_unknown"),
    ],
)
def test_an_error_body_says_more_than_its_status(wire: str, status: int, error: Any, failure: str) -> None:
    reply = understood(WIRES[wire], status, {}, json.dumps({"error": error}).encode())
    assert reply.failure is Failure(failure)


@pytest.mark.parametrize(
    ("wire", "body", "failure"),
    [
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": "length"}]}, "truncated"),
        ("openai", {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}, "content_policy"),
        ("openai", {"choices": [{"message": {"content": None, "refusal": "No."}}]}, "refusal"),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": "error"}]}, "server_error"),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": "abort"}]}, "server_error"),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": ["stop"]}]}, "server_error"),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": None}]}, "server_error"),
        ("openai", {"choices": [{"message": {"content": "{}"}}]}, "server_error"),
        (
            "openai",
            {"choices": [{"message": {"content": "{}"}, "finish_reason": "error", "error": {"code": 429}}]},
            "rate_limited",
        ),
        (
            "openai",
            {"choices": [{"message": {"content": "{}"}, "finish_reason": "insufficient_system_resource"}]},
            "overloaded",
        ),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": "model_length"}]}, "truncated"),
        ("openai", {"error": {"code": 502, "message": "Provider returned error"}}, "server_error"),
        ("openai", {"error": {"code": 429, "message": "Provider returned error"}}, "rate_limited"),
        ("anthropic", {"content": [{"type": "text", "text": "{}"}], "stop_reason": "error"}, "server_error"),
        ("anthropic", {"content": [{"type": "text", "text": "{}"}], "stop_reason": "pause_turn"}, "server_error"),
        ("anthropic", {"content": [{"type": "text", "text": "{}"}]}, "server_error"),
        ("anthropic", {"type": "error", "error": {"type": "overloaded_error"}}, "overloaded"),
        ("anthropic", {"content": [], "stop_reason": "refusal"}, "refusal"),
        ("anthropic", {"content": [], "stop_reason": "max_tokens"}, "truncated"),
        ("anthropic", {"content": [], "stop_reason": "model_context_window_exceeded"}, "token_limit"),
    ],
)
def test_an_answer_that_ended_badly_has_a_failure_class(wire: str, body: Any, failure: str) -> None:
    assert understood(WIRES[wire], 200, {}, json.dumps(body).encode()).failure is Failure(failure)


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "eos", "end_turn"])
def test_an_answer_is_whole_where_its_provider_says_so_in_its_own_word(reason: str) -> None:
    body = {"choices": [{"message": {"content": "{}"}, "finish_reason": reason}]}
    assert understood(WIRES["openai"], 200, {}, json.dumps(body).encode()).failure is None


def test_a_refusal_for_the_pace_tells_when_the_limit_is_there_again() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "60s",
    }
    reply = understood(WIRES["openai"], 429, headers, b"{}")
    assert (reply.failure, reply.after, reply.hold) == (Failure.RATE_LIMITED, None, 1.0)


@given(
    st.sampled_from(["openai", "anthropic"]),
    st.sampled_from([200, 400, 429, 500]),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["choices", "message", "content", "usage", "error", "type", "text", "input"]), inner
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_whatever_a_server_sends_becomes_a_reply(wire: str, status: int, content: bytes) -> None:
    reply = understood(WIRES[wire], status, {}, content)
    assert isinstance(reply.text, str)
    assert status == 200 or reply.failure
    assert reply.estimated == (status == 200 and reply.message.startswith("status 200, but no answer"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "1", "retry-after-ms": "120"}, 0.12),
        ({"retry-after": "1", "retry-after-ms": "soon"}, 1.0),
        ({"retry-after": "999999"}, 3600.0),
        (
            {"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            30.0,
        ),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_believed_where_it_can_be_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
