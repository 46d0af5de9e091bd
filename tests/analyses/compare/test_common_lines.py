"""Pairs of different shapes: common rows of an extended vocabulary, and all others."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.models import model, pairs, values
from weightscope.analyses.compare.pair import Pair

EMBED = "model.embed_tokens.weight"


def only(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> Pair:
    (pair,) = pairs(model(a), model(b))
    return pair


@pytest.mark.parametrize("swapped", [False, True])
def test_the_common_rows_of_a_vocabulary(swapped: bool) -> None:
    """Both entries have the first rows, and the note counts the others."""
    old, new = torch.randn(5, 4), torch.randn(7, 4)
    both = [old, new]
    if swapped:
        both.reverse()
    pair = only({EMBED: both[0]}, {EMBED: both[1]})
    assert pair.rule == "first"
    assert pair.a
    assert pair.b
    assert torch.equal(values(pair.a.entry), both[0][:5])
    assert torch.equal(values(pair.b.entry), both[1][:5])
    assert pair.entry is pair.a.entry
    assert not pair.reshaped
    (note,) = pair.notes
    assert (note.code, note.value("common"), note.value("what")) == ("common-lines", 5, "rows")
    left = note.value("in_a"), note.value("in_b")
    assert left == ((2, 0) if swapped else (0, 2))
    assert note.text == f"5 common rows; left out: {left[0]} of A, {left[1]} of B"


@pytest.mark.parametrize("name", ["lm_head.bias", "model.layers.0.self_attn.rotary_emb.inv_freq"])
def test_the_common_elements_of_a_vector(name: str) -> None:
    """A vector is 1 x n: its length is the number of columns."""
    old, new = torch.randn(5), torch.randn(7)
    pair = only({name: old}, {name: new})
    assert pair.b
    assert torch.equal(values(pair.b.entry), new[None, :5])
    assert pair.rule == "first"
    assert pair.notes[0].value("what") == "elements"


@pytest.mark.parametrize(
    ("a", "b"), [((4, 5), (4, 7)), ((4, 5), (6, 7)), ((1, 5), (1, 7)), ((4,), (2, 7))]
)
def test_other_shapes_are_reshaped(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Columns that differ leave no common rows: both entries stay whole."""
    pair = only({"x.weight": torch.ones(a)}, {"x.weight": torch.ones(b)})
    assert (pair.rule, pair.reshaped, pair.ordered) == ("", True, True)
    assert pair.b
    assert pair.b.entry
    assert pair.b.entry.shape[-1] == b[-1]


def test_transposes_of_unknown_orientation_are_reshaped() -> None:
    """The note says that rows and columns may be exchanged."""
    pair = only({"trunk.x": torch.ones(4, 6)}, {"trunk.x": torch.ones(6, 4)})
    assert pair.reshaped
    assert [note.code for note in pair.notes] == ["orientation-unknown"]
    known = model({"model.layers.0.mlp.up_proj.weight": torch.ones(4, 6)})
    unknown = model({"trunk.x": torch.ones(6, 4)})
    (pair,) = pairs(known, unknown, ".*up_proj.*=trunk.x")
    assert pair.reshaped
    assert [note.code for note in pair.notes] == ["orientation-unknown"]


def test_empty_tensors_have_nothing_in_common() -> None:
    """A tensor without elements is 0 x 0."""
    pair = only({"x.weight": torch.ones(0, 5)}, {"x.weight": torch.ones(3, 5)})
    assert (pair.rule, pair.reshaped) == ("", True)


def test_what_is_not_measured_keeps_its_shape() -> None:
    """A piece without an entry is compared by its stored shape."""
    codes = torch.ones(4, 3, dtype=torch.complex64)
    pair = only({"x.weight": codes}, {"x.weight": torch.ones(6, 3)})
    assert pair.a
    assert pair.a.entry is None
    assert (pair.rule, pair.reshaped) == ("", True)
    assert "type-not-decoded" in [note.code for note in pair.notes]
