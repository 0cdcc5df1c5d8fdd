"""What a pool says of its PostgreSQL, by what its work met with."""

from shared.database.pulse import BELIEVED, SLOW, Pulse


def test_nothing_is_the_matter_before_and_after_quick_work() -> None:
    pulse = Pulse()
    assert pulse.said(0.0) == ""
    pulse.ends(pulse.begins(0.0), SLOW / 2)
    assert pulse.said(SLOW / 2) == ""


def test_slow_work_is_told_while_it_runs_and_once_it_has_ended() -> None:
    pulse = Pulse()
    number = pulse.begins(0.0)
    assert pulse.said(SLOW) == ""
    assert pulse.said(4.0) == "PostgreSQL has not answered for 4.0 s"
    pulse.ends(number, 4.5)
    assert pulse.said(5.0) == "PostgreSQL is slow: a piece of work took 4.5 s"


def test_a_trouble_is_told_until_work_goes_well_again() -> None:
    pulse = Pulse()
    pulse.ends(pulse.begins(0.0), 0.1, "PostgreSQL is away: no route")
    assert pulse.said(0.2) == "PostgreSQL is away: no route"
    pulse.ends(pulse.begins(1.0), 1.1)
    assert pulse.said(1.2) == ""


def test_a_trouble_that_nobody_has_met_again_is_not_told_for_ever() -> None:
    pulse = Pulse()
    pulse.ends(pulse.begins(0.0), 0.0, "PostgreSQL is away")
    assert pulse.said(BELIEVED - 0.1) == "PostgreSQL is away"
    assert pulse.said(BELIEVED) == ""


def test_work_that_ends_behind_other_work_does_not_hide_what_hangs() -> None:
    pulse = Pulse()
    pulse.begins(0.0)
    pulse.ends(pulse.begins(4.0), 4.1)
    assert pulse.said(5.0) == "PostgreSQL has not answered for 5.0 s"
