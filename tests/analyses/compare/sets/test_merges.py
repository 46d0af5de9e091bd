"""Merges as shares of their sources: linear ones, by tensor, and those that choose elements."""

from __future__ import annotations

import re

import pytest
import torch

from tests.analyses.compare.many.small import Q, ask, drawn, plus, said, typed

SHAPES = {f"model.layers.{i}.mlp.up_proj.weight": (48, 40) for i in range(3)} | {Q: (40, 40)}
BASE = drawn(0, shapes=SHAPES)
DELTAS = [drawn(i, 0.05, SHAPES) for i in (1, 2)]
B, C = (plus(BASE, delta) for delta in DELTAS)


def scaled(tensors, share):
    """The tensors times a number, or times one of each."""
    return {name: share * tensor for name, tensor in tensors.items()}


def fitted(merged, sources=(B, C), base=BASE, **options):
    """(rows of one source after the other, the sentences)."""
    report = ask([base, *sources, merged], set=True, mix=True, **options)
    count = len(sources)
    return [report.rows[i::count] for i in range(count)], said(report)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_planted_shares(dtype) -> None:
    """0.3 and 0.7, the file rounded to each type: linear, the rest that of rounding."""
    merged = typed(plus(BASE, scaled(DELTAS[0], 0.3), scaled(DELTAS[1], 0.7)), dtype)
    (of_b, of_c), text = fitted(merged)
    for row in of_b:
        assert row["mix"] == pytest.approx(0.3, abs=0.01)
        assert row["mix_residual"] < {torch.bfloat16: 0.1, torch.float16: 0.01}.get(dtype, 1e-5)
    assert all(row["mix"] == pytest.approx(0.7, abs=0.01) for row in of_c)
    assert re.search(r": 0\.300 of memory, 0\.700 of memory; linear tensor by tensor: ", text)
    assert "differ between" not in text


def test_groups_have_one_fit_over_their_tensors() -> None:
    """--by model: the shares of all elements together."""
    merged = plus(BASE, scaled(DELTAS[0], 0.3), scaled(DELTAS[1], 0.7))
    ((row,), (other,)), _ = fitted(merged, by="model")
    assert (row["mix"], other["mix"]) == pytest.approx((0.3, 0.7), abs=1e-5)
    assert row["tensors"] == len(SHAPES)


def test_slerp_is_linear_by_tensor() -> None:
    """Shares that sum above 1, the rest at rounding."""
    merged = {}
    for name, base in BASE.items():
        b, c = (delta[name].double() for delta in DELTAS)
        angle = torch.arccos((b * c).sum() / b.norm() / c.norm())
        parts = torch.sin(0.5 * angle) * (b + c) / torch.sin(angle)
        merged[name] = base + parts.float()
    (of_b, of_c), text = fitted(merged)
    assert all(b["mix"] + c["mix"] > 1.3 for b, c in zip(of_b, of_c, strict=True))
    assert all(row["mix_residual"] < 1e-5 for row in of_b)
    assert "linear tensor by tensor" in text
    assert "nearly" not in text


def trimmed(delta, kept=0.2):
    """The largest elements of a change alone."""
    edge = delta.abs().flatten().quantile(1 - kept)
    return torch.where(delta.abs() >= edge, delta, 0)


def ties(name):
    """TIES: trimmed, of the elected sign, the mean of those that have it."""
    deltas = torch.stack([trimmed(delta[name]) for delta in DELTAS])
    agree = (deltas.sign() == deltas.sum(0).sign()) & (deltas != 0)
    return (deltas * agree).sum(0) / agree.sum(0).clamp(min=1)


def dare(name, kept=0.5):
    """DARE: elements dropped at random, the others divided by their share."""
    generator = torch.Generator().manual_seed(3)
    parts = [
        0.5 * delta[name] * (torch.rand(delta[name].shape, generator=generator) < kept) / kept
        for delta in DELTAS
    ]
    return parts[0] + parts[1]


@pytest.mark.parametrize("method", [ties, dare])
def test_merges_that_choose_elements_are_not_linear(method) -> None:
    """The sentence says so, with the rest."""
    (of_b, _), text = fitted({name: BASE[name] + method(name) for name in BASE})
    assert all(row["mix_residual"] > 0.3 for row in of_b)
    assert "; not linear: the rest is 0." in text


@pytest.mark.parametrize(
    ("extra", "words"),
    [(0.0, "; linear tensor"), (0.06, "; nearly linear tensor"), (0.2, "; not linear")],
)
def test_words_by_the_rest(extra, words) -> None:
    """Up to 3% of the change is linear, up to 10% nearly."""
    other = drawn(9, 0.05 * extra * 0.76, SHAPES)
    merged = plus(BASE, scaled(DELTAS[0], 0.3), scaled(DELTAS[1], 0.7), other)
    assert words in fitted(merged)[1]


def test_rounding_of_a_small_change_is_no_rest() -> None:
    """A BF16 file whose change is below its spacing beside the weights."""
    small = [scaled(delta, 0.02) for delta in DELTAS]
    base = typed(typed(BASE, torch.bfloat16), torch.float32)
    sources = [plus(base, delta) for delta in small]
    merged = typed(plus(base, scaled(small[0], 0.3), scaled(small[1], 0.7)), torch.bfloat16)
    (of_b, _), text = fitted(merged, sources, base)
    assert all(row["mix_residual"] > 0.5 for row in of_b)
    assert "linear tensor by tensor" in text
    assert "not linear" not in text
    assert "rounding alone" in text


def test_collinear_sources_have_no_shares() -> None:
    """Null with a note, and `an undetermined share` in the sentence."""
    double = plus(BASE, scaled(DELTAS[0], 2.0))
    (of_b, _), text = fitted(plus(BASE, DELTAS[0]), (B, double))
    assert {row["mix"] for row in of_b} == {None}
    assert all("no share" in row["note"] for row in of_b)
    assert "an undetermined share of memory" in text


def test_the_base_itself_is_no_merge() -> None:
    """Its task vector is 0: the sentence says so, shares are 0 and the rest is null."""
    (of_b, _), text = fitted(BASE)
    assert text == "memory is the base: its task vector is 0"
    assert {row["mix"] for row in of_b} == {0.0}
    assert {row["mix_residual"] for row in of_b} == {None}


def test_shares_that_differ_between_tensors() -> None:
    """Their ranges are in a sentence."""
    merged = {}
    for i, name in enumerate(BASE):
        share = 0.2 + 0.2 * i
        merged[name] = BASE[name] + share * DELTAS[0][name] + (1 - share) * DELTAS[1][name]
    _, text = fitted(merged)
    expected = "shares differ between matrices: 0.200 to 0.800 of memory, 0.200 to 0.800 of memory"
    assert text.splitlines()[1] == expected


def test_one_source_suffices() -> None:
    """A scaled tuning: its share."""
    ((row, *_),), text = fitted(plus(BASE, scaled(DELTAS[0], 0.5)), (B,))
    assert row["mix"] == pytest.approx(0.5, abs=1e-5)
    assert "0.500 of memory; linear" in text


def test_a_merge_without_a_tensor_has_a_note() -> None:
    """The fit goes over the others."""
    merged = plus(BASE, DELTAS[0])
    del merged[Q]
    (of_b, _), text = fitted(merged)
    (row,) = [row for row in of_b if row["tensor"] == Q]
    assert (row["mix"], row["note"]) == (None, "a model has no such tensor: no task vector")
    assert "1.000 of memory" in text


def test_nothing_in_common_is_said() -> None:
    """A merge of another architecture, whose one tensor in common has another shape."""
    merged = drawn(5, shapes={Q: (8, 8)})
    rows, text = fitted(merged)
    assert text == "memory: no tensor in which the base and all tunings have a task vector"
    assert {row["mix"] for row in rows[0]} == {None}
