"""The labelled set: every wording of a refusal in several forms of answer, and good answers about many documents.

The pieces are written by hand (`refusals.toml`, `quoting.toml`, `plain.toml`); this file only puts them together. Each
wording and each document is held back or not as a whole, by its own hash: a wording that was seen in one form while the
judge was tuned would tell nothing in another form.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from services.analyze.answers import Answer, ContractFields, GenericFields, InvoiceFields, ReportFields, Summarized

FOLDER = Path(__file__).parent
HELD_BACK = 0.4
"""Part of the wordings and documents that is no part of tuning."""
FORMS_EACH = 4
"""In how many forms each wording stands."""

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer, and what it is."""

    answer: str
    """As the model wrote it."""
    schema: type[BaseModel]
    """What it was asked for."""
    document: str
    """What it was asked about."""
    refusal: bool
    """The label."""
    held_back: bool
    """Not to be looked at while the judge is tuned."""


def held_back(piece: str) -> bool:
    """Whether a wording or a document is held back."""
    return hashlib.sha256(piece.encode()).digest()[0] < HELD_BACK * 256


def whole(schema: type[BaseModel], value: Any, confidence: float = 0.0) -> Content:
    """An answer in which every field says the same."""
    return dict.fromkeys(schema.model_fields, value) | {"confidence": confidence}


def one_field(schema: type[BaseModel], name: str, wording: str, rest: Any) -> Content:
    """An answer in which one field declines and the others say next to nothing."""
    return whole(schema, rest) | {name: wording}


def listed(label: str, wording: str) -> Content:
    """A list of one labelled value that declines."""
    return {"fields": [{"name": label, "value": wording}], "confidence": 0.1}


FORMS: tuple[tuple[type[BaseModel], Callable[[str, str], Content]], ...] = (
    (Summarized, lambda said, tail: {"summary": said + tail, "confidence": 0.0}),
    (InvoiceFields, lambda said, tail: whole(InvoiceFields, said)),
    (Answer, lambda said, tail: {"answer": said + tail, "confidence": 0.9}),
    (InvoiceFields, lambda said, tail: one_field(InvoiceFields, "invoice_number", said, "")),
    (GenericFields, lambda said, tail: listed("error", said)),
    (ContractFields, lambda said, tail: one_field(ContractFields, "party_a", said + tail, "N/A")),
    (ReportFields, lambda said, tail: one_field(ReportFields, "summary_line", said, None)),
    (InvoiceFields, lambda said, tail: {"error": said + tail, "confidence": 0.0}),
    (GenericFields, lambda said, tail: listed("note", said + tail)),
    (Summarized, lambda said, tail: {"summary": f"Note: {said}", "confidence": 0.2}),
)
"""The forms that a refusal takes inside an answer of the right shape, or nearly."""


def pieces(name: str) -> Mapping[str, Any]:
    """A file of hand-written pieces."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def refusals() -> Iterator[Labelled]:
    """Every wording in several forms, asked about documents some of which quote other refusals."""
    said = pieces("refusals")
    tails = said["tails"]
    documents = [*pieces("quoting")["documents"], *pieces("plain")["documents"]]
    wordings = [wording for language, some in said.items() if language != "tails" for wording in some]
    for number, wording in enumerate(wordings):
        for turn in range(FORMS_EACH):
            at = number * FORMS_EACH + turn
            schema, form = FORMS[at % len(FORMS)]
            # A document that says the very same would make the label a matter of opinion.
            document = next(d for d in documents[at % len(documents) :] + documents if wording not in d["text"])
            text = json.dumps(form(wording, tails[at % len(tails)]), ensure_ascii=False)
            yield Labelled(text, schema, document["text"], True, held_back(wording))


def good_answers() -> Iterator[Labelled]:
    """Good answers about every document: to a question, as a summary, as fields all together and one by one."""
    for document in [*pieces("quoting")["documents"], *pieces("plain")["documents"]]:
        text, fields = document["text"], [{"name": n, "value": v} for n, v in document["fields"].items()]
        made: list[tuple[type[BaseModel], Content]] = [
            *((Answer, {"answer": said, "confidence": 0.9}) for said in document["said"]),
            *((Summarized, {"summary": said, "confidence": 0.85}) for said in document["summaries"]),
            (GenericFields, {"fields": fields, "confidence": 0.8}),
            *((GenericFields, {"fields": [field], "confidence": 0.6}) for field in fields),
        ]
        for schema, content in made:
            yield Labelled(json.dumps(content, ensure_ascii=False), schema, text, False, held_back(text))


def labelled() -> list[Labelled]:
    """The whole set."""
    return [*refusals(), *good_answers()]
