"""The rate of false claims in the null control."""

import pandas as pd
import pytest

from transfer.analysis.false_claims import false_claims


def test_the_interval_is_exact():
    none = pd.DataFrame({"verdict": ["inconclusive"] * 12})
    # with no claim in n edges the upper end is 1 - (0.05 / 2) ** (1 / n)
    assert false_claims(none) == (0, 0.0, pytest.approx(1 - 0.025 ** (1 / 12)))
    some = none.assign(verdict=["harms", "improves", "no effect"] + ["inconclusive"] * 9)
    claims, low, high = false_claims(some)
    assert claims == 2
    assert low < 2 / 12 < high
