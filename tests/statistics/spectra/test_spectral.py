"""Statistics of a spectrum: exactly their columns, a reason for every null, no unit of weights."""

from __future__ import annotations

import numpy as np
import pytest

from tests.noted import told
from weightscope.errors import Unmeasured
from weightscope.notes import Note
from weightscope.sketches import Balanced, Count, Decompose, MarginSums, Triangle
from weightscope.statistics.spectra import (
    balanced_spectrum,
    depth,
    evenness,
    noise,
    null_distance,
    sizes,
    tail,
)
from weightscope.statistics.spectra.spectral import spectral
from weightscope.statistics.spectra.spectrum import of_product
from weightscope.statistics.statistic import Evidence, evaluate, needed

RNG = np.random.default_rng(0)
ORTHOGONAL = np.linalg.qr(RNG.standard_normal((40, 40)))[0]
ORTHOGONAL_48 = np.linalg.qr(np.random.default_rng(3).standard_normal((48, 48)))[0]
GAUSSIAN = RNG.standard_normal((48, 80))
PLACE = np.arange(48 * 80).reshape(48, 80)
MATRICES = {
    "gaussian": GAUSSIAN,
    "tall": RNG.standard_normal((90, 20)),
    "zero": np.zeros((48, 80)),
    "half zero rows": np.where(PLACE < 24 * 80, GAUSSIAN, 0),
    "half zero columns": np.where(PLACE % 2 == 0, GAUSSIAN, 0),
    "rank 4": RNG.standard_normal((48, 4)) @ RNG.standard_normal((4, 80)),
    "nan": np.where(PLACE == 7, np.nan, GAUSSIAN),
    "inf": np.where(PLACE == 7, -np.inf, GAUSSIAN),
    "constant": np.full((48, 80), 0.1),
    "one element": np.where(PLACE == 7, 0.5, 0),
    "far from zero": 1 + 1e-4 * GAUSSIAN,
    "uneven rows": GAUSSIAN * np.exp(RNG.standard_normal((48, 1))),
    "two by two": RNG.standard_normal((2, 2)),
    "fifteen": RNG.standard_normal((15, 60)),
    "orthogonal": ORTHOGONAL,
    "identity": np.eye(40),
    "diagonal": np.diag(np.random.default_rng(0).standard_normal(40)),
    "huge": 1e200 * GAUSSIAN,
    "tiny": 1e-200 * GAUSSIAN,
    "triangular": np.triu(RNG.standard_normal((40, 40)) ** 2, 1),
}
MAKERS = {
    "sizes": sizes,
    "tail": lambda m: tail(m, None, False, 0),
    "tail cut": lambda m: tail(m, 1e-5, False, 0),
    "noise": lambda m: noise(m, False),
    "noise beside its balanced spectrum": lambda m: noise(m, True),
    "null_distance": null_distance,
    "depth": depth,
    "evenness": evenness,
    "balanced_spectrum": balanced_spectrum,
}
ALL = ("sizes", "tail", "noise", "null_distance", "depth", "evenness", "balanced_spectrum")
KINDS = {"str": str, "int": int, "float": float}
UNITS = {
    "log_norm",
    "alpha_weighted",
    "log_alpha_norm",
}  # logarithms of what has a unit: they shift with it


@pytest.fixture(scope="module")
def evidence(sketched):
    """`evidence("rank 4")`: all sketches of a matrix, or of a product of factors, taken once."""
    known = {}

    def of(name, svd=False, scale=1.0):
        if (name, svd, scale) not in known:
            w = MATRICES[name] * scale
            known[name, svd, scale] = Evidence(sketched(w, svd), w.shape, "F64")
        return known[name, svd, scale]

    return of


@pytest.fixture(scope="module")
def product(sketched):
    """`product(rank)`: evidence of B A as an analysis gives it."""

    def of(rank, scale=1.0):
        rng = np.random.default_rng(rank)
        b, a = rng.standard_normal((48, rank)), rng.standard_normal((rank, 80))
        left, right = (Triangle(np.linalg.qr(x, mode="r")) for x in (b, a.T))
        values = of_product(left, right, scale, (48, 80))
        return Evidence(sketched(scale * b @ a) | {Decompose(): values}, (48, 80), "F32")

    return of


def values_of(names, evidence, svd=False):
    """The values of some of the statistics."""
    return evaluate([MAKERS[name](Decompose(svd)) for name in names], evidence)


def filled(statistic, evidence):
    """The values of one statistic: exactly its columns, typed, finite, each null with a reason."""
    values = evaluate([statistic], evidence)
    assert set(values) == {c.name for c in statistic.columns} | {"notes"}
    for column in statistic.columns:
        value = values[column.name]
        assert value is None or type(value) is KINDS[column.dtype], column
        assert column.dtype != "float" or value is None or np.isfinite(value), column
        if not column.name.endswith("_score"):  # null where a value has no law
            assert value is not None or values["notes"], column
    return values


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("svd", [False, True])
def test_exactly_its_columns_and_a_reason_for_every_null(evidence, matrix, svd):
    """No more and no less, whatever the matrix holds, by either method."""
    for maker in MAKERS.values():
        filled(maker(Decompose(svd)), evidence(matrix, svd))


@pytest.mark.parametrize("rank", [1, 4, 47, 48, 60])
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_products_too(product, rank, scale):
    """The same of B A, thin or not, and of zero."""
    for maker in MAKERS.values():
        filled(maker(Decompose()), product(rank, scale))


def test_a_statistic_and_its_null_are_present_together(evidence, product):
    """Both have a value, or both are null."""
    columns = [c.name for name in ALL for c in MAKERS[name](Decompose()).columns]
    nulls = [name for name in columns if name.endswith("_null")]
    assert len(nulls) == 5
    assert all(
        columns.index(name) == columns.index(name.removesuffix("_null")) + 1 for name in nulls
    )
    for known in (*map(evidence, MATRICES), product(4), product(60)):
        values = values_of(ALL, known)
        assert [
            n for n in nulls if (values[n] is None) != (values[n.removesuffix("_null")] is None)
        ] == []


@pytest.mark.parametrize("svd", [False, True])
@pytest.mark.parametrize("scale", [1e-6, 3e7])
@pytest.mark.parametrize(
    "matrix", ["gaussian", "half zero rows", "rank 4", "uneven rows", "identity", "fifteen"]
)
def test_the_unit_of_the_weights_changes_no_count_rank_or_ratio(evidence, matrix, svd, scale):
    """Counts stay, ratios but for rounding; what has a unit scales with it."""
    names = [
        n for n in ALL if not (svd and matrix == "rank 4") or n in ("sizes", "depth", "evenness")
    ]
    own, scaled = (values_of(names, evidence(matrix, svd, s), svd) for s in (1.0, scale))
    columns = [c for n in names for c in MAKERS[n](Decompose(svd)).columns if c.name not in UNITS]
    for column in columns:
        a, b = own[column.name], scaled[column.name]
        times = {"": 1, "weight": scale, "weight^2": scale**2}[column.unit]
        if column.dtype == "float" and a is not None:
            least = own["floor"] * scale if column.name == "sigma_min" else 0
            assert b == pytest.approx(a * times, rel=1e-6, abs=least), column.name
        else:
            assert b == a, column.name


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("gaussian", {"rank": 48, "spikes": 0, "effective_depth": 1.0, "spikes_balanced": 0}),
        ("zero", {"rank": 0, "sigma_max": 0.0, "fro": 0.0, "method": "gram", "spikes": None}),
        ("half zero rows", {"rank": 24, "spikes": 0, "effective_depth": 1.0}),
        ("half zero columns", {"rank": 40, "spikes": 0}),
        ("rank 4", {"rank": 4, "condition": None, "near_zero": 44 / 48, "spikes": None}),
        ("constant", {"rank": 1, "alpha": None, "null_ks": None, "row_spread": 0.0}),
        ("one element", {"rank": 1, "stable_rank": 1.0, "identity": 0.0}),
        ("orthogonal", {"rank": 40, "spikes": 0, "near_zero": 0.0}),
        (
            "identity",
            {"rank": 40, "identity": 1.0, "identity_null": 1 / 40, "alpha": None, "condition": 1.0},
        ),
        ("diagonal", {"rank": 40, "identity": 1.0}),
        ("two by two", {"rank": 2, "effective_depth": None}),
        ("nan", {"rank": None, "method": None, "spikes": None}),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_constructed_truth(evidence, matrix, expected):
    """The statistics of matrices that were constructed to have them."""
    found = values_of(ALL, evidence(matrix))
    assert {name: found[name] for name in expected} == expected


def test_sizes_equal_numpy(evidence):
    """Largest, least, Frobenius and their ratio."""
    found = values_of(["sizes"], evidence("gaussian"))
    for name, order in (("sigma_max", 2), ("sigma_min", -2), ("fro", "fro")):
        assert found[name] == pytest.approx(np.linalg.norm(GAUSSIAN, order), rel=1e-9)
    assert found["condition"] == pytest.approx(np.linalg.cond(GAUSSIAN), rel=1e-9)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("zero", "zero matrix"),
        ("half zero rows", "24 zero rows left out"),
        ("half zero columns", "40 zero columns left out"),
        ("rank 4", "condition is null: 44 of 48 singular values may be rounding"),
        ("rank 4", "no bulk: fewer than 10 singular values lie below the spikes"),
        ("rank 4", "balanced matrix: no bulk: fewer than 10 singular values lie below the spikes"),
        ("rank 4", "no effective depth: most singular values may be rounding"),
        ("nan", "non-finite elements: no spectrum"),
        ("inf", "non-finite elements: no spectrum"),
        ("constant", "no power law: fewer than two different values above the cut"),
        ("constant", "null_ks is null: the elements vary too little beside their mean"),
        ("fifteen", "no effective depth: fewer than 16 singular values"),
        ("identity", "no clean bulk"),
        ("one element", "fewer than two non-zero rows or columns"),
        (
            "triangular",
            "no balancing exists: row and column scales do not converge "
            "(triangular or very sparse)",
        ),
        ("huge", "values overflow or underflow when squared: no spectrum"),
    ],
)
def test_notes(evidence, matrix, message):
    """Each note once, in plain words."""
    notes = told(values_of(ALL, evidence(matrix))).split("; ")
    assert notes.count(message) == 1


def test_uneven_scales_have_a_warning_unless_balanced_columns_are_present(evidence):
    """The warning has both spreads in times of their nulls; an even matrix has none."""
    uneven = evidence("uneven rows")
    found = values_of(["noise"], uneven)
    assert found["spikes"] > 0
    for side in ("row_spread", "col_spread"):
        times = found[side] / found[f"{side}_null"]
        warning = (
            f"{side} is {times:.1f} times its null and can cause spikes and depth: see --balance"
        )
        far = times > 2 and found[f"{side}_score"] > 3
        assert far == (warning in told(found).split("; "))
    assert found["row_spread"] > 2 * found["row_spread_null"]
    beside = values_of(["noise beside its balanced spectrum", "balanced_spectrum"], uneven)
    assert "can cause" not in told(beside)
    assert (beside["spikes"], beside["spikes_balanced"]) == (found["spikes"], 0)
    assert "can cause" not in told(values_of(["noise"], evidence("gaussian")))


def test_depths_at_the_end_of_the_table_have_a_note(evidence, sketched):
    """64 means 64 or more, also of the balanced matrix; smaller depths have no note."""
    sigma = np.append(np.ones(3), np.geomspace(1e-4, 1e-6, 45))
    w = ORTHOGONAL_48 * sigma @ ORTHOGONAL_48.T
    found = values_of(["depth", "balanced_spectrum"], Evidence(sketched(w), w.shape, "F64"))
    assert found["effective_depth"] == 64.0
    assert "effective_depth 64 means 64 or more" in told(found).split("; ")
    assert found["effective_depth_balanced"] == 64.0
    assert "effective_depth_balanced 64 means 64 or more" in told(found).split("; ")
    assert "or more" not in told(values_of(["depth", "balanced_spectrum"], evidence("uneven rows")))


def test_thin_products_have_no_bulk_and_no_depth(product):
    """They have sizes, ranks and a tail; one as thick as its matrix has a bulk as well."""
    thin = values_of(ALL, product(4))
    assert (thin["rank"], thin["method"], thin["sigma_min"]) == (4, "factors", 0.0)
    lacks = (
        "spikes",
        "effective_depth",
        "condition",
        "identity",
        *(c.name for c in balanced_spectrum(Decompose()).columns),
    )
    assert {thin[c] for c in lacks} == {None}
    assert told(thin).count("a product of thin factors") == 1
    thick = values_of(ALL, product(60))
    assert (thick["rank"], thick["identity"]) == (48, None)
    assert None not in [
        thick[c] for c in ("spikes", "effective_depth", "condition", "spikes_balanced")
    ]
    assert "thin" not in told(thick)


def test_the_power_law_takes_what_is_above_the_floor_and_the_cut(evidence):
    """By default relative to the largest; with a cut absolute, of squares."""
    values = np.linalg.svd(GAUSSIAN, compute_uv=False) ** 2
    cut = float(np.median(values))
    narrow = evaluate([tail(Decompose(), cut, False, 0)], evidence("gaussian"))
    assert narrow["alpha_xmin"] > cut > values_of(["tail"], evidence("gaussian"))["alpha_xmin"] / 10
    assert values_of(["tail"], evidence("rank 4"))["alpha_tail"] <= 4
    nothing = evaluate([tail(Decompose(), 1e9, False, 0)], evidence("gaussian"))
    assert nothing["alpha"] is None
    assert told(nothing) == "no power law: fewer than two different values above the cut"


@pytest.mark.parametrize("matrix", ["gaussian", "fifteen", "zero", "nan", "identity"])
def test_the_interval_of_alpha(evidence, matrix):
    """Three columns more, seeded, around alpha or null with it."""
    statistic = tail(Decompose(), None, True, 0)
    assert [c.name for c in statistic.columns][-3:] == ["alpha_low", "alpha_high", "alpha_p"]
    values = filled(statistic, evidence(matrix))
    if values["alpha"] is None:
        assert (values["alpha_low"], values["alpha_high"], values["alpha_p"]) == (None, None, None)
    else:
        assert values["alpha_low"] < values["alpha"] < values["alpha_high"]
        assert 0 <= values["alpha_p"] <= 1
        assert (
            evaluate([tail(Decompose(), None, True, 1)], evidence(matrix))["alpha_low"]
            != values["alpha_low"]
        )


def test_measures_of_the_statistics():
    """One decomposition and line sums for all; balancing for the balanced columns alone."""
    usual = needed(MAKERS[name](Decompose()) for name in ALL if name != "balanced_spectrum")
    assert usual == {Count(), Decompose(), MarginSums()}
    assert balanced_spectrum(Decompose(True)).needs == {
        Decompose(True),
        MarginSums(),
        Balanced((Decompose(True),)),
    }


def test_a_missing_sketch_is_nulls(evidence):
    """A refused measure makes only its own statistics null; the engine adds the reason."""
    only = {k: v for k, v in evidence("gaussian").sketches.items() if not isinstance(k, Balanced)}
    values = evaluate(
        [balanced_spectrum(Decompose()), sizes(Decompose())], Evidence(only, (48, 80), "F64")
    )
    assert (values["spikes_balanced"], values["rank"], told(values)) == (None, 48, "")


def test_a_statistic_may_raise_unmeasured(evidence):
    """The reason becomes the note."""

    def refuse(spectrum, evidence):
        raise Unmeasured(Note("constant", "no such luck"))

    statistic = spectral(null_distance(Decompose()).columns, Decompose(), refuse, frozenset())
    assert told(evaluate([statistic], evidence("gaussian"))) == "no such luck"
