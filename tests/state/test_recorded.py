"""Copies of recorded results: only what is accepted, only for its own name, and never in anybody's way."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from shared.core.errors import Misconfigured
from shared.core.ledger import State
from shared.state.recorded import KEPT_SECONDS, LARGEST, MOST, RecordedCopies
from tests.ledgers import ended, intent_of
from tests.state.server import OwnRedis


async def test_an_accepted_result_is_copied_for_a_while_and_nothing_else_is(redis_url: str) -> None:
    prefix = f"test:{uuid.uuid4().hex}:"
    accepted, rejected, huge = (ended(intent_of(f"copies {prefix} {number}")) for number in range(3))
    async with RecordedCopies(redis_url, prefix) as copies:
        copies.put(accepted)
        copies.put(replace(rejected, state=State.REJECTED))
        copies.put(replace(huge, result="x" * (LARGEST + 1)))
    async with RecordedCopies(redis_url, prefix) as copies:
        assert await copies.get(accepted.intent.fingerprint) == accepted
        assert await copies.get(rejected.intent.fingerprint) is None
        assert await copies.get(huge.intent.fingerprint) is None
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < client.ttl(prefix + accepted.intent.fingerprint) <= KEPT_SECONDS


async def test_rubbish_or_anothers_result_is_no_copy(redis_url: str) -> None:
    prefix = f"test:{uuid.uuid4().hex}:"
    one, other = ended(intent_of("one")), ended(intent_of("other"))
    async with RecordedCopies(redis_url, prefix) as copies:
        copies.put(other)
    with redis.Redis.from_url(redis_url) as client:
        stolen = client.get(prefix + other.intent.fingerprint)
        for rubbish in (b"\xff\xfe", b"[]", b"{}", b"null", stolen):
            client.set(prefix + one.intent.fingerprint, rubbish)
            async with RecordedCopies(redis_url, prefix) as copies:
                assert await copies.get(one.intent.fingerprint) is None
                # Rubbish is an answer: whoever gave it is asked on.
                assert await copies.get(other.intent.fingerprint) == other


async def test_a_redis_that_is_away_or_hangs_costs_nobody_time(own_redis: OwnRedis, tmp_path: Path) -> None:
    records = [ended(intent_of(f"away {number}")) for number in range(MOST + 50)]
    own_redis.hang()
    try:
        async with RecordedCopies(own_redis.url) as copies:
            began = time.monotonic()
            for record in records:
                copies.put(record)
            for record in records[:50]:
                assert await copies.get(record.intent.fingerprint) is None
            assert time.monotonic() - began < 2
    finally:
        own_redis.go_on()


def test_an_address_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(Misconfigured, match="'https'"):
        RecordedCopies("https://example.org")
