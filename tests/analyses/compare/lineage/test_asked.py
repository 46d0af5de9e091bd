"""When a search is made, and what bad input gives."""

from __future__ import annotations

import math

import pytest
import torch

from tests.analyses.compare.lineage import planted
from tests.analyses.compare.lineage.planted import compare, said
from weightscope.analyses.compare import CompareOptions
from weightscope.errors import UsageError
from weightscope.statistics.lineage import assignment

A = planted.model()
CUT = planted.cut(A, {48: 36, 72: 54}, planted.linspace, planted.linspace)
COLUMNS = ("tensor", "rule", "note")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"set": True}, "--set"),
        ({"nearest": True}, "--nearest"),
        ({"bootstrap": 5}, "--bootstrap"),
        ({"models": 3}, "a series of MODELs"),
    ],
)
def test_a_search_is_between_two_models(options, found) -> None:
    """Other modes are refused as an error of usage."""
    with pytest.raises(
        UsageError, match=f"--lineage searches .* two MODELs; found {found}"
    ) as refused:
        CompareOptions(lineage=True, **options)
    assert refused.value.code == 2


def test_a_list_of_elements_has_no_search() -> None:
    """--top alone says what the rows are."""
    with pytest.raises(UsageError, match="--top lists elements; found --lineage; omit one"):
        CompareOptions(top=3, lineage=True)


def test_equal_shapes_and_more_tokens_start_no_search() -> None:
    """An extended vocabulary alone is compared on its common rows."""
    table = A["model.embed_tokens.weight"]
    more = {**A, "model.embed_tokens.weight": torch.cat([table, table[:8]])}
    for b in (A, planted.model(1), more):
        report = compare(A, b, columns=COLUMNS)
        assert "rule" not in " ".join(str(note) for note in report.notes)


@pytest.mark.parametrize("value", [1.0, math.nan, math.inf])
def test_equal_rows_have_no_slice(value) -> None:
    """Neither do rows without any finite value."""
    report = compare(A, {k: torch.full_like(v, value) for k, v in CUT.items()}, columns=COLUMNS)
    assert said(report).startswith("no rule found")
    assert any("rows or columns are all equal" in str(row["note"]) for row in report.rows)


def test_some_values_that_are_not_finite_leave_the_slice() -> None:
    """NaN and Inf count as missing."""
    b = {name: tensor.clone() for name, tensor in CUT.items()}
    for tensor in b.values():
        tensor.view(-1)[::7] = math.nan
        tensor.view(-1)[3::11] = math.inf
    assert said(compare(A, b, columns=COLUMNS)).startswith("rows and columns by linspace 3/4")


@pytest.mark.parametrize("lines", [slice(0, 0), slice(0, 2)])
def test_matrices_below_the_sample_have_a_clear_result(lines) -> None:
    """No rows, or too few elements for any rule."""
    b = {name: tensor[lines] for name, tensor in A.items()}
    report = compare(A, b, columns=COLUMNS, lineage=True)
    assert said(report)


def test_too_many_neurons_are_skipped_and_counted(monkeypatch) -> None:
    """No assignment is made of them."""
    module = __import__(assignment.__module__, fromlist=["MOST"])
    monkeypatch.setattr(module, "MOST", 71)
    report = compare(A, planted.permuted(A), columns=COLUMNS, lineage=True)
    assert "neurons of 2 feed-forward layers are not assigned: more than" in said(report)


def test_groups_have_the_sentence_of_the_search() -> None:
    """Whatever rows are shown."""
    for by in ("role", "model"):
        report = compare(A, CUT, by=by)
        assert "rows and columns by linspace 3/4 in 10 of 11 matrices" in said(report)
