from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import FACTORS, Condition, Factor, bin_of, moments, ranges
from shared.core.atlas.population import LEAST, Group, Population

documents = st.builds(
    Ended,
    document_id=st.just("d"),
    stage=st.just("analyze"),
    failure=st.sampled_from(("", "refusal")),
    at=st.integers(0, 50).map(float),
    tenant=st.sampled_from(("", "acme", "bolt")),
    document_type=st.sampled_from(("invoice", "letter")),
    model=st.sampled_from(("", "large")),
    pages=st.sampled_from((None, 1, 3, 41, 1_000)),
    size=st.sampled_from((1, 10_000, 10_001)),
)


def fitting(population: Population, group: Group) -> list[int]:
    """Rows of whom all conditions hold, one by one."""
    return [row for row, ended in enumerate(population.ends) if all(one.fits(ended) for one in group)]


@settings(max_examples=25, deadline=None)
@given(st.lists(documents, min_size=1, max_size=12))
def test_every_count_is_what_counting_one_by_one_gives(few: list[Ended]) -> None:
    population = Population(few * LEAST)
    some = [row for row in range(len(population.ends)) if row % 7 < 3]
    for rows in (range(len(population.ends)), some):
        tally = population.counted(rows)
        for places, counts in tally.items():
            for key, count in counts.items():
                group = population.group(places, key)
                assert len(group) == len(places)
                assert population.key(group) == (places, key)
                assert count == len(set(fitting(population, group)) & set(rows))
                assert population.members(group, rows) == sorted(set(fitting(population, group)) & set(rows))


def test_a_factor_with_one_value_and_a_rare_value_are_not_counted() -> None:
    common = [Ended("d", "s", "", 0.0, tenant=tenant, document_type="invoice") for tenant in ("a", "b") * LEAST]
    population = Population([*common, Ended("d", "s", "", 0.0, tenant="c", document_type="invoice")])
    assert [axis.factor.name for axis in population.axes] == ["tenant"]
    assert {population.group((0,), key) for key in population.tally[0,]} == {
        (Condition("tenant", "a"),),
        (Condition("tenant", "b"),),
    }


def test_the_ranges_of_a_number_are_those_of_its_bins() -> None:
    for factor in (*FACTORS, moments([float(second) for second in range(1_000)])):
        edges = [value for bound in factor.bounds for value in (bound, bound + 1)]
        for (condition, bins), value in product(ranges(factor), edges):
            ended = Ended("d", "s", "", **{"at": 0.0, factor.name: value})  # type: ignore[arg-type]
            assert condition.fits(ended) == (bin_of(value, factor.bounds) in bins)


def test_of_what_is_not_known_nothing_holds() -> None:
    ended = Ended("d", "s", "", 0.0)
    pages = Factor("pages", (1, 5))
    assert not any(condition.fits(ended) for condition, _ in ranges(pages))
    assert bin_of(None, pages.bounds) == 0
