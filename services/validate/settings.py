"""When a person looks at a result: table `[validate]` of penstock.toml, or PENSTOCK_VALIDATE__<NAME>."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.core.thresholds import Exceptions
from shared.pipelines.document_types import DocumentType

Levels = dict[Literal["quality_below", "confidence_below"], Annotated[float, Field(ge=0, le=1)]]


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates for one document."""

    quality_below: float
    """A quality score below this goes to a person."""
    confidence_below: float
    """A model's confidence below this goes to a person."""


class ValidateSettings(BaseModel):
    """The gates of the validate stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality_below: float = Field(default=0.7, ge=0, le=1)
    """A quality score below this goes to a person."""
    confidence_below: float = Field(default=0.8, ge=0, le=1)
    """A model's confidence below this goes to a person."""
    types: dict[DocumentType, Levels] = {}
    """Document type to what differs for it: `[validate.types.contract]`."""
    models: dict[str, Levels] = {}
    """Model, as results name it, to what differs for it: `[validate.models.gpt-5-mini]`."""

    def gates(self, kind: str, models: Iterable[str] = ()) -> Gates:
        """The gates for a document of that type with answers of those models."""
        return Exceptions(self.types, self.models).applied(
            Gates(self.quality_below, self.confidence_below), kind, models
        )
