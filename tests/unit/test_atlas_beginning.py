import random

from shared.core.atlas.beginning import beginning


def failing(dice: random.Random, rates: list[tuple[int, float]]) -> list[tuple[float, bool]]:
    """So many documents of each rate, one a second."""
    bad = [dice.random() < rate for count, rate in rates for _ in range(count)]
    return [(float(second), one) for second, one in enumerate(bad)]


def test_it_is_found_where_it_is() -> None:
    # Drawn once and for all: about one draw in two thousand lies farther off, and a search through draws finds it.
    for seed in range(400):
        dice = random.Random(seed)
        before, rate = dice.randint(100, 400), dice.uniform(0.2, 0.9)
        found = beginning(failing(dice, [(before, 0.01), (400, rate)]))
        assert found is not None
        assert abs(found - before) < 12 / rate


def test_a_steady_rate_has_none() -> None:
    found = [beginning(failing(random.Random(seed), [(600, 0.2)])) for seed in range(200)]
    assert sum(one is not None for one in found) <= 4


def test_an_end_is_no_beginning() -> None:
    assert beginning(failing(random.Random(1), [(300, 0.6), (300, 0.01)])) is None


def test_nobody_and_everybody_failing_have_none() -> None:
    assert beginning([]) is None
    assert beginning([(float(second), True) for second in range(100)]) is None
    assert beginning([(float(second), False) for second in range(100)]) is None


def test_what_fails_at_one_moment_begins_at_that_moment() -> None:
    assert beginning([(0.0, False)] * 50 + [(1.0, True)] * 50) == 1.0
    assert beginning([(0.0, False)] * 50 + [(0.0, True)] * 50) is None
