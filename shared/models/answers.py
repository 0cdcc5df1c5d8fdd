"""From what a model wrote to a judged answer: the schema it is asked for, the parsing, the verdict.

An answer can be anything at all. Whatever it is becomes a value, or a failure class with a sentence, or, where it fits
its schema and is no good all the same, both.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.core.quality import quality
from shared.models.judging.checked import NAMED_FIELDS, Checked, named
from shared.models.judging.evidence import evidence
from shared.models.judging.objects import Content, complete_part, object_in, without_last
from shared.models.judging.refusals import Material, declines, refusal_in
from shared.models.judging.shells import is_empty, repeats_schema
from shared.pipelines.material import document_in

M = TypeVar("M")


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


def check(text: str, schema: type[M], document: str = "", *, whole: bool = True) -> Checked[M]:
    """Judge what a model wrote about a document; prose and code fences around the object do no harm."""
    content, prose, problem = object_in(text)
    if content is not None:
        return judged(content, prose, schema, document, whole=whole)
    if "{" not in text:
        if declines(text.strip(), Material(document)):
            return Checked(failure=Failure.REFUSAL, message="the model declined: " + _short(text))
        return Checked(failure=Failure.MALFORMED_JSON, message="the answer holds no JSON object: " + _short(text))
    if complete_part(text) is not None:
        return cut_off(text, schema)
    return Checked(failure=Failure.MALFORMED_JSON, message=f"the answer is no JSON: {problem}")


def judged(content: Content, prose: str, schema: type[M], document: str, *, whole: bool) -> Checked[M]:
    """Judge an object: whether it declines, repeats its schema, breaks it, says nothing, or invents."""
    adapter: TypeAdapter[M] = _adapter(schema)
    if refusal := refusal_in(content, prose, document):
        return Checked(failure=Failure.REFUSAL, message="the model declined: " + _short(refusal))
    if repeats_schema(content, json_schema(schema)):
        message = "the answer repeats its schema instead of filling it in"
        return Checked(failure=Failure.SCHEMA_VIOLATION, message=message, fields=named(_properties(schema)))
    try:
        value = adapter.validate_python(content)
    except ValidationError as error:
        found = [
            (".".join(map(str, e["loc"]))[:60] or "answer", e["msg"])
            for e in error.errors(include_url=False, include_input=False)
        ]
        message = "the answer breaks its schema: " + "; ".join(f"{n}: {words}" for n, words in found[:NAMED_FIELDS])
        return Checked(failure=Failure.SCHEMA_VIOLATION, message=message, fields=named([name for name, _ in found]))
    seen = evidence(value, document) if whole else replace(evidence(value, document), needed=0, missing=())
    if seen.is_shell:
        return Checked(value, Failure.LOW_QUALITY, "every field of the answer is empty", named(seen.missing))
    if names := named(seen.invented):
        message = f"what the answer says does not stand in the document: {', '.join(names)}"
        return Checked(value, Failure.UNGROUNDED, message, names, quality(seen))
    return Checked(value, fields=named(seen.missing), quality=quality(seen))


def cut_off(text: str, schema: type[M]) -> Checked[M]:
    """What is left of an answer that was cut off, also where a provider closed its brackets: never an answer."""
    content, _, _ = object_in(text)
    complete = without_last(content) if content is not None else complete_part(text) or {}
    missing = [name for name in _properties(schema) if name not in complete]
    message = f"the answer was cut off; complete: {_listed(list(complete))}; missing: {_listed(missing)}"
    return Checked(failure=Failure.TRUNCATED, message=message, fields=named(missing), partial=complete)


def joined(known: Checked[M], checked: Checked[M], schema: type[M], prompt: Prompt) -> Checked[M]:
    """An answer with what was complete in the one before it, which had been cut off."""
    if not known.partial or not isinstance(checked.value, BaseModel):
        return checked
    content = checked.value.model_dump(mode="json")
    filled = {name: part for name, part in known.partial.items() if name in content and is_empty(content[name])}
    whole = judged(content | filled, "", schema, document_in(prompt.user), whole=prompt.whole)
    return whole if filled and whole.value is not None else checked


def _properties(schema: Any) -> list[str]:
    return list(json_schema(schema).get("properties", {}))


def _listed(names: list[str]) -> str:
    return ", ".join(named(names)) or "nothing"


def _short(text: str) -> str:
    return json.dumps(text[:120], ensure_ascii=False)
