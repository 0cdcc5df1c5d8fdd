"""The answers that models are asked for, one class a kind of question; what does not fit is no answer.

A description here is read by the model too: it travels in the schema of the request.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from shared.core.marks import Mark
from shared.pipelines.document_types import DocumentType


def cleaned(value: Any) -> Any:
    """A null is an empty text, for models say so; a NUL character is nothing, for no database stores it."""
    return "" if value is None else value.replace("\x00", "").strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(cleaned)]
"""What the model says in its own words; empty where there is nothing to say."""
Quoted = Annotated[Text, Mark.QUOTED]
"""A value exactly as it stands in the document; empty where the document has none."""
Needed = Annotated[Quoted, Mark.NEEDED]
"""The same, where an answer without it is of little use."""


class Answered(BaseModel):
    """What every answer says."""

    confidence: float = Field(ge=0, le=1, allow_inf_nan=False, description="How sure you are of the whole, 0 to 1.")


class Extraction(Answered):
    """Fields of a document."""

    def found(self) -> dict[str, str]:
        """The fields that the document has, by name."""
        values = self.model_dump(exclude={"confidence"})
        return {name: value for name, value in values.items() if value}


class InvoiceFields(Extraction):
    """Fields of an invoice."""

    invoice_number: Needed = Field(description="Number of the invoice.")
    invoice_date: Quoted = Field(description="Date of issue.")
    due_date: Quoted = Field(description="Date by which it must be paid.")
    vendor: Needed = Field(description="Who sends the invoice.")
    customer: Quoted = Field(description="Who has to pay.")
    total: Needed = Field(description="Amount to pay in the end, without the currency.")
    currency: Quoted = Field(description="Currency sign or code that stands with the total.")


class ResumeFields(Extraction):
    """Fields of a resume."""

    name: Needed = Field(description="Name of the person.")
    email: Quoted = Field(description="E-mail address.")
    phone: Quoted = Field(description="Telephone number.")
    title: Quoted = Field(description="Current position.")
    skills: Annotated[Text, Mark.LISTED] = Field(description="The line that lists the skills.")


class ContractFields(Extraction):
    """Fields of a contract."""

    party_a: Needed = Field(description="Name of the first party.")
    party_b: Needed = Field(description="Name of the second party.")
    effective_date: Quoted = Field(description="Date from which it holds.")
    term: Quoted = Field(description="How long it holds.")
    governing_law: Quoted = Field(description="Whose law applies.")


class ReportFields(Extraction):
    """Fields of a report."""

    title: Needed = Field(description="Title.")
    author: Quoted = Field(description="Who wrote it.")
    date: Quoted = Field(description="Date of the report.")
    summary_line: Quoted = Field(description="First sentence of its summary.")


class NamedValue(BaseModel):
    """One field of a document whose type has no fields of its own."""

    name: Text = Field(description="Short name in lower case, words joined by _.")
    value: Quoted = Field(description="Value as it stands in the document.")


MOST_FIELDS = 100
"""Fields that a document of no known type may have."""


class GenericFields(Extraction):
    """Whatever a document names: its labels and their values."""

    fields: list[NamedValue] = Field(max_length=MOST_FIELDS, description="Every labelled value of the document.")

    def found(self) -> dict[str, str]:
        """The fields that the document has, by name; of two with the same name the first."""
        return {entry.name: entry.value for entry in reversed(self.fields) if entry.name and entry.value}


class Summarized(Answered):
    """A summary."""

    summary: Annotated[Text, Mark.NEEDED] = Field(description="Two or three sentences.")


class Answer(Answered):
    """The answer to a question about the document."""

    answer: Annotated[Text, Mark.OPTIONAL] = Field(description="The answer; empty where the document does not hold it.")


EXTRACTIONS: Mapping[str, type[Extraction]] = {
    DocumentType.INVOICE: InvoiceFields,
    DocumentType.RESUME: ResumeFields,
    DocumentType.CONTRACT: ContractFields,
    DocumentType.REPORT: ReportFields,
}
"""Document type to the fields that are looked for; any other type gets GenericFields."""


def extraction_for(document_type: str) -> type[Extraction]:
    """The answer class for a document of that type."""
    return EXTRACTIONS.get(document_type, GenericFields)
