"""Kind of change of planted changes, in rows of tensors and of groups."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from tests.analyses.compare.planted import (
    KIND,
    LAYERS,
    PLANTED,
    ROLES,
    A,
    compare,
    kinds,
    model,
)


@cache
def rows_of_tensors(case):
    """The report of a planted change, made once for all tests of it."""
    b, _, _ = PLANTED[case]
    return compare(A, b, columns=KIND)


@pytest.mark.parametrize("case", PLANTED)
def test_the_kind_of_a_planted_change(case) -> None:
    """The sentence with the numbers that decide, and the kind of each role."""
    _, reason, by_role = PLANTED[case]
    report = rows_of_tensors(case)
    name = case.split()[0]
    (sentence,) = (text for text in report.notes if text.startswith("change "))
    assert sentence.startswith(f"change {name}: ")
    assert reason in sentence
    found = kinds(report)
    if name in ("undecided", "other_architecture"):
        assert name in found.values()
    else:
        assert found == dict.fromkeys(ROLES, "identical") | by_role


@pytest.mark.parametrize("case", PLANTED)
def test_grouped_rows_have_the_kind_of_their_group(case) -> None:
    """By role as the tensors of the role; by model one row a kind of tensor."""
    b, _, _ = PLANTED[case]
    of_tensors = kinds(rows_of_tensors(case))
    by_role = compare(A, b, by="role", columns=("role", "change"))
    assert {row["role"]: row["change"] for row in by_role.rows} == of_tensors
    by_model = compare(A, b, by="model", columns=("kind", "change"))
    by_kind = {row["kind"]: row["change"] for row in by_model.rows}
    assert set(by_kind) == {"matrix", "embedding", "norm"}
    assert by_kind["embedding"] == of_tensors["embed"]
    expected = {"targeted by a table": "identical", "few_rows": "identical"}
    assert by_kind["matrix"] == expected.get(case, case.split()[0])


def test_layers_have_the_kind_of_their_tensors() -> None:
    """Rows by layer: those that changed, and those that did not."""
    b, _, _ = PLANTED["targeted in layers"]
    report = compare(A, b, by="layer", columns=("layer", "kind", "change"))
    by_layer = {(row["layer"], row["kind"]): row["change"] for row in report.rows}
    for layer in range(LAYERS):
        expected = "broad" if layer in (1, 2) else "identical"
        assert by_layer[layer, "matrix"] == by_layer[layer, "norm"] == expected


def test_shapes_of_another_width_are_another_architecture() -> None:
    """Equal names alone are no partners: reshaped tensors share no parameters."""
    report = compare(A, model(0, width=48), columns=KIND)
    reason = "100% of the parameters of A have no partner of their shape"
    assert f"change other_architecture: {reason}" in report.notes
    assert {row["status"] for row in report.rows} == {"reshaped"}
    added = compare(A, A | {"extra.weight": torch.ones(400, 400)}, columns=KIND)
    assert any("other_architecture" in text and "of B" in text for text in added.notes)
    few = compare(A, A | {"extra.weight": torch.ones(3, 3)}, columns=KIND)
    assert not any("other_architecture" in text for text in few.notes)


def sentence(b) -> str:
    """The kind of change from A to B, and its reason."""
    notes = compare(A, b, columns=KIND).notes
    (found,) = (text for text in notes if text.startswith("change "))
    return found


def test_new_rows_and_tensors_are_a_change() -> None:
    """Where all that both models have is equal they are not identical."""
    table = A["model.embed_tokens.weight"]
    few = A | {"model.embed_tokens.weight": torch.cat([table, table[:8]])}
    assert sentence(few) == "change few_rows: 8 rows of tables added or removed, the others equal"
    assert kinds(compare(A, few, columns=KIND))["embed"] == "few_rows"
    many = A | {"model.embed_tokens.weight": table[:100]}
    reason = "1 of 31 tensors added, removed or reshaped, the others equal"
    assert sentence(many) == f"change targeted: {reason}"
    assert kinds(compare(A, many, columns=KIND))["embed"] == "broad"
    head = {name: tensor for name, tensor in A.items() if name != "lm_head.weight"}
    assert sentence(head) == f"change targeted: {reason}"


def test_changed_buffers_are_a_change() -> None:
    """Running means, scales of codes: the weights are equal, the models are not."""
    a, b = ({"l.weight": A["lm_head.weight"], "bn.running_mean": x * torch.ones(3)} for x in (1, 2))
    report = compare(a, b, columns=KIND)
    assert "change targeted: all weights are equal; changed buffers: 1" in report.notes
    assert "change identical: the only tensor is equal" in compare(a, a, columns=KIND).notes
    dropped = compare(a, {"l.weight": a["l.weight"]}, columns=KIND)
    assert "change identical: the only tensor is equal" in dropped.notes


def test_a_model_with_unmeasured_tensors_is_not_identical() -> None:
    """The kind is null where a tensor that does not fit into memory may differ."""
    report = compare(A, A, columns=KIND, memory="64KiB", threads=1)
    by_status = {row["status"]: row["change"] for row in report.rows}
    assert by_status == {None: None, "same": "identical"}
    assert not any(text.startswith("change") for text in report.notes)


def test_a_kind_is_null_where_it_was_not_requested() -> None:
    """Statuses alone do not tell a retrained model from a broad change: no sentence either."""
    report = compare(A, model(1), columns=("tensor", "status"))
    assert {row["change"] for row in report.rows} == {None}
    assert not any(text.startswith("change") for text in report.notes)
    by_model = compare(A, model(1), by="model", columns=("kind", "changed"))
    assert {row["change"] for row in by_model.rows} == {None}
    assert not any(text.startswith("change") for text in by_model.notes)
    same = compare(A, A, columns=("tensor", "status"))
    assert "change identical: all 31 tensors are equal" in same.notes


def test_the_verdict_does_not_depend_on_the_columns_shown() -> None:
    """Any statistic brings relation and kind of change along, and so does a list of elements."""
    a, b = (model(seed, layers=1) for seed in (0, 1))  # most of the time is laws of differences
    whole = compare(a, b).notes
    assert any(text.startswith("change retrained") for text in whole)
    top = compare(a, b, top=2)
    assert compare(a, b, columns=("tensor", "delta_beta")).notes == top.notes == whole
    rows = top.rows
    assert [set(row) for row in rows] == [{"tensor", "row", "col", "delta", "a", "b"}] * 2
