"""Many layers, large indices, many tensors, hostile names."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import weightscope as ws
from weightscope.analyses.depth.judging import Judged, judged
from weightscope.analyses.depth.series import Member, Point, Series, key_of, series_of
from weightscope.analyses.depth.shared import measured
from weightscope.analyses.depth.sparkline import heights
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.piece import Piece
from weightscope.checkpoints import Opening, open_checkpoint
from weightscope.statistics.series import loglog, theil_sen

Q = "model.layers.{}.self_attn.q_proj.weight"


def test_large_indices() -> None:
    """The index is the axis up to six digits; a longer number is no layer."""
    generator = torch.Generator().manual_seed(0)
    layers = (0, 3, 999_999, 1_000_000)
    weights = {Q.format(layer): torch.randn(6, 4, generator=generator) for layer in layers}
    (row,) = ws.depth(weights, stat="std", panels=False).rows
    values = [float(weights[Q.format(layer)].double().numpy().std()) for layer in layers[:3]]
    assert row["layers"] == 3
    assert row["slope"] == pytest.approx(stats.theilslopes(values, layers[:3]).slope, rel=1e-9)


def test_a_picture_of_large_indices() -> None:
    """A sparkline visits the layers, not the indices between them."""
    points = [Point(0, 1.0), Point(1, 3.0), Point(500_000, None), Point(999_999, 2.0)]
    drawn = heights(points)
    assert drawn is not None
    assert len(drawn) == 16
    assert (drawn[0], drawn[-1]) == (2.0, 2.0)
    assert np.isnan(drawn[1:-1]).all()


@pytest.fixture
def piece() -> Piece:
    """A matrix of layer 0."""
    model = measured(open_checkpoint({Q.format(0): torch.ones(2, 2)}, Opening()), NameOptions())
    (only,) = model.pieces
    return only


def test_the_layers_of_a_series_ascend(piece: Piece) -> None:
    """Whatever order the names have."""
    members = []
    for layer in (3, 10, 0):
        place = replace(piece.place, layer=layer)
        members.append(Member(replace(piece, place=place), {}))
    (series,) = series_of(members)
    assert list(series.layers) == [0, 3, 10]


@pytest.fixture
def long(piece: Piece) -> Callable[[Sequence[float]], Judged]:
    """`long(values)`: the row of a series with a value in each layer."""

    def of(values: Sequence[float]) -> Judged:
        layers = {layer: [Member(piece, {"std": value})] for layer, value in enumerate(values)}
        return judged(Series(key_of(piece), layers), "std")

    return of


def test_2000_layers(long: Callable[[Sequence[float]], Judged]) -> None:
    """An exact line through every pair of 2000 layers."""
    values = np.random.default_rng(0).random(2000)
    row = long(values.tolist())
    slopes = np.concatenate([(values[d:] - values[:-d]) / d for d in range(1, 2000)])
    assert row.values["slope"] == pytest.approx(np.median(slopes), rel=1e-12)
    assert "many-layers" not in [note.code for note in row.notes]


def test_a_longer_series_has_a_note(long: Callable[[Sequence[float]], Judged]) -> None:
    """The row states that the slopes are not those of all pairs."""
    notes = {note.code: note.text for note in long([1.0, 2.0, 3.0] * 667).notes}
    assert notes["many-layers"] == "2001 layers: slopes are those of 2000, evenly spaced"


def test_more_layers_than_pairs_fit_into_memory() -> None:
    """The line of a longer series is that of 2000 points, with the first and the last."""
    rng = np.random.default_rng(0)
    x = np.arange(50_000)
    y = 1 + x / 50_000 + 0.1 * rng.standard_normal(len(x))
    line = theil_sen(x.tolist(), y.tolist())
    assert line.low < 1 / 50_000 < line.high
    assert line.high - line.low < 0.05 / 50_000
    power = loglog(x.tolist(), ((x + 1.0) ** -0.5).tolist())
    assert power == pytest.approx(-0.5, rel=1e-9)


def _calls(count: int, name: str) -> int:
    """Python calls of a run over `count` tensors without reading any."""
    tensors = torch.ones(count, 1, 1)
    model = {name.format(i // 5, i % 5): tensor for i, tensor in enumerate(tensors)}
    calls: Counter[str] = Counter()

    def profile(frame: Any, event: str, argument: Any) -> None:
        calls[event] += 1

    sys.setprofile(profile)
    try:
        ws.depth(model, stat="params", panels=False)
    finally:
        sys.setprofile(None)
    return calls["call"] + calls["c_call"]


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.{1}.mlp.experts.{0}.up_proj.weight",
        "tower{0}.layers.{1}.up.weight",
        "model.layers.{1}.slot{0}.weight",
        "blocks.{0}.{1}.conv.weight",
    ],
)
def test_the_work_is_linear(name: str) -> None:
    """Four times the tensors are at most five times the calls."""
    _calls(20, name)  # families are compiled on first use
    assert _calls(160, name) < 5 * _calls(40, name)


HOSTILE = {
    "slot": "model.layers.{}.ev\x1b[31mil\n[bold]red[/bold].weight",
    "stack": "a\x1b]0;x\x07\u202e.layers.{}.self_attn.k_proj.weight",
    "markup": "model.layers.{}.<script>alert(1)</script>|`$(id)`.weight",
}


def test_hostile_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in slots and stacks are in no table, and in no sentence."""
    generator = torch.Generator().manual_seed(0)
    model = {
        name.format(i): (1 + i) * torch.randn(8, 8, generator=generator)
        for name in HOSTILE.values()
        for i in range(6)
    }
    report = ws.depth(model, stat="std")
    assert {row["slot"] for row in report.rows} == {
        None,
        "ev\x1b[31mil\n[bold]red[/bold]",
        "<script>alert(1)</script>|`$(id)`",
    }
    report.write(sys.stdout, "table")
    texts = (capsys.readouterr().out, report.closing, str(report))
    for text in texts:
        assert r"\x1b[31m" in text or r"a\x1b]0;x\x07\u202e" in text
        assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}
