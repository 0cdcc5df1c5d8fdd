"""The policy of starting a process again."""

from __future__ import annotations

from infra.local.slots import exit_reason, next_delay


def test_the_wait_doubles_from_half_a_second_to_ten() -> None:
    delays = [0.0]
    for _ in range(7):
        delays.append(next_delay(delays[-1], lived=1.0))
    assert delays[1:] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_process_that_lived_half_a_minute_is_started_again_at_once() -> None:
    assert next_delay(10.0, lived=30.0) == 0.5


def test_an_exit_is_said_in_words() -> None:
    assert exit_reason(0) == "exit status 0"
    assert exit_reason(-9) == "killed by SIGKILL"
    assert exit_reason(-63) == "killed by signal 63"
