"""The cost of jobs in words, and the time that several workers take for them."""

from transfer import cost


def test_jobs_share_the_workers_and_take_at_least_as_long_as_the_longest():
    assert cost.together([10.0, 20.0, 30.0], at_once=2) == 30.0
    assert cost.together([10.0, 20.0, 50.0], at_once=4) == 50.0
    assert cost.together([], at_once=4) == 0.0
