"""Tied tensors against copies that are stored on their own."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.planted import A, compare

NAMES = ("tensor", "status")
TABLE, HEAD = "model.embed_tokens.weight", "lm_head.weight"
TIED = A | {HEAD: A[TABLE]}
UNTIED = {name: tensor.clone() for name, tensor in TIED.items()}


def statuses(a, b, **options) -> dict[str, str]:
    """The status of each tensor."""
    report = compare(a, b, columns=NAMES, **options)
    return {row["tensor"]: row["status"] for row in report.rows}


@pytest.mark.parametrize(("a", "b"), [(TIED, UNTIED), (UNTIED, TIED)])
def test_a_conversion_may_store_tied_tensors_twice(a, b) -> None:
    """Both names meet, whichever side ties them."""
    assert statuses(a, b) == dict.fromkeys(UNTIED, "same")


def test_a_head_that_was_trained_apart_has_changed() -> None:
    """It is compared with the table to which it was tied."""
    apart = UNTIED | {HEAD: UNTIED[HEAD] + 1}
    found = statuses(TIED, apart)
    assert (found[HEAD], found[TABLE]) == ("changed", "same")


def test_tensors_tied_or_absent_on_both_sides_have_one_row() -> None:
    """Only what the other side stores gets a row of its own."""
    other = TIED | {"model.norm.weight": torch.ones(32)}
    assert statuses(TIED, other).keys() == TIED.keys() - {HEAD}
    table_alone = {name: tensor for name, tensor in UNTIED.items() if name != HEAD}
    assert statuses(TIED, table_alone) == dict.fromkeys(table_alone, "same")


def test_both_sides_may_tie_in_another_order() -> None:
    """Each keeps the name that it stored first."""
    head_first = {HEAD: A[TABLE]} | {name: A[name] for name in A if name != HEAD}
    assert set(statuses(TIED, head_first).values()) == {"same"}


def test_tied_tensors_are_renamed_and_unwrapped() -> None:
    """As any other name."""
    wrapped = {f"module.{name}": tensor for name, tensor in UNTIED.items()}
    assert set(statuses(TIED, wrapped).values()) == {"same"}
    renamed = {name: tensor for name, tensor in UNTIED.items() if name != HEAD}
    renamed["output"] = UNTIED[HEAD]
    found = statuses(TIED, renamed, rename=("lm_head.weight=output",))
    assert found[HEAD] == "same"
