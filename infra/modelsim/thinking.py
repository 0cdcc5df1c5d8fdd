"""What the simulated model answers: computed from the document in the prompt by rules, bent where it is told to."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.modelsim.faults import Fault
from infra.modelsim.rules import answer, extract_fields, summarize
from shared.pipelines.material import document_in, head_of

Content = dict[str, Any]

REFUSAL = "I'm sorry, but I can't help with that request."


@dataclass(frozen=True, slots=True)
class Question:
    """A request of either wire format."""

    model: str
    """Model id."""
    prompt: str
    """All that the user said."""
    instructions: str
    """System prompt."""
    schema: Mapping[str, Any]
    """JSON schema of the answer."""
    tool: bool = False
    """The answer is asked for as the use of a tool."""
    stream: bool = False
    """The answer is wanted in pieces."""
    usage: bool = True
    """A stream is to tell its usage too."""

    @property
    def document(self) -> str:
        """The document in the prompt."""
        return document_in(self.prompt)


def think(question: Question) -> Content:
    """The answer, as an object of the schema's form."""
    head, text = head_of(question.prompt), question.document
    properties = question.schema.get("properties", {})
    found = extract_fields(head.get("Document type", "other"), text) if head.get("Task") == "extraction" else {}
    content: Content = {}
    for name, kind in properties.items():
        if name == "confidence":
            content[name] = 0.0
        elif kind.get("type") == "array":
            content[name] = [{"name": field, "value": value} for field, value in found.items() if value]
        elif name == "summary":
            content[name] = summarize(text)
        elif name == "answer":
            content[name] = answer(head.get("Question", ""), text)
        else:
            content[name] = found.get(name, "")
    if "confidence" in properties:
        content["confidence"] = confidence(content)
    return content


def confidence(content: Content) -> float:
    """How much of what was asked has been found: nothing 0.3, everything 0.98."""
    parts = [bool(value) for name, value in content.items() if name != "confidence"]
    return round(0.62 + 0.36 * sum(parts) / len(parts), 2) if any(parts) else 0.3


def each_string(content: Content, change: Callable[[str, str], str]) -> Content:
    """The same object with every string changed, given its field and itself."""
    changed: Content = {}
    for name, value in content.items():
        if isinstance(value, str):
            changed[name] = change(name, value)
        elif isinstance(value, list):
            changed[name] = [{**part, "value": change(part["name"], part["value"])} for part in value]
        else:
            changed[name] = value
    return changed


REFUSALS = (
    "I cannot answer that.",
    "I'm unable to process this document as it may contain personal data.",
    "This request goes against my guidelines.",
    "Unfortunately, I am not able to provide this information.",
    "Ich kann diese Anfrage leider nicht bearbeiten.",
    "Je ne suis pas en mesure de traiter ce document.",
    "Lo siento, pero no puedo responder a esa pregunta.",
)
"""How it declines in one field; which, is settled by the answer it would have given, so that runs are alike."""


def declined(content: Content) -> Content:
    """The first field declines, and the others are empty."""
    wording = REFUSALS[hashlib.sha256(json.dumps(content).encode()).digest()[0] % len(REFUSALS)]
    first, *_ = [name for name in content if name != "confidence"] or ["error"]
    said = [{"name": "note", "value": wording}] if isinstance(content.get(first), list) else wording
    return shell(content) | {first: said, "confidence": 0.0}


def shell(content: Content) -> Content:
    """The form of the answer, and nothing in it."""
    return {name: type(value)() if isinstance(value, str | list) else value for name, value in content.items()}


def as_schema(content: Content) -> Content:
    """The schema in place of an answer."""
    return {"type": "object", "properties": {name: {"type": "string"} for name in content}, "required": list(content)}


BENDINGS: Mapping[Fault, Callable[[Content], Content]] = {
    Fault.UNGROUNDED: lambda content: each_string(content, lambda name, value: f"invented {name} 7QX" if value else ""),
    Fault.LOW_CONFIDENCE: lambda content: content | {"confidence": 0.2},
    Fault.REFUSAL: lambda content: each_string(content, lambda name, value: REFUSAL) | {"confidence": 0.0},
    Fault.REFUSAL_IN_FIELD: declined,
    Fault.EMPTY_SHELL: shell,
    Fault.COPIED_SCHEMA: as_schema,
    Fault.SCHEMA_VIOLATION: lambda content: content | {"confidence": "very sure"},
}
"""Faults that change what the answer says."""


def written(content: Content, fault: Fault | None) -> str:
    """The answer as text, broken where the fault says so."""
    text = json.dumps(content, ensure_ascii=False)
    if fault is Fault.MALFORMED_JSON:
        return text[:-1].replace(": ", " = ", 1)
    return text[: len(text) // 2] if fault in (Fault.TRUNCATED, Fault.UNCLOSED_JSON) else text
