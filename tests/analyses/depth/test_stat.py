"""`--stat`: each statistic is the column of its command; what is no statistic is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

import weightscope as ws
from weightscope.analyses.depth.stats import REFUSED, STATS
from weightscope.errors import UsageError

Q = "model.layers.{}.self_attn.q_proj.weight"
FULL = {
    "fit": lambda model: ws.fit(model, balance=True, coding=True, panels=False),
    "spectrum": lambda model: ws.spectrum(model, balance=True, alpha_ci=True, panels=False),
    "outliers": lambda model: ws.outliers(model, quant="all", panels=False),
}
BEHIND_OPTIONS = ("balanced_beta", "entropy_bits", "alpha_low", "sqnr_int8_db", "spikes_balanced")


@pytest.fixture(scope="module")
def model() -> dict[str, torch.Tensor]:
    """Two layers, with a heavy tail and rows of different scale."""
    generator = torch.Generator().manual_seed(0)
    scales = torch.linspace(0.5, 2, 32)[:, None]
    return {Q.format(i): scales * torch.randn(32, 24, generator=generator) ** 3 for i in range(2)}


@pytest.fixture(scope="module")
def layer(model: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The first layer alone: the interval of alpha takes a tenth of a second a matrix."""
    return {Q.format(0): model[Q.format(0)]}


def followed(model: Mapping[str, torch.Tensor], *stats: str) -> dict[str, list[Any]]:
    """The values of each statistic over the layers."""
    values: dict[str, list[Any]] = {}
    for row in ws.depth(model, stat=stats, per_layer=True, panels=False).rows:
        values.setdefault(row["statistic"], []).append(row["value"])
    return values


@pytest.mark.parametrize("command", FULL)
def test_statistics_are_the_columns_of_their_command(
    model: Mapping[str, torch.Tensor], layer: Mapping[str, torch.Tensor], command: str
) -> None:
    """Every statistic of a command has its numbers to the last bit, options or not."""
    names = STATS[command]
    if command == "spectrum":
        model = layer
    values = followed(model, *names)
    report: Callable[[Any], Any] = FULL[command]
    rows = sorted(report(model).rows, key=lambda row: row["layer"])
    assert values == {name: [row[name] for row in rows] for name in names}


def test_columns_behind_options_need_no_option(layer: Mapping[str, torch.Tensor]) -> None:
    """The name is enough, and several commands answer one run."""
    values = followed(layer, *BEHIND_OPTIONS)
    assert tuple(values) == BEHIND_OPTIONS
    assert all(value is not None for series in values.values() for value in series)


def test_each_statistic_once_in_the_order_given(model: Mapping[str, torch.Tensor]) -> None:
    """A name given twice, or also added by --spectrum, has one row."""
    stats = ("alpha", "std", "alpha")
    rows = ws.depth(model, stat=stats, spectrum=True, panels=False).rows
    names = ["alpha", "std", "stable_rank", "spikes", "effective_depth", "norm_inf"]
    assert [row["statistic"] for row in rows] == names


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_statistic(model: Mapping[str, torch.Tensor], name: str) -> None:
    """Text, identities and indices are refused with the reason and all statistics."""
    names = "gain, gain_se, product_stable_rank, norm_inf, params"
    expected = rf"found '{name}': {re.escape(REFUSED[name])}; --stat takes {names}"
    with pytest.raises(UsageError, match=expected):
        ws.depth(model, stat=name)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("kurtosi", "did you mean 'kurtosis'"),
        ("KURTOSIS", "did you mean 'kurtosis'"),
        ("balanced_bta", "did you mean 'balanced_beta'"),
        ("zzzqqq", "--stat takes gain, gain_se, product_stable_rank, norm_inf, params, mean, std"),
        ("", "--stat takes gain, gain_se, product_stable_rank, norm_inf, params, mean, std"),
        ("s\x1b[31m\n", r"found 's\x1b[31m\n'"),
    ],
)
def test_unknown_statistics(model: Mapping[str, torch.Tensor], name: str, advice: str) -> None:
    """The nearest name, or all of them; nothing is opened."""
    with pytest.raises(UsageError) as error:
        ws.depth("no such file", stat=name)
    assert advice in str(error.value)
    assert "\x1b" not in str(error.value)
