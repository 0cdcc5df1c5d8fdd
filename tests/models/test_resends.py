"""The provider's own count of what is sent again unchanged after it failed for good."""

from dataclasses import replace

from infra.bench.answers.scenario import answers
from infra.modelsim.faults import Fault
from infra.modelsim.resends import Resends
from infra.modelsim.thinking import Question

QUESTION = Question("sim-large", "a prompt", "be brief", {"type": "object"})


def test_the_same_request_counts_once_it_has_failed_for_good() -> None:
    resends = Resends()
    resends.note(QUESTION, Fault.REFUSAL)
    assert resends.count == 0
    resends.note(QUESTION, None)
    resends.note(QUESTION, Fault.REFUSAL)
    assert resends.count == 2


def test_another_request_and_a_fault_that_heals_do_not_count() -> None:
    resends = Resends()
    for fault in (Fault.OVERLOADED, Fault.SERVER_ERROR, Fault.HANG, None, Fault.TRUNCATED):
        resends.note(QUESTION, fault)
    for other in ("sim-small", "sim-anthropic"):
        resends.note(replace(QUESTION, model=other), None)
    resends.note(replace(QUESTION, prompt="a prompt\n\nanswer more briefly"), None)
    assert resends.count == 0


def test_among_bad_answers_of_every_kind_none_that_was_cut_off_is_accepted_and_none_is_asked_for_again_unchanged() -> (
    None
):
    figures = answers(None, documents=120)
    assert figures["truncated_accepted"] == figures["identical_resends"] == 0
    assert 100 <= figures["answers_accepted"] <= 114
