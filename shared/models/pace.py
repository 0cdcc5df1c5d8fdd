"""How fast a provider wants to be asked, in the headers of its responses. Pure.

    retry-after                                             no call before that
    x-ratelimit-{limit,remaining,reset}-{requests,tokens}   OpenAI and most gateways; reset as `6m0s` or `120ms`
    anthropic-ratelimit-{requests,tokens}-{…}               Anthropic; reset as a date

A reset is when the whole limit is there again, and both fill it up evenly: with nothing remaining, the next call is
possible long before it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
"""Most seconds for which a header is believed."""
NAMES = ("x-ratelimit-{what}-{kind}", "anthropic-ratelimit-{kind}-{what}")
"""How the headers are called."""
SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = {"requests": 1.0, "tokens": 0.01}
"""What must be there for a call: one request, or this share of the limit of tokens."""


def exhausted(headers: Mapping[str, str]) -> float:
    """Seconds until the provider's own counters have room for a call; 0 where they have it, or are not told."""
    waits = [_wait(headers, name, kind) for name in NAMES for kind in PART]
    return min(max(waits), LONGEST)


def _wait(headers: Mapping[str, str], name: str, kind: str) -> float:
    limit, remaining = (_number(headers.get(name.format(what=what, kind=kind), "")) for what in ("limit", "remaining"))
    reset = _seconds(headers.get(name.format(what="reset", kind=kind), ""), headers.get("date", ""))
    if limit is None or remaining is None or reset is None or remaining >= limit:
        return 0.0
    needed = 1.0 if kind == "requests" else limit * PART[kind]
    return reset * max(needed - remaining, 0.0) / (limit - remaining) if remaining < 1 else 0.0


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


def _seconds(text: str, now: str) -> float | None:
    """A span, a number of seconds, or a date read against the response's own, for clocks differ."""
    if parts := SPAN.findall(text):
        return sum(float(number) * SECONDS[unit] for number, unit in parts)
    if _number(text) is not None:
        return float(text)
    try:
        return max((datetime.fromisoformat(text) - parsedate_to_datetime(now)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
