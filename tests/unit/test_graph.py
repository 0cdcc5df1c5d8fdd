"""A pipeline that does not hold is refused when it is written, with a sentence that says what to do."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from shared.core.errors import Misconfigured
from shared.core.failures import Failure
from shared.core.graph import (
    ANY,
    DEAD_LETTERS,
    EVERY_STAGE,
    RESULTS,
    REVIEW,
    Edge,
    FailureEdge,
    Pipeline,
    edge,
    on_failure,
)
from shared.core.retry import RetryPolicy
from shared.core.stage import stage


@dataclass(frozen=True)
class Fact:
    """An event without content."""

    __avro__: ClassVar[str] = "{}"
    document_id: str = "d"

    @classmethod
    def from_avro(cls, record: Any) -> Any:
        return cls()

    def to_avro(self) -> dict[str, Any]:
        return {}


class Apple(Fact): ...


class Bread(Fact): ...


class Cheese(Fact): ...


ONE = stage("one", takes=Apple, gives=Bread)
TWO = stage("two", takes=Bread, gives=Cheese)
BACK = stage("back", takes=Cheese, gives=Apple)
LOST = stage("lost", takes=Apple, gives=Bread)
AGAIN = stage("again", takes=Apple, gives=Bread)
ALL_DEAD = on_failure(EVERY_STAGE, ANY, DEAD_LETTERS)


def made(*flow: Edge, failures: tuple[FailureEdge, ...] = (ALL_DEAD,), **more: Any) -> Pipeline:
    return Pipeline(more.pop("name", "food"), flow=flow, failures=failures, **more)


WHOLE = (edge(ONE, TWO), edge(TWO, RESULTS))


def refused(said: str, *flow: Edge, failures: tuple[FailureEdge, ...] = (ALL_DEAD,), **more: Any) -> None:
    with pytest.raises(Misconfigured) as caught:
        made(*flow, failures=failures, **more)
    assert said in str(caught.value)


def test_a_pipeline_that_holds_is_taken() -> None:
    food = made(*WHOLE)
    assert food.stages == (ONE, TWO)
    assert food.first == ONE
    assert food.stage("two") == TWO
    assert [step.target for step in food.edges_from(TWO)] == [RESULTS]


def test_an_empty_flow_is_refused() -> None:
    refused("it has no edge")


def test_a_cycle_is_refused_with_its_stages() -> None:
    refused("one -> two -> back -> one is a cycle", *WHOLE, edge(TWO, BACK), edge(BACK, ONE))


def test_a_stage_after_itself_is_refused() -> None:
    same = stage("same", takes=Apple, gives=Apple)
    refused("same -> same is a cycle", edge(same, same), edge(same, RESULTS))


def test_a_cycle_through_a_failure_is_refused() -> None:
    refused(
        "is a cycle",
        edge(ONE, RESULTS),
        edge(AGAIN, RESULTS),
        failures=(on_failure(ONE, Failure.TIMEOUT, AGAIN), on_failure(AGAIN, Failure.TIMEOUT, ONE), ALL_DEAD),
    )


def test_a_cycle_through_the_failure_of_every_stage_is_refused() -> None:
    refused(
        "again -> again is a cycle",
        edge(ONE, RESULTS),
        edge(AGAIN, RESULTS),
        failures=(on_failure(EVERY_STAGE, Failure.TIMEOUT, AGAIN), ALL_DEAD),
    )


def test_the_failure_of_every_stage_may_go_to_one_that_goes_elsewhere_itself() -> None:
    own_way = on_failure(AGAIN, Failure.TIMEOUT, DEAD_LETTERS)
    food = made(
        edge(ONE, RESULTS),
        edge(AGAIN, RESULTS),
        failures=(on_failure(EVERY_STAGE, Failure.TIMEOUT, AGAIN), own_way, ALL_DEAD),
    )
    assert food.route_failure(ONE, Failure.TIMEOUT) == AGAIN


def test_an_orphan_is_refused() -> None:
    refused("two is an orphan end: nothing takes its Cheese", edge(ONE, TWO))


def test_a_stage_that_is_never_reached_is_refused() -> None:
    refused("lost is never reached from one", *WHOLE, edge(LOST, TWO))


def test_a_wrong_type_is_refused_at_its_edge() -> None:
    refused("one gives Bread, but back takes Cheese", edge(ONE, BACK), edge(BACK, RESULTS))


def test_a_failure_edge_to_a_stage_that_takes_something_else_is_refused() -> None:
    refused("hands on its input Apple, but two takes Bread", *WHOLE, failures=(on_failure(ONE, ANY, TWO), ALL_DEAD))
    to_two = on_failure(EVERY_STAGE, Failure.TIMEOUT, TWO)
    no_loop = on_failure(TWO, Failure.TIMEOUT, DEAD_LETTERS)
    refused("hands on its input Apple, but two takes Bread", *WHOLE, failures=(to_two, no_loop, ALL_DEAD))


def test_a_stage_without_a_way_out_of_its_failures_is_refused() -> None:
    refused(
        "failures of two have no route: add on_failure(TWO, ANY, DEAD_LETTERS)",
        *WHOLE,
        failures=(on_failure(ONE, ANY, DEAD_LETTERS), on_failure(TWO, Failure.TIMEOUT, DEAD_LETTERS)),
    )


def test_a_failure_with_two_routes_is_refused() -> None:
    refused(
        "timeout of one has two routes",
        *WHOLE,
        failures=(on_failure(ONE, Failure.TIMEOUT, REVIEW), on_failure(ONE, Failure.TIMEOUT, DEAD_LETTERS), ALL_DEAD),
    )


def test_a_failure_is_no_result_and_a_person_is_no_flow() -> None:
    refused("a failure cannot go to results", *WHOLE, failures=(on_failure(ONE, ANY, RESULTS), ALL_DEAD))
    refused("one -> review is no flow", edge(ONE, REVIEW))


def test_two_stages_of_one_name_are_refused() -> None:
    twin = stage("one", takes=Bread, gives=Cheese)
    refused("two stages are called 'one'", edge(ONE, twin), edge(twin, RESULTS))


@pytest.mark.parametrize("name", ["", "Food", "food.x", "1food", "food-x", "penstock"])
def test_a_name_that_no_topic_can_begin_with_is_refused(name: str) -> None:
    refused("a name is lower-case letters", *WHOLE, name=name)


def test_retries_of_a_stage_that_is_not_there_are_refused() -> None:
    refused("stage_retries names 'oen'", *WHOLE, stage_retries={"oen": RetryPolicy()})


def test_no_partition_at_all_is_refused() -> None:
    refused("it has 0 partitions", *WHOLE, partitions=0)


def test_an_unknown_stage_is_answered_with_those_there_are() -> None:
    with pytest.raises(Misconfigured, match="it has one, two"):
        made(*WHOLE).stage("three")


def test_a_stage_written_twice_alike_is_one_stage() -> None:
    again = stage("one", takes=Apple, gives=Bread)
    food = made(*WHOLE, failures=(on_failure(again, Failure.TIMEOUT, REVIEW), ALL_DEAD))
    assert food.route_failure(ONE, Failure.TIMEOUT) is REVIEW
    assert food.edges_from(again) == food.edges_from(ONE)
    assert food.topics(again).input == "food.ingest"


def test_the_most_specific_route_wins_wherever_it_stands() -> None:
    food = made(
        *WHOLE,
        failures=(
            ALL_DEAD,
            on_failure(EVERY_STAGE, Failure.TIMEOUT, REVIEW),
            on_failure(TWO, ANY, DEAD_LETTERS),
            on_failure(TWO, Failure.REFUSAL, REVIEW),
        ),
    )
    assert food.route_failure(ONE, Failure.TIMEOUT) is REVIEW
    assert food.route_failure(ONE, Failure.REFUSAL) is DEAD_LETTERS
    assert food.route_failure(TWO, Failure.TIMEOUT) is DEAD_LETTERS
    assert food.route_failure(TWO, Failure.REFUSAL) is REVIEW


def test_a_stage_tries_again_by_its_own_policy() -> None:
    patient = RetryPolicy(attempts=2, tiers=(60.0,))
    food = made(*WHOLE, stage_retries={"two": patient})
    assert food.topics(TWO).retries == ("food.two.retry.1m",)
    assert food.topics(ONE).retries == ("food.one.retry.5s", "food.one.retry.1m", "food.one.retry.10m")
    assert food.with_retries(patient).topics(ONE).retries == ("food.one.retry.1m",)


def test_an_edge_is_labelled_by_its_condition() -> None:
    def is_ripe(_: Apple) -> bool:
        return True

    assert edge(ONE, TWO, when=is_ripe).label == "is ripe"
    assert edge(ONE, TWO).label == ""
