"""Grouped rows: pooled values, counts of statuses; notes of what is left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.analyses.compare.planted import A, changed, compare, model, noise


def test_pooled_values_are_those_of_concatenated_tensors() -> None:
    """Sums add, never means of ratios; beside them median, least and greatest."""
    b = changed(("",), noise(3e-3))
    b = b | {k: 3 * v for k, v in b.items() if ".2." in k}
    columns = ("role", "relative", "cosine", "rotation", "changed_share", "std_a", "delta_std")
    grouped = compare(A, b, by="role", columns=(*columns, "relative_median", "relative_max", "ks"))
    alone = compare(A, b, columns=("tensor", "role", "relative"))
    for row in grouped.rows:
        relatives = [r["relative"] for r in alone.rows if r["role"] == row["role"]]
        names = [r["tensor"] for r in alone.rows if r["role"] == row["role"]]
        x, y = (
            np.concatenate([tensors[name].double().numpy().ravel() for name in names])
            for tensors in (A, b)
        )
        assert row["relative"] == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x), rel=1e-9)
        assert row["cosine"] == pytest.approx(
            x @ y / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-9
        )
        assert (row["std_a"], row["delta_std"]) == pytest.approx((x.std(), (y - x).std()), rel=1e-9)
        assert row["changed_share"] == (x != y).mean()
        assert row["relative_median"] == np.median(relatives)
        assert row["relative_max"] == max(relatives)
        assert row["tensors"] == len(names)


@pytest.mark.parametrize("by", ["role", "layer", "model"])
def test_statuses_add_up(by) -> None:
    """Each piece is counted once, pieces without a partner too; sizes are those of the pairs."""
    b = {name: tensor for name, tensor in A.items() if ".3.mlp" not in name}
    b["model.layers.0.mlp.up_proj.weight"] = b["model.layers.0.mlp.up_proj.weight"].bfloat16()
    b["model.layers.1.mlp.up_proj.weight"] = b["model.layers.1.mlp.up_proj.weight"] + 1
    b["model.layers.2.mlp.up_proj.weight"] = torch.ones(7, 9)
    b["model.layers.4.mlp.up_proj.weight"] = torch.ones(64, 32)
    b["extra.bias"] = torch.ones(4)
    names = ("same", "retyped", "changed", "reshaped", "added", "removed")
    grouped = compare(A, b, by=by, columns=("tensors", "params", *names)).rows
    totals = {name: sum(row[name] for row in grouped) for name in names}
    assert totals == {
        "same": 26,
        "retyped": 1,
        "changed": 1,
        "reshaped": 1,
        "added": 2,
        "removed": 2,
    }
    for row in grouped:
        assert row["tensors"] == sum(row[name] for name in names[:4])
    unpaired = ("model.layers.3.mlp.up_proj.weight", "model.layers.3.mlp.down_proj.weight")
    paired = sum(tensor.numel() for name, tensor in A.items() if name not in unpaired)
    assert sum(row["params"] for row in grouped) == paired
    if by == "layer":
        (alone,) = (row for row in grouped if row["layer"] == 4)
        assert (alone["tensors"], alone["params"], alone["added"]) == (0, 0, 1)
    tensors = compare(A, b, columns=("tensor", "status")).rows
    for name in names:
        assert sum(row["status"] == name for row in tensors) == totals[name]


def test_common_rows_that_do_not_match_are_not_pooled() -> None:
    """A table of other tokens has no change: a group has its law and its status alone."""
    a = {"embed_tokens.weight": A["model.embed_tokens.weight"]}
    b = {"embed_tokens.weight": model(7)["model.embed_tokens.weight"][:180]}
    columns = ("tensor", "status", "relative", "cosine", "ks", "changed_rows")
    (row,) = compare(a, b, columns=columns).rows
    (group,) = compare(a, b, by="role", columns=columns[2:]).rows
    for values in (row, group):
        assert (values["relative"], values["cosine"], values["changed_rows"]) == (None,) * 3
        assert 0 < values["ks"] < 1
    assert (row["status"], group["reshaped"]) == ("reshaped", 1)


def test_a_nan_on_one_side_is_noted_where_nothing_else_changed() -> None:
    """The note of an element that is left out is news; the law of a zero delta is none."""
    a = {"w.weight": A["lm_head.weight"].clone()}
    b = {"w.weight": A["lm_head.weight"].clone()}
    b["w.weight"][3, 4] = float("nan")
    (row,) = compare(a, b).rows
    assert row["status"] == "changed"
    assert "1 elements are NaN or Inf in A or B, 1 of them in one only" in row["note"]
    (same,) = compare(b, b).rows
    assert same["status"] == "same"
    assert "pairs-left-out" in same["note_codes"]
    (zero,) = compare(a, a).rows
    assert "delta" not in (zero["note"] or "")


def test_rows_that_do_not_match_have_laws_alone() -> None:
    """No column of the difference, of its spectrum or of the singular vectors has a value."""
    name = "model.embed_tokens.weight"
    a, b = {name: torch.from_numpy(noisy(40, 0))}, {name: torch.from_numpy(noisy(48, 1))}
    (row,) = compare(a, b, spectrum=True).rows
    laws = {column for column, value in row.items() if isinstance(value, float)}
    assert laws == {"w1", "ks"}
    assert row["status"] == "reshaped"


def noisy(rows: int, seed: int) -> np.ndarray:
    """Independent weights, as many as decide that a cosine is below 0.15."""
    return np.random.default_rng(seed).normal(size=(rows, 64))
