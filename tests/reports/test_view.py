"""Which rows and columns of a report are looked at."""

import pytest

from weightscope.errors import UsageError
from weightscope.reports.view import View, arrange


def names(report, view):
    return [row["tensor"] for row in arrange(report.rows, report.columns, view)[1]]


def test_nothing_asked_shows_everything_in_order(report):
    """The empty view is every column and every row as they are."""
    assert arrange(report.rows, report.columns, View()) == (report.columns, report.rows)


def test_sort_puts_nulls_last_either_way(report):
    """Values first, then NaN, then null, upwards and downwards."""
    stds = [repr(row["std"]) for row in arrange(report.rows, report.columns, View(sort="std"))[1]]
    assert stds == ["-1e-300", "0.30000000000000004", "inf", "nan", "None"]
    stds = [repr(row["std"]) for row in arrange(report.rows, report.columns, View(sort="-std"))[1]]
    assert stds == ["inf", "0.30000000000000004", "-1e-300", "nan", "None"]


def test_sort_is_stable_either_way(report):
    """Rows that are equal in the sorted column keep their order, also downwards."""
    assert (
        names(report, View(sort="role"))[:2]
        == names(report, View(sort="-role"))[2:4]
        == ["h.2.w", "h.10.w"]
    )


def test_names_sort_naturally(report):
    """h.2 stands before h.10."""
    assert [n for n in names(report, View(sort="tensor")) if n.startswith("h")] == [
        "h.1.w",
        "h.2.w",
        "h.10.w",
    ]


def test_where_then_sort_then_limit(report):
    """The limit cuts what is left after filtering and sorting."""
    assert names(report, View(where="params > 5", sort="-params", limit=2)) == ["h.10.w", "h.2.w"]
    assert names(report, View(limit=0)) == []


def test_columns_are_chosen_in_the_order_asked_once(report):
    """A column stands where it was first asked; `all` brings the rest."""

    def chosen(*asked):
        return [c.name for c in arrange(report.rows, report.columns, View(asked))[0]]

    assert chosen("std", "tensor", "std") == ["std", "tensor"]
    assert chosen("std", "all") == ["std", "tensor", "role", "params", "iid", "note"]


@pytest.mark.parametrize(
    "view", [View(("stdd",)), View(sort="stdd"), View(sort="-stdd"), View(where="stdd > 0")]
)
def test_unknown_column_names_the_nearest(columns, view):
    """A typo is answered with the column that was probably meant."""
    with pytest.raises(UsageError, match=r"expected a column.*found 'stdd'.*did you mean 'std'\?"):
        view.check(columns)


def test_unknown_column_without_a_neighbour_lists_all(columns):
    """A name that is like none is answered with all names."""
    with pytest.raises(UsageError, match=r"found 'qqqq\\x1b'; columns: tensor, role"):
        View(("qqqq\x1b",)).check(columns)


@pytest.mark.parametrize(
    "view", [View(("entropy_bits",)), View(sort="-entropy_bits"), View(where="entropy_bits > 1")]
)
def test_column_of_an_option_names_the_option(columns, view):
    """A column that this run does not measure is answered with the option that would."""
    with pytest.raises(
        UsageError, match=r"found 'entropy_bits', which needs --coding; add --coding"
    ):
        view.check(columns, {"entropy_bits": "--coding"})


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(where=""), "an expression over columns"),
        (View(where=" "), "an expression over columns"),
        (View(sort=""), "a column; found ''"),
        (View(sort="-"), "found ''"),
        (View(("",)), "a column; found ''"),
    ],
)
def test_empty_text_is_refused(columns, view, said):
    """A shell variable that was never set selects nothing by mistake.

    It does not select everything.
    """
    with pytest.raises(UsageError, match=f"expected {said}" if said.startswith("a") else said):
        view.check(columns)


def test_negative_limit_is_refused(columns):
    """A limit counts rows."""
    with pytest.raises(UsageError, match=r"expected a limit of 0 or more rows; found -1"):
        View(limit=-1).check(columns)
