"""Whether one model is asked the same question once more, what is changed, and which answer is the best so far.

    nothing asked yet                                     the question
    attempts or money used up                             no more
    no value    it can be told what was wrong             one repair, which names it
                a refusal, or the provider's fault        no more: the next model's turn
    a value     accepted, and good enough                 no more
                no better than the one before             no more: the change brought nothing
                it invents                                a repair that names the fields
                score below `structured_below`            the structured prompt
                score below `retry_below`                 another sample

No question is put twice: what would be the same as an earlier one becomes another sample.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.core.quality import QualityPolicy
from shared.models.judging.checked import Checked
from shared.models.judging.repairs import REPAIRABLE, repaired, resampled, structured

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Tried(Generic[M]):
    """One request to one model, and its answer."""

    prompt: Prompt
    """As it was sent."""
    checked: Checked[M]
    """What its answer is worth."""
    usd: float = 0.0
    """What it cost, US dollars."""


def following(
    policy: QualityPolicy, question: Prompt, tried: Sequence[Tried[Any]], repairable: Collection[Failure] = REPAIRABLE
) -> Prompt | None:
    """The next prompt; None where there is none. `repairable` are the classes that may be repaired."""
    if not tried:
        return question
    spent = sum(one.usd for one in tried)
    if len(tried) >= policy.attempts or spent >= policy.usd:
        return None
    last = tried[-1].checked
    if last.value is not None:
        wanted = _bettered(policy, question, tried)
    else:
        wanted = _mended(policy, question, tried) if last.failure in repairable else None
    if wanted is None:
        return None
    return resampled(question, len(tried)) if any(wanted == one.prompt for one in tried) else wanted


def _mended(policy: QualityPolicy, question: Prompt, tried: Sequence[Tried[Any]]) -> Prompt | None:
    useless = [one for one in tried if one.checked.value is None]
    return repaired(question, tried[-1].checked) if len(useless) <= policy.repairs else None


def _bettered(policy: QualityPolicy, question: Prompt, tried: Sequence[Tried[Any]]) -> Prompt | None:
    last = tried[-1].checked
    if last.failure is None and last.quality >= policy.retry_below:
        return None
    before = best_of(tried[:-1])
    if before is not None and worth(last) <= worth(before):
        return None
    if last.failure is Failure.UNGROUNDED:
        return repaired(question, last)
    if last.quality < policy.structured_below:
        return structured(question, last)
    return resampled(question, len(tried))


def worth(checked: Checked[Any]) -> tuple[bool, float]:
    """By which answers are compared: what is accepted before what is doubted, then by score."""
    return checked.failure is None, checked.quality


def best_of(tried: Sequence[Tried[M]]) -> Checked[M] | None:
    """The best answer so far, the earlier of equals; None where none has a value."""
    return max((one.checked for one in tried if one.checked.value is not None), key=worth, default=None)
