"""The numbers of steps: those in the names of the MODELs, or positions."""

from __future__ import annotations

import pytest

from tests.analyses.compare.many.small import NUMBERS, ask, walk
from weightscope.analyses.compare.series.steps import named_steps


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (("s0.pt", "s400.pt", "s1600.pt"), (0, 400, 1600)),
        (("run2/a-1", "run1/b-2.bin", "run0/c_30x"), (1, 2, 30)),
        (("seed7_step00000.pt", "seed7_step00400.pt"), (0, 400)),
        (("c-5/model.bin", "c-10/model.bin", "c-20/model.bin"), (5, 10, 20)),
        (("c-5/model-00001.bin", "c-10/model-00001.bin"), None),
        (("hf://org/name@step5", "hf://org/name@step10"), (5, 10)),
        (("s3.pt", "s2.pt", "s4.pt"), None),
        (("s1.pt", "s1.pt"), None),
        (("s1.pt", "last.pt"), None),
        (("memory", "memory"), None),
        (("s" + "9" * 18, "s1" + "0" * 18), None),
        (("s1", "s" + "9" * 18), (1, 10**18 - 1)),
        (("s\u0661.pt", "s\u0662.pt"), (1, 2)),
        (("1.pt", "", "3.pt"), None),
    ],
)
def test_the_last_number_of_each_name_where_they_rise(names, numbers) -> None:
    """Of the name without its ending, else of the whole path; at most 18 digits."""
    assert named_steps(names) == numbers


def test_positions_where_names_have_no_numbers() -> None:
    """0, 1, 2: the first step has no rows."""
    rows = ask(walk(3), columns=NUMBERS).rows
    assert [row["step"] for row in rows if row["against"] == "first"] == [1] * 4 + [2] * 4
