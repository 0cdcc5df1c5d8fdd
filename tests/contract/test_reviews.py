"""What every queue of reviews does: asked once, decided once, told in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.ports import ReviewItem, Reviews
from tests.contract.conftest import Place

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)


@pytest.fixture
def item(place: Place) -> ReviewItem:
    return ReviewItem(f"{place.name}/0/7", "d1", place.name, "validate", "low_quality", "2 of 4", b"\xc3\x01\x00", NOW)


def other(item: ReviewItem, number: int) -> ReviewItem:
    return replace(item, review_id=f"{item.pipeline}/1/{number}", requested_at=NOW + timedelta(seconds=number))


async def test_a_request_twice_is_one_review_and_the_oldest_comes_first(reviews: Reviews, item: ReviewItem) -> None:
    await reviews.request([other(item, 2), item])
    await reviews.request([replace(item, reason="another"), other(item, 1)])
    assert list(await reviews.waiting(10)) == [item, other(item, 1), other(item, 2)]
    assert list(await reviews.waiting(1)) == [item]
    assert await reviews.get(item.review_id) == item


async def test_what_nobody_asked_can_neither_be_found_nor_decided(reviews: Reviews, item: ReviewItem) -> None:
    assert await reviews.get(item.review_id) is None
    assert await reviews.decide(item.review_id, "approve", "ada", "") is None


async def test_a_decision_is_made_once_and_a_repeated_request_does_not_undo_it(
    reviews: Reviews, item: ReviewItem
) -> None:
    await reviews.request([item])
    decided = await reviews.decide(item.review_id, "approve", "ada", "looks right")
    assert decided is not None
    assert (decided.decision, decided.decided_by, decided.note) == ("approve", "ada", "looks right")
    assert decided.sequence > 0
    assert decided.decided_at is not None
    assert await reviews.decide(item.review_id, "reject", "bob", "") is None
    await reviews.request([item])
    assert list(await reviews.waiting(10)) == []
    assert await reviews.get(item.review_id) == decided


async def test_decisions_are_told_in_the_order_in_which_they_were_made(reviews: Reviews, item: ReviewItem) -> None:
    items = [other(item, number) for number in range(4)]
    await reviews.request(items)
    order = [items[2], items[0], items[3]]
    decided = [await reviews.decide(each.review_id, "reject", "ada", "") for each in order]
    told = list(await reviews.decided_after(0, 10))
    assert told == decided
    assert list(await reviews.decided_after(told[0].sequence, 1)) == [told[1]]
    assert list(await reviews.decided_after(told[-1].sequence, 10)) == []
