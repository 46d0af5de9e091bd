"""Relation of two models, and the verdict before the table."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.analyses.compare.planted import (
    KIND,
    LAYERS,
    MATRICES,
    PLANTED,
    A,
    changed,
    compare,
    leaning,
    model,
    noise,
)
from weightscope.analyses.compare.relation import relation


@pytest.mark.parametrize(
    ("cosines", "name"),
    [
        ([0.1], "related"),
        ([0.0999], "undecided"),
        ([0.03], "undecided"),
        ([0.0299], "unrelated"),
        ([-0.5], "unrelated"),
        ([-0.9, 0.05, 0.9], "undecided"),
        ([0.0, 0.0, 1.0, 1.0, 1.0], "related"),
        ([0.0, 0.3], "related"),
    ],
)
def test_relation_is_decided_by_the_median(cosines, name) -> None:
    """related from 0.1 on, undecided from 0.03 on, else unrelated; negative medians too."""
    facts = [SimpleNamespace(is_matrix=True, is_rotated=False, cosine=cosine) for cosine in cosines]
    facts.append(SimpleNamespace(is_matrix=True, is_rotated=False, cosine=None))
    facts += [SimpleNamespace(is_matrix=False, cosine=1.0)] * 9
    found = relation(facts)
    assert (found.name, found.matrices) == (name, len(cosines))
    assert found.cosine == pytest.approx(np.median(cosines))


@pytest.mark.parametrize("by", ["tensor", "role", "layer", "model"])
def test_relation_is_equal_on_all_rows(by) -> None:
    """Of all matrices, also in the rows of tables, norms and pieces without a partner."""
    b = leaning(0.5) | {"extra.weight": torch.ones(3)}
    report = compare(A, b, by=by, columns=("relation",))
    assert {row["relation"] for row in report.rows} == {"related"}


def test_without_a_pair_of_matrices_there_is_no_relation() -> None:
    """Norms, biases and tables do not show whether two models are related: null, no sentence."""
    a = {name: tensor for name, tensor in A.items() if "norm" in name or "embed" in name}
    report = compare(a, changed(("",), noise(1e-3)), columns=KIND)
    assert {row["relation"] for row in report.rows} == {None}
    assert not any("median cosine" in text for text in report.notes)


@pytest.mark.parametrize("first", range(0, 20, 5))
def test_independent_seeds_are_unrelated(first) -> None:
    """20 draws, although all names, shapes and norm gains agree."""
    for seed in range(first, first + 5):
        a, b = (model(2 * seed + side, layers=2, width=48) for side in (0, 1))
        report = compare(a, b, columns=("relation",))
        assert {row["relation"] for row in report.rows} == {"unrelated"}


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-2, 0.1])
def test_fine_tunes_are_related(size) -> None:
    """From changes near rounding to five times the weights."""
    report = compare(A, changed(("",), noise(size)), columns=("relation",))
    assert {row["relation"] for row in report.rows} == {"related"}


# verdict -------------------------------------------------------------------------------------


def moved(b, key) -> list[tuple[str, float]]:
    """|D|/|A| of the tensors under each key together, the largest first."""
    sums = {}
    for name, tensor in A.items():
        d, a = (float((x.double() ** 2).sum()) for x in (b[name] - tensor, tensor))
        of_d, of_a = sums.get(key(name), (0.0, 0.0))
        sums[key(name)] = of_d + d, of_a + a
    return sorted(((k, (d / a) ** 0.5) for k, (d, a) in sums.items()), key=lambda x: -x[1])


def rotation(b, names) -> float:
    """1 - cosine of some tensors together."""
    a, b = (torch.cat([t[n].double().flatten() for n in names]) for t in (A, b))
    return 1 - float(a @ b / a.norm() / b.norm())


def test_the_verdict_has_the_numbers_of_numpy() -> None:
    """Relation, kind, counts, share, rotations, and the three roles and layers that moved most."""
    b = changed((".layers.0.",), noise(4e-3))
    b = b | {k: v + 2e-3 for k, v in b.items() if "down_proj" in k}
    b = b | {k: 1.1 * v for k, v in b.items() if ".3.self_attn.q" in k}
    report = compare(A, b, columns=KIND, where="role == 'embed'", limit=1)
    matrices = [name for name in A if A[name].ndim == 2 and "embed" not in name]
    cosines = [1 - rotation(b, [name]) for name in matrices]
    is_equal = {name: torch.equal(A[name], b[name]) for name in A}
    params = sum(A[name].numel() for name in A)
    share = sum(A[name].numel() for name in A if not is_equal[name]) / params
    count = sum(not equal for equal in is_equal.values())
    layers = {f"layers.{i}.": f"layer {i}" for i in range(LAYERS)}
    by_layer = moved(b, lambda name: next((v for k, v in layers.items() if k in name), ""))
    roles = {"q_proj": "attn.q", "k_proj": "attn.k", "v_proj": "attn.v", "o_proj": "attn.o"}
    roles |= {"up_proj": "mlp.up", "down_proj": "mlp.down", "norm": "norm"}
    by_role = moved(b, lambda name: next((v for k, v in roles.items() if k in name), name))
    words = ", ".join(f"{name} {relative:.3g}" for name, relative in by_role[:3])
    more = ", ".join(f"{name} {relative:.3g}" for name, relative in by_layer if name)
    more = ", ".join(more.split(", ")[:3])
    assert report.notes == (
        f"related: median cosine {np.median(cosines):.3f} over {MATRICES} matrices "
        "(independent trainings: within 0.03 of 0)",
        f"change broad: {count} of 31 tensors changed ({count / 31:.0%})",
        f"{31 - count} same, {count} changed; {share:.1%} of the parameters differ; "
        f"rotation {rotation(b, matrices):.3g} of the matrices, "
        f"{rotation(b, list(A)):.3g} of all tensors",
        f"moved most, by relative change: {words}; {more}",
    )
    assert len(report.rows) == 31
    everything = compare(A, b, columns=KIND)
    assert everything.notes == report.notes


def test_a_selection_has_a_verdict_of_its_own() -> None:
    """Statuses, kind and rotation are those of the selected pairs."""
    b, _, _ = PLANTED["targeted"]
    report = compare(A, b, columns=KIND, include=("*down_proj*",))
    assert "change broad: 4 of 4 tensors changed (100%)" in report.notes
    assert any(text.startswith("4 changed; 100.0%") for text in report.notes)


def test_of_one_matrix_the_verdict_is_singular() -> None:
    """One matrix, one tensor."""
    notes = compare({"w": A["lm_head.weight"]}, {"w": A["lm_head.weight"]}, columns=KIND).notes
    assert notes[0].startswith("related: median cosine 1.000 over 1 matrix (")
    assert notes[1] == "change identical: the only tensor is equal"


@pytest.mark.parametrize("size", [1e154, 1e157, 1e200])
def test_values_that_overflow_have_no_place_in_a_verdict(size) -> None:
    """No NaN in a sentence: norms that leave float64 move nothing."""
    w = A["lm_head.weight"].double()
    for a, b in ((size * w, -size * w), (w, size * w), (size * w, w)):
        notes = compare({"w": a}, {"w": b}, columns=KIND).notes
        assert not any("nan" in text or "inf" in text for text in notes)


def test_unchanged_roles_have_not_moved() -> None:
    """Roles and layers of the change alone; of equal models no sentence."""
    b, _, _ = PLANTED["targeted"]
    (text,) = (text for text in compare(A, b, columns=KIND).notes if "moved most" in text)
    assert text.startswith("moved most, by relative change: mlp.down 0.0")
    assert text.count(",") == 3  # one role, three layers
    assert not any("moved most" in text for text in compare(A, A, columns=KIND).notes)
