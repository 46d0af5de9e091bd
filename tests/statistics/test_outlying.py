"""Readings of what stands out: exactly their columns, a reason for every null, and no unit of the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.noted import told
from weightscope.sketches import Beyond, Groups, Quantise, Twins, Untrained
from weightscope.sketches.schemes import SCHEMES
from weightscope.statistics.elements import EXTREMES, quantisation
from weightscope.statistics.lines import CROWDING, MARKED_LINES, UNTRAINED
from weightscope.statistics.lines.margins import MARGINS
from weightscope.statistics.statistic import Evidence, evaluate

RNG = np.random.default_rng(0)
GAUSSIAN = RNG.standard_normal((96, 64))
LARGE = RNG.standard_normal((300, 250))  # beyond 65,536 elements values are counted in bins
ROUNDING = quantisation(tuple(SCHEMES))
STATISTICS = {"extremes": EXTREMES, "marked lines": MARKED_LINES, "untrained": UNTRAINED, "crowding": CROWDING,
              "quantisation": ROUNDING}  # fmt: skip
MEASURES = (Beyond(), MARGINS, Twins(), Groups(), Untrained(), Quantise(tuple(SCHEMES)))
KINDS = {"str": str, "int": int, "float": float}
QUIET = {                                       # null where there is nothing to say, which is no lack
    "distinct", "lattice", "zero_block", "sparsity_pattern", "row_rms_ratio_max", "col_rms_ratio_max",
    "row_gini", "row_gini_null", "top_row", "col_gini", "col_gini_null", "top_col",
}  # fmt: skip


def with_lines(at, value):
    """A Gaussian with some rows set."""
    w = GAUSSIAN.copy()
    w[at] = value
    return w


def loudest(w, line, times):
    """RMS of a line that was made so many times as loud, over the median one."""
    rms = np.sqrt((w**2).mean(1)) * np.where(np.arange(len(w)) == line, times, 1)
    return pytest.approx(rms.max() / np.median(rms), rel=1e-9)


MATRICES = {
    "gaussian": GAUSSIAN,
    "zero": np.zeros((96, 64)),
    "constant": np.full((96, 64), 0.1),
    "half zero": with_lines(slice(0, 60), 0),
    "nan": with_lines((3, 5), np.nan),
    "inf": with_lines((3, 5), -np.inf),
    "all nan": np.full((96, 64), np.nan),
    "loud row": with_lines(7, 9 * GAUSSIAN[7]),
    "loud column": with_lines(slice(None), GAUSSIAN * np.where(np.arange(64) == 9, 7, 1)),
    "padded": with_lines(slice(90, None), 0),
    "grown": GAUSSIAN * ((np.arange(96) < 60)[:, None] | (np.arange(64) < 40)),
    "2:4": GAUSSIAN * ((np.arange(64) + np.arange(96)[:, None]) % 4 < 2),
    "very sparse": GAUSSIAN * (np.arange(64) % 8 == 0),
    "positive column": with_lines((slice(None), 9), np.abs(GAUSSIAN[:, 9])),
    "positive row": with_lines(7, np.abs(GAUSSIAN[7])),
    "words alike": with_lines(slice(20, 30), np.repeat(GAUSSIAN[:2], 5, 0) + 0.1 * GAUSSIAN[20:30]),
    "parallel": with_lines(slice(20, 30), 1 + 0.1 * GAUSSIAN[20:30]),
    "twins": with_lines([3, 90], GAUSSIAN[5]),
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
    """`evidence("twins")`: all sketches of a matrix, taken once."""
    known = {}

    def of(name, scale=1.0):
        if (name, scale) not in known:
            w = MATRICES[name] * scale
            known[name, scale] = Evidence({m: taken(m, w) for m in MEASURES}, w.shape, "F64")
        return known[name, scale]

    return of


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("matrix", MATRICES)
def test_exactly_its_columns_and_a_reason_for_every_null(evidence, statistic, matrix):
    """No more and no less, typed and finite, whatever the matrix holds."""
    asked = STATISTICS[statistic]
    values = evaluate([asked], evidence(matrix))
    assert set(values) == {c.name for c in asked.columns} | {"notes"}
    for column in asked.columns:
        value = values[column.name]
        assert value is None or type(value) is KINDS[column.dtype], column
        assert column.dtype != "float" or value is None or np.isfinite(value), column
        assert value is not None or column.name in QUIET or values["notes"], column


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("matrix", MATRICES)
def test_a_null_stands_beside_its_reading_or_neither_does(evidence, statistic, matrix):
    """An expectation alone says nothing."""
    values = evaluate([STATISTICS[statistic]], evidence(matrix))
    for name in values:
        if name.endswith("_null"):
            assert (values[name] is None) == (values[name.removesuffix("_null")] is None), name


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**12])
@pytest.mark.parametrize(
    "matrix", ["gaussian", "half zero", "nan", "loud row", "parallel", "twins", "far from zero"]
)
def test_the_unit_of_the_weights_changes_no_count_and_no_ratio(evidence, matrix, scale):
    """Counts and names stay, ratios but for rounding; what has a unit scales with it."""
    statistics = list(STATISTICS.values())
    own, scaled = (evaluate(statistics, evidence(matrix, s)) for s in (1.0, scale))
    for column in (c for s in statistics for c in s.columns):
        a, b, times = own[column.name], scaled[column.name], scale if column.unit == "weight" else 1
        if column.dtype == "float" and a is not None:
            assert b == pytest.approx(a * times, rel=1e-6), column.name
        else:
            assert b == a, column.name
    assert own["notes"] == scaled["notes"]


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
                "one_sign_rows": 0,
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
            "loud row",
            {"outlier_rows": 1, "top_row": 7, "row_rms_ratio_max": loudest(GAUSSIAN, 7, 9)},
        ),
        (
            "loud column",
            {
                "outlier_rows": 0,
                "outlier_cols": 1,
                "top_col": 9,
                "col_rms_ratio_max": loudest(GAUSSIAN.T, 9, 7),
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
        ("twins", {"duplicate_rows": 3, "untrained_rows": 3}),
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
    """What a matrix was made to be."""
    values = evaluate(STATISTICS.values(), evidence(matrix))
    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("all nan", "no finite element"),
        ("huge", "squares leave float64: no std"),
        ("constant", "all values are equal: no std"),
        ("half zero", "half of the values or more are equal: no core"),
        ("zero", "int8: all weights are zero"),
        ("all nan", "int8: no finite weight to quantise"),
    ],
)
def test_notes(evidence, matrix, said):
    """In words a reader understands, each once."""
    note = told(evaluate(STATISTICS.values(), evidence(matrix)))
    assert said in note
    parts = note.split("; ")
    assert len(parts) == len(set(parts))


def test_of_pooled_tensors_only_what_adds_is_read(evidence):
    """Lines belong to one matrix: their readings say themselves that they cannot be pooled."""
    assert {name: s.pools for name, s in STATISTICS.items()} == {
        "extremes": True, "marked lines": False, "untrained": False, "crowding": False, "quantisation": True,
    }  # fmt: skip
    one = evidence("gaussian").sketches
    pooled = {m: one[m].forget() + one[m].forget() for m in (Beyond(), Quantise(tuple(SCHEMES)))}
    own, both = (
        evaluate([EXTREMES, ROUNDING], e) for e in (evidence("gaussian"), Evidence(pooled, None))
    )
    assert both["beyond_3"] == 2 * own["beyond_3"]
    assert both["beyond_3_ratio"] == own["beyond_3_ratio"]
    for scheme in SCHEMES:
        assert both[f"sqnr_{scheme}_db"] == pytest.approx(own[f"sqnr_{scheme}_db"], rel=1e-12)


def test_an_unknown_type_has_no_lattice(evidence):
    """Where tensors of several types were pooled."""
    coarse = replace(evidence("constant"), dtype="")
    assert evaluate([EXTREMES], coarse)["lattice"] is None
