"""Settings of analyze: `[analyze]` in penstock.toml, `PENSTOCK_ANALYZE__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field

from shared.core.supervisor import SupervisorPolicy


class AnalyzeSettings(BaseModel):
    """From where on an answer is accepted, and from whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    specialist_above: float = Field(default=0.7, ge=0, le=1)
    """Confidence that a specialist's answer must exceed; else the general chain is asked too."""
    general_above: float = Field(default=0.5, ge=0, le=1)
    """Confidence that the best answer must exceed in the end; else a person decides."""

    def policy(self) -> SupervisorPolicy:
        """As the supervisor takes it."""
        return SupervisorPolicy(self.specialist_above, self.general_above)
