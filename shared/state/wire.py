"""What passes between a process and the registry's script: commands in, states out, both JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from shared.core.breaker import SLOTS, Breaker, BreakerEvent, BreakerPolicy, Phase, Verdict
from shared.core.tally import Tally


@dataclass(frozen=True, slots=True)
class Command:
    """What one process says of one breaker, and asks of it."""

    name: str
    """The breaker."""
    view: Breaker | None = None
    """The process's copy, from which an emptied registry is filled again."""
    own: bool = False
    """The process changed the copy while the registry was away."""
    tally: Tally | None = None
    """How its calls ended since it last told."""
    act: str = ""
    """An operator's word: `trip` or `reset`."""
    reason: str = ""
    """The operator's reason."""
    probe: bool = False
    """It wants to make a call, and would be the probe."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The registry's word on one breaker."""

    name: str
    """The breaker."""
    breaker: Breaker | None
    """Its state; None where nobody knows it."""
    verdict: Verdict | None = None
    """What the asker may do, where it asked."""


def encode_policy(policy: BreakerPolicy) -> str:
    """The policy as the script wants it: times in milliseconds."""
    return json.dumps(
        {
            "threshold": policy.threshold,
            "recovery": int(policy.recovery * 1000),
            "lease": int(policy.lease * 1000),
            "slot": policy.slot,
            "slots": SLOTS,
            "minimum_calls": policy.minimum_calls,
            "share": policy.share,
            "minimum_answers": policy.minimum_answers,
            "useless_share": policy.useless_share,
            "ramp": int(policy.ramp * 1000),
        }
    )


def encode_commands(commands: Iterable[Command]) -> str:
    """The commands as the script wants them: what is not said is left out, for null is something in Lua."""
    return json.dumps(
        [
            {key: value for key, value in asdict(command).items() if value not in (None, "", False)}
            for command in commands
        ]
    )


def decode_answers(text: str | bytes) -> tuple[int, list[Answer]]:
    """The server's time in milliseconds, and its answers. Raises ValueError where it is not the script's text."""
    said = json.loads(text)
    try:
        # an empty table of Lua has no way to say that it is a list, so it comes as an object
        return int(said["now"]), [_answer(entry) for entry in said["breakers"] or ()]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an answer of the breaker script: {text!r}") from error


def decode_change(text: str | bytes) -> Answer:
    """A change that the registry announced. Raises ValueError where it is nothing of the kind."""
    said = json.loads(text)
    try:
        return _answer(said)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a change of a breaker: {text!r}") from error


def decode_event(text: str | bytes) -> BreakerEvent:
    """One entry of the list of events."""
    said = json.loads(text)
    return BreakerEvent(said["name"], said["state"], said["reason"], datetime.fromtimestamp(said["at"] / 1000, UTC))


def _answer(said: dict[str, Any]) -> Answer:
    breaker = _breaker(said["breaker"]) if said.get("breaker") else None
    return Answer(said["name"], breaker, Verdict(said["verdict"]) if said.get("verdict") else None)


def _breaker(said: dict[str, Any]) -> Breaker:
    return Breaker(
        since=int(said["since"]),
        version=int(said["version"]),
        phase=Phase(said["phase"]),
        until=int(said["until"]),
        holder=said["holder"],
        tripped=said["tripped"],
        run=int(said["run"]),
        slots=tuple((int(part), int(ok), int(failed), int(vain)) for part, ok, failed, vain in said["slots"] or ()),
        useless=said["useless"],
        reason=said["reason"],
    )
