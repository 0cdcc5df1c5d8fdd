import random
from collections.abc import Callable, Iterator

import pytest

from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import Condition
from shared.core.atlas.finding import Finding, findings
from shared.core.atlas.search import both

TYPES, TENANTS = ("invoice", "letter", "report"), ("a", "b", "c", "d")


def documents(count: int, rate: Callable[[Ended], float], seed: int = 1) -> Iterator[Ended]:
    """Documents of all kinds, one a minute, that fail at this rate."""
    dice = random.Random(seed)
    for number in range(count):
        pages = round(dice.lognormvariate(1.5, 1.2)) + 1
        ended = Ended(
            f"d{number}",
            "analyze",
            "",
            1_790_000_000.0 + number * 60,
            tenant=dice.choice(TENANTS),
            document_type=dice.choice(TYPES),
            prompt="extraction@2" if number > count // 2 else "extraction@1",
            pages=pages,
            size=pages * dice.randint(5_000, 90_000),
        )
        failed = dice.random() < rate(ended)
        yield Ended(**{name: getattr(ended, name) for name in Ended.__slots__} | {"failure": "refusal" * failed})


def groups(ends: list[Ended]) -> list[set[Condition]]:
    return [set(one.group) for one in findings(ends)]


def test_where_nothing_has_a_cause_nothing_is_said() -> None:
    said = [findings(list(documents(2_000, lambda _: 0.05, seed))) for seed in range(60)]
    assert sum(bool(one) for one in said) <= 1


def test_one_rule_is_one_sentence_with_the_conditions_it_has() -> None:
    ends = list(documents(6_000, lambda one: 0.3 if one.document_type == "invoice" and (one.pages or 0) > 10 else 0.01))
    [told] = findings(ends)
    assert set(told.group) == {Condition("document_type", "invoice"), Condition("pages", over=10)}
    hit = [one for one in ends if all(condition.fits(one) for condition in told.group)]
    assert (told.documents, told.failed) == (len(hit), sum(bool(one.failure) for one in hit))
    assert told.others == len(ends) - len(hit)
    assert told.others_failed == sum(bool(one.failure) for one in ends) - told.failed
    assert told.low < told.rate < told.high
    assert told.since is None


@pytest.mark.parametrize("strict", [False, True])
def test_a_part_of_a_group_that_is_far_worse_is_told_beside_the_group(strict: bool) -> None:
    worse = 0.8 if strict else 0.2

    def rate(one: Ended) -> float:
        return 0.01 if one.tenant != "a" else worse if one.document_type == "letter" else 0.2

    expected = [{Condition("tenant", "a")}]
    if strict:
        expected.append({Condition("tenant", "a"), Condition("document_type", "letter")})
    found = groups(list(documents(6_000, rate)))
    assert len(found) == len(expected)
    assert all(one in found for one in expected)


def test_two_rules_that_overlap_are_two_sentences() -> None:
    ends = documents(
        8_000,
        lambda one: 0.02 + 0.25 * (one.tenant == "b") + 0.3 * ((one.pages or 0) > 20),
    )
    found = groups(list(ends))
    assert {Condition("tenant", "b")} in found
    assert {Condition("pages", over=20)} in found


def test_what_began_at_a_time_is_not_laid_at_the_door_of_the_prompt_that_came_about_then() -> None:
    began = 1_790_000_000.0 + 2_000 * 60
    [told] = findings(list(documents(5_000, lambda one: 0.3 if one.tenant == "c" and one.at >= began else 0.01)))
    assert set(told.group) == {Condition("tenant", "c")}
    assert told.since == pytest.approx(began, abs=3_600)
    assert told.rate == pytest.approx(0.3, abs=0.06)


def test_what_hits_everybody_from_some_time_on_is_held_against_the_time_before() -> None:
    began = 1_790_000_000.0 + 1_200 * 60
    [told] = findings(list(documents(4_000, lambda one: 0.3 if one.at >= began else 0.01)))
    assert told.group == ()
    assert told.since == pytest.approx(began, abs=1_800)
    assert told.documents + told.others == 4_000
    assert told.baseline < 0.03
    assert told.rate == pytest.approx(0.3, abs=0.05)


def test_a_range_in_the_middle_is_found_between_its_ends() -> None:
    [told] = findings(list(documents(8_000, lambda one: 0.4 if 5 < (one.pages or 0) <= 20 else 0.01)))
    assert told.group == (Condition("pages", over=5, upto=20),)


def test_of_two_ranges_of_a_number_what_they_share_is_meant() -> None:
    wide, tall = (Condition("tenant", "a"), Condition("pages", over=5)), (Condition("pages", upto=20),)
    assert both(wide, tall) == (Condition("tenant", "a"), Condition("pages", over=5, upto=20))
    assert both(tall, wide) == (Condition("pages", over=5, upto=20), Condition("tenant", "a"))
    assert both((), tall) == tall


def test_a_new_prompt_that_fails_is_named() -> None:
    [told] = findings(list(documents(4_000, lambda one: 0.2 if one.prompt == "extraction@2" else 0.01)))
    named = {*told.group, *told.common}
    assert Condition("prompt", "extraction@2") in named or told.since is not None


def test_fewer_than_thirty_documents_and_a_small_excess_are_not_told() -> None:
    few = [Ended(f"x{n}", "analyze", "refusal", 1_790_000_000.0 + n, tenant="tiny") for n in range(29)]
    assert findings([*documents(3_000, lambda _: 0.01), *few]) == []
    assert findings(list(documents(20_000, lambda one: 0.06 if one.tenant == "a" else 0.05))) == []


def test_what_is_known_of_failures_alone_says_nothing() -> None:
    ends = list(documents(2_000, lambda _: 0.1))
    marked = [Ended(one.document_id, "analyze", one.failure, one.at, language="de" * bool(one.failure)) for one in ends]
    assert findings(marked) == []


def test_hostile_values_are_values() -> None:
    names = ("'; drop", "\x00", "🦀" * 500, "a")
    ends = [
        Ended(f"d{n}", "analyze", "refusal" * (n % 4 == 2 and n % 8 < 4), float(n), tenant=names[n % 4])
        for n in range(4_000)
    ]
    [told] = findings(ends)
    assert told.group == (Condition("tenant", names[2]),)
    assert findings([]) == []
    assert findings([Ended("d", "s", "refusal", 0.0)]) == []


def test_the_order_in_which_they_come_does_not_matter() -> None:
    ends = list(documents(3_000, lambda one: 0.3 if one.tenant == "a" else 0.02))
    mixed = random.Random(5).sample(ends, len(ends))
    assert figures(findings(ends)) == figures(findings(mixed))


def figures(told: list[Finding]) -> list[tuple[object, ...]]:
    return [(one.group, one.documents, one.failed, one.since) for one in told]
