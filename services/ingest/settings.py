"""Settings of ingest: `[ingest]` in penstock.toml, `PENSTOCK_INGEST__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.door import Limits


class IngestSettings(BaseModel):
    """Where the door listens, and what it takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on; 0: a free one."""
    megabytes: int = Field(default=50, ge=1)
    """Largest file."""

    def limits(self) -> Limits:
        """As the door wants them."""
        return Limits(document_bytes=self.megabytes * 1024 * 1024)
