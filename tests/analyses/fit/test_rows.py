"""Rows of fit for tensors whose squares overflow or underflow."""

import numpy as np
import pytest
import torch

import weightscope as ws

NO_STD = (
    "values overflow or underflow when squared (above 1e154, below 1e-145): "
    "std and dependent columns are null"
)
NULL = ("std", "best", "beta", "beta_moment", "pattern", "row_spread", "trimmed_std")
SIZES = {"large": 1e200, "small": 1e-200, "plain": 1.0}


@pytest.fixture
def sizes():
    """The same Gaussian matrix in float64 near both ends of its range and in the middle."""
    x = np.random.default_rng(0).standard_normal((48, 32))
    return {
        f"layers.0.{name}.up_proj.weight": torch.from_numpy(size * x)
        for name, size in SIZES.items()
    }


@pytest.fixture
def unread(sizes):
    """Names of those whose squares exceed float64."""
    return tuple(sorted(name for name in sizes if "plain" not in name))


def test_squares_beyond_float64_are_said(sizes, unread, by_name):
    """Null instead of a std of 0 or infinity; rows are not compared, and nothing is drawn."""
    report = ws.fit(sizes, histogram=True)
    for name in unread:
        row = by_name(report)[name]
        assert {row[column] for column in NULL} == {None}
        assert row["note"].split("; ")[-2:] == [
            NO_STD,
            "values overflow or underflow when squared: rows and columns are not compared",
        ]
        assert row["robust_std"] == pytest.approx(row["max"] - row["min"], rel=0.9)
    plain = by_name(report)["layers.0.plain.up_proj.weight"]
    assert plain["std"] == pytest.approx(1, rel=0.1)
    assert NO_STD not in str(plain["note"])
    assert [panel.note for panel in report.panels] == [NO_STD, "", NO_STD]


@pytest.mark.parametrize(
    "more", [{}, {"long": True}, {"columns": ["std"]}, {"columns": ["note"]}], ids=str
)
def test_they_could_not_be_measured(sizes, unread, more):
    """--strict reports them, whatever the options."""
    assert ws.fit(sizes, **more).unmeasured == unread


def test_groups_name_them(sizes, unread):
    """Each once, and the note of the group has the reason for its nulls."""
    report = ws.fit(sizes, by="model")
    assert report.unmeasured == unread
    assert report.rows[0]["std"] is None
    assert NO_STD in report.rows[0]["note"]
    assert report.rows[0]["std_median"] == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("options", "found"),
    [({"draws": 2}, "found 2 without --balance"), ({"draws": 0, "balance": True}, "found 0 with")],
)
def test_draws_belong_to_balance(options, found):
    """One shuffle or more, with --balance."""
    with pytest.raises(ws.UsageError, match=f"from 1 on, beside --balance; {found}"):
        ws.fit({}, **options)


def test_draws_are_shuffles_of_their_own():
    """The first of several shuffles is the one of a single draw; the median lies between them."""
    w = torch.from_numpy(np.random.default_rng(1).laplace(size=(40, 30)))
    one = ws.fit({"w.weight": w}, balance=True).rows[0]
    two = ws.fit({"w.weight": w}, balance=True, draws=2).rows[0]
    ends = [two["balanced_beta_null_low"], two["balanced_beta_null_high"]]
    assert ends[0] < two["balanced_beta_null"] < ends[1]
    half = (ends[1] - ends[0]) / 0.8 / 2
    first = abs(one["balanced_beta_null"] - two["balanced_beta_null"])
    assert first == pytest.approx(half)
    assert abs(two["balanced_beta_score"]) < 3
