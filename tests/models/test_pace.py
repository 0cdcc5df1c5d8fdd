"""What the headers of providers say about the pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.models.pace import LONGEST, exhausted

NOW = "Tue, 24 Nov 2026 10:00:00 GMT"


def openai(kind: str, limit: str, remaining: str, reset: str) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{what}-{kind}": value for what, value in values.items()}


def anthropic(kind: str, limit: str, remaining: str, reset: str) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {"date": NOW} | {f"anthropic-ratelimit-{kind}-{what}": value for what, value in values.items()}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        (openai("requests", "500", "499", "120ms"), 0.0),
        (openai("requests", "500", "0", "1m0s"), 0.12),
        (openai("tokens", "60000", "0", "6m0s"), 3.6),
        (openai("tokens", "60000", "150", "59s"), 0.0),
        (openai("requests", "60", "0", "30"), 0.5),
        (anthropic("requests", "50", "0", "2026-11-24T10:01:00Z"), 1.2),
        (anthropic("tokens", "50000", "0", "2026-11-24T10:00:30Z"), 0.3),
        (anthropic("requests", "50", "0", "2026-11-24T09:00:00Z"), 0.0),
        (openai("requests", "500", "0", "soon"), 0.0),
        (openai("requests", "many", "0", "1s"), 0.0),
        (openai("requests", "0", "0", "1s"), 0.0),
        (openai("requests", "1", "0", "99999h"), LONGEST),
    ],
)
def test_what_remains_and_when_it_is_back_gives_when_to_call(headers: dict[str, str], seconds: float) -> None:
    assert exhausted(headers) == pytest.approx(seconds)


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=40))
def test_no_header_can_make_it_fail(limit: str, remaining: str, reset: str) -> None:
    for headers in (openai("requests", limit, remaining, reset), anthropic("tokens", limit, remaining, reset)):
        assert 0 <= exhausted(headers) <= LONGEST
