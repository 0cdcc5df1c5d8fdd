"""Settings of classify: `[classify]` in penstock.toml, `PENSTOCK_CLASSIFY__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field


class ClassifySettings(BaseModel):
    """When a person is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    review_below: float = Field(default=0.6, ge=0, le=1)
    """Confidence below which a person decides between the types that the evidence speaks for."""
