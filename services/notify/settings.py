"""Settings of the webhooks' service: `[notify]` in penstock.toml, `PENSTOCK_NOTIFY__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field


class NotifySettings(BaseModel):
    """When a batch counts as finished, and how long is kept what was delivered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet_seconds: float = Field(default=5.0, ge=0, le=86_400)
    """Seconds for which nothing new may have come of a batch that is finished: nobody says how large it will be, and a
    sender who is slower than the pipeline would else finish it with every document."""
    keep_days: float = Field(default=14.0, gt=0, le=36_500)
    """Days after which is deleted what was delivered or given up, and what is known of batches without news."""
