"""The std of each scheme equals that of its library, or of its paper."""

from __future__ import annotations

from math import pi, sqrt

import pytest
import torch

from weightscope.analyses.depth.stats import LAWS
from weightscope.statistics.schemes import BY_NAME, SCHEMES, Setting

READER = Setting(300, 1200, 300, 12, 3, writes=False)
WRITER = Setting(1200, 300, 300, 12, 3, writes=True, target=0.1)
TORCH = {
    "xavier": torch.nn.init.xavier_normal_,
    "he": torch.nn.init.kaiming_normal_,
    "he_out": lambda w: torch.nn.init.kaiming_normal_(w, mode="fan_out"),
    "linear": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="linear"),
    "pytorch": lambda w: torch.nn.init.kaiming_uniform_(w, a=sqrt(5)),
    "orthogonal": torch.nn.init.orthogonal_,
}


@pytest.mark.parametrize("name", TORCH)
def test_torch_draws_it(name):
    """Within 1% of the std of 360,000 elements."""
    torch.manual_seed(0)
    weight = TORCH[name](torch.empty(1200, 300))
    assert weight.std().item() == pytest.approx(BY_NAME[name].std(READER), rel=0.01)


@pytest.mark.parametrize(
    ("name", "reader", "writer"),
    [
        ("gpt2", 0.02, 0.02 / sqrt(24)),
        ("small", sqrt(2 / (5 * 300)), 2 / (12 * sqrt(300))),
        ("lir", 0.01, 0.05),
        ("ibp", sqrt(2 * pi) / 300, sqrt(2 * pi) / 1200),
        ("zero", 0.0, 0.0),
    ],
)
def test_the_others(name, reader, writer):
    """Formulas of the papers; writers to the residual stream have their own."""
    assert BY_NAME[name].std(READER) == pytest.approx(reader, rel=1e-12)
    assert BY_NAME[name].std(WRITER) == pytest.approx(writer, rel=1e-12)


def test_a_width_that_is_unknown():
    """small needs that of the residual stream."""
    assert BY_NAME["small"].std(Setting(9, 9, None, 1, 0, writes=False)) is None


def test_the_names_of_the_option():
    """--law takes the names of the list, in its order."""
    assert tuple(scheme.name for scheme in SCHEMES) == LAWS == tuple(BY_NAME)
