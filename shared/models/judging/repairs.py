"""The next question, when the last answer was no good: the same one with a line on what was wrong.

The bad answer is not sent back, and only fields are named, at most a few: a repair has a bounded size, however often it
is asked and whatever the model wrote.
"""

from dataclasses import replace
from typing import Any

from shared.core.context import Prompt
from shared.core.failures import Failure, Remedy
from shared.core.remedies import DEFAULT
from shared.models.judging.checked import Checked, named

REPAIRABLE = DEFAULT.under(Remedy.REPAIR)
"""Failures that a second question to the same model may mend, because it can be told what was wrong."""

ONLY_JSON = "Respond only with JSON that fits the schema."


def repaired(prompt: Prompt, checked: Checked[Any]) -> Prompt:
    """The question with what was wrong with its last answer."""
    names, known = ", ".join(checked.fields), ", ".join(named(list(checked.partial)))
    faults = {
        Failure.MALFORMED_JSON: "Your last answer was not valid JSON.",
        Failure.TRUNCATED: "Your last answer was cut off: answer more briefly."
        + (f" Leave these fields empty, for they are known: {known}." if known else ""),
        Failure.SCHEMA_VIOLATION: f"In your last answer these fields broke the schema: {names}.",
        Failure.UNGROUNDED: f"In your last answer these values do not stand in the document: {names}."
        " Copy each value as it stands there, and give an empty text where there is none.",
    }
    return said_too(prompt, faults.get(checked.failure or Failure.MALFORMED_JSON, ""))


def structured(prompt: Prompt, checked: Checked[Any]) -> Prompt:
    """The question with a procedure: field by field, the missing ones named."""
    names = f", above all {', '.join(checked.fields)}" if checked.fields else ""
    return said_too(
        prompt, f"Take the fields of the schema one by one{names}, and look for each in the whole document."
    )


def resampled(prompt: Prompt, number: int) -> Prompt:
    """The question as one of several samples. It says so: to send the same bytes again would be no change at all."""
    return replace(said_too(prompt, f"This is reading {number + 1} of the document: read it afresh."), sample=number)


def said_too(prompt: Prompt, line: str) -> Prompt:
    """The question with one more line under it."""
    return replace(prompt, user=f"{prompt.user}\n\n{line} {ONLY_JSON}")
