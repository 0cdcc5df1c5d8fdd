"""Check what the models said against the document's own text, and put before a person what is doubtful."""

from dataclasses import fields

from schemas.events import DocumentAnalyzed, DocumentValidated, Validation
from services.validate.checks import findings, spans_of
from services.validate.settings import ValidateSettings
from shared.core.context import Context
from shared.core.failures import Failure
from shared.core.grounding import Ground
from shared.core.outcome import Emit, Outcome, Review
from shared.core.supervisor import Decision
from shared.pipelines.content import text_of
from shared.pipelines.documents import VALIDATE
from shared.pipelines.tasks import wanted


@VALIDATE.handler(settings=ValidateSettings)
async def validate(document: DocumentAnalyzed, ctx: Context) -> Outcome[DocumentValidated]:
    """Run the checks of the document's type; emit what stands, ask a person about the rest."""
    text = await text_of(document.text, ctx)
    return judged(document, text, ctx.resource(ValidateSettings))


def judged(document: DocumentAnalyzed, text: str, settings: ValidateSettings) -> Outcome[DocumentValidated]:
    """The outcome for an analysis of that text: an invented value weighs most, then gaps, quality, doubt."""
    analysis, kind = document.analysis, document.classification.document_type
    gates = settings.gates(kind, {model for choice in analysis.choices for model in choice.models})
    spans = spans_of(analysis.fields, Ground(text))
    made = list(findings(kind, wanted(document.submission.tasks), analysis, spans))
    problems = tuple(finding.problem for finding in made if finding.problem)
    quality = 1 - len(problems) / len(made) if made else 1.0
    validated = DocumentValidated(
        **{entry.name: getattr(document, entry.name) for entry in fields(document)},
        validation=Validation(quality=quality, problems=problems, spans=spans),
    )
    if invented := [finding.problem for finding in made if finding.ungrounded]:
        return Review("; ".join(invented), validated, Failure.UNGROUNDED)
    if analysis.missing:
        return Review(f"the result is not whole: {'; '.join(analysis.missing)}", validated, Failure.LOW_QUALITY)
    if quality < gates.quality_below:
        reason = f"quality {quality:.2f} is below {gates.quality_below}: {'; '.join(problems)}"
        return Review(reason, validated, Failure.LOW_QUALITY)
    if doubted := [choice for choice in analysis.choices if choice.decision == Decision.PERSON]:
        scores = ", ".join(f"{choice.task} {choice.score:.2f}" for choice in doubted)
        return Review(f"no model was sure enough: {scores}", validated, Failure.LOW_CONFIDENCE)
    if analysis.confidence < gates.confidence_below:
        reason = f"the model's confidence {analysis.confidence:.2f} is below {gates.confidence_below}"
        return Review(reason, validated, Failure.LOW_CONFIDENCE)
    return Emit(validated)
