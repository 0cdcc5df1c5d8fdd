"""Thresholds: the type's word over the policy's, the model's over both, and of several models the strictest."""

import pytest

from shared.core.supervisor import SupervisorPolicy
from shared.core.thresholds import Exceptions

EXCEPTIONS = Exceptions(
    types={"contract": {"specialist_above": 0.9}},
    models={"small": {"specialist_above": 0.8, "general_above": 0.6}, "exact": {"specialist_above": 0.4}},
)


@pytest.mark.parametrize(
    ("kind", "models", "specialist", "general"),
    [
        ("invoice", (), 0.7, 0.5),
        ("contract", (), 0.9, 0.5),
        ("invoice", ("large",), 0.7, 0.5),
        ("invoice", ("small",), 0.8, 0.6),
        ("contract", ("small",), 0.8, 0.6),
        ("contract", ("large",), 0.9, 0.5),
        ("invoice", ("exact",), 0.4, 0.5),
        ("invoice", ("exact", "large"), 0.7, 0.5),
        ("invoice", ("exact", "small"), 0.8, 0.6),
    ],
)
def test_what_is_said_of_a_model_outweighs_its_type_and_of_several_models_the_strictest_counts(
    kind: str, models: tuple[str, ...], specialist: float, general: float
) -> None:
    found = EXCEPTIONS.applied(SupervisorPolicy(), kind, models)
    assert (found.specialist_above, found.general_above) == (specialist, general)


def test_where_nothing_is_said_the_policy_is_the_one_that_was() -> None:
    policy = SupervisorPolicy()
    assert Exceptions().applied(policy, "invoice", ("small",)) is policy
