"""A finding in words, as one would tell it to a colleague, and what is likely to help."""

from collections.abc import Callable
from datetime import UTC, datetime

from shared.core.atlas.factors import Condition
from shared.core.atlas.finding import Finding
from shared.core.failures import Failure, Remedy
from shared.core.remedies import Remedies

ALWAYS = 0.99
"""From this part on they are said to fail always."""

ADVICE = {
    Remedy.RETRY: "it heals by itself: look at what is slow or away, then replay them",
    Remedy.REPAIR: "another prompt or another model: replay a few with --prompt or --model first",
    Remedy.FALLBACK: "another model: replay a few with --model first",
    Remedy.SPLIT: "a model with a larger window, or the document in parts",
    Remedy.PARK: "nothing but waiting until it is back",
    Remedy.REVIEW: "let a person decide, or ask another model",
    Remedy.DEAD: "as it is it fails again: ask the sender for another file, or discard them with a reason",
}
"""Remedy to what a person can do about dead letters of its classes."""
OWN_ADVICE = {
    Failure.ENCRYPTED: "ask the sender for the file without its password",
    Failure.SCANNED: "install the recognition of scans (OCR), then replay them",
    Failure.TOO_LARGE: "raise the limit, or ask for smaller files",
    Failure.PARSER_TIMEOUT: "give the parser more time, then replay them",
    Failure.UNKNOWN_SCHEMA: "publish the schema they were written with, then replay them",
    Failure.AUTH: "set the provider's key, then replay them",
    Failure.MODEL_UNKNOWN: "mend the model's name in the registry, then replay them",
    Failure.REFERENCE_MISSING: "bring the missing files back, then replay them",
    Failure.CRASHES_WORKER: "show one of them to a developer: it ends the process that reads it",
    Failure.INTERNAL: "an error of ours: mend it, then replay them",
}
"""Where the class itself says better what helps."""


def sentence(finding: Finding, remedies: Remedies, command: str) -> str:
    """All of it in one sentence; `command` lists exactly these dead letters."""
    parts = [
        f"{rate_of(finding)} {who(finding.group)} fail at {finding.stage} with {finding.failure}"
        f" ({finding.failed:,} of {finding.documents:,}; 95 %: {percent(finding.low)}–{percent(finding.high)} %;"
        f" {'others' if finding.group else 'before'} {percent(finding.baseline)} %)"
    ]
    if finding.since is not None:
        parts[0] += f", since {clock(finding.since)}"
    if finding.common:
        parts.append(f"nearly all of them: {', '.join(words(condition) for condition in finding.common)}")
    parts.append(f"likely remedy: {remedy_of(finding, remedies)}")
    parts.append(f"select them: {command}")
    return "; ".join(parts)


def rate_of(finding: Finding) -> str:
    """How often, as a share of all of them."""
    return "all" if finding.rate >= ALWAYS else f"{percent(finding.rate)} % of"


def remedy_of(finding: Finding, remedies: Remedies) -> str:
    """What is likely to help; a class that nobody knows has no remedy but to look."""
    if finding.failure not in set(Failure):
        return "look at one of them"
    failure = Failure(finding.failure)
    changed = next((one.value for one in finding.group if one.factor == "prompt"), "")
    if changed and finding.since is not None and failure not in OWN_ADVICE:
        return f"go back from {changed} to the prompt before it, then replay them"
    return OWN_ADVICE.get(failure) or ADVICE[remedies.of(failure)]


def who(group: tuple[Condition, ...]) -> str:
    """The documents as a noun with what is said of it: scanned invoices over 40 pages of tenant acme."""
    found = {condition.factor: condition for condition in group}
    noun = plural(found["document_type"].value) if "document_type" in found else "documents"
    method = found.get("method")
    before = {"ocr": "scanned ", "mixed": "partly scanned "}.get(method.value, "") if method else ""
    after = [
        words(condition)
        for condition in group
        if condition.factor != "document_type" and not (condition.factor == "method" and before)
    ]
    return " ".join([before + noun, *after])


def plural(noun: str) -> str:
    """Several of them."""
    return f"{noun} documents" if noun in ("other", "") else f"{noun}s"


def words(condition: Condition) -> str:
    """A condition, as it stands behind the noun."""
    value = condition.value
    match condition.factor:
        case "pages":
            return span(condition, lambda bound: f"{bound:,}", "pages")
        case "size":
            return span(condition, size, "")
        case "document_type":
            return plural(value)
        case "tenant":
            return f"of tenant {value}"
        case "model":
            return f"asked of {value}"
        case "prompt":
            return f"with prompt {value}"
        case "method":
            return {"ocr": "scanned", "mixed": "partly scanned", "text": "with text of their own"}.get(value, value)
        case "language":
            return f"in language {value}"
        case "media_type":
            return f"of media type {value}"
        case other:
            return f"with {other} {value}"


def span(condition: Condition, said: Callable[[int], str], unit: str) -> str:
    """A range of a number."""
    low, high = condition.over, condition.upto
    if low is not None and high is not None:
        text = f"over {said(low)} and up to {said(high)}"
    elif low is not None:
        text = f"over {said(low)}"
    else:
        text = f"up to {said(high or 0)}"
    return f"{text} page" if unit == "pages" and high == 1 else f"{text} {unit}".rstrip()


def size(count: int) -> str:
    """Bytes as people speak of them."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= factor:
            return f"{count / factor:g} {unit}"
    return f"{count} bytes"


def percent(rate: float) -> str:
    """A rate in per cent: whole where it is large, and never 0 or 100 where it is neither."""
    hundred = rate * 100
    if 0 < hundred < 0.05:
        return "<0.1"
    if 99.5 <= hundred < 100:
        return f"{min(hundred, 99.9):.1f}"
    return f"{hundred:.0f}" if hundred >= 10 or hundred == 0 else f"{hundred:.1f}"


def clock(seconds: float) -> str:
    """A time in UTC, for the logs beside it are."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
