"""Elements that a look collects: the same in numpy and in torch, and bounds that hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import Count, Scratch
from weightscope.sketches.count_bins import bin_codes
from weightscope.sketches.quartile_look import (
    QuartileBins,
    differing,
    differing_on_device,
    elements_of,
    elements_on_device,
)


def test_torch_finds_the_elements_of_numpy() -> None:
    """On a CPU both can be compared; other devices have torch alone."""
    x = torch.randn(5000, generator=torch.Generator().manual_seed(1))
    codes = bin_codes(x, Scratch())
    wanted = codes[:3].tolist()
    found = elements_of(x, codes, wanted, Scratch())
    assert len(found) > 3
    assert found.tolist() == elements_on_device(x, codes, wanted).tolist()
    cut = x.clamp(-2, 2)
    for a, b in zip(differing(x, cut, Scratch()), differing_on_device(x, cut), strict=True):
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize("mean", [0.0, 3.0, -5.0])
def test_bounds_contain_the_exact_edge(lab, mean) -> None:
    """The inner edge is inside the exact one, the outer edge outside."""
    x = np.random.default_rng(2).standard_t(4, size=(1, 300, 400)) + mean
    stored = lab.numbers("F32", x)
    bins = QuartileBins.of(lab.take(Count(), stored, "F32")[0])
    low, middle, high = np.quantile(lab.values("F32", stored), [0.25, 0.5, 0.75])
    reach = 4 * (high - low) / 1.349
    (inner_centre, inner), (outer_centre, outer) = bins.inner, bins.outer
    assert abs(middle - inner_centre) + inner <= reach
    assert outer - abs(middle - outer_centre) >= reach
    assert inner > 0.9 * reach
    assert outer < 1.1 * reach


def test_exact_values_and_wide_bins_need_no_look(lab) -> None:
    """Cells of single values have exact quartiles; bins wider than the spread have none."""
    rng = np.random.default_rng(3)
    for dtype, x in (("BF16", rng.normal(size=(1, 300, 400))), ("F32", np.ones((1, 300, 400)))):
        assert QuartileBins.of(lab.take(Count(), lab.numbers(dtype, x), dtype)[0]) is None
    far = lab.numbers("F32", rng.normal(1e6, 1000, (1, 300, 400)))
    assert QuartileBins.of(lab.take(Count(), far, "F32")[0]) is None
