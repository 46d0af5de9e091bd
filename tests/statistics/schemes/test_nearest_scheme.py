"""Every scheme is recovered from its draws, and nothing else is named."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest

from tests.statistics.schemes.drawn import UNIT, measured, series, settings
from weightscope.statistics.schemes import BY_NAME, SCHEMES, Spread, distance, nearest

DRAWN = [scheme for scheme in SCHEMES if scheme.forms]
WIDE = (64, 256)
FORMS = [
    (scheme, form, form if form in ("normal", "uniform") else "truncated")
    for scheme in DRAWN
    for form in ("normal", "uniform", "truncated", "cut")
]


@pytest.mark.parametrize(("scheme", "form"), [(s, f) for s, f, known in FORMS if known in s.forms])
def test_a_drawn_scheme_is_recovered(scheme, form):
    """Its name alone where the shape has one std for each, as reader and as writer."""
    for writes in (False, True):
        named = nearest(series(scheme, form, 1, (96, 240), writes=writes))
        assert scheme.name in named.law.split(",")
        assert named.distance < 0.05


@pytest.mark.parametrize("form", ["t4", "laplace", "logistic"])
@pytest.mark.parametrize("scheme", DRAWN, ids=lambda scheme: scheme.name)
def test_no_scheme_of_other_elements(scheme, form):
    """The std is that of the scheme, the elements are not."""
    matrices = series(scheme, form, 2)
    assert distance(scheme, matrices) < 0.05
    assert nearest(matrices).law is None


def test_schemes_that_the_shape_cannot_tell_apart():
    """Of a square, linear and xavier are one; he is he_out."""
    assert nearest(series(BY_NAME["linear"], "normal", 3)).law == "linear,xavier"
    assert nearest(series(BY_NAME["he"], "uniform", 3)).law == "he,he_out"
    assert nearest(series(BY_NAME["linear"], "normal", 3, WIDE)).law == "linear"
    assert nearest(series(BY_NAME["xavier"], "normal", 3, WIDE)).law == "xavier"


def test_a_default_of_pytorch_is_uniform():
    """Normal elements of the same std have no name."""
    pytorch = BY_NAME["pytorch"]
    assert nearest(series(pytorch, "uniform", 4, WIDE)).law == "pytorch"
    matrices = series(pytorch, "normal", 4, WIDE)
    assert distance(pytorch, matrices) < 0.01
    assert nearest(matrices).law is None


def test_two_stds_that_are_measured_apart():
    """0.02 and 0.0205 lie within 0.05 of each other: the elements tell which was drawn."""
    gpt2, linear = BY_NAME["gpt2"], BY_NAME["linear"]
    shape = (50, 2380)
    assert log(0.0205 / 0.02) < 0.05
    assert nearest(series(gpt2, "normal", 5, shape, layers=2)).law == "gpt2"
    assert nearest(series(linear, "normal", 5, shape, layers=2)).law == "linear"


def test_lir_is_judged_layer_by_layer():
    """A constant std with the same median is not named lir, nor lir by its median."""
    rng = np.random.default_rng(6)
    lir = BY_NAME["lir"]
    layered = series(lir, "normal", 6, layers=5)
    assert nearest(layered).law == "lir"
    middle = 0.02 / sqrt(3)  # of the layer in the middle
    constant = [
        measured(middle * UNIT["normal"](rng, (64, 64)), setting)
        for setting in settings((64, 64), 5)
    ]
    assert nearest(constant).law is None
    assert distance(lir, constant) == pytest.approx(log(sqrt(3 / 2)), abs=0.02)
    assert distance(lir, layered) < 0.02


@pytest.mark.parametrize("side", ["rows", "columns"])
@pytest.mark.parametrize("times", [2.1, 0.0])
def test_lines_of_another_spread(side, times):
    """Uneven lines were trained, equal norms were not drawn independently."""
    matrices = series(BY_NAME["linear"], "normal", 7)
    first = matrices[0]
    spread = getattr(first, side)
    matrices[0] = replace(first, **{side: Spread(times * spread.null, spread.null)})
    assert nearest(matrices).law is None
    matrices[0] = replace(first, **{side: Spread(1.9 * spread.null, spread.null)})
    assert nearest(matrices).law == "linear,xavier"
    matrices[0] = replace(first, **{side: Spread(None, None)})
    assert nearest(matrices).law is None


def test_a_layer_apart():
    """The median is near, one layer is not."""
    matrices = series(BY_NAME["linear"], "normal", 8)
    odd = matrices[3].setting
    rng = np.random.default_rng(8)
    matrices[3] = measured(1.3 / 8 * rng.standard_normal((64, 64)), odd)
    assert distance(BY_NAME["linear"], matrices) < 0.05
    assert nearest(matrices).law is None


@pytest.mark.parametrize(
    "change", [{"largest": 9.0}, {"mean": 0.02}, {"l_kurtosis": None}, {"kurtosis": 1.3}]
)
def test_elements_that_were_changed(change):
    """One far weight, a shifted mean, an undefined shape, heavy tails."""
    matrices = series(BY_NAME["linear"], "normal", 9)
    elements = matrices[2].elements
    matrices[2] = replace(matrices[2], elements=replace(elements, **change))
    assert nearest(matrices).law is None


def test_a_uniform_law_with_a_far_weight():
    """Moments hardly move; the bound is exceeded."""
    matrices = series(BY_NAME["pytorch"], "uniform", 10)
    elements = matrices[0].elements
    matrices[0] = replace(matrices[0], elements=replace(elements, largest=elements.largest * 1.1))
    assert nearest(matrices).law is None


def test_too_few_elements():
    """Below 4,096 a logistic law is not told from a normal one."""
    assert nearest(series(BY_NAME["gpt2"], "normal", 11, (32, 31), 4)).law is None
    assert nearest(series(BY_NAME["gpt2"], "normal", 11, (32, 32), 4)).law == "gpt2"


def test_a_distance_of_five_percent():
    """1.04 times the std is named, 1.06 times is not."""
    rng = np.random.default_rng(12)
    shape = (150, 260)
    for times, law in ((1.04, "gpt2"), (1.06, None)):
        stds = 0.02 * times
        drawn = [measured(stds * rng.standard_normal(shape), s) for s in settings(shape, 2)]
        assert nearest(drawn).law == law


def test_orthogonal_and_zero():
    """By orthogonality where it was measured; zeros in every layer."""
    square = settings((64, 64), 3)
    rng = np.random.default_rng(13)
    orthogonal = [measured(np.linalg.qr(rng.standard_normal((64, 64)))[0], s) for s in square]
    assert nearest(orthogonal).law is None  # its rows have equal norms
    known = [replace(one, orthogonality=0.009) for one in orthogonal]
    assert nearest(known).law == "orthogonal"
    assert nearest(known).distance == pytest.approx(0, abs=1e-3)
    assert nearest([*known[:2], replace(known[2], orthogonality=0.011)]).law is None
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = [measured(np.zeros((64, 64)), s) for s in square]
    assert (nearest(zeros).law, nearest(zeros).distance) == ("zero", 0.0)
    assert nearest([*zeros[:2], orthogonal[2]]).law is None
    assert distance(BY_NAME["gpt2"], zeros) is None


def test_calibration():
    """60 seeded matrices of 64 x 64: every Gaussian one is named, none of t(4)."""
    gpt2 = BY_NAME["gpt2"]
    laws = [nearest(series(gpt2, "normal", seed, (64, 64), 1)).law for seed in range(60)]
    assert laws.count("gpt2,lir") == 60  # of one layer both are 0.02
    laws = [nearest(series(gpt2, "t4", seed, (64, 64), 1)).law for seed in range(60)]
    assert laws.count(None) == 60
