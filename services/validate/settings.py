"""When a person looks at a result: table `[validate]` of penstock.toml, or PENSTOCK_VALIDATE__<NAME>."""

from pydantic import BaseModel, ConfigDict, Field


class ValidateSettings(BaseModel):
    """The gates of the validate stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality_below: float = Field(default=0.7, ge=0, le=1)
    """A quality score below this goes to a person."""
    confidence_below: float = Field(default=0.8, ge=0, le=1)
    """A model's confidence below this goes to a person."""
