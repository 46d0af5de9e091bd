"""The rows of a set: each number is that of numpy on the task vectors in float64."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from tests.analyses.compare.many.small import (
    BASE,
    EMBED,
    NORM,
    UP,
    Q,
    ask,
    drawn,
    plus,
    said,
    tuned,
    typed,
)
from weightscope.analyses.compare.sets.vectors import VectorsRequest

TYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


def vector(base, tuning, name):
    """B - base of a tensor in float64."""
    return (tuning[name].double() - base[name].double()).flatten().numpy()


def outlying(d):
    """Where a vector is beyond 4 robust_std."""
    low, middle, high = np.quantile(d, (0.25, 0.5, 0.75))
    return np.abs(d - middle) > 4 * (high - low) / 1.349


def expected(a, b):
    """The columns of two vectors but those of outliers."""
    both = (a != 0) & (b != 0)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    spread = (a.var() + b.var()) / 2
    return {
        "cosine": cosine,
        "cosine_null": 1 / np.sqrt(len(a)),
        "angle_deg": np.degrees(np.arccos(cosine)),
        "sign_agreement": np.mean(np.sign(a[both]) == np.sign(b[both])),
        "norm_shrink": np.linalg.norm(a + b) / (np.linalg.norm(a) + np.linalg.norm(b)),
        "implied_correlation": 2 * ((a + b) / 2).var() / spread - 1,
    }


def leaning(seed):
    """Task vectors with a common part and some far elements."""
    change = plus(drawn(50, 0.1), drawn(seed, 0.1))
    change = {name: tensor.clone() for name, tensor in change.items()}
    for tensor in change.values():
        tensor.view(-1)[:3] += 2.0
        tensor.view(-1)[seed % 5 + 3] += 2.0
    return plus(BASE, change)


@pytest.mark.parametrize("base_type", TYPES, ids=str)
def test_each_column_equals_numpy(base_type) -> None:
    """Three tunings of three types beside a base of each type."""
    base = typed(BASE, base_type)
    tunings = [typed(leaning(i), dtype) for i, dtype in enumerate(TYPES[:3])]
    rows = ask([base, *tunings], set=True).rows
    pairs = list(combinations(range(3), 2))
    assert [row["tensor"] for row in rows] == [name for name in sorted(BASE) for _ in pairs]
    for row, (i, j) in zip(rows, pairs * len(BASE), strict=True):
        a, b = (vector(base, tunings[k], row["tensor"]) for k in (i, j))
        found = {name: row[name] for name in expected(a, b)}
        assert found == pytest.approx(expected(a, b), rel=1e-6, abs=1e-7)
        one, other = outlying(a), outlying(b)
        assert row["outlier_overlap"] == pytest.approx((one & other).sum() / (one | other).sum())
        chance = one.sum() * other.sum() / len(a)
        null = chance / (one.sum() + other.sum() - chance)
        assert row["outlier_overlap_null"] == pytest.approx(null)


@pytest.mark.parametrize("by", ["role", "layer", "model"])
def test_groups_are_sums_over_tensors(by) -> None:
    """The vectors of a group are those of its tensors one after the other."""
    tunings = [leaning(1), leaning(2)]
    for row in ask([BASE, *tunings], set=True, by=by).rows:
        members = [name for name in BASE if _belongs(name, row, by)]
        a, b = (np.concatenate([vector(BASE, t, name) for name in members]) for t in tunings)
        found = {name: row[name] for name in expected(a, b)}
        assert found == pytest.approx(expected(a, b), rel=1e-6, abs=1e-7)
        assert row["tensors"] == len(members)


KINDS = {Q: "matrix", UP: "matrix", NORM: "norm", EMBED: "embedding"}
ROLES = {Q: "attn.q", UP: "mlp.up", NORM: "norm", EMBED: "embed"}
LAYERS = {Q: 0, UP: 1, NORM: None, EMBED: None}


def _belongs(name, row, by):
    """Whether a tensor is in the group of a row."""
    if KINDS[name] != row["kind"]:
        return False
    if by == "role":
        return ROLES[name] == row["role"]
    return by == "model" or LAYERS[name] == row["layer"]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_each_pair_of_tunings_has_a_row(count) -> None:
    """Tensor by tensor, pairs in the order of the sources; sides by their names."""
    report = ask([BASE, *(tuned(i) for i in range(count))], set=True, columns=("cosine",))
    assert len(report.rows) == len(BASE) * count * (count - 1) // 2
    assert len(said(report).splitlines()) == count * (count - 1) // 2


def test_a_tuning_without_a_tensor_leaves_the_other_pairs() -> None:
    """Null with a note for its pairs, which a group leaves out."""
    one, two, three = tuned(1), tuned(2), tuned(3)
    two = {name: tensor for name, tensor in two.items() if name != Q}
    three = {**three, UP: drawn(4, shapes={UP: (16, 16)})[UP]}
    rows = ask([BASE, one, two, three], set=True, columns=("cosine", "note")).rows
    of_q, of_up = ([row for row in rows if row["tensor"] == name] for name in (Q, UP))
    assert [row["cosine"] is None for row in of_q] == [True, False, True]
    assert of_q[0]["note"] == "a model has no such tensor: no task vector"
    assert [row["cosine"] is None for row in of_up] == [False, True, True]
    assert of_up[1]["note"] == "another shape or order of rows: no task vector"
    pooled = ask([BASE, one, two, three], set=True, by="model", columns=("cosine",)).rows
    matrices = [row for row in pooled if row["kind"] == "matrix"]
    alone = expected(vector(BASE, one, UP), vector(BASE, two, UP))
    assert matrices[0]["cosine"] == pytest.approx(alone["cosine"])
    assert matrices[2]["cosine"] is None


def test_a_tensor_that_the_base_lacks_has_no_task_vector() -> None:
    """New tensors of the tunings are rows of nulls."""
    base = {name: tensor for name, tensor in BASE.items() if name != Q}
    rows = ask([base, tuned(1), tuned(2)], set=True, columns=("cosine", "note")).rows
    (row,) = [row for row in rows if row["tensor"] == Q]
    assert (row["cosine"], row["note"]) == (None, "a model has no such tensor: no task vector")


def test_an_untouched_tuning_has_no_direction() -> None:
    """Its task vector is 0: nulls with a note."""
    rows = ask([BASE, tuned(1), BASE], set=True, columns=("cosine", "sign_agreement", "note")).rows
    assert {row["cosine"] for row in rows} == {row["sign_agreement"] for row in rows} == {None}
    assert all("task vector of b is 0 everywhere" in row["note"] for row in rows)


def test_nan_is_left_out_of_all_vectors() -> None:
    """The number of elements is in the note; the rest is that of the others."""
    one, two = tuned(1), tuned(2)
    one = {**one, Q: one[Q].clone()}
    one[Q][0, :2] = float("nan")
    rows = ask([BASE, one, two], set=True, columns=("cosine", "note")).rows
    (row,) = [row for row in rows if row["tensor"] == Q]
    a, b = vector(BASE, one, Q), vector(BASE, two, Q)
    fine = np.isfinite(a)
    assert row["cosine"] == pytest.approx(expected(a[fine], b[fine])["cosine"])
    assert "2 elements are NaN or Inf" in row["note"]


def test_an_adapter_is_a_tuning() -> None:
    """Its task vector is the update; tensors that it does not touch have none of length."""
    change = drawn(3, 0.3, {"A": (4, 16), "B": (24, 4)})
    stem = Q.removesuffix(".weight")
    adapter = {f"{stem}.lora_A.weight": change["A"], f"{stem}.lora_B.weight": change["B"]}
    other = tuned(2)
    rows = ask([BASE, adapter, other], set=True, columns=("cosine", "note")).rows
    update = (change["B"].double() @ change["A"].double()).flatten().numpy()
    by_name = {row["tensor"]: row for row in rows}
    cosine = expected(update, vector(BASE, other, Q))["cosine"]
    assert by_name[Q]["cosine"] == pytest.approx(cosine, rel=1e-5)
    assert "task vector of a is 0" in by_name[UP]["note"]


def test_buffers_have_no_row() -> None:
    """Masks and tables are no task vectors."""
    models = [{**m, "h.0.attn.masked_bias": torch.ones(1)} for m in (BASE, tuned(1), tuned(2))]
    names = {row["tensor"] for row in ask(models, set=True, columns=("cosine",)).rows}
    assert names == set(BASE)


@pytest.mark.usefixtures("measured_anew")
def test_one_thread_and_two_give_equal_rows() -> None:
    """Bit for bit."""
    models = [BASE, *(leaning(i) for i in range(3))]
    one, two = (ask(models, set=True, threads=threads).rows for threads in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        (("tensor", "cosine"), {"TaskVectors"}),
        (("tensor", "outlier_overlap"), {"TaskVectors", "SharedOutliers"}),
        ((), {"TaskVectors", "SharedOutliers"}),
    ],
)
def test_columns_decide_whether_outliers_are_measured(monkeypatch, columns, taken) -> None:
    """Their second pass is taken where a column of theirs is wanted."""
    seen = set()
    real = VectorsRequest.units

    def spy(self, piece):
        found = real(self, piece)
        for unit in found:
            seen.update(type(m).__name__ for wants in unit.wants.values() for m in wants)
        return found

    monkeypatch.setattr(VectorsRequest, "units", spy)
    ask([BASE, tuned(1), tuned(2)], set=True, columns=columns)
    assert seen == taken


def test_sentences_have_the_angle_of_each_pair() -> None:
    """Over the matrices and over all tensors."""
    one, two = leaning(1), leaning(2)
    text = said(ask([BASE, one, two], set=True, columns=("cosine",)))
    for names, words in (((Q, UP), "the matrices"), (tuple(BASE), "all tensors")):
        a, b = (np.concatenate([vector(BASE, t, name) for name in names]) for t in (one, two))
        values = expected(a, b)
        assert f"cosine {values['cosine']:.3f}, {values['angle_deg']:.1f} degrees over {words}" in (
            text
        )


def test_a_tuning_that_is_the_base() -> None:
    """It has task vectors, all 0: no direction."""
    text = said(ask([BASE, tuned(1), BASE], set=True))
    assert text.endswith(": no direction, a task vector is 0")


def test_coverage_counts_tensors_with_two_task_vectors() -> None:
    """Of another shape in one of two tunings: nothing is read."""
    wide = {**tuned(2), EMBED: torch.ones(50, 16)}
    report = ask([BASE, tuned(1), wide], set=True)
    assert report.coverage == "9 of 12 tensors measured; left out: 3 without two task vectors"
    three = ask([BASE, tuned(1), tuned(3), wide], set=True)
    assert three.coverage == "16 of 16 tensors measured"
