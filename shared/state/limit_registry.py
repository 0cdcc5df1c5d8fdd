"""The limits' side of Redis: one script, commands in, answers out, both JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.core.limits import Granted, WindowPolicy
from shared.state.quota import Told, Wanted
from shared.state.registry import PATIENCE, address, in_time

LIMITS = "penstock:limit:"
"""Beginning of every key; the limit's name follows."""
LIMIT_SCRIPT = files("shared.state").joinpath("limit.lua").read_text("utf-8")
"""The rules, as Redis runs them."""
GONE = 10_000
"""Milliseconds after which a process that says nothing is no worker any more."""
GAP = 2_000
"""Milliseconds in which somebody should have said something: else the registry was away."""
SETTLE = 2_000
"""Milliseconds for which nothing is granted after that: in them all processes tell what they used alone."""


class LimitRegistry:
    """The connection. No call takes longer than the registry's deadline; each raises what an absent Redis raises."""

    def __init__(self, url: str, policy: WindowPolicy, who: str, prefix: str = LIMITS) -> None:
        self.address = address(url)
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(LIMIT_SCRIPT)
        self._head = [prefix, who, encode_window(policy)]

    async def tell(self, wanted: Sequence[Wanted]) -> tuple[int, list[Told]]:
        """The server's time in milliseconds, and its word on each limit."""
        told = decode_told(await in_time(self._script(args=[*self._head, encode_wanted(wanted)])))
        if len(told[1]) != len(wanted):
            raise ValueError(f"{len(told[1])} answers to {len(wanted)} commands")
        return told

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


def encode_window(policy: WindowPolicy) -> str:
    """The policy as the script wants it."""
    said = {"window": policy.window, "part": policy.part, "returns": policy.returns}
    return json.dumps(said | {"gone": GONE, "gap": GAP, "settle": SETTLE})


def encode_wanted(wanted: Sequence[Wanted]) -> str:
    """The commands as the script wants them."""
    return json.dumps([asdict(one) for one in wanted])


def decode_told(text: str | bytes) -> tuple[int, list[Told]]:
    """The server's time, and its answers. Raises ValueError where it is not the script's text."""
    said = json.loads(text)
    try:
        return int(said["now"]), [_told(entry) for entry in said["limits"] or ()]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an answer of the limit script: {text!r}") from error


def _told(said: dict[str, Any]) -> Told:
    return Told(
        said["name"],
        Granted(int(said["granted"]), int(said["wait"])),
        int(said["hold"]),
        int(said["workers"]),
        bool(said["stranger"]),
    )
