"""From what a model wrote to a checked answer: the schema it is asked for, the parsing, and the one repair.

An answer can be anything at all. Whatever it is becomes a value, or a failure class with a sentence.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from shared.core.context import Prompt
from shared.core.failures import Failure

M = TypeVar("M")

REPAIRABLE = frozenset({Failure.MALFORMED_JSON, Failure.SCHEMA_VIOLATION, Failure.TRUNCATED})
"""Failures that a second question to the same model may mend, because it can be told what was wrong."""

NAMED_FIELDS = 8
"""Most fields that a repair names."""

REFUSING = re.compile(
    r"(as an ai\b|i('m| am) sorry,? (but )?i|i('m| am) (unable|not able) to|i (cannot|can't|can not|won't)) "
    r".{0,80}\b(assist|help|comply|process|provide|answer|do that|continue|fulfil)",
    re.IGNORECASE | re.DOTALL,
)
"""How a refusal begins. It counts only where every string of an answer begins so: a letter may say so too."""


@dataclass(frozen=True, slots=True)
class Checked(Generic[M]):
    """An answer after parsing: its value, or why it has none."""

    value: M | None = None
    """The answer."""
    failure: Failure | None = None
    """How it failed; None where there is a value."""
    message: str = ""
    """What was wrong, in one sentence."""
    fields: tuple[str, ...] = ()
    """The fields that were wrong, at most a few."""


def json_schema(schema: Any) -> Mapping[str, Any]:
    """The JSON schema a provider is sent: every property required and no other allowed, as strict modes demand."""
    return _built(schema)[1]


def schema_text(schema: Any) -> str:
    """The same as text, always the same for the same schema."""
    return _built(schema)[2]


def _adapter(schema: Any) -> TypeAdapter[Any]:
    return _built(schema)[0]


@cache
def _built(schema: Any) -> tuple[TypeAdapter[Any], Mapping[str, Any], str]:
    adapter = TypeAdapter(schema)
    closed = _closed(adapter.json_schema())
    return adapter, closed, json.dumps(closed, sort_keys=True)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _closed(part) for name, part in node.items() if name not in {"default", "title"}}
    if isinstance(node.get("properties"), dict):
        # A property may itself be called "title", so properties are walked by their own names.
        kept["properties"] = {name: _closed(part) for name, part in node["properties"].items()}
        kept |= {"required": list(node["properties"]), "additionalProperties": False}
    return kept


def check(text: str, schema: type[M]) -> Checked[M]:
    """Parse and validate what a model wrote; prose and code fences around the object do no harm."""
    adapter: TypeAdapter[M] = _adapter(schema)
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        if REFUSING.match(text.strip()):
            return Checked(failure=Failure.REFUSAL, message="the model declined: " + _short(text))
        return Checked(failure=Failure.MALFORMED_JSON, message="the answer holds no JSON object: " + _short(text))
    try:
        # pydantic's parser and not json's: it bounds the depth, and a model can write ten thousand brackets.
        content = from_json(text[start : end + 1], allow_inf_nan=False)
    except ValueError as error:
        return Checked(failure=Failure.MALFORMED_JSON, message=f"the answer is no JSON: {error}")
    if refusal := refusal_in(content):
        return Checked(failure=Failure.REFUSAL, message="the model declined: " + _short(refusal))
    try:
        return Checked(adapter.validate_python(content))
    except ValidationError as error:
        found = [(".".join(map(str, e["loc"]))[:60] or "answer", e["msg"]) for e in error.errors(include_url=False)]
        message = "; ".join(f"{name}: {words}" for name, words in found[:NAMED_FIELDS])
        names = tuple(dict.fromkeys(name for name, _ in found))[:NAMED_FIELDS]
        return Checked(
            failure=Failure.SCHEMA_VIOLATION, message=f"the answer breaks its schema: {message}", fields=names
        )


def refusal_in(content: Any) -> str:
    """The refusal that an answer of the right form is in truth; empty where it is an answer."""
    said = [text for text in strings(content) if text.strip()]
    return said[0] if said and all(REFUSING.match(text.strip()) for text in said) else ""


def strings(content: Any) -> Iterable[str]:
    """Every string in a JSON value."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for part in content.values():
            yield from strings(part)
    elif isinstance(content, list):
        for part in content:
            yield from strings(part)


def repaired(prompt: Prompt, checked: Checked[Any]) -> Prompt:
    """The same question with a line on what was wrong: the bad answer is not sent back, so its size is bounded."""
    names = ", ".join(checked.fields)
    faults = {
        Failure.MALFORMED_JSON: "Your last answer was not valid JSON.",
        Failure.TRUNCATED: "Your last answer was cut off: answer more briefly.",
        Failure.SCHEMA_VIOLATION: f"In your last answer these fields broke the schema: {names}.",
    }
    fault = faults.get(checked.failure or Failure.MALFORMED_JSON, "")
    return replace(prompt, user=f"{prompt.user}\n\n{fault} Respond only with JSON that fits the schema.")


def _short(text: str) -> str:
    return json.dumps(text[:120], ensure_ascii=False)
