"""Settings of classify: `[classify]` in penstock.toml, `PENSTOCK_CLASSIFY__…` in the environment."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.pipelines.document_types import DocumentType

Levels = dict[Literal["review_below"], Annotated[float, Field(ge=0, le=1)]]


class ClassifySettings(BaseModel):
    """When a person is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    review_below: float = Field(default=0.6, ge=0, le=1)
    """Confidence below which a person decides between the types that the evidence speaks for."""
    types: dict[DocumentType, Levels] = {}
    """Document type, as it was found, to what differs for it: `[classify.types.contract]`."""

    def review_below_for(self, kind: DocumentType) -> float:
        """The same for a document that seems to be of that type."""
        return self.types.get(kind, {}).get("review_below", self.review_below)
