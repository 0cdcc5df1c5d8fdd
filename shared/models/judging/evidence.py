"""What can be seen of an answer: needed fields that are missing, quoted values that stand nowhere, its own word."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.core.grounding import Ground
from shared.core.marks import Mark
from shared.core.quality import Evidence
from shared.models.judging.shells import is_empty

CONFIDENCE = "confidence"
"""Field in which a model says how sure it is."""


def evidence(value: Any, document: str) -> Evidence:
    """The evidence on an answer. Of what is no pydantic model nothing is known, and nothing is held against it."""
    if not isinstance(value, BaseModel):
        return Evidence()
    fields = type(value).model_fields
    said = {name: getattr(value, name) for name in fields if name != CONFIDENCE}
    needed = needed_fields(fields)
    quoted = [(name, text, mark) for name, text, mark in quotes(value) if not is_empty(text)]
    ground = Ground(document)
    invented = tuple(dict.fromkeys(name for name, text, mark in quoted if not _stands(ground, text, mark)))
    own = getattr(value, CONFIDENCE, None)
    return Evidence(
        needed=len(needed),
        missing=tuple(name for name in needed if is_empty(said[name])),
        quoted=len({name for name, _, _ in quoted}),
        invented=invented,
        confidence=float(own) if isinstance(own, int | float) else None,
        says_nothing=bool(said) and all(is_empty(_plain(part)) for part in said.values()),
    )


def needed_fields(fields: Mapping[str, FieldInfo]) -> list[str]:
    """Fields without which an answer is of little use: marked ones, or every required text where nothing is marked."""
    marks = {name: marks_of(field) for name, field in fields.items()}
    if any(marks.values()):
        return [name for name, found in marks.items() if Mark.NEEDED in found]
    return [n for n, field in fields.items() if field.is_required() and field.annotation is str and n != CONFIDENCE]


def marks_of(field: FieldInfo) -> set[Mark]:
    """The marks on a field."""
    return {part for part in field.metadata if isinstance(part, Mark)}


def quotes(value: BaseModel, path: str = "") -> Iterator[tuple[str, str, Mark]]:
    """Every text that is marked as a quotation, with the path of its field."""
    for name, field in type(value).model_fields.items():
        part, marks = getattr(value, name), marks_of(field)
        if isinstance(part, str) and (kind := marks & {Mark.QUOTED, Mark.LISTED}):
            yield path + name, part, kind.pop()
        for number, inner in enumerate(part if isinstance(part, list | tuple) else [part]):
            if isinstance(inner, BaseModel):
                place = f"{path}{name}.{number}." if isinstance(part, list | tuple) else f"{path}{name}."
                yield from quotes(inner, place)


def _stands(ground: Ground, text: str, mark: Mark) -> bool:
    # Nearly every value stands there letter by letter, and to fold a long document takes longer than all the rest.
    if _as_it_is(ground.text, text):
        return True
    return (ground.find_all(text) if mark is Mark.LISTED else ground.find(text)) is not None


def _as_it_is(document: str, text: str) -> bool:
    at = document.find(text)
    while at >= 0:
        around = document[max(at - 1, 0) : at] + document[at + len(text) : at + len(text) + 1]
        if not any(map(str.isalnum, around)):
            return True
        at = document.find(text, at + 1)
    return False


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
