"""Settings of extract: `[extract]` in penstock.toml, `PENSTOCK_EXTRACT__…` in the environment."""

from pydantic import BaseModel, ConfigDict, Field

from services.extract.extraction import MIB, Limits


class ExtractSettings(BaseModel):
    """What one document may cost, and how many are read at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(default=2, ge=1, le=64)
    """Documents read at once by one process."""
    recognisers: int = Field(default=1, ge=1, le=16)
    """Scans recognised at once; each takes about one GB."""
    ocr: bool = True
    """Whether pages that are pictures are recognised; if not, they end as `scanned`."""
    megabytes: int = Field(default=50, ge=1)
    """Largest file."""
    pages: int = Field(default=1000, ge=1)
    """Most pages of a document."""
    seconds: float = Field(default=30.0, gt=0)
    """Longest time for reading one document without OCR."""

    def limits(self) -> Limits:
        """As the sandbox wants them."""
        return Limits(size=self.megabytes * MIB, pages=self.pages, seconds=self.seconds, ocr=self.ocr)
