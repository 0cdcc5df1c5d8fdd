"""Settings of the journal: `[journal]` in penstock.toml, `PENSTOCK_JOURNAL__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field


class JournalSettings(BaseModel):
    """How long entries are kept, and how often the audit runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_days: float = Field(default=30.0, gt=0, le=36_500)
    """Days after which an entry is deleted."""
    audit_seconds: float = Field(default=900.0, ge=0)
    """Seconds between two audits for the gauge `penstock_audit_findings`; 0: none."""
