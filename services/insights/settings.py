"""Settings of insights: `[insights]` in penstock.toml, `PENSTOCK_INSIGHTS__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field


class InsightsSettings(BaseModel):
    """How long counts are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: int = Field(default=86_400 + 3_600, ge=3_600, le=30 * 86_400)
    """Seconds for which panes are kept: the longest window and one hop more."""
