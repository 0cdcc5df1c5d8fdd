"""One request to a receiver that behaves in whatever way: bounded in time and size, and led nowhere else."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.core.webhooks.body import Words
from shared.core.webhooks.hook import Hook, Patience
from shared.hooks.sending import open_sender
from tests.notify.receiver import SECRET, Behaviour, Handler, Receiver, drips, floods, garbage, hangs, loris

HOOK = Hook("team", "", frozenset({"batch"}), Words(), (SECRET.encode(),), patience=Patience(timeout=0.5))


async def test_what_is_sent_is_signed_and_a_good_answer_is_delivered() -> None:
    with Receiver() as receiver:
        async with open_sender(replace(HOOK, url=receiver.url)) as sender:
            answer = await sender.send("msg_1", '{"text": "für"}')
        assert (answer.delivered, answer.said) == (True, "")
        assert receiver.requests == [("msg_1", '{"text": "für"}', True)]


@pytest.mark.parametrize("behaviour", [hangs, loris, drips, floods, garbage])
async def test_whatever_a_receiver_does_a_try_ends_in_time_and_fails(behaviour: Behaviour) -> None:
    with Receiver(behaviour) as receiver:
        async with open_sender(replace(HOOK, url=receiver.url)) as sender:
            began = time.monotonic()
            answer = await sender.send("msg_1", "{}")
        assert time.monotonic() - began < 5
        assert not answer.delivered
        assert 0 < len(answer.said) < 300
        assert "private" not in answer.said


def answering(status: int, **headers: str) -> Callable[[Handler, int], None]:
    return lambda handler, number: handler.answer(status, b"no\x1b[2J", **headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_led_elsewhere(status: int) -> None:
    with Receiver() as elsewhere, Receiver(answering(status, location=elsewhere.url)) as receiver:
        async with open_sender(replace(HOOK, url=receiver.url)) as sender:
            answer = await sender.send("msg_1", "{}")
        assert "not followed" in answer.said
        assert not elsewhere.requests
        assert len(receiver.requests) == 1


async def test_a_refusal_tells_its_status_its_words_and_how_long_to_wait() -> None:
    with Receiver(answering(429, retry_after="120")) as receiver:
        async with open_sender(replace(HOOK, url=receiver.url)) as sender:
            answer = await sender.send("msg_1", "{}")
    assert (answer.status, answer.after) == (429, 120)
    assert answer.said == "status 429: no [2J"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/private", "http://no-such-host.invalid/private"])
async def test_a_receiver_that_is_not_there_is_an_answer_too(url: str) -> None:
    async with open_sender(replace(HOOK, url=url)) as sender:
        answer = await sender.send("msg_1", "{}")
    assert (answer.status, answer.delivered) == (0, False)
    assert "private" not in answer.said
