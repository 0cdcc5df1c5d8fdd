"""Replays as commands show them: what would be done, what was done, and what became of each letter."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.cli.replay.beginning import Begun
from shared.cli.replay.driving import Driven
from shared.cli.replay.planning import Considering
from shared.cli.replay.watching import Watch
from shared.cli.session import Session
from shared.cli.talk import data, progress, table
from shared.core.forecast import Forecast
from shared.kafka.dead_letters import REPLAYED, DeadLetters, Resolution
from shared.kafka.receipts import Plan, Receipt

WAITING = "waiting"
"""A letter of a plan that was not acted on yet."""
UNDER_WAY = "under way"
"""A letter that re-entered, and of which nothing has been heard since."""


def dry_run(considering: Considering, expected: Forecast, *, as_json: bool) -> None:
    """What a replay would do."""
    reasons = Counter(considering.refused.values())
    if as_json:
        letters = [dict(one.about) | {"to": one.to, "refused": one.why_not} for one in considering.meant]
        data(
            {
                "dry_run": True,
                "selected": len(considering.meant),
                "eligible": len(considering.entries),
                "already_resolved": len(considering.resolved),
                "refused": dict(reasons),
                "forecast": asdict(expected),
                "letters": letters,
            }
        )
        return
    columns = ("class", "stage", "to", "letters")
    groups = Counter((one.about["class"], one.about["stage"], one.to) for one in considering.meant if not one.why_not)
    table(columns, [[*key, count] for key, count in groups.most_common()])
    print(f"{len(considering.entries)} dead letters would re-enter; nothing was done")
    if considering.resolved:
        print(f"{len(considering.resolved)} were resolved before")
    for why, count in reasons.most_common():
        print(f"{count} would be left: {why}")
    print(f"expected cost: ${expected.cost_usd:.4f} ({expected.how})")


def outcome(begun: Begun, asked: frozenset[str], *, as_json: bool) -> None:
    """What was done."""
    progress("")
    driven = begun.driven
    acted = set(driven.replayed) if driven else set()
    resolved = begun.considered.resolved if begun.considered else []
    already = sorted(set(resolved) & asked - acted)
    said: dict[str, Any] = {
        "replayed": driven.replayed if driven else [],
        "refused": begun.refused,
        "already_resolved": already,
    }
    if driven:
        said |= {
            "receipt": driven.receipt.id,
            "state": driven.receipt.state,
            "stopped": driven.receipt.said,
            "expired": driven.expired,
            "before": driven.before,
            "ended": driven.count.ended,
            "failed_again": driven.count.failed,
            "forecast_usd": driven.receipt.forecast.get("cost_usd", 0.0),
        }
    if as_json:
        data(said)
        return
    print(f"{len(said['replayed'])} replayed" + (f", {len(already)} were resolved before" if already else ""))
    for letter_id, why in begun.refused.items():
        print(f"left as it is: {letter_id}: {why}")
    if driven:
        if driven.expired:
            print(f"{len(driven.expired)} were no longer there")
        if driven.before:
            print(f"{driven.before} of the plan were resolved before this run")
        print(f"receipt {driven.receipt.id}: {driven.receipt.state}")


def going(driven: Driven, left: int) -> None:
    """How far it is, on a terminal."""
    count = driven.count
    progress(f"{len(driven.replayed)} replayed, {left} left, {count.ended} ended, {count.failed} failed again")


def summary(receipt: Receipt) -> dict[str, Any]:
    """A receipt in a few words."""
    inner = ("begin", "edited", "name", "first", "passed")
    return {name: value for name, value in asdict(receipt).items() if name not in inner}


def fates(session: Session, letters: DeadLetters, plan: Plan, done: Mapping[str, Resolution]) -> list[dict[str, Any]]:
    """What became of each letter of a plan, as far as the topics tell now."""
    states: dict[str, str] = {}
    with Watch(session, plan.receipt.begin) as watch:
        for entry in plan.entries:
            note = done.get(entry.letter)
            if note and note.receipt == plan.receipt.id and note.action == REPLAYED:
                watch.sent(entry.letter, str(letters.position(entry.letter)), note.document_id)
        watch.look_to_the_end()
        states = watch.states
    return [_fate(entry.letter, done.get(entry.letter), states, plan) for entry in plan.entries] + [
        {"letter": one, "action": "left", "outcome": "", "document_id": "", "at": "", "why": why}
        for one, why in plan.refused.items()
    ]


def _fate(letter: str, note: Resolution | None, states: Mapping[str, str], plan: Plan) -> dict[str, Any]:
    if note is None:
        return {"letter": letter, "action": WAITING, "outcome": "", "document_id": "", "at": "", "why": ""}
    ours = note.receipt == plan.receipt.id
    outcome = states.get(letter, UNDER_WAY) if ours and note.action == REPLAYED else ""
    why = note.reason if note.action != REPLAYED else "" if ours else f"by {note.receipt}"
    return {
        "letter": letter,
        "action": note.action,
        "outcome": outcome,
        "document_id": note.document_id,
        "at": note.at,
        "why": why,
    }
