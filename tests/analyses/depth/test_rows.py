"""The rows of depth: planted trends and outliers, values as of the other commands, one read."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy import stats

import weightscope as ws
from tests.analyses.depth.planted import transformer
from weightscope.analyses.depth import DEPTH, catalogue
from weightscope.analyses.depth.options import DEFAULT, OF_SPECTRUM, DepthOptions
from weightscope.analyses.depth.rows import rows as rows_of
from weightscope.analyses.depth.stats import STATS
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import measured
from weightscope.checkpoints import open_checkpoint
from weightscope.checkpoints.views import Product
from weightscope.engine import Device, Executor, Meter

IN_ALL = ("std", "beta", "stable_rank", "alpha", "max_z", "beyond_3", "dead_rows")


@pytest.fixture
def stored(tmp_path):
    """Five layers of two roles, in a file."""
    path = tmp_path / "model.safetensors"
    save_file(transformer({"mlp.up": [0.02] * 5, "mlp.down": [0.02] * 5}), path)
    return path


def only(model, **options):
    """The single row of a model."""
    (row,) = ws.depth(model, panels=False, **options).rows
    return row


def test_a_planted_rise_and_a_planted_fall():
    """Each with its ends, its change over the median, and a slope per layer."""
    sigmas = {"mlp.up": np.linspace(0.02, 0.04, 9), "mlp.down": np.linspace(0.04, 0.02, 9)}
    down, up = ws.depth(transformer(sigmas), stat="std", panels=False).rows
    assert (up["role"], down["role"]) == ("mlp.up", "mlp.down")  # natural order of names
    assert (up["trend"], down["trend"]) == ("up", "down")
    assert up["slope"] == pytest.approx(0.0025, rel=0.1)
    assert up["fitted_change"] == pytest.approx(2 / 3, rel=0.1)
    assert down["fitted_change"] == pytest.approx(-2 / 3, rel=0.1)
    assert up["slope_low"] < up["slope"] < up["slope_high"]
    assert up["ratio"] == up["last"] / up["first"] == pytest.approx(2, rel=0.1)
    assert up["layers"] == 9
    assert up["value_se"] == pytest.approx(0.03 / np.sqrt(2 * 48 * 32), rel=0.2)


def test_a_power_of_depth_is_no_series_of_outliers():
    """0.02/sqrt(layer + 1) has the log-log slope -0.5 and no outlier layer."""
    sigmas = {"mlp.up": 0.02 / np.sqrt(np.arange(1, 25))}
    row = only(transformer(sigmas, seed=1), stat="std")
    assert row["loglog"] == pytest.approx(-0.5, abs=0.02)
    assert (row["trend"], row["outlier_layers"]) == ("down", "")


def test_one_wide_layer_is_the_only_outlier():
    """Of 24 layers the one with three times the std."""
    sigmas = np.full(24, 0.02)
    sigmas[9] *= 3
    model = transformer({"mlp.up": sigmas}, seed=2)
    assert only(model, stat="std")["outlier_layers"] == "9"
    series = ws.depth(model, stat="std", per_layer=True, panels=False).rows
    assert [row["layer"] for row in series if row["outlier"]] == [9]
    assert [row["outlier"] for row in series].count(False) == 23


def test_the_values_are_those_of_the_other_commands():
    """Each layer's value equals the cell of fit, spectrum or outliers."""
    model = transformer({"mlp.up": [0.02, 0.03]}, shape=(24, 16))
    stat = ("skew", "balanced_beta", "entropy_bits", "alpha_low", "spikes_balanced", "m", "params")
    stat += ("sqnr_int8_db", "rmse_mxfp4", "row_gini", "max_z", "max_z_null", "tiny_share", "nan")
    series = ws.depth(model, stat=stat, per_layer=True, panels=False).rows
    tables = (
        ws.fit(model, balance=True, coding=True, panels=False).rows,
        ws.spectrum(model, balance=True, alpha_ci=True, panels=False).rows,
        ws.outliers(model, quant="all", panels=False).rows,
    )
    assert len(series) == 2 * len(stat)
    for row in series:
        name = row["statistic"]
        table = next(table for table in tables if name in table[0])
        (cell,) = (other[name] for other in table if other["layer"] == row["layer"])
        assert row["value"] == cell, name


def test_the_default_statistics_and_those_of_the_spectrum():
    """In this order; --stat replaces the first five."""
    assert DepthOptions().stats == ("std", "gain", "kurtosis", "beta", "max_z") == DEFAULT
    more = (
        "alpha",
        "stable_rank",
        "spikes",
        "effective_depth",
        "product_stable_rank",
        "norm_inf",
    )
    assert DepthOptions(spectrum=True).stats == (*DEFAULT, *more)
    assert DepthOptions(stat=("alpha", "std"), spectrum=True).stats == (
        "alpha",
        "std",
        *more[1:],
    )
    assert more == OF_SPECTRUM


def test_the_help_names_every_statistic_with_a_standard_error():
    """A column that gets a standard error gets trends, and the sentence of the help its name."""
    named = {name for name, column in catalogue.statistics().items() if column.error}
    trends = next(text for text in DEPTH.remarks if text.startswith("`trend`"))
    words = trends.partition("error: ")[2].rstrip(".").replace(" or ", ", ")
    assert set(words.split(", ")) == named


def test_the_names_of_the_help_are_the_numeric_columns():
    """Every numeric column of the three commands, once, apart from those with a reason."""
    tables = catalogue.by_command().values()
    numeric = [name for table in tables for name, c in table.items() if c.dtype in ("int", "float")]
    names = [name for listed in STATS.values() for name in listed]
    assert len(names) == len(set(names))
    reasons = {name: catalogue.lack(c) for table in tables for name, c in table.items()}
    assert [name for name in numeric if not reasons[name]] == names
    assert set(catalogue.statistics()) == set(names)
    refused = {name for name in numeric if reasons[name]}
    assert all(
        name.endswith(("_null", "_null_low", "_null_high"))
        or name in ("balanced_kurtosis_score", "balanced_beta_score")
        or name in ("alpha_score", "spikes_score", "stable_rank_score", "effective_rank_score")
        or name == "sigma_max_score"
        or name
        in ("layer", "severity_rank", "top_row", "top_col", *("changed_rows", "untouched_rows"))
        for name in refused
    )


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("std", lambda x: x.std() * np.sqrt((stats.kurtosis(x) + 2) / (4 * x.size))),
        ("gain", lambda x: x.std() * np.sqrt(32 * (stats.kurtosis(x) + 2) / (4 * x.size))),
        ("kurtosis", lambda x: np.sqrt(24 / x.size)),
        ("skew", lambda x: None),
        ("stable_rank", lambda x: None),
    ],
)
def test_the_standard_error_of_a_value(name, of):
    """The median over the layers of the formula; without one there is no trend and a note."""
    model = transformer({"mlp.up": np.linspace(0.02, 0.06, 7)})
    row = only(model, stat=name)
    errors = [of(matrix.double().numpy().ravel()) for matrix in model.values()]
    if errors[0] is None:
        assert (row["value_se"], row["trend"]) == (None, None)
        assert row["note"] == f"{name} has no standard error, a trend needs one"
        return
    assert row["value_se"] == pytest.approx(np.median(errors), rel=1e-6)


@pytest.mark.parametrize(("name", "error"), [("beta", "beta_se"), ("max_z", "max_z_se")])
def test_the_standard_error_is_a_column(name, error):
    """Its median over the layers."""
    model = transformer({"mlp.up": [0.02] * 5})
    values = ws.depth(model, stat=error, per_layer=True, panels=False).rows
    assert only(model, stat=name)["value_se"] == np.median([row["value"] for row in values])


class Watched(Executor):
    """The engine, counting the measures of every entry that it is given."""

    def __call__(self, units, each):
        """Counts, then measures."""
        for unit in units:
            for label, measures in unit.wants.items():
                entry = unit.entries[label]
                name = entry.name
                if isinstance(entry, Product):
                    name += " after another"
                taken.update((name, measure) for measure in measures)
        return super().__call__(units, each)


OF_MATRICES = tuple(name for name in OF_SPECTRUM if name != "product_stable_rank")
taken: Counter = Counter()


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        ({}, 1),
        ({"stat": (*IN_ALL, *OF_MATRICES)}, 1),
        ({"stat": IN_ALL, "spectrum": True}, 2),
        ({"wanted": None}, 2),
    ],
    ids=["default", "all three", "with products", "with similarity"],
)
def test_one_read(stored, options, reads):
    """Every byte once, and again for products and similarity; no measure twice of a tensor."""
    taken.clear()
    model = measured(open_checkpoint(stored), NameOptions())
    meter = Meter()
    engine = Watched(Device("cpu", 1 << 30, 1, ""), meter)
    usual = frozenset({"trend"})
    o = DepthOptions(**{"panels": False, "wanted": usual} | options)
    assert list(rows_of([model], o, engine))
    payload = sum(tensor.params * 4 for tensor in model.checkpoint.tensors)
    assert meter.bytes_read == reads * payload
    assert max(taken.values()) == 1


@pytest.mark.usefixtures("measured_anew")
def test_similarity_is_measured_on_request(stored):
    """Named, sorted by, in an expression, or with `all`; not by default."""
    size = 2 * 5 * 48 * 32 * 4
    read = lambda **options: ws.depth(stored, stat="std", panels=False, **options)
    assert read().timing["bytes_read"] == size
    assert "similarity" not in read().table.columns
    for options in (
        {"columns": "all"},
        {"columns": ("role", "similarity")},
        {"columns": "role", "where": "similarity > -1"},
        {"sort": "similarity"},
        {"where": "not isnull(similarity_null)"},
    ):
        report = read(**options)
        assert report.timing["bytes_read"] == 2 * size
        assert all(isinstance(row["similarity"], float) for row in report.rows)


def test_several_models_have_rows_and_sentences_each(stored, tmp_path):
    """With the column `source`, in their order."""
    other = tmp_path / "rising.safetensors"
    save_file(transformer({"mlp.up": np.linspace(0.02, 0.04, 6)}), other)
    report = ws.depth(stored, other, stat="std", panels=False)
    found = [(row["source"], row["role"], row["trend"]) for row in report.rows]
    assert found == [
        (str(stored), "mlp.down", None),
        (str(stored), "mlp.up", None),
        (str(other), "mlp.up", "up"),
    ]
    assert report.closing.splitlines() == [
        f"{stored}: no trend of std with depth: 0 of 1 readers, 0 of 1 writers",
        f"{other}: std rises with depth: 1 of 1 readers (mlp.up +68%), 0 of 0 writers",
    ]
    assert report.provenance["trends"] == report.closing.splitlines()


def test_the_note_of_widths_names_what_max_z_depends_on():
    """The largest of more Gaussian weights is larger: a rise is that of its expectation."""
    names = {f"model.layers.{i}.mlp.up_proj.weight": 8 * 2**i for i in range(5)}
    model = {name: torch.randn(side, side) for name, side in names.items()}
    rows = {row["statistic"]: row for row in ws.depth(model, stat=("std", "max_z")).rows}
    assert rows["std"]["note"] == "fan_in from 8 to 128, on which std depends: see gain"
    assert rows["max_z"]["note"] == (
        "64 to 16384 elements, with which max_z grows: see max_z_null, a trend needs one size"
    )
