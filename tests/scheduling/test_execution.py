"""The place where jobs run, and what only Ray can do."""

import pytest

from transfer.inputs import InputError
from transfer.scheduling.execution import Execution, Executor


@pytest.mark.parametrize(
    ("executor", "gpus", "address", "here"),
    [
        (Executor.ray, 0.0, None, True),
        (Executor.ray, 0.5, None, False),
        (Executor.ray, 0.0, "auto", False),
        (Executor.inline, 0.0, None, True),
    ],
)
def test_of_gpus_and_other_machines_nothing_is_known(executor, gpus, address, here):
    assert Execution(executor, None, gpus, address).on_cpu_here is here


def test_a_name_that_is_unknown_is_one_message():
    with pytest.raises(InputError, match="executor 'rya' is unknown; did you mean 'ray'"):
        Execution("rya")
    with pytest.raises(InputError, match="tracker 'wandbb' is unknown"):
        Execution(log_to="wandbb")
