"""Statistics of outliers: exactly their columns, a reason for every null, independent of units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.noted import told
from weightscope.sketches import Beyond, Duplicates, Groups, Quantise, RowPairs, Untrained
from weightscope.sketches.schemes import SCHEMES
from weightscope.statistics.elements import EXTREMES, quantisation
from weightscope.statistics.lines import CROWDING, MARKED_LINES, UNTRAINED
from weightscope.statistics.lines.margins import MARGINS
from weightscope.statistics.statistic import Evidence, evaluate

RNG = np.random.default_rng(0)
GAUSSIAN = RNG.standard_normal((96, 64))
LARGE = RNG.standard_normal((300, 250))  # beyond 65,536 elements values are counted in bins
ROUNDING = quantisation(tuple(SCHEMES))
STATISTICS = {
    "extremes": EXTREMES,
    "marked lines": MARKED_LINES,
    "untrained": UNTRAINED,
    "crowding": CROWDING,
    "quantisation": ROUNDING,
}
MEASURES = (
    Beyond(),
    RowPairs(),
    MARGINS,
    Duplicates(),
    Groups(),
    Untrained(),
    Quantise(tuple(SCHEMES)),
)
KINDS = {"str": str, "int": int, "float": float}
# Columns whose null needs no reason: nothing of the sort exists in the matrix.
WITHOUT_REASON = {
    "distinct",
    "lattice",
    "precision_history",
    "max_z_tail",
    "zero_block",
    "sparsity_pattern",
    "row_rms_ratio_max",
    "col_rms_ratio_max",
    "row_gini",
    "row_gini_null",
    "row_gini_score",
    "top_row",
    "col_gini",
    "col_gini_null",
    "col_gini_score",
    "top_col",
    "max_z_score",
}


def with_lines(at, value):
    """A Gaussian with some rows set."""
    w = GAUSSIAN.copy()
    w[at] = value
    return w


def largest_rms_ratio(w, row, times):
    """RMS of a row that was multiplied, over the median RMS."""
    rms = np.sqrt((w**2).mean(1)) * np.where(np.arange(len(w)) == row, times, 1)
    return pytest.approx(rms.max() / np.median(rms), rel=1e-9)


MATRICES = {
    "gaussian": GAUSSIAN,
    "zero": np.zeros((96, 64)),
    "constant": np.full((96, 64), 0.1),
    "half zero": with_lines(slice(0, 60), 0),
    "nan": with_lines((3, 5), np.nan),
    "inf": with_lines((3, 5), -np.inf),
    "all nan": np.full((96, 64), np.nan),
    "outlier row": with_lines(7, 9 * GAUSSIAN[7]),
    "outlier column": with_lines(slice(None), GAUSSIAN * np.where(np.arange(64) == 9, 7, 1)),
    "padded": with_lines(slice(90, None), 0),
    "grown": GAUSSIAN * ((np.arange(96) < 60)[:, None] | (np.arange(64) < 40)),
    "2:4": GAUSSIAN * ((np.arange(64) + np.arange(96)[:, None]) % 4 < 2),
    "very sparse": GAUSSIAN * (np.arange(64) % 8 == 0),
    "positive column": with_lines((slice(None), 9), np.abs(GAUSSIAN[:, 9])),
    "positive row": with_lines(7, np.abs(GAUSSIAN[7])),
    "words alike": with_lines(slice(20, 30), np.repeat(GAUSSIAN[:2], 5, 0) + 0.1 * GAUSSIAN[20:30]),
    "parallel": with_lines(slice(20, 30), 1 + 0.1 * GAUSSIAN[20:30]),
    "duplicates": with_lines([3, 90], GAUSSIAN[5]),
    "one row": GAUSSIAN[:1],
    "one column": GAUSSIAN[:, :1],
    "one element": GAUSSIAN[:1, :1],
    "huge": 1e200 * GAUSSIAN,
    "tiny": 1e-200 * GAUSSIAN,
    "far from zero": 1 + 1e-4 * GAUSSIAN,
    "large": LARGE,
    "large step": np.round(LARGE / 0.01) * 0.01,
    "large codebook": RNG.choice(LARGE[0, :16], LARGE.shape),
}


@pytest.fixture(scope="module")
def evidence(taken):
    """`evidence("duplicates")`: all sketches of a matrix, taken once."""
    cache = {}

    def of(name, scale=1.0):
        if (name, scale) not in cache:
            w = MATRICES[name] * scale
            cache[name, scale] = Evidence({m: taken(m, w) for m in MEASURES}, w.shape, "F64")
        return cache[name, scale]

    return of


@pytest.mark.parametrize("matrix", MATRICES)
def test_exactly_its_columns_and_a_reason_for_every_null(evidence, matrix):
    """No more and no less, typed and finite, whatever the matrix holds."""
    for statistic in STATISTICS.values():
        values = evaluate([statistic], evidence(matrix))
        assert set(values) == {c.name for c in statistic.columns} | {"notes"}
        for column in statistic.columns:
            value = values[column.name]
            assert value is None or type(value) is KINDS[column.dtype], column
            assert column.dtype != "float" or value is None or np.isfinite(value), column
            assert value is not None or column.name in WITHOUT_REASON or values["notes"], column


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_statistic_and_its_expectation_are_null_together(evidence, matrix):
    """Both are null or neither."""
    for statistic in STATISTICS.values():
        values = evaluate([statistic], evidence(matrix))
        for name in values:
            if name.endswith("_null"):
                assert (values[name] is None) == (values[name.removesuffix("_null")] is None), name


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**12])
@pytest.mark.parametrize(
    "matrix",
    ["gaussian", "half zero", "nan", "outlier row", "parallel", "duplicates", "far from zero"],
)
def test_the_unit_of_the_weights_changes_no_count_and_no_ratio(evidence, matrix, scale):
    """Counts and names stay, ratios but for rounding; what has a unit scales with it."""
    statistics = list(STATISTICS.values())
    one, scaled = (evaluate(statistics, evidence(matrix, s)) for s in (1.0, scale))
    for column in (c for s in statistics for c in s.columns):
        a, b, times = one[column.name], scaled[column.name], scale if column.unit == "weight" else 1
        if column.dtype == "float" and a is not None:
            assert b == pytest.approx(a * times, rel=1e-6), column.name
        else:
            assert b == a, column.name
    assert one["notes"] == scaled["notes"]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (
            "gaussian",
            {
                "nan": 0,
                "zeros": 0,
                "dead_rows": 0,
                "duplicate_rows": 0,
                "untrained_rows": 0,
                "lattice": None,
            },
        ),
        (
            "zero",
            {
                "zeros": 6144,
                "dead_rows": 96,
                "dead_cols": 64,
                "duplicate_rows": 0,
                "zero_block": None,
            },
        ),
        (
            "constant",
            {
                "constant_rows": 96,
                "duplicate_rows": 0,
                "beyond_3": 0,
                "max_z": None,
                "one_sign_rows": 96,
            },
        ),
        (
            "half zero",
            {
                "dead_rows": 60,
                "dead_cols": 0,
                "core_share": None,
                "row_gini": None,
                "zero_block": None,
            },
        ),
        ("nan", {"nan": 1, "inf": 0, "dead_rows": 0, "untrained_rows": 0}),
        ("inf", {"nan": 0, "inf": 1, "outlier_rows": 0}),
        (
            "all nan",
            {"nan": 6144, "min": None, "beyond_3": None, "tiny_share": None, "dead_rows": 0},
        ),
        (
            "gaussian",
            {"outlier_rows": 0, "outlier_cols": 0, "one_sign_rows": 0, "one_sign_cols": 0},
        ),
        ("gaussian", {"constant_rows": 0, "zero_block": None, "sparsity_pattern": None}),
        (
            "outlier row",
            {
                "outlier_rows": 1,
                "top_row": 7,
                "row_rms_ratio_max": largest_rms_ratio(GAUSSIAN, 7, 9),
            },
        ),
        (
            "outlier column",
            {
                "outlier_rows": 0,
                "outlier_cols": 1,
                "top_col": 9,
                "col_rms_ratio_max": largest_rms_ratio(GAUSSIAN.T, 9, 7),
            },
        ),
        ("padded", {"dead_rows": 6, "dead_cols": 0, "zero_block": "rows 90:96"}),
        ("grown", {"dead_rows": 0, "dead_cols": 0, "zero_block": "rows 60:96 x cols 40:64"}),
        ("2:4", {"sparsity_pattern": "2:4", "zero_block": None}),
        ("very sparse", {"sparsity_pattern": None, "dead_rows": 0, "dead_cols": 56}),
        ("positive column", {"one_sign_rows": 0, "one_sign_cols": 1}),
        ("positive row", {"one_sign_rows": 1, "one_sign_cols": 0}),
        ("words alike", {"untrained_rows": 0, "duplicate_rows": 0}),
        ("parallel", {"untrained_rows": 10, "duplicate_rows": 0}),
        ("duplicates", {"duplicate_rows": 3, "untrained_rows": 3}),
        ("one row", {"row_gini": None, "col_gini": None, "dead_rows": 0}),
        ("large", {"distinct": None, "lattice": None}),
        (
            "large step",
            {"distinct": len(np.unique(MATRICES["large step"])), "lattice": "step 0.01"},
        ),
        ("large codebook", {"distinct": 16, "lattice": "codebook 16"}),
        ("far from zero", {"one_sign_rows": 96, "one_sign_cols": 64, "outlier_rows": 0}),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_constructed_truth(evidence, matrix, expected):
    """Values cache by construction."""
    values = evaluate(STATISTICS.values(), evidence(matrix))
    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        ("all nan", "no finite element"),
        ("huge", "values overflow or underflow when squared (above 1e154, below 1e-145): std and"),
        ("constant", "all values are identical: std is 0, columns in units of std are null"),
        (
            "half zero",
            "interquartile range is 0 (half of the values are identical): core_share and core_std",
        ),
        ("zero", "int8: all weights are 0 or underflow when squared: no signal-to-noise ratio"),
        ("all nan", "int8: no finite weight to quantise"),
    ],
)
def test_notes(evidence, matrix, text):
    """In plain words, each once."""
    note = told(evaluate(STATISTICS.values(), evidence(matrix)))
    assert text in note
    parts = note.split("; ")
    assert len(parts) == len(set(parts))


def test_pooled_tensors_have_the_statistics_that_add(evidence):
    """Rows and columns belong to one matrix: their statistics are declared not to pool."""
    assert {name: s.pools for name, s in STATISTICS.items()} == {
        "extremes": True,
        "marked lines": False,
        "untrained": False,
        "crowding": False,
        "quantisation": True,
    }
    sketches = evidence("gaussian").sketches
    pooled = {}
    for measure in (Beyond(), RowPairs(), Quantise(tuple(SCHEMES))):
        pooled[measure] = sketches[measure].forget() + sketches[measure].forget()
    one = evaluate([EXTREMES, ROUNDING], evidence("gaussian"))
    both = evaluate([EXTREMES, ROUNDING], Evidence(pooled, None))
    assert both["beyond_3"] == 2 * one["beyond_3"]
    assert both["beyond_3_ratio"] == one["beyond_3_ratio"]
    for scheme in SCHEMES:
        assert both[f"sqnr_{scheme}_db"] == pytest.approx(one[f"sqnr_{scheme}_db"], rel=1e-12)


def test_an_unknown_type_has_no_lattice(evidence):
    """Where tensors of several types were pooled."""
    coarse = replace(evidence("constant"), dtype="")
    assert evaluate([EXTREMES], coarse)["lattice"] is None
