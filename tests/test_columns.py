"""The contract of column names: what is promised is there, under these names and in this order."""

from itertools import product

import numpy as np
import pytest

import weightscope as ws
from tests.fits import fitted_once
from tests.threadless import without_threads
from weightscope.analyses import ANALYSES
from weightscope.analyses.fit import FIT, FitOptions
from weightscope.analyses.outliers import OUTLIERS, OutliersOptions
from weightscope.analyses.spectrum import SPECTRUM, SpectrumOptions

TENSOR = "tensor layer role slot part stack kind shape dtype quantised params"
MOMENTS = (
    "mean std std_se skew kurtosis kurtosis_se l_kurtosis robust_std min max zeros nan inf distinct"
)
LAWS = (
    "best beta beta_se nu ks_normal w1_normal kl_bits_normal ks_best spike_share spike_ratio "
    "filtered_beta filtered_beta_se filtered_std filtered_kurtosis pattern"
)
SHAPE = "beta_moment weibull_k trimmed_std trimmed_kurtosis tiny_share"
COMPARED = "row_spread col_spread row_mean_share col_mean_share lag_row lag_col"
LINES = " ".join(f"{c} {c}_null {c}_score" for c in COMPARED.split())
IID = "row_spread_iid col_spread_iid"
BALANCE = """balanced_kurtosis balanced_kurtosis_null balanced_beta balanced_beta_null
balanced_ks_normal row_scale_spread row_scale_spread_null row_scale_spread_score
col_scale_spread col_scale_spread_null col_scale_spread_score"""
OF_DRAWS = ("_null_low", "_null_high", "_score")  # of --draws, after the null
WITH_DRAWS = BALANCE
for _of in ("balanced_kurtosis", "balanced_beta"):
    _more = " ".join(f"{_of}{suffix}" for suffix in OF_DRAWS)
    WITH_DRAWS = WITH_DRAWS.replace(f"{_of}_null", f"{_of}_null {_more}")
CODING = "entropy_bits entropy_bits_std64 golomb_bits golomb_order rf8_rmse"
RANKS = (
    "m n sigma_max sigma_min fro stable_rank effective_rank rank condition rank_90 rank_99 log_norm"
)
TAIL = """alpha alpha_ks alpha_xmin alpha_tail alpha_sigma alpha_weighted log_alpha_norm alpha_law
alpha_lr_lognormal alpha_lr_exponential alpha_lr_truncated
alpha_lr_p_lognormal alpha_lr_p_exponential alpha_lr_p_truncated"""
INTERVAL = "alpha_low alpha_high alpha_p"
BULK = """mp_sigma mp_low mp_high mp_ks spikes spike_energy signal_ratio signal_ratio_score
row_spread row_spread_null row_spread_score col_spread col_spread_null col_spread_score
row_spread_iid col_spread_iid"""
NULLS = """null_ks near_zero near_zero_null near_zero_score tail_excess tail_excess_score
effective_depth effective_depth_distance
orthogonality orthogonality_null orthogonality_score identity identity_null
identity_score method floor"""
BALANCED_SPECTRUM = (
    "spikes_balanced mp_sigma_balanced spike_energy_balanced effective_depth_balanced"
)
JUDGED = "severity findings severity_rank"
WEIGHTS = """nan inf zeros subnormals tiny_share distinct min max beyond_3 beyond_3_ratio
beyond_4 beyond_4_ratio beyond_5 beyond_5_ratio beyond_6 beyond_6_ratio max_z max_z_null
max_z_score max_z_tail max_z_se
core_share core_std lattice precision_history"""
MARKED = """dead_rows dead_cols constant_rows constant_cols duplicate_rows outlier_rows
outlier_cols row_rms_ratio_max col_rms_ratio_max one_sign_rows one_sign_cols zero_block
sparsity_pattern untrained_rows row_gini row_gini_null row_gini_score top_row
col_gini col_gini_null col_gini_score top_col"""
SCHEMES = "int8 int4_g128 int4_g32 fp8_e4m3 fp8_e4m3_b128 mxfp4 nvfp4"
ROUNDED = " ".join(f"sqnr_{s}_db rmse_{s} clipped_share_{s}" for s in SCHEMES.split())
WORDS = (
    "lattice",
    "precision_history",
    "zero_block",
    "sparsity_pattern",
    "top_row",
    "top_col",
)  # and places: neither has a median
LABELS = ("method", "alpha_law")  # words of spectrum
DRAWN = ("alpha", "spikes", "stable_rank", "effective_rank", "sigma_max")
ON_REQUEST = ("std_se", "kurtosis_se", "max_z_se")  # columns without a spread over tensors
OF_FIT = {
    "std": "std_se",
    "kurtosis": "kurtosis_se",
    "beta": "beta_se",
    "filtered_beta": "filtered_beta_se",
}
LONG = "law loglik aic bic ks w1 kl_bits at_bound"


def names(report):
    """The columns of a report, in order."""
    return [c.name for c in report.columns]


@pytest.fixture(scope="module", autouse=True)
def laws_are_fitted_once():
    """All tests measure the same three tensors, and none is of how the engine does it."""
    with fitted_once(), without_threads():
        yield


@pytest.fixture(scope="module")
def model():
    """Two matrices of one role and a vector."""
    rng = np.random.default_rng(0)
    torch = pytest.importorskip("torch")
    draw = lambda *shape: torch.from_numpy(rng.standard_normal(shape))
    return {f"model.layers.{i}.mlp.up_proj.weight": draw(24, 16) for i in (0, 1)} | {
        "model.norm.weight": draw(16)
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} note note_codes"),
        (
            {"balance": True},
            f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} {BALANCE} note note_codes",
        ),
        (
            {"balance": True, "draws": 2},
            f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} {WITH_DRAWS} note note_codes",
        ),
        (
            {"coding": True},
            f"{TENSOR} {MOMENTS} {LAWS} {SHAPE} {LINES} {IID} {CODING} note note_codes",
        ),
    ],
    ids=str,
)
def test_fit(model, options, expected):
    """One row per tensor: identity, readings, note.

    Further columns only where they were asked for.
    """
    report = ws.fit(model, **options)
    assert names(report) == expected.split()
    assert names(ws.fit(model, model, **options)) == ["source", *expected.split()]
    assert all(set(row) <= set(expected.split()) for row in report.rows)


def test_fit_long(model):
    """Identity, the law and how well it does, one column per parameter."""
    report = ws.fit(model, long=True)
    assert names(report)[: 1 + len(LONG.split())] == ["tensor", *LONG.split()]
    assert {"mu", "sigma", "beta", "nu", "note", "note_codes"} <= set(names(report))
    normal = next(row for row in report.rows if row["law"] == "normal")
    assert "nu" not in normal or normal["nu"] is None


@pytest.mark.parametrize(
    ("by", "keys"),
    [("role", ["role"]), ("layer", ["stack", "layer"]), ("model", [])],
    ids=lambda x: str(x),
)
def test_grouped(model, by, keys):
    """Keys, kind and sizes, then every statistic.

    Pooled where records merge, and its median, least and greatest.
    """
    found = names(ws.fit(model, by=by, balance=True))
    assert found[: len(keys) + 3] == [*keys, "kind", "tensors", "params"]
    assert found[-2:] == ["note", "note_codes"]
    for name in f"{MOMENTS} {SHAPE} beta nu ks_normal".split():
        at = found.index(name)
        if name in ON_REQUEST:
            assert f"{name}_median" not in found
            continue
        assert found[at : at + 4] == [name, f"{name}_median", f"{name}_min", f"{name}_max"]
    for name in f"{LINES} {BALANCE}".split():
        assert name not in found
        at = found.index(f"{name}_median")
        assert found[at : at + 3] == [f"{name}_median", f"{name}_min", f"{name}_max"]
    assert "best" in found
    assert "best_median" not in found


def drawn(columns, *suffixes):
    """Columns with those of --null beside them."""
    return [c + s for c in columns.split() for s in ("", *(suffixes if c in DRAWN else ()))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{RANKS} {TAIL} {BULK} {NULLS}".split()),
        ({"svd": True, "per_head": True, "alpha_cut": 1e-5},
         f"{RANKS} {TAIL} {BULK} {NULLS}".split()),
        ({"alpha_ci": True}, f"{RANKS} {TAIL} {INTERVAL} {BULK} {NULLS}".split()),
        ({"balance": True}, f"{RANKS} {TAIL} {BULK} {NULLS} {BALANCED_SPECTRUM}".split()),
        ({"null": "shuffle"}, drawn(f"{RANKS} {TAIL} {BULK} {NULLS}", "_null")),
        ({"null": "gaussian", "draws": 2, "alpha_ci": True, "balance": True},
         drawn(f"{RANKS} {TAIL} {INTERVAL} {BULK} {NULLS} {BALANCED_SPECTRUM}",
               "_null", "_null_low", "_null_high", "_score")),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else "",
)  # fmt: skip
def test_spectrum(model, options, expected):
    """Identity, readings with their nulls, note; further columns only where they were asked for.

    No other in a row.
    """
    report, wanted = (
        ws.spectrum(model, panels=False, **options),
        [*TENSOR.split(), *expected, "note", "note_codes"],
    )
    assert names(report) == wanted
    assert names(ws.spectrum(model, model, panels=False, **options)) == ["source", *wanted]
    assert all(set(row) == set(wanted) for row in report.rows)


@pytest.mark.parametrize(
    ("by", "keys"),
    [("role", ["role"]), ("layer", ["stack", "layer"]), ("model", [])],
    ids=lambda x: str(x),
)
def test_spectrum_grouped(model, by, keys):
    """Keys, kind and sizes, then median, least and greatest of every number: nothing is pooled."""
    report = ws.spectrum(model, by=by, balance=True, null="shuffle", draws=2, panels=False)
    numbers = drawn(
        f"{RANKS} {TAIL} {BULK} {NULLS} {BALANCED_SPECTRUM}",
        "_null",
        "_null_low",
        "_null_high",
        "_score",
    )
    spread = [
        f"{name}_{x}" for name in numbers if name not in LABELS for x in ("median", "min", "max")
    ]
    assert names(report) == [*keys, "kind", "tensors", "params", *spread, "note", "note_codes"]
    assert all(set(row) == set(names(report)) for row in report.rows)


def test_spectrum_values(model):
    """The table of --values."""
    columns, _ = ws.spectrum(model, values=True, panels=False).tables["values"]
    assert [c.name for c in columns] == ["tensor", "index", "value"]


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({}, "duplicate_of"),
        ({"quant": "all"}, f"{ROUNDED} duplicate_of"),
        (
            {"quant": "nvfp4,int8"},
            f"{' '.join(ROUNDED.split()[:3] + ROUNDED.split()[-3:])} duplicate_of",
        ),
        ({"base": True}, "duplicate_of changed_rows untouched_rows"),
        (
            {"quant": "all", "base": True, "ignore": "WS101"},
            f"{ROUNDED} duplicate_of changed_rows untouched_rows",
        ),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else "",
)
def test_outliers(model, options, more):
    """Identity, the judgement, what it rests on, note.

    Further columns only where they were asked for.
    """
    options = {k: model if k == "base" else v.split(",") for k, v in options.items()}
    wanted = f"{TENSOR} {JUDGED} {WEIGHTS} {MARKED} {more} note note_codes".split()
    report = ws.outliers(model, panels=False, **options)
    assert names(report) == wanted
    assert names(ws.outliers(model, model, panels=False, **options)) == ["source", *wanted]
    assert all(set(row) == set(wanted) for row in report.rows)


@pytest.mark.parametrize(
    ("by", "keys"),
    [("role", ["role"]), ("layer", ["stack", "layer"]), ("model", [])],
    ids=lambda x: str(x),
)
def test_outliers_grouped(model, by, keys):
    """Keys, kind and sizes, the judgement.

    Counts and energies pooled, all beside median, least and greatest.
    """
    report = ws.outliers(model, by=by, quant="all", panels=False)
    around = lambda name: (
        [] if name in (*WORDS, *ON_REQUEST) else [f"{name}_{x}" for x in ("median", "min", "max")]
    )
    pooled = [x for name in WEIGHTS.split() for x in (name, *around(name))]
    lines = [x for name in MARKED.split() for x in around(name)]
    energies = [x for name in ROUNDED.split() for x in (name, *around(name))]
    own = [*JUDGED.split(), *pooled, *lines, *energies]
    assert names(report) == [*keys, "kind", "tensors", "params", *own, "note", "note_codes"]
    assert all(set(row) == set(names(report)) for row in report.rows)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"top": 3}, "row col value z"), ({"top_rows": 3}, "row rms z")],
    ids=["top", "top_rows"],
)
def test_outliers_lists(model, options, expected):
    """A line for a weight or a row."""
    report = ws.outliers(model, panels=False, **options)
    assert names(report) == ["tensor", *expected.split()]
    assert names(ws.outliers(model, model, panels=False, **options)) == [
        "source",
        "tensor",
        *expected.split(),
    ]
    assert [set(row) for row in report.rows] == [set(names(report))] * 3


def test_ls(model):
    """Identity and storage; grouped, all kinds together."""
    storage = "bytes alias_of orientation family file note note_codes"
    assert names(ws.ls(model)) == f"{TENSOR} {storage}".split()
    assert names(ws.ls(model, by="dtype")) == ["dtype", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="role")) == ["role", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="layer")) == ["stack", "layer", "tensors", "params", "bytes"]
    assert names(ws.ls(model, by="model")) == ["tensors", "params", "bytes"]
    assert names(ws.ls(model, metadata=True)) == ["key", "length", "value"]


BY = ("tensor", "role", "layer", "model")
RUNS = [
    pytest.param(q, options, id=f"{q.name}: {title}")
    for q in ANALYSES
    for title, options in q.runs.items()
]


@pytest.mark.parametrize(("question", "options"), RUNS)
def test_every_column_is_declared_once_and_said(question, options):
    """Unique lower-case names, a meaning each, and a null expectation beside its reading."""
    declared = question.columns(question.options(**options))
    found = [c.name for c in declared]
    assert len(found) == len(set(found))
    assert all(c.name == c.name.lower() and c.meaning and "-" not in c.name for c in declared)
    for name in found:
        if name.endswith("_null"):
            assert found.index(name.removesuffix("_null")) < found.index(name)


def forms(question):
    """The runs that the pages document, and the fullest of them grouped."""
    runs = list(question.runs.values())
    grouped = [{**runs[0], "by": by} for by in BY if "by" in question.options.__dataclass_fields__]
    return runs + grouped


@pytest.mark.parametrize("question", ANALYSES, ids=lambda q: q.name)
def test_versions_and_errors(question):
    """Versions count from 1.

    An error is another number of the same run, with its unit, and has none of its own.
    """
    for options in forms(question):
        declared = {c.name: c for c in question.columns(question.options(**options))}
        assert all(type(c.version) is int and c.version >= 1 for c in declared.values())
        for column in declared.values():
            if column.error:
                error = declared[column.error]
                assert (error.name != column.name, error.dtype, error.unit) == (
                    True,
                    "float",
                    column.unit,
                )
                assert not error.error


@pytest.mark.parametrize(
    ("question", "options", "expected"),
    [
        (FIT, {}, OF_FIT),
        (FIT, {"by": "role"}, OF_FIT),  # pooled; the spread over tensors has none
        (FIT, {"long": True}, {}),
        (SPECTRUM, {"null": "shuffle", "draws": 2}, {"alpha": "alpha_sigma"}),
        (SPECTRUM, {"by": "role"}, {}),
        (OUTLIERS, {"quant": ("all",)}, {"max_z": "max_z_se"}),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else x.name,
)
def test_which_columns_have_an_error(question, options, expected):
    """What is known, and no more: medians, nulls and ends of intervals inherit none."""
    declared = question.columns(question.options(**options))
    assert {c.name: c.error for c in declared if c.error} == expected


def full(question, **more):
    """The options of the run that has the most columns."""
    first = next(iter(question.runs.values()))
    return question.options(**first, several=True, **more)


@pytest.mark.parametrize(
    ("question", "forms", "most"),
    [
        (FIT, [FitOptions(by=by, long=long) for by in BY for long in (False, True)],
         [full(FIT)]),
        (SPECTRUM, [SpectrumOptions(by=by, null=null) for by in BY for null in (None, "shuffle")],
         [full(SPECTRUM), full(SPECTRUM, by="role"), full(SPECTRUM, by="layer")]),
        (OUTLIERS,
         [*(OutliersOptions(by=by) for by in BY), OutliersOptions(top=1),
          OutliersOptions(top_rows=1)],
         [full(OUTLIERS), full(OUTLIERS, by="role"), full(OUTLIERS, by="layer")]),
    ],
    ids=["fit", "spectrum", "outliers"],
)  # fmt: skip
def test_columns_of_another_option_say_which(question, forms, most):
    """Every column of every form is either there or names what brings it."""
    every = {c.name for o in (*forms, *most) for c in question.columns(o)}
    for form in forms:
        there = {c.name for c in question.columns(form)}
        assert every - there <= {name for name, option in question.optional(form).items() if option}


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (ws.fit, {"balance": True, "coding": True}),
        (ws.fit, {"by": "role"}),
        (ws.fit, {"long": True}),
        (ws.spectrum, {"balance": True, "alpha_ci": True, "null": "shuffle", "draws": 2}),
        (ws.spectrum, {"by": "role", "null": "gaussian"}),
        (ws.outliers, {"quant": "all"}),
        (ws.outliers, {"quant": "all", "by": "role"}),
        (ws.outliers, {"top": 5}),
        (ws.outliers, {"top_rows": 5}),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else x.__name__,
)
def test_types_are_kept(model, question, options):
    """Each value has the type its column declares, or is null."""
    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    report = question(model, **options)
    assert report.rows
    for column, row in product(report.columns, report.rows):
        value = row.get(column.name)
        assert value is None or type(value) is kinds[column.dtype], column
