"""The contract of column names: what is promised is there, under these names and in this order."""

from itertools import product

import numpy as np
import pytest

import weightscope as ws
from weightscope.analyses import ANALYSES, FIT
from weightscope.analyses.fit import FitOptions
from weightscope.analyses.inventory import InventoryOptions
from weightscope.analyses.spectrum import SpectrumOptions

TENSOR = "tensor layer role part stack kind shape dtype quantised params"
MOMENTS = "mean std skew kurtosis l_kurtosis robust_std min max zeros nan inf distinct"
LAWS = "best beta beta_se nu ks_normal w1_normal kl_bits_normal ks_best pattern"
SHAPE = "beta_moment weibull_k trimmed_std trimmed_kurtosis tiny_share"
READINGS = "row_spread col_spread row_mean_share col_mean_share lag_row lag_col"
LINES = " ".join(f"{c} {c}_null" for c in READINGS.split())
IID = "row_spread_iid col_spread_iid"
BALANCE = """balanced_kurtosis balanced_kurtosis_null balanced_beta balanced_beta_null balanced_ks_normal
row_scale_spread row_scale_spread_null col_scale_spread col_scale_spread_null"""
CODING = "entropy_bits entropy_bits_std64 golomb_bits golomb_order rf8_rmse"
LONG = "law loglik aic bic ks w1 kl_bits at_bound"


def names(report):
    """The columns of a report, in order."""
    return [c.name for c in report.columns]


@pytest.fixture(scope="module")
def model():
    """Two matrices of one role and a vector."""
    rng = np.random.default_rng(0)
    torch = pytest.importorskip("torch")
    draw = lambda *shape: torch.from_numpy(rng.standard_normal(shape))
    return {f"model.layers.{i}.mlp.up_proj.weight": draw(24, 16) for i in (0, 1)} | {"model.norm.weight": draw(16)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} note"),
        ({"balance": True}, f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} {BALANCE} note"),
        ({"coding": True}, f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} {CODING} note"),
    ],
    ids=str,
)
def test_fit(model, options, expected):
    """One row per tensor: identity, readings, note; further columns only where they were asked for."""
    report = ws.fit(model, **options)
    assert names(report) == expected.split()
    assert names(ws.fit(model, model, **options)) == ["source", *expected.split()]
    assert all(set(row) <= set(expected.split()) for row in report.rows)


def test_fit_long(model):
    """Identity, the law and how well it does, one column per parameter."""
    report = ws.fit(model, long=True)
    assert names(report)[: 1 + len(LONG.split())] == ["tensor", *LONG.split()]
    assert {"mu", "sigma", "beta", "nu", "note"} <= set(names(report))
    normal = next(row for row in report.rows if row["law"] == "normal")
    assert "nu" not in normal or normal["nu"] is None


@pytest.mark.parametrize(
    ("by", "keys"), [("role", ["role"]), ("layer", ["stack", "layer"]), ("model", [])], ids=lambda x: str(x)
)
def test_grouped(model, by, keys):
    """Keys, kind and sizes, then every statistic: pooled where records merge, and its median, least and greatest."""
    found = names(ws.fit(model, by=by, balance=True))
    assert found[: len(keys) + 3] == [*keys, "kind", "tensors", "params"]
    assert found[-1] == "note"
    for name in f"{MOMENTS} {SHAPE} beta nu ks_normal".split():
        at = found.index(name)
        assert found[at : at + 4] == [name, f"{name}_median", f"{name}_min", f"{name}_max"]
    for name in f"{LINES} {BALANCE}".split():
        assert name not in found
        at = found.index(f"{name}_median")
        assert found[at : at + 3] == [f"{name}_median", f"{name}_min", f"{name}_max"]
    assert "best" in found
    assert "best_median" not in found


def test_ls(model):
    """Identity and storage; grouped, all kinds together."""
    storage = "bytes alias_of orientation family file note"
    assert names(ws.ls(model)) == f"{TENSOR} {storage}".split()
    assert names(ws.ls(model, by="dtype")) == ["dtype", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="role")) == ["role", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="layer")) == ["stack", "layer", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="model")) == ["tensors", "params", "bytes"]
    assert names(ws.ls(model, metadata=True)) == ["key", "length", "value"]


@pytest.mark.parametrize("question", ANALYSES, ids=lambda q: q.name)
def test_every_column_is_declared_once_and_said(question):
    """Unique lower-case names, a meaning each, and a null expectation beside its reading."""
    everything = {
        "fit": FitOptions(balance=True, coding=True),
        "ls": InventoryOptions(),
        "spectrum": SpectrumOptions(balance=True, alpha_ci=True, null="shuffle", draws=2),
    }
    declared = question.columns(everything[question.name])
    found = [c.name for c in declared]
    assert len(found) == len(set(found))
    assert all(c.name == c.name.lower() and c.meaning and "-" not in c.name for c in declared)
    for name in found:
        if name.endswith("_null"):
            assert found.index(name.removesuffix("_null")) < found.index(name)


def test_columns_of_another_option_say_which():
    """Every column of every form of `fit` is either there or names what brings it."""
    forms = [FitOptions(by=by, long=long) for by in ("tensor", "role", "layer", "model") for long in (False, True)]
    every = {c.name for o in [*forms, FitOptions(balance=True, coding=True, several=True)] for c in FIT.columns(o)}
    for form in forms:
        there = {c.name for c in FIT.columns(form)}
        assert every - there <= set(FIT.optional(form))


def test_types_are_kept(model):
    """Each value has the type its column declares, or is null."""
    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    for options in ({"balance": True, "coding": True}, {"by": "role"}, {"long": True}):
        report = ws.fit(model, **options)
        for column, row in product(report.columns, report.rows):
            value = row.get(column.name)
            assert value is None or type(value) is kinds[column.dtype], column
