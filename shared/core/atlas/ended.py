"""How one document ended at one stage, and what was known of it when it came there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """One document at one stage.

    A factor may only hold what is known of every document that reaches the stage: what is learnt there or later is
    known of those alone that got through, and would tell success from failure by itself.
    """

    document_id: str
    """The document."""
    stage: str
    """The stage."""
    failure: str
    """Failure class; empty where the stage has done its work."""
    at: float
    """When, in seconds since 1970."""
    tenant: str = ""
    """On whose account; like every factor empty, or None, where it is not known."""
    document_type: str = ""
    """invoice, contract, …"""
    media_type: str = ""
    """Media type, such as application/pdf."""
    method: str = ""
    """How its text was got: text, ocr or mixed."""
    language: str = ""
    """Language, as its sender notes it."""
    model: str = ""
    """Model that was asked first: that a document came to the second one is already a part of its failing."""
    prompt: str = ""
    """Prompt and version it was asked with first."""
    size: int | None = None
    """Bytes of the file."""
    pages: int | None = None
    """Number of pages."""
