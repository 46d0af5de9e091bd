"""`outliers` through the library: extremes, quantisation, bases, duplicates, groups, identity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from weightscope.errors import UsageError
from weightscope.sketches.schemes import SCHEMES

UP = "model.layers.{}.mlp.up_proj.weight".format
Q = "model.layers.{}.self_attn.q_proj.weight".format
EMBED = "model.embed_tokens.weight"
NORM = "model.norm.weight"


@pytest.fixture
def model(draw):
    """Two matrices of one role and of different scale, one of another, tokens and a vector."""
    matrices = {
        UP(0): draw(96, 64),
        UP(1): draw(96, 64, std=0.3),
        Q(0): draw(64, 64),
        EMBED: draw(120, 64),
    }
    return matrices | {NORM: 1 + draw(64)}


@pytest.fixture
def outliers(by_name):
    """`outliers(model, ...)`: rows by tensor, nothing kept for pictures."""
    return lambda model, **options: by_name(ws.outliers(model, panels=False, **options))


def values(tensor):
    """As numpy has them, in float64."""
    return tensor.double().numpy()


# statistics


def test_single_weights_equal_numpy(model, outliers):
    """Counts beyond k std, the largest z and the extremes, of matrices and of vectors."""
    model[Q(0)][3, 5], model[Q(0)][4, 6], model[Q(0)][5] = torch.nan, -torch.inf, 0
    for name, row in outliers(model).items():
        x = values(model[name])
        finite = x[np.isfinite(x)]
        z = np.abs(finite - finite.mean()) / finite.std()
        assert [row[f"beyond_{k}"] for k in (3, 4, 5, 6)] == [
            int((z > k).sum()) for k in (3, 4, 5, 6)
        ]
        assert row["max_z"] == pytest.approx(z.max(), rel=1e-9)
        assert (row["min"], row["max"]) == (finite.min(), finite.max())
        assert (row["nan"], row["inf"], row["zeros"]) == (
            np.isnan(x).sum(),
            np.isinf(x).sum(),
            (x == 0).sum(),
        )


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (lambda x: (x * 1500).round().clamp(-127, 127) / 1024, "step 0.000976562"),
        (lambda x: (x * 1500).round().clamp(-128, 127) / 1024, "step 0.000976562"),
        (
            lambda x: (
                x.sign() * 2.0 ** x.abs().log2().round().clamp(-20, -4) * (1 + (x > 0.02) / 16)
            ),
            "two powers",
        ),
        (
            lambda x: (
                torch.linspace(-1.7, 1.9, 16).bfloat16().float()[(x * 200).round().long() % 16]
            ),
            "codebook 16",
        ),
        (lambda x: x.bfloat16().float(), "bf16"),
        (lambda x: x.sigmoid().clamp(0.5, 0.99).bfloat16().float(), None),
        (lambda x: x, None),
    ],
    ids=["int8", "int8 to -128", "two powers", "codebook", "bf16", "few of bf16", "float32"],
)
@pytest.mark.parametrize("many", [100, 300])
def test_lattices_of_float32_of_which_bf16_comes_last(draw, outliers, of, found, many):
    """Values that BF16 holds too may be on a lattice that says more; a type's own grid is none."""
    assert outliers({UP(0): of(draw(many, 300, std=0.05))})[UP(0)]["lattice"] == found


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (
            lambda x: 1 + x / 20,
            "bins are too wide for the spread of the values: core_share and core_std are null",
        ),
        (
            lambda x: torch.where(x.abs() < 0.025, 0.01 + x / 1e4, x),
            "interquartile range is 0 (half of the values are in one bin): core_share and",
        ),
        (
            lambda x: torch.where(x.abs() < 0.025, 0.0, x),
            "interquartile range is 0 (half of the values are identical): core_share and",
        ),
        (
            lambda x: torch.where(x.abs() < 0.025, 0.01, x).bfloat16(),
            "interquartile range is 0 (half of the values are identical): core_share and",
        ),
    ],
    ids=["narrow", "crowded", "zeros", "equal"],
)
def test_why_there_is_no_core(draw, outliers, of, said):
    """Equal only where they are: bins of float32 hold many values."""
    row = outliers({Q(0): of(draw(300, 300))})[Q(0)]
    assert row["core_share"] is None
    assert said in row["note"]


def test_vectors_have_element_statistics_only(model, outliers):
    """Nothing by line, with a note; no row of a single line is crowded."""
    row = outliers(model)[NORM]
    assert row["max_z"] > 2
    assert row["note"] == "a vector: element statistics only"
    lines = """dead_rows duplicate_rows outlier_cols one_sign_rows untrained_rows
    row_gini row_gini_null top_row"""
    assert {row[c] for c in lines.split()} == {None}


def test_lines_by_orientation(draw, outliers):
    """Rows are outputs, also where the checkpoint stores inputs first."""
    w = draw(48, 192)
    w[7] = 0
    name = "transformer.h.0.mlp.c_fc.weight"
    row = outliers({name: w, "transformer.h.0.mlp.c_proj.weight": draw(192, 48)})[name]
    assert (row["dead_rows"], row["dead_cols"]) == (0, 1)


def test_crowding_names_its_line(model, outliers):
    """The row and the column with the most."""
    model[UP(0)][11, :40] *= 12
    model[UP(0)][:, 23] *= 9
    row = outliers(model)[UP(0)]
    assert (row["top_row"], row["top_col"]) == (11, 23)
    assert row["row_gini"] > row["row_gini_null"]
    assert row["row_rms_ratio_max"] == pytest.approx(largest(values(model[UP(0)])), rel=1e-6)
    assert row["col_rms_ratio_max"] == pytest.approx(largest(values(model[UP(0)]).T), rel=1e-6)


def largest(x):
    """Of the rows."""
    rms = np.sqrt((x**2).mean(1))
    return rms.max() / np.median(rms)


# lists of extremes


@pytest.mark.parametrize("n", [1, 7, 300])
def test_top_weights_equal_numpy(model, n):
    """Over all tensors, the furthest first, with their exact places; vectors too."""
    model[Q(0)][3, 5], model[Q(0)][4, 6] = torch.nan, torch.inf
    every = []
    for name in sorted(
        model, key=[r["tensor"] for r in ws.outliers(model, panels=False).rows].index
    ):
        x = np.atleast_2d(values(model[name]))
        places = np.argwhere(np.isfinite(x))
        finite = x[np.isfinite(x)]
        z = (finite - finite.mean()) / finite.std()
        furthest = np.argsort(-np.abs(z), kind="stable")[:n]
        lines = zip(places[furthest], finite[furthest], z[furthest], strict=True)
        every += [(name, *place.tolist(), float(x), float(far)) for place, x, far in lines]
    expected = sorted(every, key=lambda line: -abs(line[4]))[:n]
    rows = ws.outliers(model, top=n, panels=False).rows
    assert [tuple(row[c] for c in ("tensor", "row", "col", "value")) for row in rows] == [
        x[:4] for x in expected
    ]
    assert [row["z"] for row in rows] == pytest.approx([x[4] for x in expected], rel=1e-9)


def test_equal_weights_stand_in_the_order_of_their_places():
    """By tensor, row and column; signs and the order of storage change nothing."""
    w = torch.zeros(40, 50)
    places = [(0, 49), (3, 7), (3, 9), (20, 0), (39, 49)]
    for k, place in enumerate(places):
        w[place] = (-1) ** k
    w[7, 7] = -1  # as many of each sign: the mean is zero
    places = sorted([*places, (7, 7)])
    rows = ws.outliers({UP(1): w, UP(0): w.clone()}, top=9, panels=False).rows
    assert [(r["row"], r["col"]) for r in rows] == [*places, *places[:3]]
    assert [r["tensor"] for r in rows] == [UP(0)] * 6 + [UP(1)] * 3


@pytest.mark.parametrize("n", [1, 5, 10_000])
def test_top_rows_equal_numpy(model, n):
    """Log RMS from the median in 1.4826 MAD, over all matrices; not of zero or non-finite rows."""
    model[UP(0)][11] *= 5
    model[UP(0)][12] = 0
    model[Q(0)][3, 5] = torch.nan
    every = []
    for name in [r["tensor"] for r in ws.outliers(model, panels=False).rows if r["tensor"] != NORM]:
        rms = np.sqrt((values(model[name]) ** 2).mean(1))
        seen = np.flatnonzero(np.isfinite(rms) & (rms > 0))
        logs = np.log(rms[seen])
        away = logs - np.median(logs)
        z = away / (1.4826 * np.median(np.abs(away)))
        every += [(name, int(i), float(rms[i]), float(z[k])) for k, i in enumerate(seen)]
    expected = sorted(every, key=lambda line: -abs(line[3]))[:n]
    rows = ws.outliers(model, top_rows=n, panels=False).rows
    assert [(row["tensor"], row["row"]) for row in rows] == [x[:2] for x in expected]
    for name, at in (("rms", 2), ("z", 3)):
        assert [row[name] for row in rows] == pytest.approx(
            [x[at] for x in expected], rel=1e-5, abs=1e-5
        )
    assert (rows[0]["tensor"], rows[0]["row"]) == (UP(0), 11)


def test_lists_of_several_models_say_which(model):
    """Each model has its own list."""
    rows = ws.outliers(model, {UP(0): model[UP(1)]}, top=2, panels=False).rows
    assert len(rows) == 4
    assert list(rows[0]) == ["source", "tensor", "row", "col", "value", "z"]


# quantisation


def int_rounded(x, levels, group):
    """Round to nearest, half to even, with one scale of absmax/levels a group of a row."""
    found = np.empty_like(x)
    for start in range(0, x.shape[1], group):
        part = x[:, start : start + group].astype(np.float32)
        scale = np.abs(part).max(1, keepdims=True) / np.float32(levels)
        found[:, start : start + group] = np.round(part / scale).astype(np.float64) * scale
    return found


def test_quantisation_equals_numpy_and_groups_add_energies(model, outliers):
    """Within 0.01 dB; by role errors and signals add before they become decibels."""
    rows = outliers(model, quant="all")
    energies = {}
    for name in (UP(0), UP(1), Q(0)):
        x = values(model[name])
        for scheme, levels, group in (
            ("int8", 127, x.shape[1]),
            ("int4_g32", 7, 32),
            ("int4_g128", 7, 128),
        ):
            error, signal = ((int_rounded(x, levels, group) - x) ** 2).sum(), (x**2).sum()
            energies[name, scheme] = error, signal
            assert rows[name][f"sqnr_{scheme}_db"] == pytest.approx(
                10 * np.log10(signal / error), abs=0.01
            )
            assert rows[name][f"rmse_{scheme}"] == pytest.approx(np.sqrt(error / signal), rel=2e-3)
            assert rows[name][f"clipped_share_{scheme}"] == 0
    by_role = {
        row["role"]: row for row in ws.outliers(model, quant="all", by="role", panels=False).rows
    }
    for scheme in ("int8", "int4_g32", "int4_g128"):
        error, signal = np.sum([energies[UP(i), scheme] for i in (0, 1)], axis=0)
        row = by_role["mlp.up"]
        assert row[f"sqnr_{scheme}_db"] == pytest.approx(10 * np.log10(signal / error), abs=0.01)
        assert row[f"sqnr_{scheme}_db_max"] == max(rows[UP(i)][f"sqnr_{scheme}_db"] for i in (0, 1))
        assert row[f"rmse_{scheme}"] == pytest.approx(np.sqrt(error / signal), rel=2e-3)
    for scheme in SCHEMES:
        assert by_role["attn.q"][f"sqnr_{scheme}_db"] == rows[Q(0)][f"sqnr_{scheme}_db"]


def test_schemes_stand_in_the_order_of_their_table(model):
    """Whatever the order in which they were asked for."""
    asked = [
        c.name
        for c in ws.outliers(model, quant=("nvfp4", "int8")).columns
        if c.name.startswith("sqnr")
    ]
    every = [c.name for c in ws.outliers(model, quant="all").columns if c.name.startswith("sqnr")]
    assert asked == ["sqnr_int8_db", "sqnr_nvfp4_db"]
    assert every == [f"sqnr_{scheme}_db" for scheme in SCHEMES]


# against a base, and tensors alike


def test_rows_that_changed_since_the_base(model, outliers):
    """Counted per matrix; what has no base of its shape and type says so."""
    base = {name: w.clone() for name, w in model.items()}
    base[EMBED][[3, 50]] += 1
    base[UP(0)], base[UP(1)] = base[UP(0)][:90], base[UP(1)].half()
    del base[Q(0)]
    rows = outliers(model, base=base)
    counts = {name: (row["changed_rows"], row["untouched_rows"]) for name, row in rows.items()}
    assert counts == {
        EMBED: (2, 118),
        UP(0): (None, None),
        UP(1): (None, None),
        Q(0): (None, None),
        NORM: (None, None),
    }
    assert rows[UP(0)]["note"] == rows[UP(1)]["note"] == "another shape or type than in the base"
    assert rows[Q(0)]["note"] == "not in the base"


def test_a_base_of_another_model_is_refused(model):
    """A run that compares nothing would have no findings; tensors without a base are reported."""
    with pytest.raises(
        UsageError,
        match="same names, shapes and types; found none of 4 matrices in it; name the checkpoint",
    ):
        ws.outliers(model, base={f"other.{name}": w for name, w in model.items()}, panels=False)
    with pytest.raises(UsageError, match="found none of 4 matrices"):
        ws.outliers(model, base={name: w.half() for name, w in model.items()}, panels=False)
    assert ws.outliers(model, base={"other": model[EMBED]}, role="norm", panels=False).notes == ()
    assert ws.outliers(model, base=model, panels=False).notes == ()
    grown = model | {EMBED: torch.cat((model[EMBED], model[EMBED][:1]))}
    said = "not compared, since the base has none of that name, shape and type: "
    assert ws.outliers(grown, base=model, panels=False).notes == (said + EMBED,)
    few = ws.outliers(
        model | {UP(i): model[UP(1)] + i for i in range(2, 9)}, base=model, panels=False
    )
    assert few.notes == (f"{said}{UP(2)}, {UP(3)}, {UP(4)} and 4 more",)


def test_a_base_is_a_path_too(model, tmp_path, outliers):
    """A file, as on the command line; the sign of a zero is no change, a last bit is."""
    base = {name: w.clone() for name, w in model.items()}
    base[EMBED][3, 5], model[EMBED][3, 5] = 0.0, -0.0
    base[EMBED][7, 5] = torch.nextafter(model[EMBED][7, 5], torch.tensor(1.0))
    save_file(base, tmp_path / "base.safetensors")
    row = outliers(model, base=str(tmp_path / "base.safetensors"))[EMBED]
    assert (row["changed_rows"], row["untouched_rows"]) == (1, 119)


def test_duplicates(model, outliers):
    """The first of the same content, in natural order; also as the only column."""
    alike = model | {UP(10): model[UP(0)].clone(), UP(2): model[UP(0)].clone()}
    for options in (
        {},
        {"columns": ["tensor", "duplicate_of"]},
        {"where": "not isnull(duplicate_of)"},
    ):
        found = {
            name: row["duplicate_of"]
            for name, row in outliers(alike, **options).items()
            if row["duplicate_of"]
        }
        assert found == {UP(2): UP(0), UP(10): UP(0)}, options


def hadamard(n):
    """A matrix of 1 and -1 with orthogonal rows, whose sums are equal except for the first."""
    return torch.tensor([[(-1.0) ** (i & j).bit_count() for j in range(n)] for i in range(n)])


def test_almost_equal_tensors_are_no_duplicates(draw, outliers):
    """Other positions of ones or signs, NaN for Inf, one tiny sign: nearly the same margins."""
    w, signs = draw(256, 256), hadamard(64)
    tiny, hurt, bad = w.clone(), w.clone(), w.clone()
    tiny.view(-1)[w.abs().argmin()] *= -1
    hurt[3, 3], bad[3, 3] = torch.nan, torch.inf
    eye = torch.eye(64)
    almost = [eye.flip(0), eye, signs, signs[[0, *range(63, 0, -1)]], w, tiny, hurt, bad]
    almost += [x.bfloat16() for x in almost[:4]]
    nothing = [
        torch.full((64, 64), torch.nan),
        torch.full((64, 64), torch.inf),
    ] * 2  # constants in their way
    rows = outliers({UP(i): x for i, x in enumerate(almost + nothing)})
    assert {row["duplicate_of"] for row in rows.values()} == {None}
    assert outliers({UP(0): hurt, UP(1): hurt.clone()})[UP(1)]["duplicate_of"] == UP(0)


def test_permuted_rows_are_no_duplicate(model, outliers):
    """Equal sums are not enough."""
    rows = outliers(
        model | {UP(2): model[UP(0)].flip(0), UP(3): model[UP(0)].flip(1), UP(4): -model[UP(0)]}
    )
    assert {row["duplicate_of"] for row in rows.values()} == {None}


# groups, several models


def test_groups_carry_the_gravest_severity_and_all_findings(model):
    """Of their tensors; kinds apart."""
    model[UP(0)][3, 5] = torch.nan
    model[UP(1)][7] = 0
    model[UP(1)][9] = model[UP(1)][8]
    found = {row["role"]: row for row in ws.outliers(model, by="role", panels=False).rows}
    up = found["mlp.up"]
    assert (up["severity"], up["findings"], up["severity_rank"]) == (
        "error",
        "WS101,WS111,WS121",
        3,
    )
    assert (up["tensors"], up["nan"], up["dead_rows_max"]) == (2, 1, 1)
    assert {
        (r["severity"], r["findings"], r["severity_rank"])
        for role, r in found.items()
        if role != "mlp.up"
    } == {(None, None, 0)}
    (everything,) = (
        r for r in ws.outliers(model, by="model", panels=False).rows if r["kind"] == "matrix"
    )
    assert everything["findings"] == "WS101,WS111,WS121"
    assert {
        r["findings"]
        for r in ws.outliers(model, by="role", ignore=("WS101", "WS111", "WS121")).rows
    } == {None}


def test_counts_of_a_group_add(model, outliers):
    """Each tensor's own, beyond its own thresholds."""
    rows = outliers(model)
    (up,) = (r for r in ws.outliers(model, by="role", panels=False).rows if r["role"] == "mlp.up")
    for name in ("zeros", "nan", "beyond_3", "beyond_4"):
        assert up[name] == rows[UP(0)][name] + rows[UP(1)][name]
    share = up["beyond_3"] / (2 * 96 * 64)
    assert up["beyond_3_ratio"] == pytest.approx(share / 2.6997960632601866e-3, rel=1e-9)


def test_several_models_say_which(model, tmp_path):
    """One after the other; duplicates are searched inside each."""
    for name in "ab":
        save_file(model, tmp_path / f"{name}.safetensors")
    paths = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
    report = ws.outliers(*paths, panels=False)
    assert [row["source"] for row in report.rows] == [p for p in paths for _ in model]
    assert {row["duplicate_of"] for row in report.rows} == {None}
    assert [r["source"] for r in ws.outliers(*paths, by="model", panels=False).rows].count(
        paths[0]
    ) == 3


# what a person sees

LINES = ["dead_rows", "duplicate_rows", "untrained_rows"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ["nan", "inf", "max_z", "max_z_null", *LINES]),
        ({"quant": ("nvfp4", "int8")}, ["sqnr_int8_db", "sqnr_nvfp4_db"]),
        ({"base": {}}, ["changed_rows", "untouched_rows"]),
        ({"by": "role", "quant": "int8"}, ["sqnr_int8_db"]),
        (
            {"by": "role", "base": {}},
            ["nan", "inf", "max_z", "max_z_null", *(f"{c}_median" for c in LINES)],
        ),
    ],
    ids=str,
)
def test_what_an_option_brings_stands_first_on_a_terminal(model, options, shown):
    """In place of the usual columns, for lack of width; other formats have all columns."""
    if "base" in options:
        options = options | {"base": model}
    report = ws.outliers(model, panels=False, **options)
    before = ["role", "kind", "tensors"] if "by" in options else ["tensor"]
    assert [c.name for c in report.arranged().compact] == [*before, "severity", "findings", *shown]
    assert "beyond_3" in report.table


# what is asked is what is paid for


@pytest.mark.usefixtures("measured_anew")
def test_columns_pay_for_themselves_alone(model, monkeypatch, outliers):
    """A count by line looks for no untrained rows; the number is the same."""
    full = outliers(model)
    monkeypatch.setattr("weightscope.sketches.untrained.directions", None)
    few = outliers(model, columns=["tensor", "outlier_rows"], where="dead_rows == 0")
    assert {n: r["outlier_rows"] for n, r in few.items()} == {
        n: full[n]["outlier_rows"] for n in few
    }


def test_a_judgement_looks_at_everything(model, outliers):
    """Severity asked for alone is the same; where it was not asked for there is no total."""
    model[EMBED][7] = model[EMBED][8]
    assert outliers(model, columns=["tensor", "severity"])[EMBED]["severity"] == "warn"
    assert ws.outliers(model, panels=False).closing == "5 tensors: 0 errors, 1 warning"
    assert (
        ws.outliers(model, columns=["tensor", "severity"], panels=False).closing
        == "5 tensors: 0 errors, 1 warning"
    )
    for other in ({"columns": ["tensor", "nan"]}, {"top": 2}, {"top_rows": 2}, {"by": "role"}):
        assert ws.outliers(model, panels=False, **other).closing == ""


@pytest.mark.usefixtures("measured_anew")
def test_nothing_depends_on_resources(model, tmp_path, draw):
    """Threads and memory decide how fast, never what."""
    model |= {
        "lm_head.weight": draw(3000, 96),
        "half.weight": draw(500, 600).half(),
        Q(1): draw(64, 4096),
    }
    model["lm_head.weight"][[5, 9]] = model["lm_head.weight"][2].clone()
    model[UP(0)][3, 5] = torch.nan
    save_file(model, tmp_path / "model.safetensors")
    for options in (
        {"quant": "all", "base": str(tmp_path / "model.safetensors")},
        {"top": 30},
        {"top_rows": 9},
    ):
        ask = lambda options=options, **more: [
            repr(row)
            for row in ws.outliers(
                tmp_path / "model.safetensors", panels=False, **options, **more
            ).rows
        ]
        first = ask(threads=1)
        assert ask(threads=4) == first
        assert ask(threads=2, memory="160MiB") == first
        assert "needs" not in str(first)


@pytest.mark.parametrize(
    "shape", [(0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 2), (3, 4, 5), (2, 3, 3, 3), ()]
)
@pytest.mark.parametrize(
    "options", [{"quant": "all"}, {"top": 3}, {"top_rows": 3}, {"by": "role", "quant": "all"}]
)
def test_odd_shapes_and_values(draw, shape, options):
    """Empty, scalar, tiny, all NaN, all equal: a row each, and no fault."""
    gaussian = draw(1, *shape)[0]
    odd = {
        f"a.{i}.weight": w
        for i, w in enumerate((gaussian, torch.full(shape, torch.nan), torch.ones(shape)))
    }
    report = ws.outliers(odd, panels=False, **options)
    assert len(report.rows) == len(odd) or options != {"quant": "all"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "dtype"},
         "outliers groups by tensor, role, layer, model; found 'dtype'; choose one of them"),
        ({"quant": "int3"},
         "--quant takes int8, int4_g128, .*nvfp4 or all; found 'int3'; separate several by commas"),
        ({"quant": ("int8", "")}, "--quant takes .* or all; found ''; separate several by commas"),
        ({"quant": ("qqq", "int8", "zzz", "aaa", "qqq")},
         "found 'qqq', 'zzz', 'aaa'; separate several by commas"),
        ({"ignore": "WS999"},
         "--ignore takes the id of a finding, WS101 to WS201; found 'WS999'; see the page on"),
        ({"ignore": ("qqq", "WS101", "zzz", "aaa", "qqq")},
         "found 'qqq', 'zzz', 'aaa'; see the page on findings"),
        ({"top": -1}, "take a number from 1 on, one of them at a time; "
                      "found --top -1 and --top-rows 0; run the command twice"),
        ({"top": 1, "top_rows": 1},
         "take a number from 1 on, one of them at a time; found --top 1 and --top-rows 1"),
        ({"top": 1, "by": "role"},
         "--top and --top-rows list weights and rows; found --by role; omit --by"),
        ({"columns": ["sqnr_int8_db"]}, "--quant"),
        ({"columns": ["changed_rows"]}, "--base"),
        ({"columns": ["value"]}, "--top"),
        ({"columns": ["rms"]}, "--top-rows"),
        ({"columns": ["nan_median"]}, "--by role"),
        ({"columns": ["nan"], "top": 3}, "without --top and --top-rows"),
        ({"columns": ["tensor"], "by": "role"}, "--by tensor"),
        ({"columns": ["dead_rows"], "by": "role"}, "--by tensor"),
        ({"columns": ["nann"]}, "did you mean"),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else "",
)  # fmt: skip
def test_refusals(model, options, said):
    """What was expected, what was found, what to do."""
    with pytest.raises(UsageError, match=said):
        ws.outliers(model, panels=False, **options)
