"""Waiting for a condition with a deadline: no test sleeps and hopes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

DEADLINE = 5.0


async def until(condition: Callable[[], Any | Awaitable[Any]], within: float = DEADLINE) -> Any:
    """Give the condition's first true answer. Fails the test when none came in time."""
    end = time.monotonic() + within
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {within} s: {condition}"
        await asyncio.sleep(0.005)


def until_now(condition: Callable[[], bool], within: float = DEADLINE) -> None:
    """The same without a loop."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {condition}"
        time.sleep(0.01)
