"""The shipped pipeline: documents in, checked and structured results out.

    extract -> classify -> (technical: analyze -> validate -> store | standard: store) -> results

It is a real pipeline, and the example from which a team writes its own.
"""

from schemas.events import (
    DocumentAnalyzed,
    DocumentClassified,
    DocumentResult,
    DocumentSubmitted,
    DocumentValidated,
    TextExtracted,
)
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, REVIEW, Pipeline, edge, on_failure
from shared.core.stage import DATABASE, stage
from shared.pipelines.document_types import Track

ANALYST = "analyst"
"""Model chain that reads documents; the model registry says which models it has."""

EXTRACT = stage("extract", takes=DocumentSubmitted, gives=TextExtracted)
CLASSIFY = stage("classify", takes=TextExtracted, gives=DocumentClassified)
ANALYZE = stage("analyze", takes=DocumentClassified, gives=DocumentAnalyzed, needs=(ANALYST,))
VALIDATE = stage("validate", takes=DocumentAnalyzed, gives=DocumentValidated)
STORE = stage("store", takes=(DocumentClassified, DocumentValidated), gives=DocumentResult, needs=(DATABASE,))


def technical(document: DocumentClassified) -> bool:
    """A model has to look at it."""
    return document.classification.track == Track.TECHNICAL


def standard(document: DocumentClassified) -> bool:
    """It is stored as it is."""
    return not technical(document)


DOCUMENTS = Pipeline(
    "documents",
    flow=(
        edge(EXTRACT, CLASSIFY),
        edge(CLASSIFY, ANALYZE, when=technical),
        edge(CLASSIFY, STORE, when=standard),
        edge(ANALYZE, VALIDATE),
        edge(VALIDATE, STORE),
        edge(STORE, RESULTS),
    ),
    failures=(
        on_failure(CLASSIFY, Failure.LOW_CONFIDENCE, REVIEW),
        on_failure(VALIDATE, Failure.LOW_QUALITY, REVIEW),
        on_failure(VALIDATE, Failure.UNGROUNDED, REVIEW),
        on_failure(VALIDATE, Failure.LOW_CONFIDENCE, REVIEW),
        on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),
    ),
)
