"""Steps that sampled rows show, on weights that went through a quantiser."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from weightscope.sketches import PairedRows
from weightscope.sketches.row_pairs import COLUMNS, sampled
from weightscope.sketches.steps import HELD
from weightscope.statistics.elements.excess_zeros import (
    centre_is_pruned,
    excess_zeros,
    fitted_weights,
)
from weightscope.statistics.elements.grids import NF4, Spacing
from weightscope.statistics.elements.precision import Quantiser, quantiser
from weightscope.statistics.elements.pruned_centre import hole_of_pruning
from weightscope.statistics.elements.sampled_steps import _excess_of_zeros, cells_of, with_steps
from weightscope.statistics.elements.shape import beta_moment, weibull_k
from weightscope.statistics.elements.step_cells import in_steps
from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.fitting import fit_laws
from weightscope.statistics.laws.pattern import after_filters, labelled

SHAPE = (128, 512)
SMALL = (64, 96)
(GENNORM,) = (law for law in LAWS if law.name == "gennorm")
FITTED = [law for law in LAWS if law.name in ("normal", "laplace", "gennorm", "student_t")]
POSITIVE = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E2M1 = np.concatenate((-POSITIVE[:0:-1], POSITIVE))


def _nearest(y, levels):
    levels = np.array(levels)
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, y)]


def _integers(x, peak, most):
    return np.rint(x / peak * most) * (peak / most)


def _nf4(x, peak):
    return _nearest(x / peak, NF4) * peak


def _fp4(x, peak):
    return _nearest(x / peak * 6, E2M1) * (peak / 6)


def _nvfp4(x, peak):
    mantissa, exponent = np.frexp(peak / 6)
    scale = np.ldexp(np.rint(mantissa * 16) / 16, exponent)
    return np.clip(_nearest(x / scale, E2M1), -6, 6) * scale


def _mxfp4(x, peak):
    scale = 2.0 ** (np.floor(np.log2(peak)) - 2)
    return _nearest(x / scale, E2M1) * scale


# rounding, weights that share a scale, and the greatest relative error of beta
QUANTISERS = {
    "int8 per row": (lambda x, peak: _integers(x, peak, 127), 512, 0.01),
    "int4 per row": (lambda x, peak: _integers(x, peak, 7), 512, 0.05),
    "int4 g32": (lambda x, peak: _integers(x, peak, 7), 32, 0.03),
    "int3 g64": (lambda x, peak: _integers(x, peak, 3), 64, 0.09),
    "nf4 per row": (_nf4, 512, 0.03),
    "nf4 g64": (_nf4, 64, 0.03),
    "fp4_e2m1 g32": (_fp4, 32, 0.07),
    "fp4_e2m1 g16": (_mxfp4, 16, 0.05),
}


@cache
def _drawn(law):
    r = np.random.default_rng(0)
    if law == "laplace":
        return r.laplace(size=SHAPE)
    x = r.normal(size=SHAPE)
    if law == "uneven rows":
        return x * np.exp(0.7 * r.normal(size=(SHAPE[0], 1)))
    return x


def _in_groups(x, length, rounding, *most):
    """Weights rounded in groups along rows, in float32."""
    groups = x.reshape(-1, length)
    stored = rounding(groups, np.abs(groups).max(axis=1, keepdims=True), *most)
    return stored.reshape(x.shape).astype(np.float32).astype(np.float64)


@cache
def _before_rounding(law, counts_of):
    """Counts, fits and shapes of the weights themselves, for all quantisers of them."""
    exact = counts_of(_drawn(law))
    return fit_laws(exact, FITTED), beta_moment(exact), weibull_k(exact)


def _quantised(name, x):
    rounding, length, _ = QUANTISERS[name]
    return _in_groups(x, length, rounding)


def _rows(x):
    return PairedRows(x[sampled(len(x))])


def _beta(counts):
    return fit_laws(counts, [GENNORM])["gennorm"].params["beta"]


def _shown(counts_of, x, dtype="F32"):
    return with_steps(counts_of(x), _rows(x), dtype)


@pytest.mark.parametrize("name", QUANTISERS)
def test_cells_have_all_that_was_rounded_to_their_values(name, counts_of):
    """The weights before they were rounded; the largest is one of those that are stored alike."""
    x = _drawn("uneven rows")
    stored = _quantised(name, x)
    found = quantiser(counts_of(stored), _rows(stored), "F32")
    assert f"{found.grid} {found.scale}" == name
    cells = cells_of(found)
    before = x[sampled(len(x))].reshape(-1, cells.value.shape[1])
    before = before[:: -(-len(before) // len(cells.value))]
    slack = 1e-6 * np.abs(cells.value).max(axis=1, keepdims=True)
    inside = (cells.low - slack <= before) & (before <= cells.high + slack)
    size = np.abs(cells.value)
    below = size < size.max(axis=1, keepdims=True)
    assert inside[below].all()
    assert (~inside).sum(axis=1).max() <= 1
    # and no more: errors of rounding are even inside a cell, a quarter of its width on average
    errors = np.abs(before - cells.value)
    assert (cells.high - cells.low)[below].mean() == pytest.approx(
        4 * errors[below].mean(), rel=0.08
    )


@pytest.mark.parametrize("law", ["gaussian", "laplace", "uneven rows"])
@pytest.mark.parametrize("name", QUANTISERS)
def test_the_law_behind_a_quantiser_is_found(name, law, counts_of):
    """Shape, distance and label are those of the weights before they were rounded."""
    x = _drawn(law)
    truth, moment, k = _before_rounding(law, counts_of)
    counts = _shown(counts_of, _quantised(name, x))
    assert excess_zeros(counts) == 0
    fits = fit_laws(counts, FITTED)
    beta = truth["gennorm"].params["beta"]
    assert fits["gennorm"].n == x.size
    assert fits["gennorm"].params["beta"] == pytest.approx(beta, rel=QUANTISERS[name][2])
    assert fits.best.law == truth.best.law
    assert fits.best.ks < truth.best.ks + 0.01
    assert beta_moment(counts) == pytest.approx(moment, rel=0.09)
    assert weibull_k(counts) == pytest.approx(k, rel=0.09)


@pytest.mark.parametrize("most", [7, 127])
def test_distances_are_those_of_the_weights_before(most, counts_of):
    """A few far weights cost their distance, though the law's distribution function is 1 there."""
    x = _drawn("gaussian").copy()
    x[::7, 5] = 14.0
    before = fit_laws(counts_of(x), FITTED)
    after = fit_laws(_shown(counts_of, _in_groups(x, SHAPE[1], _integers, most)), FITTED)
    for law in FITTED:
        assert after[law.name].w1 == pytest.approx(before[law.name].w1, abs=0.03)
        assert after[law.name].ks == pytest.approx(before[law.name].ks, abs=0.02)


def test_labels_are_those_of_the_weights_before(counts_of):
    """Counts alone call such zeros an excess."""
    x = _drawn("laplace")
    counts = _shown(counts_of, _quantised("int4 per row", x))
    alone = replace(counts, steps=None)
    labels = [
        labelled(some, fit_laws(some, FITTED), after_filters(some)) for some in (counts, alone)
    ]
    assert labels == ["linear", "sparse"]


ORDINARY = {
    "gaussian": lambda x: x,
    "pruned at random": lambda x: np.where(np.random.default_rng(1).random(SHAPE) < 0.5, 0, x),
    "int4 per tensor": lambda x: _integers(x, np.abs(x).max(), 7),
    "int8 with few zeros": lambda x: _integers(x, 4 * np.abs(x).max(), 127 * 16),
    "zeros": lambda x: 0 * x,
}


@pytest.mark.parametrize("name", ORDINARY)
def test_other_weights_have_no_steps(name, counts_of):
    """Their cells are those of the stored type, or follow from the counts."""
    x = ORDINARY[name](_drawn("gaussian"))
    counts = counts_of(x)
    assert with_steps(counts, _rows(x), "F32") is counts


@pytest.mark.parametrize("seed", [0, 2])
def test_levels_that_are_alike_scatter(seed, counts_of):
    """Of even weights as many are one level from zero as two: either may have more by chance."""
    x = np.random.default_rng(seed).uniform(-1, 1, SMALL)
    counts = _shown(counts_of, _in_groups(x, 16, _fp4))
    assert counts.steps is not None
    assert excess_zeros(counts) == 0


def test_zeros_of_a_small_sample_scatter(counts_of):
    """A tensor has 1.38 times the zeros of its sampled rows by chance."""
    x = _in_groups(np.random.default_rng(28).normal(size=SMALL), 32, _integers, 127)
    counts = _shown(counts_of, x)
    assert counts.zeros / counts.n > 1.3 * (_rows(x).values == 0).mean()
    assert counts.steps is not None


def test_int8_has_steps_where_its_zeros_are_few(counts_of):
    """Groups of 32 have 0.7% of zeros, which are no peak of a mixture."""
    x = _drawn("gaussian")
    counts = _shown(counts_of, _in_groups(x, 32, _integers, 127))
    assert 0.005 < counts.zeros / counts.n < 0.01
    assert counts.steps is not None
    assert excess_zeros(counts) == 0
    truth = fit_laws(counts_of(x))
    fits = fit_laws(counts)
    assert fits.best.law == truth.best.law == "normal"
    assert fits.best.ks == pytest.approx(truth.best.ks, abs=0.002)


@pytest.mark.parametrize("seed", [0, 3])
def test_steps_that_explain_the_zeros_are_no_hole(seed, counts_of):
    """The least steps of a few rows leave a hole, which few weights do not tell from pruning."""
    x = np.random.default_rng(seed).laplace(size=SMALL)
    x = _in_groups(x, SMALL[1], _integers, 127)
    alone = counts_of(x)
    assert hole_of_pruning(alone) is not None
    assert centre_is_pruned(alone)
    counts = _shown(counts_of, x)
    assert counts.steps is not None
    assert hole_of_pruning(counts) is None
    assert not centre_is_pruned(counts)


def test_levels_that_nothing_has_are_no_steps(counts_of):
    """Zeros beside weights of eight steps and more were not rounded to zero."""
    r = np.random.default_rng(3)
    peaks = r.uniform(1, 2, (SHAPE[0], 1))
    number = r.integers(8, 128, SHAPE) * np.where(r.random(SHAPE) < 0.03, 0, 1)
    x = (number * peaks / 127).astype(np.float32).astype(np.float64)
    counts = counts_of(x)
    assert quantiser(counts, _rows(x), "F32").grid == "int8"
    assert with_steps(counts, _rows(x), "F32") is counts


def test_zeros_of_pruning_are_an_excess_on_steps_too(counts_of):
    """Half of the weights, at random: the steps predict the zeros of the other half."""
    kept = np.random.default_rng(1).random(SHAPE) < 0.5
    x = _quantised("int4 g32", np.where(kept, _drawn("gaussian"), 0.0))
    counts = _shown(counts_of, x)
    pruned = int((~kept).sum())
    assert excess_zeros(counts) == pytest.approx(pruned, rel=0.1)
    assert centre_is_pruned(counts)
    rest = fitted_weights(counts)
    assert rest.zeros == counts.zeros - excess_zeros(counts)
    assert rest.counts.sum() == rest.n == counts.n - excess_zeros(counts)
    fits = fit_laws(counts, FITTED)
    assert fits["gennorm"].params["beta"] == pytest.approx(2, abs=0.12)
    assert labelled(counts, fits, after_filters(counts)) == "sparse"


def test_a_hole_of_pruning_is_no_step(counts_of):
    """Zero alone stands for it, as where no steps are known."""
    x = _quantised("int8 per row", _drawn("gaussian"))
    x[np.abs(x) < 0.7] = 0.0
    counts = counts_of(x)
    assert quantiser(counts, _rows(x), "F32").grid == "int8"
    assert with_steps(counts, _rows(x), "F32") is counts


def test_every_weight_is_in_one_cell(counts_of):
    """Zeros in those of zero, weights beyond the sample in their own."""
    x = _quantised("int4 g32", _drawn("gaussian"))
    assert 5 not in sampled(len(x))
    x[5, :2] = 40.0, -30.0
    counts = _shown(counts_of, x)
    cells = in_steps(counts, counts.steps)
    assert cells.counts.sum() == x.size
    assert cells.counts[cells.value == 0].sum() == counts.zeros
    assert len(set(cells.low[cells.value == 0])) > 10
    assert (np.diff(cells.value) >= 0).all()
    assert (cells.low < cells.value).all()
    assert (cells.value < cells.high).all()
    assert (cells.value[0], cells.counts[0]) == (-30.0, 1)
    assert (cells.value[-1], cells.counts[-1]) == (40.0, 1)


def test_zeros_that_no_sampled_row_has_keep_their_cell(counts_of):
    """They are neither spread over other values nor lost."""
    x = _quantised("int4 g32", _drawn("gaussian"))
    counts = _shown(counts_of, x)
    nonzero = counts.steps.value != 0
    arrays = ("value", "low", "high", "exact", "rounding")
    some = {name: getattr(counts.steps, name)[nonzero] for name in arrays}
    steps = replace(counts.steps, **some)
    cells = in_steps(counts, steps)
    assert cells.counts[cells.value == 0].tolist() == [counts.zeros]


def test_the_largest_of_a_longer_row_is_not_taken_for_exact(counts_of):
    """Where a row has more columns than are sampled, another one may set its scale."""
    x = np.random.default_rng(2).normal(size=(32, COLUMNS + 512))
    stored = _integers(x, np.abs(x).max(axis=1, keepdims=True), 7)
    rows = PairedRows(stored[sampled(len(x)), :COLUMNS])
    cells = cells_of(quantiser(counts_of(stored), rows, "F32"))
    assert (cells.high - cells.low).std(axis=1).max() < 1e-9


def test_groups_that_do_not_show_their_step_have_that_of_most():
    """Of two sizes any number of steps fits; three groups have 7 to the largest, one has 5."""
    shown = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 7, 4, 1, 3, 2, 6, 5], [0, 7, 5, 3, 6, 2, 1, 4]]
    groups = np.array([*shown, [0, 1, 2, 3, 4, 5, 5, 4], [0, 7, 0, 0, 7, 0, 0, 7]]) * 0.1
    cells = cells_of(Quantiser("int4", "g8", groups, Spacing(2.0**-23, 0.0, 4.0)))
    width = (cells.high - cells.low)[:, 0]
    assert width == pytest.approx([0.1] * 5)


def test_the_largest_of_fp4_is_as_exact_as_its_scale(counts_of):
    """Scales of 4 bits: 0.02 of beta by peaks without width, 0.05 by peaks like other weights."""
    change = []
    for seed in range(8):
        x = np.random.default_rng(seed).normal(size=SHAPE)
        before, after = counts_of(x), _shown(counts_of, _in_groups(x, 16, _nvfp4))
        change.append(_beta(after) - _beta(before))
    assert np.mean(change) == pytest.approx(0, abs=0.01)


def test_cells_across_three_sigma_are_divided(counts_of):
    """0.06 of filtered_beta where they are in or out as a whole, 0.03 by a Gaussian's share."""
    change = []
    for seed in range(4):
        x = np.random.default_rng(seed).laplace(size=SHAPE)
        before, after = counts_of(x), _shown(counts_of, _in_groups(x, 64, _integers, 3))
        change.append(after_filters(after).beta - after_filters(before).beta)
    assert abs(np.mean(change)) < 0.04


def test_zeros_are_left_out_once(counts_of):
    """Filters and fits each ask for the weights that laws are fitted to."""
    kept = np.random.default_rng(1).random(SHAPE) < 0.5
    x = _quantised("int4 g32", np.where(kept, _drawn("gaussian"), 0.0))
    once = fitted_weights(_shown(counts_of, x))
    assert excess_zeros(once) == 0
    assert fitted_weights(once).n == once.n


@pytest.mark.parametrize("length", [512, 64])
def test_a_zero_point_that_is_no_whole_step_beside_rows_of_zeros(length, counts_of):
    """No group is on multiples of a step, so that none shows one: counts have to tell."""
    x = _drawn("gaussian").reshape(-1, length)
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    step = (high - low) / 15
    stored = (np.rint((x - low) / step) * step + low).reshape(SHAPE)
    stored[::9] = 0.0
    stored = stored.astype(np.float32).astype(np.float64)
    counts = counts_of(stored)
    assert quantiser(counts, _rows(stored), "F32").grid == "int4"
    assert with_steps(counts, _rows(stored), "F32") is counts


@pytest.mark.parametrize("rows", [slice(0, None, 8), slice(2, None, 8)])
@pytest.mark.parametrize("name", ["int4 per row", "int4 g32", "nf4 g64"])
def test_rows_of_zeros_are_no_steps(name, rows, counts_of):
    """Whether they are among the sampled ones or not: a quantiser makes no group of zeros."""
    x = _quantised(name, _drawn("gaussian"))
    x[rows] = 0.0
    counts = counts_of(x)
    assert with_steps(counts, _rows(x), "F32") is counts


def test_a_hole_that_was_rounded_is_no_step(counts_of):
    """Few weights are one level from zero where smaller ones were pruned before."""
    x = _drawn("gaussian")
    x = _quantised("int4 per row", np.where(np.abs(x) < 1.0, 0.0, x))
    counts = counts_of(x)
    assert with_steps(counts, _rows(x), "F32") is counts


def test_few_weights_beside_zeros_have_no_steps(counts_of):
    """Shares of the largest ones are averages over more of the others."""
    x = np.zeros((2, 256))
    for row, step in enumerate((0.0131, 0.0173)):
        x[row, :4] = step * np.array([1, 1, 2, 7])
    x = x.astype(np.float32).astype(np.float64)
    counts = replace(counts_of(x), coarse=False)
    assert quantiser(counts, _rows(x), "F32").grid == "int3"
    assert with_steps(counts, _rows(x), "F32") is counts


def test_the_zeros_of_a_laplace_are_as_many_as_predicted():
    """By levels of one step, in closed form."""
    q = 0.9  # half of the step over the scale
    shares = [1 - np.exp(-q), np.exp(-q) - np.exp(-3 * q), np.exp(-3 * q) - np.exp(-5 * q)]
    numbers = np.rint(np.array(shares) * 1e6).astype(int)
    for times, excess in ((1.0, 0.0), (1.9, 0.0), (4.0, 0.75)):
        numbers_of = [round(times * numbers[0]), *numbers[1:]]
        level = np.repeat([0.0, 1.0, 2.0], numbers_of)
        assert _excess_of_zeros(level) == pytest.approx(excess, abs=1e-4)


MIXED = {
    "two quantisers": ("int4 per row", "nf4 g64"),
    "one that went through none": ("int4 g32", None),
}


@pytest.mark.parametrize("names", MIXED.values(), ids=MIXED)
def test_steps_of_two_tensors_are_those_of_both(names, counts_of):
    """Each in proportion to its weights; one has twice as many, and they spread less."""
    plain = (_drawn("laplace"), 0.6 * _drawn("gaussian")[: SHAPE[0] // 2])
    rounded = [
        x if name is None else _quantised(name, x) for name, x in zip(names, plain, strict=True)
    ]
    counts = _shown(counts_of, rounded[0]) + _shown(counts_of, rounded[1])
    assert counts.steps.number.sum() == pytest.approx(counts.n)
    assert excess_zeros(counts) == 0
    truth = fit_laws(counts_of(plain[0]) + counts_of(plain[1]), FITTED)
    fits = fit_laws(counts, FITTED)
    beta = truth["gennorm"].params["beta"]
    assert fits["gennorm"].params["beta"] == pytest.approx(beta, rel=0.03)
    assert fits.best.ks < truth.best.ks + 0.01
    alone = fit_laws(replace(counts, steps=None), FITTED)
    assert abs(alone["gennorm"].params["beta"] / beta - 1) > 0.1


def test_zeros_without_steps_leave_a_group_without(counts_of):
    """Whether they are those of pruning follows from no step of another tensor."""
    x = _drawn("gaussian")
    pruned = counts_of(np.where(np.random.default_rng(1).random(SHAPE) < 0.5, 0, x))
    stepped = _shown(counts_of, _quantised("int4 g32", x))
    assert stepped.steps is not None
    assert (stepped + pruned).steps is None
    assert (pruned + stepped).steps is None
    assert (pruned + pruned).steps is None


def test_many_tensors_hold_few_steps(counts_of):
    """They stand for all weights, and the share of unexplained zeros is that of all zeros."""
    kept = np.random.default_rng(1).random(SHAPE) < 0.5
    dense = _shown(counts_of, _quantised("int4 g32", _drawn("gaussian")))
    pruned = _shown(counts_of, _quantised("int4 g32", np.where(kept, _drawn("gaussian"), 0.0)))
    counts = [dense, pruned] * 20
    total = sum(counts[1:], counts[0])
    assert len(total.steps.value) <= HELD
    assert total.steps.number.sum() == pytest.approx(total.n)
    assert excess_zeros(total) == pytest.approx(20 * excess_zeros(pruned), rel=0.001)
