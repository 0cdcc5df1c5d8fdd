"""How well refusals are told from answers that only quote one, on the held-back part of the labelled set."""

from infra.bench.answers.labelled import labelled
from infra.bench.figures import Figures
from shared.core.failures import Failure
from shared.models.answers import check


def refusals(surroundings: object) -> Figures:
    """The judge's own verdict on every answer that was held back; it needs no servers, so no surroundings."""
    back = [one for one in labelled() if one.held_back]
    verdicts = [(one.refusal, check(one.answer, one.schema, one.document).failure is Failure.REFUSAL) for one in back]
    declined = [said for is_refusal, said in verdicts if is_refusal]
    good = [said for is_refusal, said in verdicts if not is_refusal]
    return {
        "refusal_answers": float(len(back)),
        "refusal_recall": sum(declined) / len(declined),
        "refusal_false_alarms": sum(good) / len(good),
    }
