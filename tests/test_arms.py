"""Groups and arms: one text form each, read back as what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.arms import Arm, Control, Group, members

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


@given(st.sets(NAMES, min_size=1))
def test_a_group_is_the_same_in_any_order_and_is_read_back_from_its_text(names):
    group = Group(tuple(names))
    assert Group.parse(str(group)) == group == Group(tuple(sorted(names, reverse=True)))
    assert all(name in group and name not in group.partners(name) for name in names)
    assert members([str(group), min(names)]) == sorted(names)


@given(
    st.one_of(
        st.sampled_from([Arm("refine"), Arm("fine-tune"), Arm(Control.NULL)]),
        st.integers(1, 10**7).map(Arm.same_steps),
        NAMES.map(Arm.left_out),
        st.sampled_from([1e-5, 5e-4, 0.003, 1.0]).map(Arm.tuned),
    )
)
def test_an_arm_is_read_back_from_its_text(arm):
    assert Arm.parse(str(arm)) == arm
    assert (arm.control is None) == (arm.name in ("refine", "fine-tune"))


@pytest.mark.parametrize(
    ("arm", "text"),
    [
        (Arm.same_steps(1_000_000), "same-steps 1000000"),
        (Arm.tuned(1e-05), "tuned 1e-05"),
        (Arm.left_out("mednli"), "left-out mednli"),
        (Arm(Control.NULL), "null"),
    ],
)
def test_the_text_is_that_of_stored_tables(arm, text):
    assert str(arm) == text


def test_a_setting_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="could not convert"):
        Arm.parse("tuned fast")
